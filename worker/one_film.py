"""Reads one film by the code that reads a batch, and stores nothing."""

from __future__ import annotations

import os

from schemas.errors import Rejected
from schemas.films import ACCEPTED, Accepted
from wetread.imaging.files import read_file
from wetread.store.work.leases import Claim, ClaimedItem
from wetread.store.work.outcomes import Outcome
from worker.model_reading import ModelReading
from worker.models import LoadedModel
from worker.reading import FileInHand, prepare
from worker.stages import Stages


def read_one_film(path: bytes, model: LoadedModel, file_bytes: int, accepted: Accepted = ACCEPTED) -> Outcome:
    """Return what became of the film at `path`, absolute and without links: its reading, or why there is none.

    file_bytes: a larger file is rejected unread. accepted: words of a DICOM header that are read all the same.
    The header is not kept: a patient's hash would want a key.
    Raises RootUnavailable where its folder is gone or cannot be read, EngineFault where the engine raises.
    """
    folder, name = os.path.split(path)
    item = ClaimedItem(0, folder, name, 0, None, None)
    reading, stages = ModelReading(_of_no_batch(model, item), model, [item]), Stages()
    try:
        file = read_file(folder, name, file_bytes)
    except Rejected as fault:
        reading.reject(item, fault, None)
    else:
        prepare(reading, item, file, None, FileInHand(file, stages, accepted))
        reading.classify(lambda: None, stages)
    return reading.outcomes[0]


def _of_no_batch(model: LoadedModel, item: ClaimedItem) -> Claim:
    classifier = model.classifier
    return Claim(
        0, 0, "", 0, one_at_a_time=True, model_digest=classifier.digest, engine=classifier.engine, force=False,
        decision_digest=model.decision.digest, items=(item,),
    )  # fmt: skip
