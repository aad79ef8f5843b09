"""evaluate, as a person and as a program use it, on the tiny model and drawn films."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from schemas.errors import DataError, UsageError
from tests.command_line import printed, refused, run
from trainer.phantoms.archive import draw_archive

pytestmark = pytest.mark.usefixtures("model")

HEADER = "path,label,patient_id\n"


def manifest(folder: Path, rows: str, header: str = HEADER) -> Path:
    """The films a and b, text.png, which holds no image, and a manifest.csv."""
    folder.mkdir()
    drawn = draw_archive(folder, patients=2, seed=1, images_per_patient=(1, 1))
    for name, film in zip("ab", drawn, strict=True):
        (folder / film.path).rename(folder / f"{name}.film")
    (folder / "text.png").write_text("no film")
    (folder / "manifest.csv").write_text(header + rows)
    return folder


def test_a_program_gets_every_figure_under_its_documented_key(films: Path, model: str) -> None:
    body = printed(run("evaluate", "tiny", films, "--json"))
    documented = {
        "accuracy",
        "balanced_accuracy",
        "macro_auroc",
        "labels",
        "confusion",
        "ece",
        "brier",
        "n",
        "patients",
    }
    assert documented <= set(body)
    assert set(body["macro_auroc"]) == {"value", "low", "high"}
    assert body["model_digest"] == model and body["patients"] == 40
    for of_label in body["labels"].values():
        assert {"sensitivity", "specificity", "auroc", "ppv", "npv"} <= set(of_label)
    assert body["stated"] == {"specificity": 0.95, "prevalence": 0.05}
    assert [point["coverage"] for point in body["abstention"]["points"]] == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert sum(part["n"] for part in body["reliability"]) == body["n"]
    assert {"source", "view"} <= set(body["by"])


def test_a_specificity_and_a_prevalence_can_be_stated(films: Path) -> None:
    strict, lax = (
        printed(run("evaluate", "tiny", films, "--specificity", stated, "--prevalence", "0.3", "--json"))
        for stated in ("1", "0.5")
    )
    assert strict["stated"] == {"specificity": 1.0, "prevalence": 0.3}
    for label in ("covid", "normal", "pneumonia"):
        point, easier = (body["operating_points"][label] for body in (strict, lax))
        assert point["at_threshold"]["specificity"]["value"] == 1.0
        assert easier["at_threshold"]["specificity"]["value"] >= 0.5
        assert easier["sensitivity"]["value"] >= point["sensitivity"]["value"]
    assert strict["accuracy"] == lax["accuracy"]


@pytest.mark.parametrize(
    "option", [("--specificity", "0"), ("--specificity", "1.1"), ("--prevalence", "0"), ("--prevalence", "1")]
)
def test_what_cannot_be_stated_is_wrong_usage(films: Path, option: tuple[str, str]) -> None:
    result = run("evaluate", "tiny", films, *option)
    assert result.exit_code == 2 and option[0] in result.output


def test_people_see_every_table(films: Path) -> None:
    result = run("evaluate", "tiny", films, "--specificity", "0.9")
    assert result.exit_code == 0, result.exception
    for heading in (
        "macro AUROC", "called covid", "sensitivity at specificity 0.9", "PPV at prevalence 0.05", "least confidence",
        "before temperature scaling", "balanced accuracy", "patients\taccuracy",
    ):  # fmt: skip
        assert heading in result.stdout
    assert "not for diagnostic use" in result.stderr


def test_figures_and_plots_are_written_where_they_are_asked_for(films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    body = printed(run("evaluate", "tiny", films, "--output", folder, "--json"))
    assert json.loads((folder / "evaluation.json").read_text()) == body
    plots = {"confusion.png", "roc.png", "reliability.png", "risk-coverage.png"}
    assert {path.name for path in folder.iterdir()} == {"evaluation.json"} | plots
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in plots)


def test_a_place_that_cannot_be_written_to_is_said_before_films_are_read(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.studies.model_readings.take_in", lambda *_, **__: pytest.fail("films were read"))
    (tmp_path / "file").write_text("")
    refused(run("evaluate", "tiny", films, "--output", tmp_path / "file" / "below"), "file/below", "choose another")


def test_labels_without_a_film_are_warned_of(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", "a.film,normal,p1\nb.film,normal,p2\n")
    result = run("evaluate", "tiny", data, "--json")
    body = printed(result)
    assert "no film is labelled covid or pneumonia" in body["warnings"][0]
    assert "no film is labelled covid or pneumonia" in result.stderr
    assert body["macro_auroc"] is None and body["labels"]["normal"]["sensitivity"] is not None


def test_predictions_have_a_row_a_film(tmp_path: Path) -> None:
    data = manifest(
        tmp_path / "data", "a.film,normal,=p1,PA\nb.film,covid,p2,\n", header="path,label,patient_id,view\n"
    )
    result = run("evaluate", "tiny", data, "--predictions", tmp_path / "films.csv", "--json")
    printed(result)
    with open(tmp_path / "films.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = [f"probability_{label}" for label in ("covid", "normal", "pneumonia")]
    assert list(rows[0]) == ["path", "patient_id", "label", "predicted", "correct", "decision", *shares, "view"]
    assert [(row["path"], row["patient_id"], row["label"], row["view"]) for row in rows] == [
        ("a.film", "'=p1", "normal", "PA"),  # quoted, so that a spreadsheet takes it for no formula
        ("b.film", "p2", "covid", ""),
    ]
    for row in rows:
        assert sum(float(row[share]) for share in shares) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == max(shares, key=lambda share, row=row: float(row[share])).partition("_")[2]
        assert row["correct"] == str(row["predicted"] == row["label"])
        assert row["decision"] in (row["predicted"], "uncertain")


def test_predictions_go_to_standard_output_alone(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", "a.film,normal,p1\nb.film,covid,p2\n")
    rows = list(csv.DictReader(run("evaluate", "tiny", data, "--predictions", "-").stdout.splitlines()))
    assert [row["path"] for row in rows] == ["a.film", "b.film"]
    refused(run("evaluate", "tiny", data, "--predictions", "-", "--json"), "without --json")
    (tmp_path / "file").touch()
    unwritable = run("evaluate", "tiny", data, "--predictions", tmp_path / "file" / "films.csv")
    refused(unwritable, "expected to write here")
    assert "films" not in unwritable.stderr, "it is said before the films are read"


FAULTY = {
    "an empty folder": (None, ["data", "no images"]),
    "a folder that is not there": ("", ["data", "expected a directory"]),
    "an unreadable image": ("a.film,normal,p1\ntext.png,covid,p2\n", ["text.png", "undecodable"]),
    "a file that is not there": ("a.film,normal,p1\ngone.png,covid,p2\n", ["line 3", "gone.png"]),
    "a patient without id": ("a.film,normal,p1\nb.film,covid,\n", ["line 3", "b.film", "patient_id is empty"]),
}
"""What is wrong -> the manifest's rows, "" for no folder, None for an empty one; and what must be said."""


def faulty(tmp_path: Path, rows: str | None) -> Path:
    if rows:
        return manifest(tmp_path / "data", rows)
    if rows is None:
        (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize(("rows", "said"), FAULTY.values(), ids=FAULTY)
def test_data_that_cannot_be_used_is_named(tmp_path: Path, rows: str | None, said: list[str]) -> None:
    refused(run("evaluate", "tiny", faulty(tmp_path, rows)), *said)


def test_a_label_that_the_model_does_not_know_is_named_with_its_film(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", "a.film,normal,p1\nb.film,flu,p2\n")
    refused(run("evaluate", "tiny", data), "b.film", "'flu'", "covid, normal, pneumonia")


def test_a_folder_of_a_label_without_films_is_named(tmp_path: Path) -> None:
    (tmp_path / "data" / "covid").mkdir(parents=True)
    (tmp_path / "data" / "normal").mkdir()
    (tmp_path / "data" / "normal" / "1.png").write_bytes(b"")
    refused(run("evaluate", "tiny", tmp_path / "data"), "covid", "no images")


def test_errors_are_of_their_kind(tmp_path: Path, films: Path) -> None:
    assert isinstance(run("evaluate", "tiny", tmp_path / "gone").exception, DataError)
    assert isinstance(run("evaluate", "nobody", films).exception, UsageError)
