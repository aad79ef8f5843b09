from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import DataError
from trainer.data.dataset import load_dataset
from trainer.data.layout import DataLayout


def write(root: Path, files: dict[str, str]) -> bytes:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return os.fsencode(root)


IMAGES = {"a.png": "1", "b.png": "2", "c.png": "3"}
HEADER = "path,label,patient_id,source,view\n"


def manifest(root: Path, rows: str, header: str = HEADER) -> bytes:
    return write(root, {**IMAGES, "manifest.csv": header + rows})


def test_a_manifest_gives_films_in_its_order_with_their_attributes(tmp_path: Path) -> None:
    dataset = load_dataset(manifest(tmp_path, "b.png,sick,p1,north,PA\na.png,well,p2,,\nc.png,sick,p1,south,\n"))
    assert [film.path for film in dataset.films] == [b"b.png", b"a.png", b"c.png"]
    assert dataset.labels == ("sick", "well")
    assert dataset.targets == (0, 1, 0)
    assert dataset.patients == {"p1": (0, 2), "p2": (1,)}
    assert dataset.films[0].attributes == {"source": "north", "view": "PA"}
    assert dataset.films[1].attributes == {}
    assert dataset.patients_known


def test_a_manifest_saved_by_a_spreadsheet_reads_the_same(tmp_path: Path) -> None:
    text = (HEADER + "a.png,sick,p1,,\nb.png,well,p2,,\n").replace("\n", "\r\n")
    root = write(tmp_path, IMAGES)
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert len(load_dataset(root)) == 2


def test_the_digest_follows_the_rows_and_not_their_order(tmp_path: Path) -> None:
    rows = ["a.png,sick,p1,,\n", "b.png,well,p2,,\n", "c.png,well,p3,,\n"]
    digests = [
        load_dataset(manifest(tmp_path / str(number), "".join(these))).digest
        for number, these in enumerate([rows, rows[::-1], [*rows[:2], "c.png,well,p2,,\n"]])
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ("a.png,sick,p1,,\nb.png,well,,,\n", ["line 3", "patient_id", "b.png"]),
        ("a.png,sick,p1,,\nb.png,,p2,,\n", ["line 3", "label", "b.png"]),
        ("a.png,sick,p1,,\n,well,p2,,\n", ["line 3", "path"]),
        ("a.png,sick,p1,,\ngone.png,well,p2,,\n", ["line 3", "gone.png"]),
        ("a.png,sick,p1,,\n../a.png,well,p2,,\n", ["line 3", "../a.png"]),
        ("a.png,sick,p1,,\n/etc/hostname,well,p2,,\n", ["line 3", "/etc/hostname"]),
        ("a.png,sick,p1,,\n.,well,p2,,\n", ["line 3", "expected a file"]),
        ("a.png,sick,p1,,\nb.png,well,p2,,\n./a.png,well,p3,,\n", ["line 4", "a.png", "line 2"]),
        ("a.png,sick,p1,,\nb.png,well,p2\n", ["line 3", "cells"]),
        ("a.png,sick,p1,,\nb.png,well,p2,,,more\n", ["line 3", "cells"]),
        ("a.png,sick,p1,,\nb.png,sick,p2,,\n", ["two labels", "sick"]),
        ("a.png,sick,p1,,\nb.png,not well!,p2,,\n", ["not well!"]),
        ("", ["no images"]),
    ],
)
def test_a_faulty_manifest_is_refused_naming_the_row(tmp_path: Path, rows: str, names: list[str]) -> None:
    root = manifest(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        load_dataset(root)
    for name in names:
        assert name in str(caught.value)


def test_a_manifest_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'patient_id' is missing"):
        load_dataset(manifest(tmp_path, "a.png,sick\n", header="path,label\n"))


def test_a_manifest_that_is_not_text_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path, IMAGES)
    (tmp_path / "manifest.csv").write_bytes(HEADER.encode() + b"\xff\xfe,sick,p1,,\n")
    with pytest.raises(DataError, match="UTF-8"):
        load_dataset(root)


def test_a_folder_per_label_without_patients_takes_each_file_for_one_and_says_so(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path, {"sick/1.png": "", "sick/2.png": "", "well/1.png": "", "notes.txt": ""}))
    assert [film.path for film in dataset.films] == [b"sick/1.png", b"sick/2.png", b"well/1.png"]
    assert len(dataset.patients) == 3
    assert not dataset.patients_known


def test_folders_below_a_label_are_patients(tmp_path: Path) -> None:
    files = {"sick/ann/1.png": "", "sick/ann/old/2.png": "", "well/ann/3.png": "", "well/bob/1.png": ""}
    dataset = load_dataset(write(tmp_path, files))
    assert dataset.patients == {"ann": (0, 1, 2), "bob": (3,)}
    assert dataset.patients_known


def test_a_pattern_finds_the_patient_in_the_file_name(tmp_path: Path) -> None:
    root = write(tmp_path, {"sick/person1_a.png": "", "sick/person1_b.png": "", "well/person2_a.png": ""})
    dataset = load_dataset(root, DataLayout(patient_pattern=r"(person\d+)_"))
    assert set(dataset.patients) == {"person1", "person2"}
    assert dataset.patients_known
    with pytest.raises(DataError, match="finds no patient"):
        load_dataset(root, DataLayout(patient_pattern=r"(patient\d+)_"))
    with pytest.raises(DataError, match="one group"):
        load_dataset(root, DataLayout(patient_pattern=r"person\d+"))
    with pytest.raises(DataError, match="not a regular expression"):
        load_dataset(root, DataLayout(patient_pattern=r"(person"))


def test_what_a_desktop_leaves_behind_is_no_film(tmp_path: Path) -> None:
    files = {"sick/1.png": "", "sick/.DS_Store": "", "well/Thumbs.db": "", "well/1.png": "", ".git/x": ""}
    assert len(load_dataset(write(tmp_path, files))) == 2


def test_a_file_name_that_is_not_utf8_stays_usable(tmp_path: Path) -> None:
    root = write(tmp_path, {"sick/1.png": "", "well/1.png": ""})
    with open(os.path.join(root, b"well", b"\xff.png"), "wb"):
        pass
    dataset = load_dataset(root)
    assert dataset.films[-1].path == b"well/\xff.png"
    assert dataset.films[-1].name == "well/%FF.png"
    assert len(dataset.digest) == 64


@pytest.mark.parametrize("files", [{}, {"sick/1.png": ""}, {"loose.png": ""}])
def test_a_folder_without_two_labels_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(DataError, match=r"no images|two labels"):
        load_dataset(write(tmp_path, files))


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a directory"):
        load_dataset(os.fsencode(tmp_path / "gone"))


def test_a_models_labels_keep_their_order_and_refuse_others(tmp_path: Path) -> None:
    root = write(tmp_path, {"sick/1.png": ""})
    dataset = load_dataset(root, labels=("well", "sick"))
    assert dataset.labels == ("well", "sick")
    assert dataset.targets == (1,)
    with pytest.raises(DataError, match=r"sick/1.png.*'sick' is unknown.*well, ill"):
        load_dataset(root, labels=("well", "ill"))
