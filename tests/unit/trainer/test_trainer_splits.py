from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DataError
from trainer.audit.copies import Copy
from trainer.audit.people import united
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.dealing import grouped_folds, split_patients
from trainer.data.film import Film
from trainer.data.side import Side
from trainer.data.splits import Split, read_split, shipped_split_path, side_counts

CXR = Path(__file__).parents[4] / "shared" / "data" / "cxr"


def dataset_of(rows: list[tuple[str, str, str]]) -> Dataset:
    """A data set of (patient, label, source)."""
    films = tuple(
        Film(f"{number}.png".encode(), label, patient, MappingProxyType({"source": source}))
        for number, (patient, label, source) in enumerate(rows)
    )
    return Dataset(b"/", films, tuple(sorted({film.label for film in films})), patients_known=True)


def clinic(patients: int = 200) -> Dataset:
    rows = []
    for number in range(patients):
        label = "sick" if number % 4 == 0 else "well"
        rows += [(f"p{number}", label, "north" if number % 5 else "south")] * (1 + number % 3)
    return dataset_of(rows)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=150),
    st.integers(0, 10**6),
    st.integers(2, 6),
)
def test_each_patient_is_held_out_in_exactly_one_fold(rows: list[tuple[int, str, str]], seed: int, folds: int) -> None:
    dataset = dataset_of([(f"p{patient}", label, source) for patient, label, source in rows])
    if len(dataset.patients) < folds:
        with pytest.raises(DataError, match="folds"):
            grouped_folds(dataset, folds, validation=0.2, seed=seed)
        return
    splits = grouped_folds(dataset, folds, validation=0.2, seed=seed)
    held_out = Counter(patient for split in splits for patient, side in split.sides.items() if side is Side.TEST)
    assert held_out == dict.fromkeys(dataset.patients, 1)
    for split in splits:
        assert set(split.sides) == set(dataset.patients)


def test_no_patient_is_on_two_sides_and_the_shares_are_exact() -> None:
    dataset = clinic()
    split = split_patients(dataset, validation=0.15, test=0.2, seed=3)
    assert split.counts() == {"train": 130, "validation": 30, "test": 40}
    films = {side: {dataset.films[index].patient_id for index in split.indices(dataset, side)} for side in Side}
    assert not films[Side.TRAIN] & films[Side.TEST]
    assert not films[Side.TRAIN] & films[Side.VALIDATION]
    assert not films[Side.VALIDATION] & films[Side.TEST]


def test_labels_and_sources_have_their_share_on_every_side() -> None:
    dataset = clinic()
    split = split_patients(dataset, validation=0.15, test=0.2, seed=3)
    for stratum in {(film.label, film.source) for film in dataset.films}:
        members = {film.patient_id for film in dataset.films if (film.label, film.source) == stratum}
        held_out = sum(split.sides[patient] is Side.TEST for patient in members)
        assert abs(held_out - 0.2 * len(members)) <= 1.5


def test_the_seed_decides_and_repeats() -> None:
    dataset = clinic()
    splits = [split_patients(dataset, validation=0.1, test=0.2, seed=seed) for seed in (1, 1, 2)]
    assert splits[0].sides == splits[1].sides
    assert splits[0].sides != splits[2].sides


@settings(max_examples=20, deadline=None)
@given(links=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 199)), max_size=60), seed=st.integers(0, 9))
def test_people_are_never_parted_by_their_ids(links: list[tuple[int, int]], seed: int) -> None:
    given = clinic()
    first = {film.patient_id: number for number, film in reversed(list(enumerate(given.films)))}
    copies = [Copy(first[f"p{one}"], first[f"p{other}"], 0.9, identical=False) for one, other in links]
    dataset = united(given, copies)
    splits = [split_patients(dataset, validation=0.2, test=0.2, seed=seed)]
    splits += grouped_folds(dataset, 3, validation=0.2, seed=seed)
    for split in splits:
        assert set(split.sides) == set(given.patients), "every id has a side, so that the file serves the data"
        for one, other in links:
            assert split.sides[f"p{one}"] is split.sides[f"p{other}"]
    held_out = [who for fold in splits[1:] for who, side in fold.sides.items() if side is Side.TEST]
    assert sorted(held_out) == sorted(given.patients)


def test_a_split_comes_back_from_its_file_with_its_digest(tmp_path: Path) -> None:
    dataset = clinic()
    split = split_patients(dataset, validation=0.1, test=0.2, seed=1)
    path = os.fsencode(tmp_path / "split.csv")
    split.write(path)
    again = read_split(path)
    assert again.sides == split.sides
    assert again.digest == split.digest
    moved = Split({**split.sides, "p0": Side.TEST, "p4": Side.TEST, "p8": Side.TEST, "p12": Side.TEST})
    assert moved.digest != split.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns patient_id,side"),
        ("patient,side\np1,train\n", "columns patient_id,side"),
        ("patient_id,side\np1,train\np2,exam\n", "line 3"),
        ("patient_id,side\np1,train\np1,test\n", "line 3: patient p1 has a side already"),
        ("patient_id,side\np1\n", "line 2"),
    ],
)
def test_a_faulty_split_file_is_refused_naming_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_split(os.fsencode(tmp_path / "split.csv"))


def test_a_split_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read"):
        read_split(os.fsencode(tmp_path / "gone.csv"))


def test_a_split_of_other_data_is_refused() -> None:
    dataset = dataset_of([("p1", "a", "x"), ("p2", "b", "x")])
    with pytest.raises(DataError, match=r"patient p2 \(1.png\) is not in the split"):
        Split({"p1": Side.TRAIN}).indices(dataset, Side.TRAIN)
    with pytest.raises(DataError, match="no film of this data on its side test"):
        Split({"p1": Side.TRAIN, "p2": Side.TRAIN}).indices(dataset, Side.TEST)


def test_a_label_with_too_few_patients_is_named() -> None:
    dataset = dataset_of([(f"p{number}", "well", "x") for number in range(20)] + [("q", "sick", "x")])
    with pytest.raises(DataError, match="label 'sick' has 1 patients, too few"):
        split_patients(dataset, validation=0.2, test=0.2, seed=1)


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (0.0, 0.2), (0.2, -0.1), (1.5, 0.0)])
def test_fractions_that_leave_nothing_are_refused(validation: float, test: float) -> None:
    with pytest.raises(DataError, match="fractions"):
        split_patients(clinic(), validation=validation, test=test, seed=1)


@pytest.mark.data
@pytest.mark.skipif(not CXR.is_dir(), reason="../shared/data/cxr is absent")
def test_the_committed_split_sets_a_fifth_of_the_real_patients_aside() -> None:
    dataset = load_dataset(os.fsencode(CXR))
    split = read_split(shipped_split_path())
    assert set(split.sides) == set(dataset.patients)
    assert split.counts() == {"train": 521, "validation": 118, "test": 160}
    assert all(min(counts.values()) > 50 for counts in side_counts(dataset, split).values())


def test_the_committed_split_stays_as_it_was_committed() -> None:
    split = read_split(shipped_split_path())
    assert split.digest == "dc49eb4100cc738004d5e814ebcacdc0d5043f578b88bd6f4238932ebf99dd51"


@pytest.mark.parametrize("ids", [(97, 178), (137, 202), (192, 196), (193, 195)])
def test_the_committed_split_has_people_with_two_ids_on_one_side(ids: tuple[int, int]) -> None:
    one, other = (read_split(shipped_split_path()).sides[f"cohen-{number}"] for number in ids)
    assert one is other
