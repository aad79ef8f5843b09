"""Finds people with several patient ids: those whose films are the same exposures.

A collection that was put together from several sources can hold one person twice. No split by patient id keeps such
a person on one side; one by person does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from trainer.audit.copies import Copy
from trainer.data.dataset import Dataset


def united(dataset: Dataset, copies: Iterable[Copy]) -> Dataset:
    """Return the data set with the ids that `copies` links, in one step or in several, as one person's.

    copies: pairs of films, by number. The person has the name of the least of their ids; the ids themselves, and so
    the digest, stay as they are given.
    """
    persons = _persons((dataset.films[copy.one].patient_id, dataset.films[copy.other].patient_id) for copy in copies)
    films = (replace(film, person_id=persons.get(film.patient_id, "")) for film in dataset.films)
    return replace(dataset, films=tuple(films))


def with_several_ids(dataset: Dataset) -> Mapping[str, tuple[str, ...]]:
    """Return person -> their patient ids, of those who have more than one."""
    ids: dict[str, dict[str, None]] = {}
    for film in dataset.films:
        ids.setdefault(film.person, {})[film.patient_id] = None
    return {person: tuple(sorted(of)) for person, of in ids.items() if len(of) > 1}


def _persons(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return id -> the least id that it is linked to, for the ids in `links` (union-find: Galler and Fischer 1964)."""
    parents: dict[str, str] = {}

    def root(patient: str) -> str:
        while (parent := parents.setdefault(patient, patient)) != patient:
            patient = parent
        return patient

    for one, other in links:
        least, greater = sorted((root(one), root(other)))
        parents[greater] = least
    return {patient: root(patient) for patient in parents}
