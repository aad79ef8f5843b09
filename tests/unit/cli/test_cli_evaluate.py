"""evaluate, as a person and as a program use it, on the tiny model and drawn films."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("matplotlib")

from cli.main import wetread
from schemas.errors import DataError, UsageError, WetreadError
from tests.tiny_model import publish_tiny_model, tiny_contents
from trainer.phantoms import draw_archive
from wetread.models.artefact import ModelContents
from wetread.models.registry import Registry
from wetread.settings import load_settings
from wetread.store.database import Database

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
    """The films a and b, the file text.png that is none, and a manifest.csv."""
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
    monkeypatch.setattr("trainer.pixels.load_films", lambda *_, **__: pytest.fail("films were read"))
    (tmp_path / "file").write_text("")
    refused(run("evaluate", "tiny", films, "--output", tmp_path / "file" / "below"), "file/below", "choose another")


def test_labels_without_a_film_are_warned_of(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", "a.film,normal,p1\nb.film,normal,p2\n")
    result = run("evaluate", "tiny", data, "--json")
    body = printed(result)
    assert "no film is labelled covid or pneumonia" in body["warnings"][0]
    assert "no film is labelled covid or pneumonia" in result.stderr
    assert body["macro_auroc"] is None and body["labels"]["normal"]["sensitivity"] is not None


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


def publish(contents: ModelContents, home: Path) -> None:
    database = Database(f"sqlite:///{home / 'results.db'}")
    try:
        Registry(database, home / "models").publish(contents)
    finally:
        database.dispose()
