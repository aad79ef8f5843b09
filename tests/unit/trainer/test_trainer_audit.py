"""The audit finds every planted fault, and nothing in clean data."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from schemas.errors import DataError
from trainer.audit.auditing import audit_data
from trainer.audit.film_features import load_looks
from trainer.audit.findings import Audit, Severity
from trainer.audit.sides import Sides, read_sides, sides_of
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.dealing import split_patients
from trainer.data.film import Film
from trainer.data.side import Side
from trainer.phantoms.archive import draw_archive
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2
from wetread.imaging.range import normalise

Levels = npt.NDArray[np.uint8]
Row = dict[str, str]

PATIENTS = 36


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("clean")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.phantoms.archive.SIDES", (256, 420))  # small films are drawn and read sooner
        draw_archive(directory, patients=PATIENTS, seed=21, images_per_patient=(1, 1))
    return directory


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A clean set that a test may spoil."""
    shutil.copytree(drawn, tmp_path / "films")
    return tmp_path / "films"


def rows_of(folder: Path) -> list[Row]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(folder: Path, rows: list[Row]) -> Dataset:
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return load_dataset(os.fsencode(folder))


def levels_of(folder: Path, row: Row) -> Levels:
    return normalise(decode((folder / row["path"]).read_bytes()).pixels)


def save(folder: Path, name: str, levels: Levels, *, quality: int | None = None) -> None:
    kind, options = (".png", []) if quality is None else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
    (folder / name).write_bytes(cv2.imencode(kind, levels, options)[1].tobytes())


def spoil(folder: Path, label: str, change: Callable[[Levels], Levels]) -> Dataset:
    """Store every film anew as PNG, those of `label` changed."""
    rows = rows_of(folder)
    for number, row in enumerate(rows):
        levels = levels_of(folder, row)
        row["path"] = f"{number}.png"
        save(folder, row["path"], change(levels) if row["label"] == label else levels)
    return write_rows(folder, rows)


def kinds(audit: Audit, severity: Severity = Severity.UNSAFE) -> set[str]:
    return {finding.kind for finding in audit.findings if finding.severity is severity}


def shifted_and_rescaled(levels: Levels) -> Levels:
    height, width = levels.shape
    move = np.array([[1, 0, 0.05 * width], [0, 1, -0.04 * height]], np.float32)
    moved = cv2.warpAffine(levels, move, (width, height))
    return np.asarray(cv2.resize(moved, (round(0.7 * width), round(0.8 * height)), interpolation=cv2.INTER_AREA))


def cropped(levels: Levels) -> Levels:
    height, width = levels.shape
    return np.ascontiguousarray(levels[height // 20 : -height // 12, width // 12 :])


COPIES: dict[str, Callable[[Levels], Levels]] = {
    "recompressed": lambda levels: levels,
    "shifted and rescaled": shifted_and_rescaled,
    "cropped": cropped,
    "mirrored": lambda levels: np.ascontiguousarray(levels[:, ::-1]),
    "inverted": lambda levels: 255 - levels,
    "equalised": lambda levels: np.asarray(cv2.createCLAHE(2.0, (8, 8)).apply(levels)),
    "framed": lambda levels: np.asarray(cv2.copyMakeBorder(levels, 30, 5, 20, 40, cv2.BORDER_CONSTANT, value=0)),
}


@pytest.mark.parametrize(("seed", "patients", "images"), [(31, PATIENTS, 1), (32, PATIENTS, 1), (33, 60, 2)])
def test_nothing_is_found_in_clean_phantoms(seed: int, patients: int, images: int, tmp_path: Path) -> None:
    draw_archive(tmp_path, patients=patients, seed=seed, images_per_patient=(1, images))
    dataset = load_dataset(os.fsencode(tmp_path))
    split = split_patients(dataset, validation=0.2, test=0.2, seed=seed)
    audit = audit_data(dataset, sides_of(dataset, split), processes=1)
    assert audit.findings == () and not audit.unsafe
    assert {shortcut.kind for shortcut in audit.shortcuts} == {
        "source", "view", "size", "format", "border", "thumbnail",
    }  # fmt: skip
    assert audit.not_judged == () and audit.split_checked


def test_the_same_data_gives_the_same_audit(drawn: Path) -> None:
    dataset = load_dataset(os.fsencode(drawn))
    assert audit_data(dataset, processes=1).to_json() == audit_data(dataset, processes=1).to_json()


def test_a_patient_on_two_sides_is_found(folder: Path, tmp_path: Path) -> None:
    rows = rows_of(folder)
    patient = rows[1]["patient_id"] = rows[0]["patient_id"]
    dataset = write_rows(folder, rows)
    by_image = [["path", "side"], *([film.name, "train"] for film in dataset.films)]
    by_image[1 + dataset.patients[patient][0]][1] = "test"
    by_patient = [["patient_id", "side"], *([name, "train"] for name in dataset.patients), [patient, "test"]]
    for table in (by_image, by_patient):
        with (tmp_path / "split.csv").open("w", newline="") as file:
            csv.writer(file).writerows(table)
        audit = audit_data(dataset, read_sides(os.fsencode(tmp_path / "split.csv"), dataset), processes=1)
        assert kinds(audit) == {"patient_on_two_sides"}
        (case,) = audit.findings[0].cases
        assert case["patient"] == patient and case["sides"] == ["test", "train"]


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_a_copy_under_another_patient_is_found(folder: Path, change: Callable[[Levels], Levels]) -> None:
    rows = rows_of(folder)
    original = rows[7]
    save(folder, "copy.jpg", change(levels_of(folder, original)), quality=60)
    dataset = write_rows(folder, [*rows, original | {"path": "copy.jpg", "patient_id": "somebody"}])
    sides: Sides = tuple(frozenset({Side.TEST if film.name == "copy.jpg" else Side.TRAIN}) for film in dataset.films)
    audit = audit_data(dataset, sides, processes=1)
    assert kinds(audit) == {"copy_on_two_sides"}
    (case,) = audit.findings[0].cases
    assert case["films"] == [original["path"], "copy.jpg"]
    assert case["sides"] == [["train"], ["test"]] and not case["identical"]


def test_a_copy_under_another_patient_is_unsafe_before_there_is_a_split(folder: Path) -> None:
    rows = rows_of(folder)
    save(folder, "copy.jpg", levels_of(folder, rows[5]), quality=60)
    audit = audit_data(write_rows(folder, [*rows, rows[5] | {"path": "copy.jpg", "patient_id": "x"}]), processes=1)
    assert kinds(audit) == {"copy_of_two_patients"} and not audit.split_checked


def test_a_copy_that_stays_on_its_side_is_a_warning(folder: Path) -> None:
    rows = rows_of(folder)
    shutil.copy(folder / rows[3]["path"], folder / "same")
    dataset = write_rows(folder, [*rows, rows[3] | {"path": "same", "patient_id": "somebody"}])
    audit = audit_data(dataset, (frozenset({Side.TRAIN}),) * len(dataset), processes=1)
    assert not audit.unsafe and kinds(audit, Severity.WARNING) == {"copy_of_two_patients_on_one_side"}


def test_one_file_twice_for_one_patient_is_a_warning(folder: Path) -> None:
    rows = rows_of(folder)
    shutil.copy(folder / rows[3]["path"], folder / "same")
    audit = audit_data(write_rows(folder, [*rows, rows[3] | {"path": "same"}]), processes=1)
    assert kinds(audit, Severity.WARNING) == {"copy_within_patient"} and not audit.unsafe
    assert audit.findings[0].cases[0]["identical"]


@pytest.mark.parametrize("same_bytes", [True, False], ids=["same bytes", "recompressed"])
def test_one_image_with_two_labels_is_found_even_within_a_patient(folder: Path, same_bytes: bool) -> None:
    rows = rows_of(folder)
    original = next(row for row in rows if row["label"] == "normal")
    if same_bytes:
        shutil.copy(folder / original["path"], folder / "copy")
    else:
        save(folder, "copy", levels_of(folder, original), quality=50)
    dataset = write_rows(folder, [*rows, original | {"path": "copy", "label": "pneumonia"}])
    audit = audit_data(dataset, processes=1)
    assert kinds(audit) == {"copy_with_two_labels"}
    assert audit.findings[0].cases[0]["labels"] == ["normal", "pneumonia"]


@pytest.mark.parametrize("label", ["covid", "normal", "pneumonia"])
def test_a_label_that_the_border_gives_away_is_found(folder: Path, label: str) -> None:
    def framed(levels: Levels) -> Levels:
        edge = max(levels.shape) // 50
        return np.asarray(cv2.copyMakeBorder(levels[edge:-edge, edge:-edge], *[edge] * 4, cv2.BORDER_CONSTANT))

    audit = audit_data(spoil(folder, label, framed), processes=1)
    assert "shortcut_border" in kinds(audit)
    assert "shortcut_size" not in kinds(audit)


def test_a_label_that_the_size_gives_away_is_found(folder: Path) -> None:
    """Neither larger nor smaller than the others: of one size."""
    audit = audit_data(spoil(folder, "normal", lambda levels: np.asarray(cv2.resize(levels, (480, 420)))), processes=1)
    assert "shortcut_size" in kinds(audit)
    assert "shortcut_border" not in kinds(audit)


def test_a_label_that_the_kind_of_file_gives_away_is_found(folder: Path) -> None:
    rows = rows_of(folder)
    for number, row in enumerate(rows):
        levels = levels_of(folder, row)
        row["path"] = str(number)
        save(folder, row["path"], levels, quality=92 if row["label"] == "covid" else None)
    assert kinds(audit_data(write_rows(folder, rows), processes=1)) == {"shortcut_format"}


@pytest.mark.parametrize("column", ["source", "view"])
def test_a_label_that_a_column_gives_away_is_found(folder: Path, column: str) -> None:
    rows = rows_of(folder)
    for row in rows:
        row[column] = "ward" if row["label"] == "covid" else "clinic"
    audit = audit_data(write_rows(folder, rows), processes=1)
    assert kinds(audit) == {f"shortcut_{column}"}
    assert "covid with AUROC 1.000" in audit.findings[0].text


def test_a_column_that_gives_a_label_away_but_for_a_few_films_is_a_warning(folder: Path) -> None:
    rows = rows_of(folder)
    exceptions = [row["path"] for row in rows if row["label"] == "normal"][:3]
    for row in rows:
        row["source"] = "ward" if row["label"] == "covid" or row["path"] in exceptions else "clinic"
    audit = audit_data(write_rows(folder, rows), processes=1)
    assert not audit.unsafe and kinds(audit, Severity.WARNING) == {"shortcut_source"}


def test_a_label_that_the_exposure_gives_away_shows_in_border_and_thumbnail(folder: Path) -> None:
    darker = (255 * np.linspace(0, 1, 256) ** 4).astype(np.uint8)
    audit = audit_data(spoil(folder, "normal", lambda levels: darker[levels]), processes=1)
    assert {"shortcut_thumbnail", "shortcut_border"} <= kinds(audit)


def test_what_is_the_same_for_all_is_not_judged(folder: Path) -> None:
    rows = rows_of(folder)
    for row in rows:
        del row["source"]
        row["view"] = "PA"
    audit = audit_data(write_rows(folder, rows), processes=1)
    assert {shortcut.kind for shortcut in audit.shortcuts} == {"size", "format", "border", "thumbnail"}
    assert audit.findings == ()


def test_a_label_with_few_patients_is_not_judged_and_that_is_said(tmp_path: Path) -> None:
    draw_archive(tmp_path, patients=12, seed=3, images_per_patient=(1, 1))
    audit = audit_data(load_dataset(os.fsencode(tmp_path)), processes=1)
    assert audit.not_judged == ("covid", "normal", "pneumonia") and audit.shortcuts == ()


def test_unknown_patients_are_a_warning(folder: Path) -> None:
    for row in rows_of(folder):
        (folder / "by label" / row["label"]).mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / row["path"], folder / "by label" / row["label"] / row["path"].replace("/", "-"))
    audit = audit_data(load_dataset(os.fsencode(folder / "by label")), processes=1)
    assert "patients_unknown" in kinds(audit, Severity.WARNING)


def test_what_travels_with_a_model_names_no_patient_and_no_path(folder: Path) -> None:
    rows = rows_of(folder)
    shutil.copy(folder / rows[3]["path"], folder / "same")
    audit = audit_data(write_rows(folder, [*rows, rows[3] | {"path": "same", "patient_id": "somebody"}]), processes=1)
    assert "somebody" in json.dumps(audit.to_json())
    travels = json.dumps(audit.to_json(with_cases=False))
    assert "somebody" not in travels and "phantom-" not in travels and "same" not in travels
    assert audit.to_json(with_cases=False)["unsafe"] is True


def test_a_film_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    dataset = Dataset(os.fsencode(folder), (Film(b"broken.png", "sick", "p1"),), ("sick", "well"), patients_known=True)
    with pytest.raises(DataError, match=r"broken\.png: expected a film that can be read, found undecodable"):
        load_looks(dataset)
