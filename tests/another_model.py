"""A small DenseNet as somebody else's ONNX file, with random weights: what `wetread models import` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 64


def draw_densenet(
    *,
    channels: int = 1,
    outputs: int = 3,
    end: str | None = None,
    films: str | int = "films",
    edit: Callable[[Any], None] | None = None,
) -> bytes:
    """Return a network from (films, channels, SIDE, SIDE) to (films, outputs).

    end: an operator after the last layer, such as Softmax. edit: changes the model before it is written.
    """
    random = np.random.default_rng(0)
    nodes, tensors, width = [], [], 8

    def drawn(name: str, *shape: int) -> str:
        values = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    nodes.append(helper.make_node("Conv", ["image", drawn("stem", width, channels, 7, 7)], ["layer0"], strides=[4, 4]))
    for layer in range(3):
        nodes.append(helper.make_node("Relu", [f"layer{layer}"], [f"relu{layer}"]))
        kernel = drawn(f"kernel{layer}", 4, width, 3, 3)
        nodes.append(helper.make_node("Conv", [f"relu{layer}", kernel], [f"grown{layer}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Concat", [f"layer{layer}", f"grown{layer}"], [f"layer{layer + 1}"], axis=1))
        width += 4
    nodes.append(helper.make_node("GlobalAveragePool", ["layer3"], ["means"]))
    nodes.append(helper.make_node("Flatten", ["means"], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", drawn("last", width, outputs)], ["logits"]))
    if end is not None:
        nodes.append(helper.make_node(end, ["logits"], ["ended"]))
    return written(nodes, tensors, [films, channels, SIDE, SIDE], "logits" if end is None else "ended", outputs, edit)


def written(
    nodes: Sequence[Any],
    tensors: Sequence[Any],
    taken: Sequence[str | int],
    given: str,
    outputs: int,
    edit: Callable[[Any], None] | None = None,
) -> bytes:
    """Return the bytes of a network from `image`, of the sides `taken`, to `given`, (films, outputs)."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, [taken[0], outputs])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests")
    if edit is not None:
        edit(model)
    return bytes(model.SerializeToString())


def few_numbers(nodes: Sequence[Any], tensors: Sequence[Any] = ()) -> bytes:
    """Return a network whose `nodes` take `means`, (films, 1), and give `given`, (films, 1)."""
    first = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"]),
    ]
    return written([*first, *nodes], tensors, ["films", 1, SIDE, SIDE], "given", 1)


def constant(name: str, values: Any) -> Any:
    """Return a tensor of the file."""
    return numpy_helper.from_array(np.asarray(values), name)


def node(operator: str, taken: Sequence[str], given: str, **attributes: Any) -> Any:
    """Return a node."""
    return helper.make_node(operator, list(taken), [given], **attributes)


def session_of(data: bytes) -> Any:
    """Return the file opened by ONNX Runtime itself, to compare with."""
    import onnxruntime

    onnx.checker.check_model(onnx.ModelProto.FromString(data))
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
