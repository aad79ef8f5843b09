"""Builds an Architecture and its weights as an ONNX graph of standard operators.

The serving engine and the export build from here, so what is exported is what is served. ONNX keeps channels
before height and width; images come and features go in the order of the artefact, channels last. ONNX:
https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError
from wetread.models.onnx_runtime import import_onnx
from wetread.models.shapes import Shape, network_shapes
from wetread.models.weights import Weights, checked_weights

INPUT_NAME, LOGITS_NAME, FEATURES_NAME = "images", "logits", "features"
"""The graph's own tensors. Those of a layer are "layer/...", so no layer can take one of these names."""

OPSET = 17
IR_VERSION = 8
"""Of 2022, and enough for every layer: old runtimes read them too."""

_CHANNELS_FIRST, _CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def build_onnx(architecture: Architecture, weights: Weights, *, metadata: Mapping[str, str] | None = None) -> Any:
    """Return an onnx.ModelProto from images (n, height, width, channels) to logits (n, k) and features (n, f).

    All float32; n is free. metadata: the model's metadata_props. Raises ArtefactError when the architecture
    cannot be built or the weights are not its own, UsageError where the package onnx is not installed.
    """
    onnx = import_onnx()
    shapes = network_shapes(architecture)
    graph = _Graph(onnx, architecture, checked_weights(architecture, weights))

    def described(name: str, shape: Shape) -> Any:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", *shape])

    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "wetread",
            [described(INPUT_NAME, architecture.input_shape)],
            [described(LOGITS_NAME, shapes.logits), described(FEATURES_NAME, shapes.features)],
            graph.tensors,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="wetread",
    )
    onnx.helper.set_model_props(model, dict(metadata or {}))
    return model


class _Graph:
    """Nodes in the order of their making, and the constants that they take."""

    def __init__(self, onnx: Any, architecture: Architecture, weights: Weights) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self._onnx, self._weights = onnx, weights
        before = self._node("Transpose", [INPUT_NAME], "/images", perm=_CHANNELS_FIRST)
        shape: Shape = architecture.input_shape
        outputs: dict[str, tuple[str, Shape]] = {}
        sizes = network_shapes(architecture).outputs
        for layer in architecture.layers:
            taken = [outputs[name] for name in layer.inputs] or [(before, shape)]
            features = taken[0][0]
            before, shape = self._layer(layer, [name for name, _ in taken], taken[0][1]), sizes[layer.name]
            outputs[layer.name] = before, shape
        self._node("Identity", [before], LOGITS_NAME)
        self._node("Identity", [features], FEATURES_NAME)

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self._onnx.helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, name: str, array: Any) -> str:
        self.tensors.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _layer(self, layer: LayerSpec, taken: list[str], shape: Shape) -> str:
        """Add the nodes of `layer`, which takes tensors whose first has `shape`, and return its output's name."""
        output = f"{layer.name}/output"
        match layer.kind:
            case "conv2d" | "depthwise_conv2d" | "separable_conv2d":
                return self._convolution(layer, taken[0], shape)
            case "max_pool2d":
                return self._node("MaxPool", taken, output, **_window(layer, "pool_size", shape))
            case "average_pool2d":  # count_include_pad is 0: the padding is in no mean, as in Keras
                return self._node("AveragePool", taken, output, **_window(layer, "pool_size", shape))
            case "global_average_pool2d":
                means = self._node("GlobalAveragePool", taken, f"{layer.name}/means")
                return self._node("Flatten", [means], output)
            case "dense":
                kernel = self._constant(f"{layer.name}/kernel", self._weights[f"{layer.name}/kernel"])
                return self._node("Gemm", [*taken, kernel, *self._bias(layer)], output)
            case "flatten":
                if len(shape) == 3:
                    taken = [self._node("Transpose", taken, f"{layer.name}/channels_last", perm=_CHANNELS_LAST)]
                return self._node("Flatten", taken, output)
            case "relu":
                return self._node("Relu", taken, output)
            case "relu6":
                ends = [self._constant(f"{layer.name}/{end}", np.float32(x)) for end, x in (("low", 0), ("high", 6))]
                return self._node("Clip", [*taken, *ends], output)
            case "softmax":  # over the channels, which are axis 1 of images and of flat features
                return self._node("Softmax", taken, output, axis=1)
            case "batch_norm":
                names = [f"{layer.name}/{weight}" for weight in ("gamma", "beta", "moving_mean", "moving_variance")]
                statistics = [self._constant(name, self._weights[name]) for name in names]
                return self._node(
                    "BatchNormalization", [*taken, *statistics], output, epsilon=layer.settings["epsilon"]
                )
            case "dropout":
                return taken[0]
            case "add":
                return self._node("Add", taken, output)
            case "concatenate":  # channels are axis 1 of images and of flat features
                return self._node("Concat", taken, output, axis=1)
            case "upsample2d":
                return self._upsample(layer, taken[0])
            case unknown:
                raise ArtefactError(f"layer {layer.name!r}: ONNX has no builder for {unknown!r} here")

    def _convolution(self, layer: LayerSpec, taken: str, shape: Shape) -> str:
        name, output = layer.name, f"{layer.name}/output"
        window = _window(layer, "kernel_size", shape)
        if layer.kind == "conv2d":
            kernel = self._constant(f"{name}/kernel", _channels_first(self._weights[f"{name}/kernel"]))
            return self._node("Conv", [taken, kernel, *self._bias(layer)], output, **window)
        separable = layer.kind == "separable_conv2d"
        weight = self._weights[f"{name}/depthwise_kernel" if separable else f"{name}/kernel"]
        rows, columns, channels, multiplier = weight.shape
        by_depth = weight.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)
        kernel = self._constant(f"{name}/depthwise_kernel", by_depth)
        if not separable:
            return self._node("Conv", [taken, kernel, *self._bias(layer)], output, group=channels, **window)
        mixed = self._node("Conv", [taken, kernel], f"{name}/by_depth", group=channels, **window)
        point = self._constant(f"{name}/pointwise_kernel", _channels_first(self._weights[f"{name}/pointwise_kernel"]))
        return self._node("Conv", [mixed, point, *self._bias(layer)], output)

    def _upsample(self, layer: LayerSpec, taken: str) -> str:
        """Add a Resize, with the places of pixels that Keras's UpSampling2D means."""
        scales = self._constant(f"{layer.name}/scales", np.array([1, 1, *layer.settings["size"]], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if layer.settings["interpolation"] == "bilinear":
            how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self._node("Resize", [taken, "", scales], f"{layer.name}/output", **how)

    def _bias(self, layer: LayerSpec) -> list[str]:
        name = f"{layer.name}/bias"
        return [self._constant(name, self._weights[name])] if layer.settings["use_bias"] else []


def _channels_first(kernel: Any) -> Any:
    """Return a kernel (height, width, in, out) as ONNX has it: (out, in, height, width)."""
    return kernel.transpose(3, 2, 0, 1)


def _window(layer: LayerSpec, size: str, shape: Shape) -> dict[str, list[int]]:
    """Return the attributes of a window that moves over `shape`, (height, width, channels).

    "same" pads as TensorFlow does: (ceil(n / stride) - 1) * stride + kernel - n, the odd one at the end.
    """
    kernel, strides = list(layer.settings[size]), list(layer.settings["strides"])
    total = [0, 0]
    if layer.settings["padding"] == "same":
        sides = zip(shape[:2], kernel, strides, strict=True)
        total = [max(0, (-(-side // stride) - 1) * stride + window - side) for side, window, stride in sides]
    before = [pixels // 2 for pixels in total]
    after = [pixels - half for pixels, half in zip(total, before, strict=True)]
    return {"kernel_shape": kernel, "strides": strides, "pads": [*before, *after]}
