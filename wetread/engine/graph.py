"""The layers of an architecture, made and joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.architecture import Architecture
from schemas.errors import ArtefactError
from wetread.engine.layers.build import make_layer
from wetread.engine.layers.concatenate import Concatenate
from wetread.engine.layers.layer import Layer

INPUT = ""
"""The name of the network's own input among its layers; no layer may have it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A layer and the names of the layers it takes.

    learns: whether it or a layer before it has parameters, so that a gradient has somewhere to go.
    """

    name: str
    kind: str
    layer: Layer
    sources: tuple[str, ...]
    learns: bool


def build_nodes(architecture: Architecture, rng: np.random.Generator, dtype: npt.DTypeLike) -> list[Node]:
    """Return the architecture's layers, built in order."""
    shapes = {INPUT: tuple(architecture.input_shape)}
    learns = {INPUT: False}
    nodes: list[Node] = []
    for spec in architecture.layers:
        sources = spec.inputs or ((nodes[-1].name if nodes else INPUT),)
        layer = make_layer(spec)
        try:
            joins = isinstance(layer, Concatenate)
            if len({shapes[source][: -1 if joins else None] for source in sources}) > 1:
                raise ArtefactError(f"its inputs differ: {', '.join(str(shapes[source]) for source in sources)}")
            layer.build(shapes[sources[0]], rng, dtype)
            if isinstance(layer, Concatenate):
                layer.join_shapes([shapes[source] for source in sources])
        except (ArtefactError, IndexError) as error:
            raise ArtefactError(
                f"layer {spec.name!r} ({spec.kind}) does not fit an input of shape {shapes[sources[0]]}: {error}"
            ) from error
        shapes[spec.name] = layer.output_shape
        learns[spec.name] = bool(layer.parameters) or any(learns[source] for source in sources)
        nodes.append(Node(spec.name, spec.kind, layer, sources, learns[spec.name]))
    return nodes
