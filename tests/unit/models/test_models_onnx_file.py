"""What another's ONNX file may hold: one test for each thing that is not let in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from schemas.errors import ArtefactError
from tests.another_model import constant, draw_densenet, few_numbers, node
from wetread.models.onnx_file import checked_onnx


def outside(model: Any) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    place = tensor.external_data.add()
    place.key, place.value = "location", "/etc/passwd"


def larger(model: Any) -> None:
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]


def negative(model: Any) -> None:
    model.graph.initializer[0].dims[:] = [-1, -1]


def without_a_number(model: Any) -> None:
    values = numpy_helper.to_array(model.graph.initializer[-1]).copy()
    values[0, 0] = np.nan
    model.graph.initializer[-1].CopyFrom(numpy_helper.from_array(values, "last"))


def with_a_function(model: Any) -> None:
    made = helper.make_function("own", "F", ["x"], ["y"], [node("Relu", ["x"], "y")], [helper.make_opsetid("", 17)])
    model.functions.append(made)


def training(model: Any) -> None:
    model.training_info.add()


def in_another_format(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def with_two_inputs(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("sex", TensorProto.FLOAT, [1]))


BRANCH = helper.make_graph([node("Relu", ["means"], "b")], "b", [], [helper.make_tensor_value_info("b", 1, [1, 1])])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no node"),
        (b"\x08\x07 this is no ONNX", "expected an ONNX file"),
        (draw_densenet(edit=outside), "found them outside"),
        (draw_densenet(edit=larger), "found fewer"),
        (draw_densenet(edit=negative), "found fewer"),
        (draw_densenet(edit=without_a_number), "found NaN"),
        (draw_densenet(edit=with_a_function), "own.F"),
        (draw_densenet(edit=training), "found parts for more"),
        (draw_densenet(edit=in_another_format), "expected float32"),
        (draw_densenet(edit=with_two_inputs), "one input"),
        (few_numbers([node("Evil", ["means"], "given", domain="their.own")]), "their.own.Evil"),
        (few_numbers([node("Loop", ["means"], "given", body=BRANCH)]), "control flow or strings, found Loop"),
        (few_numbers([node("If", ["means"], "given", then_branch=BRANCH, else_branch=BRANCH)]), "found If"),
        (few_numbers([node("RandomUniformLike", ["means"], "given")]), "found RandomUniformLike"),
        (few_numbers([node("Relu", ["means"], "given", hidden=BRANCH)]), "no graph within it"),
        (few_numbers([node("BatchNormalization", ["means"] * 5, "given", training_mode=1)]), "one that trains"),
        (few_numbers([node("Relu", ["nowhere"], "given")]), "expected a valid ONNX file"),
        (few_numbers([node("Constant", [], "given", value=constant("c", np.array([np.nan], np.float32)))]), "NaN"),
    ],
)
def test_what_is_not_let_in(data: bytes, found: str) -> None:
    with pytest.raises(ArtefactError, match=found.replace(".", r"\.")):
        checked_onnx(data)


def test_what_a_file_says_of_itself() -> None:
    described = checked_onnx(draw_densenet(channels=3, outputs=2))
    assert (described.taken.name, described.taken.sides) == ("image", (None, 3, 64, 64))
    assert [(one.name, one.sides) for one in described.given] == [("logits", (None, 2))]
    assert described.parameters == 8 * 3 * 49 + 4 * 9 * (8 + 12 + 16) + 20 * 2
    assert described.producer == "tests"


def test_an_infinity_alone_is_a_bound() -> None:
    bounds = [constant("low", np.float32(0)), constant("high", np.float32(np.inf))]
    assert checked_onnx(few_numbers([node("Clip", ["means", "low", "high"], "given")], bounds)).parameters == 2
