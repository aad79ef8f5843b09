"""The memory of a plan: its weights, and where each stage's output lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wetread.engine.array import Array, Shape
from wetread.engine.layers.window import SlidingWindow
from wetread.engine.plan.feature_map import Border, FeatureMap
from wetread.engine.plan.fusion import CONVOLUTIONS, Stage


def window_of(stage: Stage) -> SlidingWindow:
    """Return the window of a convolution or a pooling."""
    settings = stage.layer.settings
    size = settings["kernel_size"] if stage.layer.kind in CONVOLUTIONS else settings["pool_size"]
    return SlidingWindow.of(size, settings["strides"], settings["padding"])


def border_of(stage: Stage, shape: Shape) -> Border:
    """Return the border that a convolution's padding adds to a source of `shape` (height, width, channels)."""
    (above, below), (left, right) = window_of(stage).borders(shape[0], shape[1])
    return Border(above, below, left, right)


class Memory:
    """The weights, and each stage's output for n images: a map for (h, w, c), else vectors (n, features)."""

    def __init__(
        self, stages: Sequence[Stage], shapes: Mapping[str, Shape], weights: Mapping[str, Array], n: int
    ) -> None:
        self.n = n
        self.weights = weights
        self.stages = stages
        self.shapes = shapes
        self.maps: dict[str, FeatureMap] = {}
        self.vectors: dict[str, Array] = {}

    def new_map(self, name: str) -> FeatureMap:
        """Lay out a map, with the border that the convolutions that read it need."""
        height, width, channels = self.shapes[name]
        border = Border()
        for stage in self.stages:
            if name in stage.sources and stage.layer.kind in CONVOLUTIONS:
                border |= border_of(stage, self.shapes[name])
        self.maps[name] = FeatureMap(self.n, height, width, channels, border)
        return self.maps[name]

    def new_vector(self, name: str) -> Array:
        """Lay out a vector an image."""
        self.vectors[name] = np.zeros((self.n, *self.shapes[name]), np.float32)
        return self.vectors[name]

    def new(self, name: str) -> Array:
        """Lay out a map or vectors, as the shape says, and return it as `array` does."""
        return self.new_map(name).inside if len(self.shapes[name]) == 3 else self.new_vector(name)

    def array(self, name: str) -> Array:
        """Return an output as it lies: vectors (n, features), or maps (h, n, w, c)."""
        return self.vectors[name] if name in self.vectors else self.maps[name].inside

    def source_map(self, stage: Stage) -> FeatureMap:
        """Return the map that the stage reads."""
        return self.maps[stage.sources[0]]
