"""The pages' templates: what is put into one is shown as text, whatever it holds."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response


class Templates:
    """Fills the templates beside this module."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("web", "pages"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def page(self, name: str, code: int = 200, **values: Any) -> Response:
        """Return the page `name` with these values."""
        text = self._environment.get_template(name).render(values)
        return HTMLResponse(text.encode("utf-8", "backslashreplace"), code)
