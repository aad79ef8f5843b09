"""The films of a data set as one array of grey levels, each read, decoded and preprocessed once.

Exactly what a worker does before the network, by the same functions; the scale (a multiplication) is left
to the batch, so that 1,000 films of 128 x 128 take 16 MB. Films that cannot be read end it here, all named, before
any training.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError, Rejected
from trainer.data.bad_rows import BadRows
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from wetread.imaging.decode import decode
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess

Films = npt.NDArray[np.uint8]
"""Grey levels of many films, (n, height, width)."""

Read = TypeVar("Read")

_CHUNK = 16
"""Films a process takes at a time."""
_ALONE = 64
"""Up to so many films, starting processes takes longer than reading them."""


def load_films(
    dataset: Dataset,
    preprocess: Preprocess,
    *,
    indices: Sequence[int] | None = None,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Films:
    """Return the grey levels of the films, (n, height, width) uint8, in the order of `indices`, all by default.

    progress: called with (films done, films in all).
    Raises DataError naming the films that cannot be read, and why.
    """
    chosen = range(len(dataset)) if indices is None else indices
    named = [dataset.films[index] for index in chosen]
    films = np.empty((len(named), preprocess.height, preprocess.width), dtype=np.uint8)
    for done, levels in enumerate(read_all(partial(_read, dataset.root, preprocess), named, processes), start=1):
        films[done - 1] = levels
        if progress is not None:
            progress(done, len(named))
    return films


def read_mask(root: bytes, film: Film) -> GreyLevels | None:
    """Return the mask of a film's lungs, above 127 inside; None where it has none. Raises Rejected as `decode` does."""
    if film.mask is None:
        return None
    return np.where(decode(read_file(root, film.mask).data).pixels > 0, np.uint8(255), np.uint8(0))


def read_all(read: Callable[[Film], Read], films: Sequence[Film], processes: int) -> Iterator[Read]:
    """Yield what `read` makes of each film, in order; `read` runs in so many processes where that is worth it.

    Raises DataError, at the end, naming the films for which `read` raised Rejected, or those among which a process was
    killed.
    """
    bad = BadRows("films")
    for film, (made, fault) in zip(films, _tried_all(partial(_tried, read), films, processes), strict=True):
        if made is None:
            bad.add(f"{film.name}: expected a film that can be read, found {fault}; repair it or leave it out")
        else:
            yield made
    bad.raise_if_any()


def _tried(read: Callable[[Film], Read], film: Film) -> tuple[Read | None, str]:
    """Return what was made of a film, or why nothing was."""
    try:
        return read(film), ""
    except Rejected as error:
        return None, f"{error.reason}: {error.detail}"


def _tried_all(tried: Callable[[Film], Read], films: Sequence[Film], processes: int) -> Iterator[Read]:
    if processes < 2 or len(films) <= _ALONE:
        yield from map(tried, films)
        return
    # Without what only this process asks for, and cannot be sent.
    sent = [replace(film, attributes={}) for film in films]
    # Spawned: a process forked after TensorFlow has started can hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = 0
        try:
            for made in pool.map(tried, sent, chunksize=_CHUNK):
                yield made
                done += 1
        except BrokenProcessPool as error:
            near = films[done].name
            raise DataError(
                f"a process that read films was killed, by a film or for its memory, at {near} or one of the "
                f"{processes * _CHUNK} films after it: leave that film out, or use one process"
            ) from error


def _read(root: bytes, preprocess: Preprocess, film: Film) -> GreyLevels:
    mask = None if preprocess.lung_field is None else read_mask(root, film)
    return preprocess.levels(decode(read_file(root, film.path).data, preprocess.enough).pixels, mask)
