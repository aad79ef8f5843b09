"""Finds candidates for copies: a cheap first look at every pair of films.

A film's spectrum is the log magnitude of the low frequencies of its texture. A shift leaves it as it is,
inverting the film too, and mirroring it only reverses its rows. A change of scale moves it: so each film
has nine, of its whole and of its middle (1, 0.9 and 0.8 of its height and of its width), and the nine of
one film are held against those of another in every combination that a crop, even of one film in height
and of the other in width, can make the same. Two films' similarity is the greatest correlation found.

It proposes only: films of different patients are often more alike, by it, than a copy cropped hard is
like its original. `trainer.audit.alignment` confirms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from trainer.audit.squares import Picture, centre, texture
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

_KEPT = (1.0, 0.9, 0.8)
CROPS: tuple[tuple[float, float], ...] = tuple(product(_KEPT, _KEPT))
"""Shares of (height, width) of each crop; the first is the whole film."""

NEIGHBOURS = 3
"""Films that are looked at closely for each film: those most similar."""
LEAST_SIMILARITY = 0.68
"""Less similar films are not looked at. Of 1,240 real films, one pair of different patients in 70 is above it."""

_SIDE = 64
_SIGMA = 5.0
_FREQUENCIES = 12
"""Cycles a side, below: what is finer changes with the smallest change of scale."""
_ROWS_AT_ONCE = 512

Spectra = npt.NDArray[np.float32]
"""(films, crops, 2 * _FREQUENCIES - 1, _FREQUENCIES), each of mean 0 and length 1."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How two films look most alike: the crop of each, and whether the other is mirrored."""

    crop: tuple[float, float]
    other_crop: tuple[float, float]
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two films, by number, that may be one; `one` is below `other`."""

    one: int
    other: int
    similarity: float
    fit: Fit


def spectra_of(square: GreyLevels) -> Spectra:
    """Return the spectra of one film, (crops, rows, columns)."""
    return np.stack([_spectrum(centre(square, crop, _SIDE)) for crop in CROPS])


def proposals(spectra: Spectra, groups: npt.NDArray[np.int64]) -> Iterator[Proposal]:
    """Yield the pairs worth a close look, each once: of every film, the NEIGHBOURS most similar ones.

    groups: (films,); films of one group are not held against each other.
    """
    seen: set[tuple[int, int]] = set()
    for start in range(0, len(spectra), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        similarity, fits = _best_fits(spectra[rows], spectra)
        similarity[groups[rows, np.newaxis] == groups] = -1.0
        for row in range(len(similarity)):
            for column in np.argsort(-similarity[row], kind="stable")[:NEIGHBOURS].tolist():
                pair = (min(start + row, column), max(start + row, column))
                if similarity[row, column] < LEAST_SIMILARITY or pair in seen:
                    continue
                seen.add(pair)
                fit = _FITS[fits[row, column]]
                if pair[0] == column:
                    fit = Fit(fit.other_crop, fit.crop, fit.mirrored)
                yield Proposal(*pair, float(similarity[row, column]), fit)


def _combinations() -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the crops of two films that can show the same part: each side is cropped of one film at most."""
    for (height, width), (other_height, other_width) in product(CROPS, CROPS):
        if 1.0 in (height, other_height) and 1.0 in (width, other_width):
            yield (height, width), (other_height, other_width)


_FITS = tuple(Fit(*crops, mirrored) for crops, mirrored in product(_combinations(), (False, True)))


def _best_fits(rows: Spectra, columns: Spectra) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Return the greatest similarity of each row's film to each column's, and the number in _FITS of its fit."""
    best = np.full((len(rows), len(columns)), -1.0, np.float32)
    fits = np.zeros(best.shape, np.int8)
    for number, fit in enumerate(_FITS):
        one = rows[:, CROPS.index(fit.crop)].reshape(len(rows), -1)
        other = columns[:, CROPS.index(fit.other_crop)]
        if fit.mirrored:
            other = other[:, ::-1]
        similarity = one @ other.reshape(len(columns), -1).T
        better = similarity > best
        best[better] = similarity[better]
        fits[better] = number
    return best, fits


def _spectrum(picture: Picture) -> Spectra:
    transform = cv2.dft(texture(picture, _SIGMA) * _WINDOW, flags=cv2.DFT_COMPLEX_OUTPUT)
    magnitude = np.log1p(np.hypot(transform[..., 0], transform[..., 1]))
    # Rows from the most negative frequency to the most positive, so that their reverse is the mirrored film's.
    low = np.concatenate([magnitude[1 - _FREQUENCIES :], magnitude[:_FREQUENCIES]])[:, :_FREQUENCIES]
    low -= low.mean()
    return np.asarray(low / max(float(np.linalg.norm(low)), 1e-6), dtype=np.float32)


_WINDOW = np.outer(np.hanning(_SIDE), np.hanning(_SIDE)).astype(np.float32)
