"""Finds where each element of a DICOM data set lies in the file, without parsing its value.

Only elements on an allow-list are handed on; names, dates of birth and free text are stepped over, never parsed.

Source of the layout: DICOM PS3.5, chapter 7 and annex A; PS3.10, chapter 7.
"""

from __future__ import annotations

import struct
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from schemas.errors import Rejected
from schemas.reasons import Reason

PIXEL_DATA = 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_ELEMENTS_LIMIT = 100_000
"""Elements of one file, those of sequences included: a film has some hundred."""
_DEPTH_LIMIT = 16
"""Sequences within sequences; films have two or three."""
_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
VALUE_REPRESENTATIONS = _SHORT | _LONG


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written: whether each names its value representation, and the order of bytes."""

    explicit: bool = True
    order: Literal["<", ">"] = "<"


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its value representation ("" where none is written) and where it and its value lie, in bytes."""

    vr: str
    start: int
    value: int
    end: int
    undefined_length: bool = False


def truncated() -> Rejected:
    """Return the refusal of a file that breaks off."""
    return Rejected(Reason.TRUNCATED, "DICOM that ends within its elements")


class Elements:
    """A walk over the elements of `data` from `position`.

    Raises Rejected TRUNCATED where an element lies beyond the end, UNDECODABLE where the structure is broken.
    """

    def __init__(self, data: bytes, position: int, encoding: Encoding) -> None:
        self._data = data
        self.position = position
        self._encoding = encoding
        self._left = _ELEMENTS_LIMIT

    def kept(self, allowed: AbstractSet[int], *, group: int | None = None, to_last: bool = False) -> dict[int, Element]:
        """Return the elements whose tags are in `allowed`; stop after the pixel data, or where `group` ends.

        group: that of the file's meta information, which is explicit, little endian; in some files, in places,
        implicit.

        to_last: stop also after the last tag in `allowed`, since tags rise; what follows may be broken.
        """
        found: dict[int, Element] = {}
        last = max(allowed)
        while self.position < len(self._data):
            start = self.position
            if group is not None:
                if self._peek_group() != group:
                    break
                self._encoding = Encoding(explicit=self._data[start + 4 : start + 6] in VALUE_REPRESENTATIONS)
            tag, vr, length = self._head(self._encoding)
            value = self.position
            if to_last and tag > last:
                break
            if tag == PIXEL_DATA and length == _UNDEFINED:
                self._pass_fragments()
            else:
                self._pass_value(vr, length, self._encoding, depth=0)
            if tag in allowed:
                found[tag] = Element(vr, start, value, self.position, length == _UNDEFINED)
            if tag == PIXEL_DATA:
                break
        return found

    def _peek_group(self) -> int:
        start = self.position
        (group,) = self._unpack("H")
        self.position = start
        return group

    def _head(self, encoding: Encoding) -> tuple[int, str, int]:
        """Step over the head of an element; return its tag, value representation and length."""
        self._left -= 1
        if self._left < 0:
            raise Rejected(Reason.UNDECODABLE, f"DICOM with more than {_ELEMENTS_LIMIT} elements")
        group, number = self._unpack("HH")
        tag = group << 16 | number
        if not encoding.explicit or group == 0xFFFE:
            return tag, "", self._unpack("I")[0]
        self._need(2)
        vr = self._data[self.position : self.position + 2]
        self.position += 2
        if vr in _SHORT:
            return tag, vr.decode(), self._unpack("H")[0]
        if vr not in _LONG:
            return tag, "UN", self._length_of_unknown(tag)
        self.position += 2
        return tag, vr.decode(), self._unpack("I")[0]

    def _length_of_unknown(self, tag: int) -> int:
        """Step over the length of an element whose representation is blank, `??`, NUL or none of the standard's.

        It lies where short ones have it, where long ones have it, or where it lies without a representation; the first
        of these counts that leads to another element. Raises Rejected UNDECODABLE where none does.
        """
        data, after_vr = self._data, self.position
        for at, form in ((after_vr, "H"), (after_vr + 2, "I"), (after_vr - 2, "I")):
            value = at + struct.calcsize(form)
            if value <= len(data):
                (length,) = struct.unpack_from(self._encoding.order + form, data, at)
                if self._begins_element(value + length, tag):
                    self.position = value
                    return int(length)
        raise Rejected(Reason.UNDECODABLE, "DICOM with an element of no known value representation")

    def _begins_element(self, at: int, after: int) -> bool:
        """Say whether an element that may follow the tag `after` begins there, or the data ends."""
        if at + 8 > len(self._data):
            return at == len(self._data)
        group, number = struct.unpack_from(self._encoding.order + "HH", self._data, at)
        if group << 16 | number in (_ITEM_END, _SEQUENCE_END):
            return True
        return bool(group << 16 | number > after and self._data[at + 4 : at + 6] in VALUE_REPRESENTATIONS)

    def _pass_value(self, vr: str, length: int, encoding: Encoding, depth: int) -> None:
        if length != _UNDEFINED:
            self._need(length)
            self.position += length
            return
        if depth == _DEPTH_LIMIT:
            raise Rejected(Reason.UNDECODABLE, f"DICOM with sequences more than {_DEPTH_LIMIT} deep")
        # PS3.5, 6.2.2, note 2: an unknown value of undefined length is written without representations.
        inner = Encoding(explicit=False) if vr == "UN" else encoding
        while True:
            tag, _, length = self._head(inner)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise Rejected(Reason.UNDECODABLE, "DICOM with a sequence of something else than items")
            if length != _UNDEFINED:
                self._need(length)
                self.position += length
            else:
                self._pass_item(inner, depth)

    def _pass_item(self, encoding: Encoding, depth: int) -> None:
        while True:
            tag, vr, length = self._head(encoding)
            if tag == _ITEM_END:
                return
            self._pass_value(vr, length, encoding, depth + 1)

    def _pass_fragments(self) -> None:
        for start, length in iter(self._fragment, None):
            self.position = start + length

    def _fragment(self) -> tuple[int, int] | None:
        """Step over the head of a fragment; return where it starts and its length, None after the last."""
        tag, _, length = self._head(self._encoding)
        if tag == _SEQUENCE_END:
            return None
        if tag != _ITEM or length == _UNDEFINED:
            raise Rejected(Reason.UNDECODABLE, "DICOM with compressed pixels that are not in fragments")
        self._need(length)
        return self.position, length

    def _need(self, length: int) -> None:
        if self.position + length > len(self._data):
            raise truncated()

    def _unpack(self, form: str) -> tuple[int, ...]:
        form = self._encoding.order + form
        length = struct.calcsize(form)
        self._need(length)
        numbers = struct.unpack_from(form, self._data, self.position)
        self.position += length
        return numbers
