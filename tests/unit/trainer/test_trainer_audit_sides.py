"""The sides of a split, as the audit reads them: faults are findings, not errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import DataError
from trainer.audit.sides import read_sides, sides_of
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.data.side import Side
from trainer.data.splits import Split

DATASET = Dataset(
    b"/",
    (Film(b"a/1.png", "sick", "ann"), Film(b"a/2.png", "sick", "ann"), Film(b"b/1.png", "well", "bob")),
    ("sick", "well"),
    patients_known=True,
)
TRAIN, TEST = frozenset({Side.TRAIN}), frozenset({Side.TEST})


def written(folder: Path, text: str) -> bytes:
    (folder / "split.csv").write_text(text)
    return os.fsencode(folder / "split.csv")


def test_a_split_by_patient_gives_every_film_its_patients_side(tmp_path: Path) -> None:
    path = written(tmp_path, "patient_id,side\nann,train\nbob,test\nelsewhere,test\n")
    assert read_sides(path, DATASET) == (TRAIN, TRAIN, TEST)
    assert sides_of(DATASET, Split({"ann": Side.TRAIN, "bob": Side.TEST})) == (TRAIN, TRAIN, TEST)


def test_a_patient_named_twice_is_on_both_sides(tmp_path: Path) -> None:
    path = written(tmp_path, "patient_id,side\nann,train\nann,test\nbob,test\n")
    assert read_sides(path, DATASET) == (TRAIN | TEST, TRAIN | TEST, TEST)


def test_a_split_by_image_may_part_a_patients_films(tmp_path: Path) -> None:
    path = written(tmp_path, "path,side\na/1.png,train\n./a/2.png,test\nb//1.png,test\n")
    assert read_sides(path, DATASET) == (TRAIN, TEST, TEST)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_id,side\nann,train\n", "b/1.png of patient bob is not in the split"),
        ("path,side\na/1.png,train\na/2.png,train\n", "b/1.png of patient bob is not in the split"),
        ("film,side\n", "expected the columns patient_id,side, or path,side"),
        ("", "found nothing"),
        ("patient_id,side\nann,left\n", "line 2: expected patient_id and train, validation, test"),
        ("path,side\na/1.png\n", "line 2: expected path and"),
        ('patient_id,side\n"ann,train\n', "found a fault"),
    ],
)
def test_what_is_no_split_of_this_data_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_sides(written(tmp_path, text), DATASET)
    assert said in str(caught.value)


def test_a_split_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read"):
        read_sides(os.fsencode(tmp_path / "gone.csv"), DATASET)
    with pytest.raises(DataError, match="not in the split"):
        sides_of(DATASET, Split({"ann": Side.TRAIN}))
