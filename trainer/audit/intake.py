"""Reads every film once, for the audit and for the network.

A file is read and decoded once: the audit's look and the network's grey levels are both made of that. People with
several patient ids are united before anybody is dealt to a side.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from schemas.errors import Rejected, UnsafeError
from schemas.reasons import Reason
from trainer.audit.auditing import judge
from trainer.audit.copies import Copy, find_copies
from trainer.audit.film_features import Look, look_at_grey
from trainer.audit.findings import Audit
from trainer.audit.people import united
from trainer.audit.sides import Sides
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.data.pixels import Films, read_all, read_mask
from wetread.imaging.decode import decode
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess


@dataclass(frozen=True)
class FilmsRead:
    """The films of a data set, read.

    dataset: with several ids of one person united.
    films: grey levels as the network gets them, (n, height, width), in the data set's order; looks: the same.
    copies: films that are one. seconds: that reading took, the search for copies not among them.
    set_aside: films without a plausible lung field, of which none is among these.
    """

    dataset: Dataset
    films: Films
    looks: tuple[Look, ...]
    copies: tuple[Copy, ...]
    seconds: float
    set_aside: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the files, in order."""
        return hashlib.sha256("".join(look.sha256 for look in self.looks).encode("ascii")).hexdigest()

    def audit(
        self, sides: Sides | None, *, strict: bool = False, audited: Callable[[Audit], None] | None = None
    ) -> Audit:
        """Return what is wrong with the films and with the split that `sides` gives.

        audited: called with it. Raises UnsafeError, after that, where the data is unsafe and `strict`.
        """
        found = judge(self.dataset, sides, self.looks, self.copies)
        if audited is not None:
            audited(found)
        if strict and found.unsafe:
            raise UnsafeError(
                "the audit found the data unsafe; mend it ('wetread audit' shows each case), or do without --strict"
            )
        return found


def take_in(
    dataset: Dataset,
    preprocess: Preprocess,
    *,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> FilmsRead:
    """Read every film of `dataset`, and find patients who are one person.

    progress: called with (films read, films in all).
    Raises DataError naming the films that cannot be read, and why.
    """
    started = time.perf_counter()
    films = np.empty((len(dataset), preprocess.height, preprocess.width), dtype=np.uint8)
    looks: list[Look] = []
    kept: list[Film] = []
    read = read_all(partial(_read, dataset.root, preprocess), dataset.films, processes)
    for done, (film, (look, levels)) in enumerate(zip(dataset.films, read, strict=False), start=1):
        if levels is not None:
            films[len(kept)] = levels
            looks.append(look)
            kept.append(film)
        if progress is not None:
            progress(done, len(dataset))
    for _ in read:  # what could not be read is said at its end
        pass
    seconds = time.perf_counter() - started
    copies = tuple(find_copies(kept, looks))
    whole = replace(dataset, films=tuple(kept))
    return FilmsRead(united(whole, copies), films[: len(kept)], tuple(looks), copies, seconds, len(dataset) - len(kept))


def _read(root: bytes, preprocess: Preprocess, film: Film) -> tuple[Look, GreyLevels | None]:
    """Return what is seen of a film, and its levels; None where no lung field is found, no fault of the file."""
    file = read_file(root, film.path)
    grey, enough = decode(file.data), preprocess.enough
    pixels = grey.pixels
    fewer = {"jpeg": enough.jpeg, "dicom": enough.wavelets}.get(grey.format)
    if fewer is not None and max(pixels.shape) >= 2 * fewer:
        pixels = decode(file.data, enough).pixels  # as it will be served, and the audit looks at all of it
    look, mask = look_at_grey(grey, len(file.data), file.sha256), None
    if preprocess.lung_field is not None:
        mask = read_mask(root, film)
    try:
        return look, preprocess.levels(pixels, mask)
    except Rejected as fault:
        if fault.reason != Reason.NO_LUNG_FIELD:
            raise
        return look, None
