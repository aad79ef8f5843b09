"""Which version of wetread this is."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version


@lru_cache(maxsize=1)
def program_version() -> str:
    """Return the version of the installed program, "unknown" where it was not installed."""
    try:
        return version("wetread")
    except PackageNotFoundError:
        return "unknown"
