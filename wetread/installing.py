"""The command that installs what is missing, in the way in which wetread itself was installed here."""

from __future__ import annotations

import json
import os
import shlex
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

MAKE = {"keras": "make keras", "onnx": "make onnx", "pacs": "make pacs", "web": "make web"}
"""In a checkout; all other extras are there after `make install`."""

_CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def install_command(extra: str = "") -> str:
    """Return the command that installs an extra of pyproject.toml, or that reinstalls wetread.

    In a checkout it is one of make's, else that of pip, pipx or uv, whichever has installed wetread, from where it did.
    Where that place is unknown or gone, it names the packages: wetread is in no index, and a package of its name there
    would be another's.
    """
    if all(os.path.isfile(os.path.join(_CHECKOUT, name)) for name in ("Makefile", "pyproject.toml")):
        return MAKE.get(extra, "make install")
    try:
        installed = distribution("wetread")
    except PackageNotFoundError:  # a copy of the files: what it needs is not written down
        return f"see the extra {extra!r} of wetread's pyproject.toml" if extra else "install wetread"
    if (place := _origin(installed)) is not None:
        return f"{_installs_anew(installed)} {shlex.quote(f'wetread[{extra}] @ {place}' if extra else place)}"
    return f"{_installs_into(installed)} {' '.join(map(shlex.quote, _needs(installed, extra)))}"


def _origin(installed: Distribution) -> str | None:
    """Return the URL that wetread was installed from, as pip takes it; None where it is not known or no longer there.

    PEP 610 says how it is kept.
    """
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    url = str(origin.get("url", ""))
    if not url or (url.startswith("file:") and not os.path.exists(url2pathname(urlsplit(url).path))):
        return None
    version = origin.get("vcs_info")
    return url if version is None else f"{version['vcs']}+{url}@{version['commit_id']}"


def _needs(installed: Distribution, extra: str) -> list[str]:
    """Return the packages of an extra, or those that wetread needs without any."""
    needs = [requirement.partition(";") for requirement in installed.requires or []]
    mark = f"extra == '{extra}'" if extra else ""
    return [name.strip() for name, _, when in needs if (when.strip().replace('"', "'") == mark)]


def _installs_anew(installed: Distribution) -> str:
    if _is_pipx():
        return "pipx install --force"
    return "uv tool install --force" if _is_uv_tool() else _pip(installed)


def _installs_into(installed: Distribution) -> str:
    return "pipx inject wetread" if _is_pipx() else _pip(installed)


def _pip(installed: Distribution) -> str:
    python = shlex.quote(sys.executable)
    by_uv = (installed.read_text("INSTALLER") or "").strip() == "uv"
    return f"uv pip install --python {python}" if by_uv else f"{python} -m pip install"


def _is_pipx() -> bool:
    """Return whether pipx made this environment."""
    return os.path.isfile(os.path.join(sys.prefix, "pipx_metadata.json"))


def _is_uv_tool() -> bool:
    """Return whether `uv tool` made this environment."""
    return os.path.isfile(os.path.join(sys.prefix, "uv-receipt.toml"))
