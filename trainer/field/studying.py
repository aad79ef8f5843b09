"""Trains the segmenter from films with masks, and measures its agreement on patients held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from schemas.errors import DataError
from trainer.data.layout import DataLayout
from trainer.data.manifest import manifest_films, manifest_of
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.field.agreement import agreement, dice_of
from trainer.field.reading import read_masked
from trainer.field.training import train_segmenter
from wetread.models.digest import sha256_hex
from wetread.models.field_network import encode_field
from wetread.path_text import path_text


def study_field(
    root: bytes,
    layout: DataLayout,
    *,
    epochs: int,
    seed: int,
    held_out: float,
    split: Split | None = None,
    processes: int = 2,
    report: Callable[[int, float], None] | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a segmenter's file, and what is known of it.

    held_out: share of the patients who are judged on; of those whom `split` has, all who do not train there are too.
    Raises DataError where the data has no manifest, a film has no mask or cannot be read, or nobody is left to train.
    """
    manifest = manifest_of(root, layout)
    if manifest is None:
        raise DataError(f"{path_text(root)}: expected a manifest.csv with the columns path, mask and patient_id")
    films = tuple(manifest_films(root, manifest, layout))
    people = sorted({film.patient_id for film in films})
    drawn = np.random.default_rng(seed).permutation(len(people))[: round(held_out * len(people))]
    judged = {people[place] for place in drawn}
    if split is not None:
        judged |= {person for person in people if split.sides.get(person, Side.TRAIN) is not Side.TRAIN}
    outside = np.array([film.patient_id in judged for film in films], dtype=bool)
    if outside.all() or not outside.any():
        raise DataError(f"expected patients who train and patients who are held out, found {len(people)} in all")
    masked = read_masked(root, films, processes=processes)
    finder = train_segmenter(masked.chosen(np.flatnonzero(~outside)), epochs=epochs, seed=seed, report=report)
    held = [film for film, out in zip(films, outside, strict=True) if out]
    dice = dice_of(finder, masked.chosen(np.flatnonzero(outside)))
    kinds = [" ".join(part for part in (film.source, film.label) if part) for film in held]
    data = encode_field(finder.architecture, finder.weights)
    return data, {
        "network_sha256": sha256_hex(data),
        "parameters": int(sum(array.size for array in finder.weights.values())),
        "trained_on": int((~outside).sum()),
        "epochs": epochs,
        "seed": seed,
        "held_out": agreement(dice, [film.name for film in held], [film.patient_id for film in held], kinds),
    }
