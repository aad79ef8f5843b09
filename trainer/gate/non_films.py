"""Draws pictures that are not frontal chest films, to fit and to measure the input gate.

What archives hold beside films: photographs, pages, plots, blanks, noise, slices, and other parts of the
body. They are drawings, by the kinds below; films that are turned, inverted or cut are made from real ones
in `trainer.gate.film_variants`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from trainer.gate.medical_pictures import abdomen, hand, head, knee, lateral_chest, slice_of_body
from trainer.gate.pages import blank, diagram, digit, gradient, noise, page
from trainer.gate.synthetic_scenes import face, landscape, objects, room, texture
from wetread.imaging.equalisation import GreyLevels

Drawing = Callable[[np.random.Generator], GreyLevels]

NON_FILMS: Mapping[str, Drawing] = MappingProxyType(
    {
        "landscape": landscape,
        "face": face,
        "room": room,
        "objects": objects,
        "texture": texture,
        "page": page,
        "digit": digit,
        "diagram": diagram,
        "blank": blank,
        "gradient": gradient,
        "noise": noise,
        "slice": slice_of_body,
        "head": head,
        "hand": hand,
        "knee": knee,
        "abdomen": abdomen,
        "lateral chest": lateral_chest,
    }
)
"""Kind -> what draws one, grey levels (height, width) of any size from the least that is decoded."""


def draw_non_film(kind: str, seed: int) -> GreyLevels:
    """Return one drawing of a kind of NON_FILMS, uint8 (height, width); the same for the same arguments."""
    number = list(NON_FILMS).index(kind)
    return NON_FILMS[kind](np.random.default_rng([number, seed]))
