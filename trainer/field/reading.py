"""Reads films with masks for the segmenter, preprocessed as serving does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from schemas.errors import DataError
from trainer.data.film import Film
from trainer.data.pixels import read_all, read_mask
from trainer.field.segmenter import SIDE
from trainer.field.training import MaskedFilms
from wetread.imaging.decode import decode
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.files import read_file
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess


def read_masked(
    root: bytes, films: Sequence[Film], *, processes: int = 2, progress: Callable[[int, int], None] | None = None
) -> MaskedFilms:
    """Return the films and their masks at the segmenter's size; progress is called with (films read, films in all).

    Raises DataError naming films that have no mask, or cannot be read.
    """
    if missing := next((film for film in films if film.mask is None), None):
        raise DataError(f"{missing.name}: expected a mask, in the manifest's column mask, found none")
    levels, masks = [], []
    for done, (film, mask) in enumerate(read_all(partial(_read, root), films, processes), start=1):
        levels.append(film)
        masks.append(mask)
        if progress is not None:
            progress(done, len(films))
    return MaskedFilms(np.stack(levels), np.stack(masks))


def _read(root: bytes, film: Film) -> tuple[GreyLevels, GreyLevels]:
    preprocess = Preprocess()
    original = preprocess.original(decode(read_file(root, film.path).data, preprocess.enough).pixels)
    mask = read_mask(root, film)
    assert mask is not None  # noqa: S101 - `read_masked` has looked
    return _square(original), _square(mask)


def _square(picture: GreyLevels) -> GreyLevels:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
