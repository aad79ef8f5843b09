"""The libraries that a model's numbers depend on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "opencv-python-headless", "tensorflow", "keras")


def library_versions() -> dict[str, str]:
    """Return their versions, of those that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
