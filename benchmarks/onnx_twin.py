"""The benchmark's network for ONNX Runtime: a contender where `onnx` and `onnxruntime` are installed, no dependency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from schemas.architecture import Architecture, LayerSpec


def onnx_reading(architecture: Architecture, weights: Any) -> Callable[[Any], Any]:
    """Return images (n, height, width, 1) -> logits (n, classes) on ONNX Runtime, one thread."""
    import onnx
    import onnxruntime

    height, width, _ = architecture.input_shape
    tensors: list[Any] = []
    nodes = list(_nodes(architecture, weights, tensors))
    graph = onnx.helper.make_graph(
        nodes,
        "twin",
        [onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["n", 1, height, width])],
        [onnx.helper.make_tensor_value_info(nodes[-1].output[0], onnx.TensorProto.FLOAT, ["n", None])],
        tensors,
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    # One channel: (n, height, width, 1) and (n, 1, height, width) are the same numbers in the same order.
    return lambda X: session.run(None, {"images": X.reshape(len(X), 1, height, width)})[0]


def _nodes(architecture: Architecture, weights: Any, tensors: list[Any]) -> Iterator[Any]:
    """Yield a node or two a layer; what they take beside their input is added to `tensors`."""
    import onnx

    def constant(name: str, array: Any) -> str:
        tensors.append(onnx.numpy_helper.from_array(array.copy(), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
        return onnx.helper.make_node(kind, inputs, [output], **attributes)

    before = "images"
    for layer in architecture.layers:
        name, inputs = layer.name, [before]
        if layer.kind == "conv2d":
            kernel = constant(f"{name}/kernel", weights[f"{name}/kernel"].transpose(3, 2, 0, 1))
            yield node("Conv", [*inputs, kernel, constant(f"{name}/bias", weights[f"{name}/bias"])], name)
        elif layer.kind == "separable_conv2d":
            depthwise = weights[f"{name}/depthwise_kernel"].transpose(2, 3, 0, 1)
            kernel = constant(f"{name}/depthwise", depthwise)
            yield node("Conv", [*inputs, kernel], f"{name}/mixed", group=len(depthwise))
            mix = constant(f"{name}/pointwise", weights[f"{name}/pointwise_kernel"].transpose(3, 2, 0, 1))
            yield node("Conv", [f"{name}/mixed", mix, constant(f"{name}/bias", weights[f"{name}/bias"])], name)
        elif layer.kind == "max_pool2d":
            yield node("MaxPool", inputs, name, **_window(layer))
        elif layer.kind == "flatten":
            yield node("Transpose", inputs, f"{name}/last", perm=[0, 2, 3, 1])
            yield node("Flatten", [f"{name}/last"], name)
        elif layer.kind == "dense":
            kernel = constant(f"{name}/kernel", weights[f"{name}/kernel"])
            yield node("Gemm", [*inputs, kernel, constant(f"{name}/bias", weights[f"{name}/bias"])], name)
        else:
            yield node("Relu", inputs, name)
        before = name


def _window(layer: LayerSpec) -> dict[str, Any]:
    return {"kernel_shape": layer.settings["pool_size"], "strides": layer.settings["strides"]}
