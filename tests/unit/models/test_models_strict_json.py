"""JSON that could be read in two ways is not read at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ArtefactError
from wetread.models.strict_json import DIGITS, canonical, parse, pretty, taken

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**DIGITS) + 1, 10**DIGITS - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)


@given(OBJECTS)
def test_what_is_written_reads_back_the_same_and_is_written_the_same(value: dict) -> None:
    for write in (canonical, pretty):
        assert parse(write(value), "test") == value
        assert write(parse(write(value), "test")) == write(value)


@given(OBJECTS)
def test_the_order_of_keys_changes_no_digest(value: dict) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "a": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b"[]",
        b"1",
        b'{"a": 1} x',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"",
        b"[" * 100_000,
        b'{"a": ' + b"1" * 10_000 + b"}",
        b'{"a": 1' + b"0" * DIGITS + b"}",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_leaves_room_for_interpretation_is_refused(text: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"some\.json"):
        parse(text, "some.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", object()])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(ArtefactError, match="JSON can hold"):
        canonical({"value": value})


def test_a_body_has_exactly_its_fields_each_of_its_type() -> None:
    fields = {"count": int, "name": (str, type(None))}
    assert taken({"count": 1, "name": None}, fields, "card") == {"count": 1, "name": None}
    for wrong in ({"count": 1}, {"count": 1, "name": "a", "more": 1}, {"count": True, "name": "a"}, [], None):
        with pytest.raises(ArtefactError, match="card"):
            taken(json.loads(json.dumps(wrong)), fields, "card")
