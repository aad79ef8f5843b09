"""Renders HTML from templates that escape every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined


def render_file(
    package: str, file: str, values: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]] | None = None
) -> bytes:
    """Return the page that the template `file` of a package makes of `values`, as UTF-8, without a last line's end.

    filters: {name: what a template may do to a value}. A value that the template names and does not get is an error.
    """
    environment = _environment(PackageLoader(package, "."))
    environment.filters |= filters or {}
    return environment.get_template(file).render(values).encode("utf-8", "backslashreplace")


def render_text(template: str, **values: object) -> str:
    """Return a piece of HTML that a template, of a line, makes of `values`."""
    return _environment(None).from_string(template).render(values)


def _environment(loader: BaseLoader | None) -> Environment:
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
