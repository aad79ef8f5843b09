"""What an engine's failure, and a network's unusable answer, say of films: nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.errors import ArtefactError, EngineFault
from worker.engine_faults import usable_answers


def test_an_answer_that_cannot_be_used_is_no_fault_of_the_model_nor_of_a_film() -> None:
    classifier: Any = SimpleNamespace(engine="onnx")
    with pytest.raises(EngineFault, match=r"on onnx, found: .* to 1\.05"), usable_answers(classifier):
        raise ArtefactError("expected probabilities from 0 to 1, found 0.1 to 1.05")
