"""Labelled data in the shape that people have it: NIH's, CheXpert's and Kaggle's tables and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.errors import DataError, UsageError
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.label_words import LabelWords, label_words
from trainer.data.layout import DataLayout
from trainer.data.side import Side
from trainer.training.folder_sides import films_on, folder_split


def films_in(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def loaded(root: Path, layout: DataLayout | None = None) -> Dataset:
    return load_dataset(os.fsencode(root), layout or DataLayout())


def labelled(dataset: Dataset) -> list[tuple[str, str, str]]:
    return [(film.name, film.label, film.patient_id) for film in dataset.films]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_manifest_reads_the_same_in_every_encoding_and_delimiter_that_spreadsheets_save(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    films_in(tmp_path, "ä.png", "b.png")
    rows = [("path", "label", "patient_id"), ("ä.png", "sick", "p1"), ("b.png", "well", "p2")]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    (tmp_path / "manifest.csv").write_bytes(text.encode(encoding))
    assert labelled(loaded(tmp_path)) == [("ä.png", "sick", "p1"), ("b.png", "well", "p2")]


def test_a_manifest_may_name_its_columns_otherwise_and_its_films_by_absolute_paths(tmp_path: Path) -> None:
    films_in(tmp_path, "a.png", "deep/b.png")
    (tmp_path / "films.csv").write_text(
        f"picture,verdict,who,view\n{tmp_path / 'a.png'},sick,p1,PA\n{tmp_path / 'deep' / 'b.png'},well,p2,AP\n"
    )
    layout = DataLayout(manifest="films.csv", path_column="picture", label_column="verdict", patient_column="who")
    dataset = loaded(tmp_path, layout)
    assert labelled(dataset) == [("a.png", "sick", "p1"), ("deep/b.png", "well", "p2")]
    assert dataset.films[0].attributes == {"view": "PA"}


def test_an_absolute_path_outside_the_data_is_refused(tmp_path: Path) -> None:
    films_in(tmp_path / "other", "a.png")
    films_in(tmp_path / "data", "b.png")
    (tmp_path / "data" / "manifest.csv").write_text(
        f"path,label,patient_id\n{tmp_path / 'other' / 'a.png'},sick,p1\nb.png,well,p2\n"
    )
    with pytest.raises(DataError, match="expected a path below"):
        loaded(tmp_path / "data")


NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age\n"
    "00000001_000.png,No Finding,0,1,58\n"
    "00000002_000.png,Pneumonia,0,2,81\n"
    "00000003_000.png,Effusion|Pneumonia,0,3,40\n"
    "00000004_000.png,Mass,0,4,33\n"
)


def nih(root: Path) -> Path:
    films_in(root, *(f"images_00{number}/0000000{number}_000.png" for number in (1, 2, 3, 4)))
    (root / "Data_Entry_2017.csv").write_text(NIH)
    return root


@pytest.mark.parametrize(
    ("mapped", "dropped", "labels"),
    [
        (["No Finding=normal", "Pneumonia=pneumonia"], ["*"], ["normal", "pneumonia"]),
        (["No Finding=normal", "*=abnormal"], [], ["normal", "abnormal", "abnormal", "abnormal"]),
        (
            ["No Finding=normal", "Effusion|Pneumonia=pneumonia", "Pneumonia=pneumonia"],
            ["Mass"],
            ["normal", "pneumonia", "pneumonia"],
        ),
    ],
)
def test_nihs_table_is_read_with_its_words_mapped_or_left_out(
    tmp_path: Path, mapped: Sequence[str], dropped: Sequence[str], labels: list[str]
) -> None:
    layout = DataLayout(manifest="Data_Entry_2017.csv", words=label_words(mapped, dropped))
    dataset = loaded(nih(tmp_path), layout)
    assert [film.label for film in dataset.films] == labels
    assert labelled(dataset)[0] == ("images_001/00000001_000.png", "normal", "1")


def test_several_findings_in_one_cell_are_refused_with_what_to_do(tmp_path: Path) -> None:
    words = label_words(["No Finding=normal"], [])
    with pytest.raises(DataError, match=r"line 4: 00000003_000.png has several labels.*--map.*--drop"):
        loaded(nih(tmp_path), DataLayout(manifest="Data_Entry_2017.csv", words=words))


def test_chexperts_table_is_read_by_its_paths_and_a_pattern(tmp_path: Path) -> None:
    root = tmp_path / "CheXpert-v1.0-small"
    paths = [f"train/patient0000{number}/study1/view1_frontal.jpg" for number in (1, 2, 3, 4)]
    films_in(root, *paths)
    rows = zip(paths, ("1.0", "0.0", "", "-1.0"), strict=True)
    (root / "train.csv").write_text(
        "Path,Sex,Pneumonia\n" + "".join(f"{root.name}/{path},Male,{state}\n" for path, state in rows)
    )
    layout = DataLayout(
        manifest="train.csv", label_column="Pneumonia", patient_pattern=r"(patient\d+)",
        words=label_words(["1.0=pneumonia", "0.0=other"], ["", "-1.0"]),
    )  # fmt: skip
    assert labelled(loaded(root, layout)) == [
        (paths[0], "pneumonia", "patient00001"),
        (paths[1], "other", "patient00002"),
    ]


def test_a_file_name_that_lies_in_two_folders_is_refused(tmp_path: Path) -> None:
    films_in(tmp_path, "x/a.png", "y/a.png")
    (tmp_path / "manifest.csv").write_text("path,label,patient_id\na.png,sick,p1\n")
    with pytest.raises(DataError, match="found 2 in different folders"):
        loaded(tmp_path)


def test_all_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    films_in(tmp_path, "a.png", "b.png")
    (tmp_path / "manifest.csv").write_text(
        "path,label,patient_id\na.png,sick,p1\ngone.png,well,p2\nb.png,,p3\nb.png,well\n" + "lost.png,well,p4\n" * 30
    )
    with pytest.raises(DataError) as caught:
        loaded(tmp_path)
    said = str(caught.value)
    assert said.startswith("33 rows cannot be used")
    for part in ("line 3", "line 4", "line 5", "line 6", "and 13 more"):
        assert part in said


def test_a_manifest_that_is_named_and_absent_is_refused(tmp_path: Path) -> None:
    films_in(tmp_path, "sick/a.png", "well/b.png")
    with pytest.raises(DataError, match="expected the manifest"):
        loaded(tmp_path, DataLayout(manifest="films.csv"))
    with pytest.raises(DataError, match="--manifest FILE"):
        loaded(tmp_path, DataLayout(label_column="verdict"))


def test_a_column_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("path,label,patient_id\n")
    with pytest.raises(DataError, match=r"expected the column 'verdict' \(--label-column\), found path, label"):
        loaded(tmp_path, DataLayout(label_column="verdict"))


KAGGLE = (
    "train/NORMAL/IM-0001.jpeg", "train/NORMAL/IM-0002.jpeg", "train/PNEUMONIA/person1_1.jpeg",
    "train/PNEUMONIA/person2_1.jpeg", "test/NORMAL/IM-0003.jpeg", "test/PNEUMONIA/person3_1.jpeg",
)  # fmt: skip


def test_kaggles_folders_are_sides_and_never_labels(tmp_path: Path) -> None:
    films_in(tmp_path, *KAGGLE, "val/NORMAL/IM-0004.jpeg", "val/PNEUMONIA/person4_1.jpeg", "__MACOSX/x/y.jpeg")
    dataset = loaded(tmp_path)
    assert dataset.labels == ("NORMAL", "PNEUMONIA")
    split = folder_split(dataset, validation=0.2, seed=0)
    assert split.counts() == {"train": 4, "validation": 2, "test": 2}
    assert {dataset.films[index].name.split("/")[0] for index in split.indices(dataset, Side.TEST)} == {"test"}
    assert [dataset.films[index].name.split("/")[0] for index in films_on(dataset, Side.VALIDATION)] == ["val", "val"]


def test_without_a_folder_val_some_of_train_validates_and_test_stays_apart(tmp_path: Path) -> None:
    films_in(tmp_path, *KAGGLE, *(f"train/NORMAL/more-{number}.jpeg" for number in range(6)),
             *(f"train/PNEUMONIA/more{number}_1.jpeg" for number in range(6)))  # fmt: skip
    dataset = loaded(tmp_path)
    split = folder_split(dataset, validation=0.25, seed=0)
    assert split.counts() == {"train": 12, "validation": 4, "test": 2}
    assert {dataset.films[index].name.split("/")[0] for index in split.indices(dataset, Side.VALIDATION)} == {"train"}


def test_a_patient_in_two_of_these_folders_is_refused(tmp_path: Path) -> None:
    films_in(tmp_path, *KAGGLE, "test/PNEUMONIA/person1_7.jpeg")
    dataset = loaded(tmp_path, DataLayout(patient_pattern=r"(person\d+|IM-\d+)"))
    with pytest.raises(DataError, match=r"found 1 in two: person1; --ignore-sides"):
        folder_split(dataset, validation=0.2, seed=0)


def test_sides_that_are_ignored_are_no_labels_either(tmp_path: Path) -> None:
    films_in(tmp_path, *KAGGLE)
    dataset = loaded(tmp_path, DataLayout(ignore_sides=True))
    assert (dataset.labels, dataset.has_sides) == (("NORMAL", "PNEUMONIA"), False)


def test_a_label_beside_sides_is_refused(tmp_path: Path) -> None:
    films_in(tmp_path, *KAGGLE, "covid/a.png")
    with pytest.raises(DataError, match=r"is a side of a split, and covid beside it would be a label"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("mapped", "dropped", "said"),
    [
        (["normal"], [], "expected --map OLD=NEW"),
        (["a="], [], "expected --map OLD=NEW"),
        (["a=b", "a=c"], [], "one label for 'a'"),
        (["a=b"], ["a"], "either mapped or dropped"),
    ],
)
def test_words_that_cannot_be_meant_are_refused(mapped: Sequence[str], dropped: Sequence[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        label_words(mapped, dropped)


def test_without_words_a_label_is_itself() -> None:
    assert LabelWords().label_of("pneumonia") == "pneumonia"
