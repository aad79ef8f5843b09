"""Turns grey pixels into a network's input, the same way in training and serving.

    grey pixels, any depth                                 a large JPEG's at a fraction of its size
      -> area reduction to the working size (long side)      reduced, 8 bits
      -> one range normalisation, to 8 bits                  original
      -> CLAHE                                               equalised
      -> brightness                                          brightened
     or, for a model that reads lungs alone:
      -> the lung field, its grey levels normalised          field
     or, for another's network that learned from films as they are, nothing
      -> the network's size, whole film, aspect not kept     (height, width)
      -> (level / 255 - mean) / std                          float32 (height, width, 1)

The reduction comes before the normalisation, so that a film and its own reduced copy are measured on the
same pixels, and because it is the cheaper order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError
from wetread.imaging.depth import own_8_bits, reduced_to_8_bits
from wetread.imaging.equalisation import GreyLevels, brighten, equalise
from wetread.imaging.grey import Pixels
from wetread.imaging.header import Enough
from wetread.imaging.lung_field import LungField
from wetread.imaging.range import normalise
from wetread.imaging.resize import resize
from wetread.imaging.step import CLAHE, REDUCE, RESIZE, Step

_JPEG_MARGIN, _WAVELET_MARGIN = 2.0, 1.5
"""What is decoded at a fraction keeps so many times the working size, so that means of areas still end it."""
_SIDE_LIMIT = 4096
_TILES_LIMIT = 64
_LATER_FIELDS = frozenset({"reduced_decoding", "own_range", "reduced_wavelets", "lung_field", "plain"})
"""Fields that the first records had not: they mean false there, and a record in which they are false has none."""
_NO_FIELD = ("clip_limit", "brightness")
"""What a lung field takes the place of, and what is not done to a plain film."""


class StepPictures(NamedTuple):
    """The pictures between grey pixels and the network's size, each (height, width) uint8."""

    original: GreyLevels
    equalised: GreyLevels
    brightened: GreyLevels


@dataclass(frozen=True, slots=True)
class Preprocess:
    """The record of what is done to every film; part of a model's digest.

    height, width: of the network's input, pixels.
    working_size: longer side in pixels to which larger films are reduced before CLAHE; None keeps the native size.
    clip_limit: of CLAHE, a multiple of a level's mean count; 0 clips nothing.
    tile_grid: of CLAHE, (columns, rows).
    brightness: grey levels added after CLAHE, held within 0 and 255.
    mean, std: the input is (level / 255 - mean) / std.
    reduced_decoding: a JPEG of at least four times the working size is decoded at 1/2, 1/4 or 1/8 of its size, the
        least that leaves twice the working size. Without a working size it means nothing.
    own_range: the 8 bits of a deeper film rest on the range of its own values, and not on the greatest value that as
        many bits as it uses can hold.
    reduced_wavelets: a grey JPEG 2000 within a DICOM is decoded at the least of its resolution levels that leaves one
        and a half times the working size; LUTs and windows come after it. Without a working size it means nothing.
    lung_field: how the lungs are found, in place of CLAHE and brightness, which are then 0; None to read the whole
        film.
    plain: neither CLAHE nor brightness, which are then 0: the film stays as its range was normalised.

    Raises ArtefactError when a value is out of its range.
    """

    height: int = 128
    width: int = 128
    working_size: int | None = 400
    clip_limit: float = 2.0
    tile_grid: tuple[int, int] = (8, 8)
    brightness: int = 10
    mean: float = 0.0
    std: float = 1.0
    reduced_decoding: bool = True
    own_range: bool = True
    reduced_wavelets: bool = True
    lung_field: LungField | None = None
    plain: bool = False

    def __post_init__(self) -> None:
        whole = {"height": self.height, "width": self.width, "brightness": self.brightness}
        whole |= {"tile_grid columns": self.tile_grid[0], "tile_grid rows": self.tile_grid[1]}
        whole |= {} if self.working_size is None else {"working_size": self.working_size}
        for name, value in whole.items():
            _check(name, value, isinstance(value, int) and not isinstance(value, bool), "a whole number")
        for name, number in (("clip_limit", self.clip_limit), ("mean", self.mean), ("std", self.std)):
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            _check(name, number, is_number and bool(np.isfinite(number)), "a finite number")
        _check("height", self.height, 1 <= self.height <= _SIDE_LIMIT, f"1 to {_SIDE_LIMIT}")
        _check("width", self.width, 1 <= self.width <= _SIDE_LIMIT, f"1 to {_SIDE_LIMIT}")
        _check(
            "working_size", self.working_size, self.working_size is None or self.working_size >= 1, "null or above 0"
        )
        _check("clip_limit", self.clip_limit, self.clip_limit >= 0, "0 or more")
        _check(
            "tile_grid", self.tile_grid, all(1 <= tiles <= _TILES_LIMIT for tiles in self.tile_grid), "1 to 64 a side"
        )
        _check("brightness", self.brightness, -255 <= self.brightness <= 255, "-255 to 255")
        _check("std", self.std, self.std > 0, "above 0")
        for name in _NO_FIELD if self.lung_field is not None or self.plain else ():
            why = "0 beside a lung field, which takes its place, and where the film is plain"
            _check(name, getattr(self, name), getattr(self, name) == 0, why)
        _check("plain", self.plain, not (self.plain and self.lung_field), "false beside a lung field")
        for name in _LATER_FIELDS - {"lung_field"}:
            _check(name, getattr(self, name), isinstance(getattr(self, name), bool), "true or false")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; equal records give equal JSON.

        A record has no word of what came later and is not done, as those that were written before there was any.
        """
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        body = {name: value for name, value in own.items() if value or name not in _LATER_FIELDS}
        found = {} if self.lung_field is None else {"lung_field": self.lung_field.to_json()}
        return (
            body
            | found
            | {
                "tile_grid": list(self.tile_grid),
                "clip_limit": float(self.clip_limit),
                "mean": float(self.mean),
                "std": float(self.std),
            }
        )

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Preprocess:
        """Return the record in `body`; raise ArtefactError unless it has exactly this record's keys, well formed."""
        expected = {field.name for field in fields(cls)}
        if not isinstance(body, Mapping) or set(body) | _LATER_FIELDS != expected:
            found = sorted(map(str, body)) if isinstance(body, Mapping) else type(body).__name__
            raise ArtefactError(f"preprocess: expected the keys {sorted(expected)}, found {found}")
        grid = body["tile_grid"]
        _check("tile_grid", grid, isinstance(grid, list | tuple) and len(grid) == 2, "two whole numbers")
        field = None if body.get("lung_field") is None else LungField.from_json(body["lung_field"])
        own = dict(body) | {"tile_grid": tuple(grid), "lung_field": field}
        return cls(**cast("dict[str, Any]", dict.fromkeys(_LATER_FIELDS, False)) | own)

    @property
    def enough(self) -> Enough:
        """Pixels of a film's longer side that the steps need, for `decode`."""
        if self.working_size is None:
            return Enough()
        jpeg, wavelets = (round(margin * self.working_size) for margin in (_JPEG_MARGIN, _WAVELET_MARGIN))
        return Enough(jpeg if self.reduced_decoding else None, wavelets if self.reduced_wavelets else None)

    def named_steps(self, mask: GreyLevels | None = None) -> tuple[Step, ...]:
        """Return every step, in order, from grey pixels to the network's input, float32 (height, width, 1).

        mask: of the lungs, where one comes with the film; see `LungField.picture`, and for what it raises.
        The first step raises Rejected FLAT where there is nothing to see.
        """
        return (
            *self.enhancements(mask),
            Step(RESIZE, "Size", f"{self.width} x {self.height}", self._resized),
            Step(RESIZE, "Scale", f"mean {self.mean:g}, deviation {self.std:g}", self._input),
        )

    def enhancements(self, mask: GreyLevels | None = None) -> tuple[Step, ...]:
        """Return the steps at the working size, each of which makes a picture, (height, width) uint8."""
        original = Step(REDUCE, "Original", "range normalised", self.original)
        if (field := self.lung_field) is not None:
            return original, Step(CLAHE, "Lung field", field.settings, lambda film: field.picture(film, mask))
        if self.plain:
            return (original,)
        columns, rows = self.tile_grid
        clahe, brightness = (
            f"clip limit {self.clip_limit:g}, {columns} x {rows} tiles",
            f"{self.brightness:+d} grey levels",
        )
        return (
            original,
            Step(CLAHE, "CLAHE", clahe, lambda film: equalise(film, self.clip_limit, self.tile_grid)),
            Step(RESIZE, "Brightness", brightness, lambda film: brighten(film, self.brightness)),
        )

    def steps(self, pixels: Pixels, mask: GreyLevels | None = None) -> StepPictures:
        """Return the pictures on the way, at the working size; what a record leaves out leaves the one before.

        mask, and what is raised: as for `named_steps`.
        """
        made = list(_pictures(pixels, self.enhancements(mask)))
        return StepPictures(*made, *[made[-1]] * (len(StepPictures._fields) - len(made)))

    def original(self, pixels: Pixels) -> GreyLevels:
        """Return the picture of the first step; raise Rejected FLAT where there is nothing to see."""
        reduced = own_8_bits if self.own_range else reduced_to_8_bits
        return normalise(reduced(pixels, self.working_size))

    def levels(self, pixels: Pixels, mask: GreyLevels | None = None) -> GreyLevels:
        """Return (height, width) uint8, everything but the scale: the form to keep many films in."""
        *_, levels = _pictures(pixels, self.named_steps(mask)[:-1])
        return levels

    def scaled(self, levels: GreyLevels) -> npt.NDArray[np.float32]:
        """Return float32 (levels / 255 - mean) / std, of any shape."""
        slope, offset = 1 / (255 * self.std), -self.mean / self.std
        return levels * np.float32(slope) + np.float32(offset)

    def apply(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """Return the network's input of one film, float32 (height, width, 1)."""
        *_, image = _pictures(pixels, self.named_steps())
        return image

    def apply_many(self, pictures: Iterable[Pixels]) -> npt.NDArray[np.float32]:
        """Return the network's input of n films of any sizes, float32 (n, height, width, 1)."""
        stack = [self.levels(pixels) for pixels in pictures]
        if not stack:
            return np.empty((0, self.height, self.width, 1), np.float32)
        return self.scaled(np.stack(stack))[..., np.newaxis]

    def _resized(self, levels: GreyLevels) -> GreyLevels:
        return resize(levels, self.height, self.width)

    def _input(self, levels: GreyLevels) -> npt.NDArray[np.float32]:
        return self.scaled(levels)[:, :, np.newaxis]


def _pictures(pixels: Pixels, steps: Iterable[Step]) -> Iterator[npt.NDArray[Any]]:
    """Yield what each of the steps makes of a film."""
    picture: npt.NDArray[Any] = pixels
    for step in steps:
        picture = step.take(picture)
        yield picture


def _check(name: str, value: object, right: bool, expected: str) -> None:
    if not right:
        raise ArtefactError(f"preprocess: {name}: expected {expected}, found {value!r}")
