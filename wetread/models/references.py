"""Resolves a model's reference, such as NAME@VERSION, an alias or a digest.

    production           an alias: what it points to now; unmoved, `production` is the shipped model
    shipped              the model that came with the program
    cxr                  the highest version of that name
    cxr@3                that version
    8f3a01bc...          at least 8 digits of a digest

They are tried in this order. A name is never that of an alias, so the first two cannot hide a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from schemas.errors import UsageError
from wetread.models.shipped import SHIPPED
from wetread.nearest import nearest
from wetread.store.models.registrations import Registration

PRODUCTION = "production"
SHIPPED_ALIAS = "shipped"
RESERVED = frozenset({PRODUCTION, SHIPPED_ALIAS})

_DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")


def with_shipped(aliases: Mapping[str, str]) -> dict[str, str]:
    """Return `aliases` with the default aliases, which mean the shipped model until they are moved."""
    shipped = next(iter(SHIPPED.values()), None)
    return dict(aliases) if shipped is None else {PRODUCTION: shipped, SHIPPED_ALIAS: shipped, **aliases}


def find_reference(reference: str, models: Sequence[Registration], aliases: Mapping[str, str]) -> Registration:
    """Return the model that `reference` names; raise UsageError listing the known models.

    aliases: alias -> digest.
    """
    if reference in aliases:
        matching = [model for model in models if model.digest == aliases[reference]]
    else:
        matching = [model for model in models if reference in (model.name, model.reference)][-1:]
        if not matching and _DIGEST_PREFIX.fullmatch(reference):
            matching = [model for model in models if model.digest.startswith(reference)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        found = ", ".join(f"{model.reference} {model.digest}" for model in matching)
        raise UsageError(f"model {reference!r}: expected one, found {found}; give more of the digest")
    if not models:
        raise UsageError(
            f"model {reference!r}: no model is registered yet; run 'wetread train' or 'wetread models import'"
        )
    known = [*aliases, *(model.reference for model in models)]
    by_name = {model.name: model.reference for model in models}
    meant = nearest(reference, [*known, *by_name])
    hint = "" if meant is None else f". Did you mean {by_name.get(meant, meant)!r}?"
    raise UsageError(
        f"model {reference!r}: expected one that is registered, found no such; there are: {', '.join(known)}{hint}"
    )
