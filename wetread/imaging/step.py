"""One step from grey pixels to a network's input, and the stages that the steps' time is counted under."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # what shows the stages needs no NumPy
    import numpy.typing as npt

REDUCE, CLAHE, RESIZE = "reduce", "clahe", "resize"
STAGES = {
    REDUCE: "to the working size, and its range",
    CLAHE: "CLAHE",
    RESIZE: "brightness, to the network's size",
}
"""In order, each with what it is."""


class Step(NamedTuple):
    """A step of `Preprocess.named_steps`.

    stage: the one of `STAGES` that its time is counted under.
    title, settings: what a picture of the steps calls it, and how it is set.
    take: returns what it makes of the step before, (height, width); the first takes a film's grey pixels.
    """

    stage: str
    title: str
    settings: str
    take: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
