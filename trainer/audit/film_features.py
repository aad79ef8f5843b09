"""Features of one film for the audit: what is kept of its file and of its picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from trainer.audit.spectra import Spectra, spectra_of
from trainer.audit.squares import square_of
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.data.pixels import read_all
from wetread.imaging.decode import Grey, decode
from wetread.imaging.depth import reduced_to_8_bits
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.files import read_file
from wetread.imaging.range import normalise
from wetread.imaging.resize import resize

BLOCKS = 16
"""Blocks a side of a thumbnail."""

_WORKING_SIZE = 400
"""Long side, pixels, at which pictures are looked at: what a network that is trained here sees by default."""
_BLOCK = 8
"""Pixels a side of a block."""

Blocks = npt.NDArray[np.float32]
"""(BLOCKS, BLOCKS)."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of one film.

    height, width: pixels, as stored. form: kind of file, bits and channels. bytes_per_pixel: of the file.
    means, deviations: grey levels' mean and standard deviation in each block, as shares of the range.
    square, spectra: see trainer.audit.squares and trainer.audit.spectra.
    """

    sha256: str
    height: int
    width: int
    form: str
    bytes_per_pixel: float
    means: Blocks = field(repr=False)
    deviations: Blocks = field(repr=False)
    square: GreyLevels = field(repr=False)
    spectra: Spectra = field(repr=False)


def load_looks(
    dataset: Dataset, *, processes: int = 2, progress: Callable[[int, int], None] | None = None
) -> tuple[Look, ...]:
    """Return a look at each film, in the data set's order; 36 KB a film.

    progress: called with (films done, films in all).
    Raises DataError naming the films that cannot be read, and why.
    """
    looks: list[Look] = []
    for look in read_all(partial(look_at, dataset.root), dataset.films, processes):
        looks.append(look)
        if progress is not None:
            progress(len(looks), len(dataset))
    return tuple(looks)


def look_at(root: bytes, film: Film) -> Look:
    """Return a look at a film under `root`; raise Rejected when it cannot be read."""
    file = read_file(root, film.path)
    return look_of(file.data, file.sha256)


def look_of(data: bytes, sha256: str) -> Look:
    """Return a look at the film in a file's bytes; raise Rejected when it cannot be read."""
    return look_at_grey(decode(data), len(data), sha256)


def look_at_grey(grey: Grey, size: int, sha256: str) -> Look:
    """Return a look at a decoded film; size: of its file, bytes. Raise Rejected where there is nothing to see."""
    height, width = grey.pixels.shape
    levels = normalise(reduced_to_8_bits(grey.pixels, _WORKING_SIZE))
    means, deviations = _blocks(levels)
    square = square_of(levels)
    return Look(
        sha256, height, width, _form(grey), size / (height * width), means, deviations, square, spectra_of(square)
    )


def _form(grey: Grey) -> str:
    return f"{grey.format}, {grey.bits} bits, {grey.channels} channels, orientation {grey.orientation}"


def _blocks(levels: GreyLevels) -> tuple[Blocks, Blocks]:
    side = BLOCKS * _BLOCK
    blocks = resize(levels, side, side).astype(np.float32).reshape(BLOCKS, _BLOCK, BLOCKS, _BLOCK) / 255
    return blocks.mean(axis=(1, 3)), blocks.std(axis=(1, 3))
