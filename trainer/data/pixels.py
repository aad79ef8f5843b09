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
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError, Rejected
from trainer.data.bad_rows import BadRows
from trainer.data.dataset import Dataset
from wetread.imaging.decode import decode
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.files import read_file
from wetread.imaging.preprocess import Preprocess
from wetread.path_text import path_text

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
    paths = [dataset.films[index].path for index in chosen]
    films = np.empty((len(paths), preprocess.height, preprocess.width), dtype=np.uint8)
    for done, levels in enumerate(read_all(partial(_read, dataset.root, preprocess), paths, processes), start=1):
        films[done - 1] = levels
        if progress is not None:
            progress(done, len(paths))
    return films


def read_all(read: Callable[[bytes], Read], paths: Sequence[bytes], processes: int) -> Iterator[Read]:
    """Yield what `read` makes of each film, in order; `read` runs in so many processes where that is worth it.

    Raises DataError, at the end, naming the films for which `read` raised Rejected, or those among which a process was
    killed.
    """
    bad = BadRows("films")
    for path, (made, fault) in zip(paths, _tried_all(partial(_tried, read), paths, processes), strict=True):
        if made is None:
            bad.add(f"{path_text(path)}: expected a film that can be read, found {fault}; repair it or leave it out")
        else:
            yield made
    bad.raise_if_any()


def _tried(read: Callable[[bytes], Read], path: bytes) -> tuple[Read | None, str]:
    """Return what was made of a film, or why nothing was."""
    try:
        return read(path), ""
    except Rejected as error:
        return None, f"{error.reason}: {error.detail}"


def _tried_all(tried: Callable[[bytes], Read], paths: Sequence[bytes], processes: int) -> Iterator[Read]:
    if processes < 2 or len(paths) <= _ALONE:
        yield from map(tried, paths)
        return
    # Spawned: a process forked after TensorFlow has started can hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = 0
        try:
            for made in pool.map(tried, paths, chunksize=_CHUNK):
                yield made
                done += 1
        except BrokenProcessPool as error:
            near = path_text(paths[done])
            raise DataError(
                f"a process that read films was killed, by a film or for its memory, at {near} or one of the "
                f"{processes * _CHUNK} films after it: leave that film out, or use one process"
            ) from error


def _read(root: bytes, preprocess: Preprocess, path: bytes) -> GreyLevels:
    return preprocess.levels(decode(read_file(root, path).data, preprocess.enough).pixels)
