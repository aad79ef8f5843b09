"""evaluate, as a person and as a program use it, on the tiny model and drawn films."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("matplotlib")

from cli.main import wetread
from schemas.errors import ArtefactError, DataError, UsageError, WetreadError
from tests.tiny_model import publish_tiny_model, tiny_contents
from trainer.data.dataset import load_dataset
from trainer.phantoms.archive import draw_archive
from wetread.imaging.decode import decode
from wetread.models.artefact import ModelContents
from wetread.models.gate import Gate
from wetread.models.registry import Registry
from wetread.settings import load_settings
from wetread.store.core.database import Database

HEADER = "path,label,patient_id\n"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=40, seed=4, images_per_patient=(1, 2))
    return folder


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("WETREAD_HOME", str(home))
    load_settings.cache_clear()
    return publish_tiny_model(None, home)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(wetread, [str(argument) for argument in arguments])


def printed(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, (result.stderr, result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(result: Result, *said: str) -> None:
    assert isinstance(result.exception, WetreadError), result.output
    assert result.exception.exit_code == 2
    for words in said:
        assert words in str(result.exception)


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


def test_two_models_are_compared_on_the_same_films(films: Path, tmp_path: Path) -> None:
    publish_tiny_model(None, tmp_path / "home", seed=1)
    alone, other = (printed(run("evaluate", name, films, "--json")) for name in ("tiny@1", "tiny@2"))
    body = printed(run("evaluate", "tiny@1", films, "--against", "tiny@2", "--output", tmp_path / "out", "--json"))
    against = body.pop("against")
    assert body == alone, "what is said of the one does not change"
    assert against["model"] == "tiny@2" and against["difference"] == "tiny@1 minus tiny@2"
    assert against["accuracy"] == other["accuracy"] and against["model_digest"] == other["model_digest"]
    for name in ("accuracy", "balanced_accuracy", "macro_auroc"):
        figure = against["differences"][name]
        assert figure["value"] == pytest.approx(alone[name]["value"] - other[name]["value"])
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert against["differences"]["macro_auroc"]["low"] < against["differences"]["macro_auroc"]["high"]
    covid = against["differences"]["labels"]["covid"]["auroc"]["value"]
    assert covid == pytest.approx(
        alone["labels"]["covid"]["auroc"]["value"] - other["labels"]["covid"]["auroc"]["value"]
    )
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert written["against"] == against
    shown = run("evaluate", "tiny@1", films, "--against", "tiny@1")
    assert "figure\ttiny@1 minus tiny@1" in shown.stdout and "macro AUROC\t+0.000 (+0.000 to +0.000)" in shown.stdout


def test_models_of_other_preprocessing_and_another_order_of_labels_are_compared(films: Path, tmp_path: Path) -> None:
    contents = tiny_contents("turned")
    last = [name for name in contents.weights if name.startswith("logits/")]
    order = [2, 0, 1]
    weights = {name: array[..., order] if name in last else array for name, array in contents.weights.items()}
    labels = tuple(contents.labels[index] for index in order)
    publish(replace(contents, weights=weights, labels=labels), tmp_path / "home")
    body = printed(run("evaluate", "tiny", films, "--against", "turned", "--json"))["against"]
    assert body["differences"]["accuracy"] == {"value": 0.0, "low": 0.0, "high": 0.0}, "the same network, turned"
    darker = replace(contents, name="darker", preprocess=replace(contents.preprocess, brightness=-60))
    publish(darker, tmp_path / "home")
    body = printed(run("evaluate", "tiny", films, "--against", "darker", "--json"))["against"]
    alone = printed(run("evaluate", "darker", films, "--json"))
    assert body["accuracy"] == alone["accuracy"] and body["macro_auroc"] == alone["macro_auroc"]


def test_a_model_of_other_labels_cannot_be_compared(films: Path, tmp_path: Path) -> None:
    publish(replace(tiny_contents("other"), labels=("covid", "flu", "normal")), tmp_path / "home")
    refused(run("evaluate", "tiny", films, "--against", "other"), "the same labels apart", "covid, flu, normal")
    refused(run("evaluate", "tiny", films, "--against", "nobody"), "nobody")


def two_ids(folder: Path) -> Path:
    """Drawn films; two people come again, each under a second id with a copy of a film."""
    draw_archive(folder, patients=40, seed=4, images_per_patient=(1, 1))
    manifest = folder / "manifest.csv"
    header, *rows = manifest.read_text().splitlines()
    columns = header.split(",")
    for number in range(2):
        cells = rows[number].split(",")
        copy = f"copy-{number}.png"
        (folder / copy).write_bytes((folder / cells[columns.index("path")]).read_bytes())
        cells[columns.index("path")], cells[columns.index("patient_id")] = copy, f"again-{number}"
        rows.append(",".join(cells))
    manifest.write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_a_person_with_two_ids_counts_once(tmp_path: Path) -> None:
    folder = two_ids(tmp_path / "twice")
    result = run("evaluate", "tiny", folder, "--json")
    body = printed(result)
    assert (body["n"], body["patients"], body["people_with_several_ids"]) == (42, 40, 2)
    assert "2 people have several patient ids" in result.stderr and "counted once" in result.stderr


def test_people_with_one_id_are_not_spoken_of(films: Path) -> None:
    result = run("evaluate", "tiny", films, "--json")
    assert printed(result)["people_with_several_ids"] == 0 and "patient ids" not in result.stderr


def gate_of(threshold: float) -> dict[str, Any]:
    """A gate that scores how much brighter the upper half is than the lower."""
    return Gate(2, 0.1, (1.0, 1.0, -1.0, -1.0), 0.0, threshold).to_json()


def test_what_the_gate_would_reject_is_said_and_the_figures_are_of_all_films(films: Path, tmp_path: Path) -> None:
    for name, threshold in (("strict", -100.0), ("lax", 100.0)):
        publish(replace(tiny_contents(name), gate=gate_of(threshold)), tmp_path / "home")
    alone = printed(run("evaluate", "tiny", films, "--json"))
    assert alone["gate"] is None
    result = run("evaluate", "strict", films, "--against", "lax", "--json")
    body = printed(result)
    assert body["gate"] == {"refused": body["n"], "of": body["n"]} and body["against"]["gate"]["refused"] == 0
    assert body["accuracy"] == alone["accuracy"] and body["n"] == alone["n"]
    said = f"the gate of strict@1 rejects {body['n']} of these {body['n']} films (not_a_film)"
    assert said in result.stderr and "the figures are of all of them" in result.stderr
    assert "the gate of" not in run("evaluate", "tiny", films).stderr


def test_the_gate_of_an_evaluation_is_the_one_that_screens(films: Path, tmp_path: Path) -> None:
    preprocess = tiny_contents().preprocess
    pictures = [decode((films / film.name).read_bytes()).pixels for film in load_dataset(os.fsencode(films)).films]
    scores = Gate.from_json(gate_of(0.0)).score(preprocess.apply_many(pictures))
    contents = replace(tiny_contents("gated"), gate=gate_of(float(np.quantile(scores, 0.7, method="lower"))))
    publish(contents, tmp_path / "home")
    body = printed(run("evaluate", "gated", films, "--json"))
    assert body["gate"]["of"] == body["n"] == len(scores)
    assert body["gate"]["refused"] == int((scores > np.quantile(scores, 0.7, method="lower")).sum()) > 5


def panel_metrics() -> dict[str, Any]:
    figure = {"value": 0.125, "low": 0.05, "high": 0.2}
    seen = {"accuracy": figure, "model_above": {"accuracy": figure}}
    return {"shortcuts": {"arch": "cnn", "size": 64, "epochs": 30, "views": {"the border alone": seen}}, "test": {}}


def test_what_the_card_says_of_shortcuts_is_said_beside_the_figures(films: Path, tmp_path: Path) -> None:
    publish(replace(tiny_contents("honest", seed=1), metrics=panel_metrics()), tmp_path / "home")
    result = run("evaluate", "honest", films, "--against", "tiny", "--json")
    body = printed(result)
    assert body["card_shortcuts"]["side"] == "test"
    assert body["card_shortcuts"]["views"] == panel_metrics()["shortcuts"]["views"]
    assert body["against"]["card_shortcuts"] is None
    said = (
        "the card of honest@1: accuracy 0.125 (0.050 to 0.200) above a small network that sees only the border "
        "(on its test patients)"
    )
    assert said in result.stderr and "the card of tiny" not in result.stderr
    del (without_test := panel_metrics())["test"]
    publish(replace(tiny_contents("shown", seed=2), metrics=without_test), tmp_path / "home")
    assert "(on its validation patients)" in run("evaluate", "shown", films).stderr


@pytest.mark.parametrize("wrong", [7, {}, {"views": {}}, {"views": {"the border alone": {"accuracy": None}}}])
def test_a_card_that_is_malformed_is_said(films: Path, tmp_path: Path, wrong: object) -> None:
    publish(replace(tiny_contents("odd", seed=1), metrics={"shortcuts": wrong}), tmp_path / "home")
    result = run("evaluate", "odd", films)
    assert isinstance(result.exception, ArtefactError)
    assert "metrics.json: expected the figures of the shortcut panel" in str(result.exception)


def publish(contents: ModelContents, home: Path) -> None:
    database = Database(f"sqlite:///{home / 'results.db'}")
    try:
        Registry(database, home / "models").publish(contents)
    finally:
        database.dispose()
