"""The message: small, frozen, and refused when it is not exactly ours."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MessageError
from schemas.messages import BatchMessage


@given(st.integers(1, 2**63 - 1))
def test_what_is_encoded_is_decoded(batch_id: int) -> None:
    message = BatchMessage(batch_id)
    body = json.loads(json.dumps(message.encode()))
    assert BatchMessage.decode(body) == message
    assert len(json.dumps(body)) < 64


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        BatchMessage(1).batch_id = 2  # type: ignore[misc]  # that is what is tested


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON)
def test_anything_else_is_refused_by_its_one_error(body: object) -> None:
    with pytest.raises(MessageError):
        BatchMessage.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        {"v": 2, "batch_id": 1},
        {"v": 1, "batch_id": True},
        {"v": 1, "batch_id": 0},
        {"v": 1, "batch_id": -1},
        {"v": 1, "batch_id": 2**63},
        {"v": 1, "batch_id": "1; DROP TABLE runs"},
        {"v": 1, "batch_id": "../../etc/passwd"},
        {"v": 1, "batch_id": 1, "path": "/etc/passwd"},
    ],
)
def test_a_forged_message_is_refused(body: object) -> None:
    with pytest.raises(MessageError):
        BatchMessage.decode(body)
