"""The audit: read every film once, look for copies and shortcuts, judge."""

from __future__ import annotations

from collections.abc import Callable

from trainer.audit.copies import find_copies
from trainer.audit.findings import Audit
from trainer.audit.judgement import findings_of
from trainer.audit.looks import load_looks
from trainer.audit.shortcuts import find_shortcuts, judged_labels
from trainer.audit.sides import Sides
from trainer.dataset import Dataset


def audit_data(
    dataset: Dataset,
    sides: Sides | None = None,
    *,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Return what is wrong with the films, and with the split that `sides` gives where there is one.

    progress: called with (films read, films in all). The same films give the same audit.
    Raises DataError naming the film that cannot be read.
    """
    looks = load_looks(dataset, processes=processes, progress=progress)
    shortcuts = find_shortcuts(dataset, looks)
    judged = judged_labels(dataset)
    return Audit(
        data_digest=dataset.digest,
        films=len(dataset),
        patients=len(dataset.patients),
        split_checked=sides is not None,
        findings=findings_of(dataset, sides, find_copies(dataset.films, looks), shortcuts),
        shortcuts=tuple(shortcuts),
        not_judged=tuple(label for label in dataset.labels if label not in judged),
    )
