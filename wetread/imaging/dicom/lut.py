"""Reads the table of a modality LUT or a VOI LUT, in all its packings.

Entries of 8 bits lie in bytes, in words of which each holds two, or in words of their own; which of these it is, no
element says for certain. So the length of the data decides, and where that leaves two answers, whether the upper bytes
are empty.

Source: DICOM PS3.3, C.11.1.1.1 and C.11.2.1.1; the packings are those that dcmtk and files in the field have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wetread.imaging.dicom.values import byte_order, raw_bytes, representation, words

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, slots=True)
class Lut:
    """A table: its entries, and the input that is mapped to the first of them.

    as_declared: there are as many entries as the descriptor says.
    """

    entries: npt.NDArray[np.float64] = field(repr=False)
    first: int
    as_declared: bool = True

    def of(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the entries of `values`; what lies before the first or after the last has that one."""
        places = np.rint(values).astype(np.int64) - self.first
        return self.entries.take(places, mode="clip")


def lut(item: Dataset, *, negative_inputs: bool) -> Lut | None:
    """Return the table of one item of a LUT sequence; None where it holds none that can be used.

    negative_inputs: there are inputs below 0, so that the first mapped value is a signed number; it is one too where
    the file states that representation.
    """
    descriptor, data = words(item, "LUTDescriptor"), raw_bytes(item, "LUTData")
    if len(descriptor) < 3 or data is None:
        return None
    count, first, bits = descriptor[0] or 2**16, descriptor[1], descriptor[2]
    if first >= 2**15 and (negative_inputs or representation(item, "LUTDescriptor") == "SS"):
        first -= 2**16
    order, kind = byte_order(item, "LUTData"), representation(item, "LUTData")
    found = _entries(data, count, bits, order, kind)
    if found.size == 0:
        return None
    # One byte more fills up a word.
    as_declared = count <= found.size <= count + count % 2
    used = found[:count] if as_declared else found[: 2**16]  # as many as there are: so dcmtk has it
    return Lut(used.astype(np.float64), first, as_declared)


def _entries(data: bytes, count: int, bits: int, order: str, kind: str) -> npt.NDArray[np.unsignedinteger]:
    in_words = np.frombuffer(data[: len(data) // 2 * 2], order + "u2")
    if not _in_bytes(in_words, len(data), count, bits, kind):
        return in_words
    in_bytes = np.frombuffer(data, np.uint8)
    # In a word the first of two is the lower byte, which comes second where the order is the other.
    return in_bytes if order == "<" or kind == "OB" else in_words.astype("<u2").view(np.uint8)


def _in_bytes(in_words: npt.NDArray[np.unsignedinteger], length: int, count: int, bits: int, kind: str) -> bool:
    """Say whether entries are bytes, and not words."""
    if kind in ("US", "SS"):
        return False
    if length in (count, count + 1) and count > 2:  # whatever the descriptor says of their bits
        return True
    return bits <= 8 and length < 2 * count + 2 and bool((in_words > 255).any())
