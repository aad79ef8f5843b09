"""Checks that the libraries that call a PACS are installed, and says how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from schemas.errors import UsageError


def check_pacs() -> None:
    """Raise UsageError where the extra `pacs` is not installed."""
    from wetread.installing import install_command

    if missing := [name for name in ("pynetdicom", "urllib3") if find_spec(name) is None]:
        raise UsageError(f"expected {' and '.join(missing)} to call a PACS, found none: {install_command('pacs')}")
