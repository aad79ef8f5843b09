"""Checks that what a question names exists; refuses the question otherwise, and lists what exists.

The command line and the HTTP API ask in the same words: `Spelled` says how a name is written where it was asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from schemas.errors import UsageError
from wetread.nearest import no_such
from wetread.path_text import path_text

if TYPE_CHECKING:
    from wetread.store.core.database import Database
    from wetread.store.results.finding import Filters

CODES = ("view", "modality")
IDENTIFIERS = {"study_uid": "study", "series_uid": "series", "patient_hash": "patient_hash"}

Spelled = Callable[[str], str]
"""How a name such as min_probability is written in what was asked."""


def as_option(name: str) -> str:
    """Return a name as an option of the command line: --min-probability."""
    return "--" + name.replace("_", "-")


def check_known(database: Database, filters: Filters, spelled: Spelled = as_option) -> None:
    """Raise UsageError, listing the known values, where a filter has a value that no model, run or film can have."""
    from wetread.store.results import known_values as known
    from wetread.store.runs.accounts import run_account

    with database.reading() as session:
        if filters.run is not None:
            run_account(session, filters.run)
        if filters.label is not None:
            refuse_unknown(spelled("label"), filters.label, known.known_labels(session, filters))
        if filters.decision is not None:
            refuse_unknown(spelled("decision"), filters.decision, known.known_decisions(session, filters))
        for name in CODES:
            if (wanted := getattr(filters, name)) is not None:
                refuse_unknown(spelled(name), wanted, known.known_codes(session, name))
        for name, asked_as in IDENTIFIERS.items():
            wanted = getattr(filters, name)
            if wanted is not None and not (wanted.isascii() and known.has_header(session, name, wanted)):
                raise UsageError(
                    f"{spelled(asked_as)}: expected one that a film has, found none with {wanted[:80]!r}; "
                    "`wetread results list --format jsonl` gives them"
                )


def chosen_path(database: Database, path: str, spelled: Spelled = as_option, *, here: bool = True) -> bytes:
    """Return the beginning of images' paths that `path` means: as it is here, links resolved, or as under a root.

    here: False for who asks from elsewhere: no file system is asked, and a refusal tells nothing of this machine.
    Raises UsageError where no image's path begins so, or where it means images here and others under a root.
    """
    from wetread.store.results.known_values import has_images, known_roots

    written = os.fsencode(path)
    local = _here(written) if here else written
    with database.reading() as session:
        roots = known_roots(session)
        under = [] if written.startswith(b"/") else [os.path.join(root, written) for root in roots]
        found = [each for each in dict.fromkeys((local, written, *under)) if has_images(session, each)]
    if not found:
        if not here:
            raise UsageError(
                f"{spelled('path')}: expected the beginning of a path that was screened, found none that begins with "
                f"{path!r}, from / on or under a root"
            )
        shown = ", ".join(map(path_text, roots)) or "none"
        raise UsageError(
            f"{spelled('path')}: expected the beginning of a path that was screened, found none that begins with "
            f"{path!r}, here ({path_text(local)}) or under a root; the roots: {shown}"
        )
    if here and local in found and not {local, written}.issuperset(found):
        raise UsageError(f"{spelled('path')}: {path!r} is under a root and in this directory too; write it from / on")
    return found[0]


def _here(path: bytes) -> bytes:
    """Return `path` from / on, with the links of what exists of it resolved; a / at its end stays."""
    whole = path if b"\0" in path else os.path.realpath(path)
    return whole + b"/" if path.endswith(b"/") and not whole.endswith(b"/") else whole


def refuse_unknown(option: str, wanted: str, known: list[str]) -> None:
    """Raise UsageError where what an option wants is not among what is known; name those that there are."""
    if wanted not in known:
        raise UsageError(f"{option}: expected one that there is, {no_such(wanted, known)}")
