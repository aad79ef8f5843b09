"""The models that come with the program, and the digests they are held to.

A shipped model lies in wetread/models/shipped/NAME. Its digest stands here, in code, so that files that
were altered after the install are refused like any other. The first is what the alias `production` means
until somebody promotes another.

To ship another: put its artefact beside the others and its digest below; a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

SHIPPED: Mapping[str, str] = MappingProxyType(
    {"chest-cnn": "ec03a2beebf30e3e41e95e3aa5d22d783c411a346fd8193423492ed4a976e576"}
)
"""Name -> digest."""

ACCEPTED_AUDITS: Mapping[str, str] = MappingProxyType(
    {
        "chest-cnn": "It ships so that the program works before a site has trained a model of its own. No public films "
        "of these three labels come from one source each; its card says first that the source gives covid away, and "
        "gives the figures within each source."
    }
)
"""Name -> why it ships although the audit of its data found that unsafe.

Nobody promotes a shipped model, so nobody is asked: this is the answer of those who ship it. It counts for what
`production` means by itself and for going back to that; a site that promotes the model gives its own.
"""

_PREFIX = "shipped:"


def shipped_directory(name: str) -> str:
    """Return the folder of the shipped model `name`."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "shipped", name)


def shipped_location(name: str) -> str:
    """Return what a registration of the shipped model `name` has as its directory."""
    return _PREFIX + name


def shipped_here(directory: str, digest: str) -> str | None:
    """Return the folder that a registration's `directory` means; None unless this program ships that very model."""
    name = directory.removeprefix(_PREFIX)
    return shipped_directory(name) if name != directory and SHIPPED.get(name) == digest else None
