"""Which layers a plan runs as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.architecture import Architecture, LayerSpec
from wetread.engine.array import Shape
from wetread.engine.graph import INPUT

FUSED_POOL = {"pool_size": [2, 2], "strides": [2, 2]}
CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d", "separable_conv2d"})


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer, and the ReLU and the 2x2 max pooling that alone read it, in either order.

    name: of the last of them, whose output the stage's is. sources: the outputs it takes; `INPUT` the first.
    relu: of either kind; six: it stops at 6.
    """

    name: str
    layer: LayerSpec
    sources: tuple[str, ...]
    relu: bool = False
    pool: bool = False
    six: bool = False


def fuse(architecture: Architecture, shapes: Mapping[str, Shape]) -> list[Stage]:
    """Return the architecture's stages in order; `shapes` are the layers' output shapes, by name."""
    layers = list(architecture.layers)
    sources = {
        layer.name: layer.inputs or ((layers[number - 1].name,) if number else (INPUT,))
        for number, layer in enumerate(layers)
    }
    stages: list[Stage] = []
    taken: set[str] = set()
    for layer in layers:
        if layer.name in taken:
            continue
        name, relu, pool, six = layer.name, False, False, False
        while layer.kind in CONVOLUTIONS and (reader := _only_reader(name, layers, sources)):
            if reader.kind in ("relu", "relu6") and not relu:
                relu, six = True, reader.kind == "relu6"
            elif _halves(reader, shapes[name]) and not pool:
                pool = True
            else:
                break
            name = reader.name
            taken.add(name)
        stages.append(Stage(name, layer, sources[layer.name], relu, pool, six))
    return stages


def _only_reader(name: str, layers: list[LayerSpec], sources: Mapping[str, tuple[str, ...]]) -> LayerSpec | None:
    readers = [layer for layer in layers if name in sources[layer.name]]
    return readers[0] if len(readers) == 1 else None


def _halves(layer: LayerSpec, shape: Shape) -> bool:
    """Say whether a layer is a 2x2 max pooling without a border."""
    if layer.kind != "max_pool2d":
        return False
    size, strides = list(layer.settings["pool_size"]), list(layer.settings["strides"])
    whole = layer.settings["padding"] == "valid" or (shape[0] % 2 == 0 and shape[1] % 2 == 0)
    return size == FUSED_POOL["pool_size"] and strides == FUSED_POOL["strides"] and whole
