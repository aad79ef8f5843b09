"""The tags of a TIFF structure, which EXIF uses too.

Source of the layout: TIFF Revision 6.0, Adobe 1992; BigTIFF as libtiff describes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

ORIENTATION = 274
_TAGS_LIMIT = 4096
"""Tags of one directory; a BigTIFF could claim more than can be walked in a lifetime."""
_TYPES = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
"""Number of a field's type -> NumPy's unsigned type. Other types hold nothing that is read here."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its values, where in the file they lie (bytes), and their NumPy type."""

    values: tuple[int, ...]
    offset: int
    dtype: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How the structure's numbers are stored."""

    order: Literal["<", ">"]
    big: bool

    @property
    def word(self) -> str:
        """Struct format of an offset."""
        return self.order + ("Q" if self.big else "I")


def layout_of(data: bytes) -> Layout | None:
    """Return the layout that the first bytes announce, or None when they are not TIFF's."""
    return {
        b"II*\0": Layout("<", big=False),
        b"MM\0*": Layout(">", big=False),
        b"II+\0": Layout("<", big=True),
        b"MM\0+": Layout(">", big=True),
    }.get(data[:4])


def directories(data: bytes, layout: Layout) -> Iterator[dict[int, Tag]]:
    """Yield each directory's tags, following the chain; raise ValueError where it leaves the file or loops."""
    seen: set[int] = set()
    try:
        (position,) = struct.unpack_from(layout.word, data, 8 if layout.big else 4)
        while position:
            if position in seen:
                raise ValueError("the chain of directories does not end")
            seen.add(position)
            tags, position = _directory(data, layout, position)
            yield tags
    except (struct.error, OverflowError) as error:
        raise ValueError("a directory lies beyond the end of the file") from error


def _directory(data: bytes, layout: Layout, position: int) -> tuple[dict[int, Tag], int]:
    """Return the tags at `position` and the position of the next directory, 0 after the last."""
    count_format = layout.order + ("Q" if layout.big else "H")
    (count,) = struct.unpack_from(count_format, data, position)
    if count > _TAGS_LIMIT:
        raise ValueError(f"a directory of {count} tags")
    entry = struct.Struct(layout.order + ("HHQ" if layout.big else "HHI"))
    width = struct.calcsize(layout.word)
    position += struct.calcsize(count_format)
    tags = {}
    for _ in range(count):
        number, kind, length = entry.unpack_from(data, position)
        tag = _tag(data, layout, kind, length, position + entry.size)
        if tag is not None:
            tags[number] = tag
        position += entry.size + width
    return tags, struct.unpack_from(layout.word, data, position)[0]


def _tag(data: bytes, layout: Layout, kind: int, length: int, position: int) -> Tag | None:
    if kind not in _TYPES or length == 0:
        return None
    dtype = np.dtype(_TYPES[kind]).newbyteorder(layout.order)
    size = dtype.itemsize * length
    if size > struct.calcsize(layout.word):
        (position,) = struct.unpack_from(layout.word, data, position)
    if position + size > len(data):
        raise ValueError("a tag's values lie beyond the end of the file")
    return Tag(tuple(np.frombuffer(data, dtype, length, position).tolist()), position, dtype.str)


def orientation_of(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that an EXIF block states; 1 when it states none or is damaged."""
    layout = layout_of(exif)
    if layout is None:
        return 1
    try:
        tag = next(directories(exif, layout), {}).get(ORIENTATION)
    except ValueError:
        return 1
    return tag.values[0] if tag is not None and 1 <= tag.values[0] <= 8 else 1
