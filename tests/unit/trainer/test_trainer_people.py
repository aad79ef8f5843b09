"""One person under several ids is one person, whatever the data calls them."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from trainer.audit.copies import Copy
from trainer.audit.people import united, with_several_ids
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.evaluation.reading import Readings


def clinic(*patients: str) -> Dataset:
    films = tuple(
        Film(f"{number}.png".encode(), "sick" if number % 2 else "well", patient, MappingProxyType({}))
        for number, patient in enumerate(patients)
    )
    return Dataset(b"/", films, ("sick", "well"), patients_known=True)


def copies(*pairs: tuple[int, int]) -> list[Copy]:
    return [Copy(one, other, 0.95, identical=False) for one, other in pairs]


def test_ids_are_linked_in_several_steps_and_named_by_the_least() -> None:
    dataset = united(clinic("d", "c", "b", "a", "e", "f"), copies((0, 1), (2, 3), (1, 2)))
    assert [film.person for film in dataset.films] == ["a", "a", "a", "a", "e", "f"]
    assert with_several_ids(dataset) == {"a": ("a", "b", "c", "d")}
    assert dataset.people == {"a": (0, 1, 2, 3), "e": (4,), "f": (5,)}


def test_the_data_stays_as_it_was_given() -> None:
    given = clinic("p1", "p2", "p2", "p3")
    dataset = united(given, copies((0, 1)))
    assert dataset.digest == given.digest and dataset.patients == given.patients
    assert [film.patient_id for film in dataset.films] == ["p1", "p2", "p2", "p3"]


def test_two_films_of_one_id_link_nobody() -> None:
    dataset = united(clinic("p1", "p1", "p2"), copies((0, 1)))
    assert with_several_ids(dataset) == {} and dataset.people == dataset.patients


def test_figures_count_one_person_once() -> None:
    dataset = united(clinic("p1", "p2", "p3"), copies((0, 1)))
    assert len(set(Readings(dataset.films, dataset.labels, np.zeros((3, 2))).patients)) == 2
