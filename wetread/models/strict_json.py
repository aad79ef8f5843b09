"""Strict JSON: one text for each value, and an error for anything ambiguous.

`canonical` is what digests are taken over: keys sorted, no spaces, ASCII, numbers as Python's shortest
form that reads back the same, no NaN. `pretty` is the same for people, and what the artefact's files hold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from schemas.errors import ArtefactError

DIGITS = 18
"""Digits of a whole number at most: what every machine's word of 64 bits can hold."""

Kinds = type | tuple[type, ...]


def canonical(value: Any) -> bytes:
    """Return the one compact text of `value`; raise ArtefactError when it holds NaN or is not JSON."""
    return _dump(value, indent=None, separators=(",", ":"))


def pretty(value: Any) -> bytes:
    """Return the one indented text of `value`, ended by a newline; raise ArtefactError as `canonical` does."""
    return _dump(value, indent=2, separators=(",", ": ")) + b"\n"


def parse(data: bytes, what: str) -> dict[str, Any]:
    """Return the object in `data`.

    what: names the file in the message. Raises ArtefactError unless `data` is UTF-8 JSON, an object at
    the top, without a key given twice and without NaN or infinity.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{what}: expected strict JSON, found a fault: {error}; fetch the model again") from error
    if not isinstance(value, dict):
        raise ArtefactError(f"{what}: expected a JSON object, found {type(value).__name__}; fetch the model again")
    return value


def taken(body: Any, fields: Mapping[str, Kinds], what: str) -> dict[str, Any]:
    """Return `body` when it is an object with exactly `fields`, each of its type; else raise ArtefactError."""
    if not isinstance(body, dict) or set(body) != set(fields):
        found = ", ".join(sorted(map(str, body))) if isinstance(body, dict) else type(body).__name__
        raise ArtefactError(f"{what}: expected the fields {', '.join(sorted(fields))}, found {found}")
    for field, kind in fields.items():
        value = body[field]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ArtefactError(f"{what}: field {field!r} has the wrong type, {type(value).__name__}")
    return body


def _dump(value: Any, indent: int | None, separators: tuple[str, str]) -> bytes:
    try:
        text = json.dumps(value, sort_keys=True, indent=indent, separators=separators, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtefactError(f"expected values that JSON can hold, found: {error}") from error
    return text.encode("ascii")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key given twice")
    return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the number {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _whole(text: str) -> int:
    digits = len(text.removeprefix("-"))
    if digits > DIGITS:
        raise ValueError(f"a whole number of {digits} digits; {DIGITS} are allowed")
    return int(text)
