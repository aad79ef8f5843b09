"""The input gate of a network that somebody else has trained, fitted on a site's own films."""

from __future__ import annotations

from typing import Any

from trainer.data.dataset import Dataset
from trainer.data.dealing import split_patients
from trainer.data.pixels import load_films
from trainer.data.side import Side
from trainer.gate.evaluation import make_gate
from wetread.imaging.preprocess import Preprocess
from wetread.models.gate import Gate

_SHARE = 0.25


def gate_of_films(dataset: Dataset, preprocess: Preprocess, *, processes: int = 2) -> tuple[Gate, dict[str, Any]]:
    """Return a gate and its figures on patients whose films it was not fitted on, a quarter of them.

    Raises DataError where films cannot be read or are too few to be dealt.
    """
    split = split_patients(dataset, validation=_SHARE, test=_SHARE, seed=0)
    films = load_films(dataset, preprocess, processes=processes)
    sides = {side: list(split.indices(dataset, side)) for side in Side}
    patients = [dataset.films[index].person for index in sides[Side.TEST]]
    training, validation, judged = (films[sides[side]] for side in (Side.TRAIN, Side.VALIDATION, Side.TEST))
    return make_gate(preprocess, training, validation, judged, patients, Side.TEST)
