"""Reads numbers of a DICOM header; a malformed number counts as not stated.

pydicom would raise, or warn and quote the value, so the bytes are looked at as they lie in the file.

Source of the forms: DICOM PS3.5, table 6.2-1.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

_FARTHEST = 1e30
"""Numbers beyond it, and their reciprocals, belong to no film, and their products would leave float64's range."""
_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)")


def texts(record: Dataset, keyword: str) -> list[str]:
    """Return the values of an element of text, without their padding; none where it is absent or empty."""
    value = _raw(record, keyword)
    if value is None:
        return []
    if isinstance(value, bytes):
        said = value.decode("ascii", "replace").split("\\")
    else:
        said = [str(one) for one in value] if isinstance(value, list | tuple) else str(value).split("\\")
    said = [one.strip("\0 \t\r\n") for one in said]
    return said if any(said) else []


def decimals(record: Dataset, keyword: str) -> list[float | None]:
    """Return the numbers of an element of text, with None for each value that is not a number; 1,5 counts as 1.5."""
    return [_decimal(one) for one in texts(record, keyword)]


def has_comma(record: Dataset, *keywords: str) -> bool:
    """Say whether one of the elements writes a number with a comma."""
    return any(_COMMA.fullmatch(one) for keyword in keywords for one in texts(record, keyword))


def _decimal(text: str) -> float | None:
    try:
        number = float(_COMMA.sub(r"\1.\2", text) if _COMMA.fullmatch(text) else text)
    except ValueError:
        return None
    if not math.isfinite(number) or abs(number) > _FARTHEST:
        return None
    return number if abs(number) * _FARTHEST > 1 else 0.0


def words(record: Dataset, keyword: str) -> list[int]:
    """Return an element of numbers in two bytes, without their sign; none where it is absent, empty or malformed."""
    value = _raw(record, keyword)
    if isinstance(value, bytes):
        return list(struct.unpack(f"{byte_order(record, keyword)}{len(value) // 2}H", value[: len(value) // 2 * 2]))
    parsed = value if isinstance(value, list | tuple) else [value]
    return [one & 0xFFFF for one in parsed if isinstance(one, int)]


def raw_bytes(record: Dataset, keyword: str) -> bytes | None:
    """Return an element's value as it lies in the file; None where it is absent or has been parsed."""
    value = _raw(record, keyword)
    return value if isinstance(value, bytes) else None


def byte_order(record: Dataset, keyword: str) -> str:
    """Return how the element's bytes are ordered, as `struct` writes it."""
    return "<" if getattr(record.get_item(keyword), "is_little_endian", True) else ">"


def representation(record: Dataset, keyword: str) -> str:
    """Return the value representation that the file states, "" where it states none."""
    return str(getattr(record.get_item(keyword), "VR", None) or "")


def _raw(record: Dataset, keyword: str) -> Any:
    return record.get_item(keyword).value if keyword in record else None


def whole(record: Dataset, keyword: str) -> int | None:
    """Return the first number of an element of two bytes or of text; None where there is none."""
    if representation(record, keyword) in ("IS", "DS"):
        number = next(iter(decimals(record, keyword)), None)
        return None if number is None else int(number)
    return next(iter(words(record, keyword)), None)
