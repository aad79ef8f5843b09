"""Checks that what a question names exists; refuses the question otherwise, and lists what exists."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from schemas.errors import UsageError
from wetread.nearest import no_such
from wetread.path_text import path_text

if TYPE_CHECKING:
    from wetread.store.core.database import Database
    from wetread.store.results.finding import Filters

CODES = ("view", "modality")
IDENTIFIERS = {"study_uid": "--study", "series_uid": "--series", "patient_hash": "--patient-hash"}


def check_known(database: Database, filters: Filters) -> None:
    """Raise UsageError, listing the known values, where a filter has a value that no model, run or film can have."""
    from wetread.store.results import known_values as known
    from wetread.store.runs.accounts import run_account

    with database.reading() as session:
        if filters.run is not None:
            run_account(session, filters.run)
        if filters.label is not None:
            _refuse_unknown("--label", filters.label, known.known_labels(session, filters))
        if filters.decision is not None:
            _refuse_unknown("--decision", filters.decision, known.known_decisions(session, filters))
        for name in CODES:
            if (wanted := getattr(filters, name)) is not None:
                _refuse_unknown(f"--{name}", wanted, known.known_codes(session, name))
        for name, option in IDENTIFIERS.items():
            wanted = getattr(filters, name)
            if wanted is not None and not (wanted.isascii() and known.has_header(session, name, wanted)):
                raise UsageError(
                    f"{option}: expected one that a film has, found none with {wanted[:80]!r}; `wetread results list "
                    "--format jsonl` gives them"
                )


def chosen_path(database: Database, path: str) -> bytes:
    """Return the beginning of images' paths that `path` means: as it is here, links resolved, or as under a root.

    Raises UsageError where no image's path begins so, or where it means images here and others under a root.
    """
    from wetread.store.results.known_values import has_images, known_roots

    written = os.fsencode(path)
    here = _here(written)
    with database.reading() as session:
        roots = known_roots(session)
        under = [] if written.startswith(b"/") else [os.path.join(root, written) for root in roots]
        found = [each for each in dict.fromkeys((here, written, *under)) if has_images(session, each)]
    if not found:
        shown = ", ".join(map(path_text, roots)) or "none"
        raise UsageError(
            f"--path: expected the beginning of a path that was screened, found none that begins with {path!r}, here "
            f"({path_text(here)}) or under a root; the roots: {shown}"
        )
    if here in found and not {here, written}.issuperset(found):
        raise UsageError(f"--path: {path!r} is under a root and in this directory too; write it from / on")
    return found[0]


def _here(path: bytes) -> bytes:
    """Return `path` from / on, with the links of what exists of it resolved; a / at its end stays."""
    whole = path if b"\0" in path else os.path.realpath(path)
    return whole + b"/" if path.endswith(b"/") and not whole.endswith(b"/") else whole


def _refuse_unknown(option: str, wanted: str, known: list[str]) -> None:
    if wanted not in known:
        raise UsageError(f"{option}: expected one that there is, {no_such(wanted, known)}")
