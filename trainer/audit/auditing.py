"""The audit: read every film once, look for copies and shortcuts, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainer.audit.copies import Copy, find_copies
from trainer.audit.film_features import Look, load_looks
from trainer.audit.findings import Audit
from trainer.audit.judgement import findings_of
from trainer.audit.people import united, with_several_ids
from trainer.audit.shortcuts import find_shortcuts, judged_labels
from trainer.audit.sides import Sides
from trainer.data.dataset import Dataset


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
    copies = find_copies(dataset.films, looks)
    return judge(united(dataset, copies), sides, looks, copies)


def judge(dataset: Dataset, sides: Sides | None, looks: Sequence[Look], copies: Sequence[Copy]) -> Audit:
    """Return what is wrong with films that were looked at; `dataset` has several ids of one person united."""
    shortcuts = find_shortcuts(dataset, looks)
    judged = judged_labels(dataset)
    return Audit(
        data_digest=dataset.digest,
        films=len(dataset),
        patients=len(dataset.patients),
        split_checked=sides is not None,
        findings=findings_of(dataset, sides, copies, shortcuts),
        shortcuts=tuple(shortcuts),
        not_judged=tuple(label for label in dataset.labels if label not in judged),
        people_with_several_ids=len(with_several_ids(dataset)),
    )
