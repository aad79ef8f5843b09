from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from schemas.errors import DataError, UnsafeError, UsageError, WetreadError
from tests.command_line import printed, run
from trainer.phantoms.archive import draw_archive

SMALL = ["--size", "32", "--width", "8", "--epochs", "2", "--processes", "1"]

LOWER = ["--accept-evaluation", "two epochs are below what ships"]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=45, seed=3, images_per_patient=(1, 1))
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wetread.settings import load_settings

    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()


def test_a_model_is_trained_registered_and_measured_again_the_same(films: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.csv"
    made = printed(run("train", films, "--name", "drawn", *SMALL, "--save-split", split, "--json"))
    assert (made["model"], made["epochs"], made["labels"]) == ("drawn@1", 2, ["covid", "normal", "pneumonia"])
    assert made["test_openings"] == 1
    kept = json.loads((Path(made["directory"]) / "metrics.json").read_text())
    assert made["shortcuts"] == kept["shortcuts"] and "the border alone" in made["shortcuts"]["views"]
    documents = {path.name for path in Path(made["directory"]).iterdir()}
    assert {"model.json", "weights.safetensors", "decision.json", "MODEL_CARD.md", "history.png"} <= documents
    again = printed(run("evaluate", "drawn", films, "--split", split, "--json"))
    assert again["side"] == "test" and again["warnings"] == []
    assert again["model_digest"] == made["digest"]
    for figure in ("n", "patients", "accuracy", "confusion", "labels", "by"):
        assert again[figure] == made["test"][figure]


def test_folders_train_and_test_are_sides_and_never_labels(films: Path, tmp_path: Path) -> None:
    with (films / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    of_label: Counter[str] = Counter()
    for row in rows:
        of_label[row["label"]] += 1
        side = "test" if of_label[row["label"]] % 4 == 0 else "train"
        target = tmp_path / "kaggle" / side / row["label"] / row["path"].replace("/", "-")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(films / row["path"], target)
    tested = sum(count // 4 for count in of_label.values())
    made = printed(
        run("train", tmp_path / "kaggle", *SMALL, "--validation", "0.35", "--no-panel", "--no-gate", "--json")
    )
    assert made["labels"] == ["covid", "normal", "pneumonia"]
    assert made["patients"]["test"] == made["test"]["n"] == tested
    again = printed(run("evaluate", made["model"], tmp_path / "kaggle", "--json"))
    assert (again["side"], again["n"], again["confusion"]) == ("test", tested, made["test"]["confusion"])


def test_every_opening_of_the_same_test_patients_is_counted(films: Path) -> None:
    first = printed(run("train", films, *SMALL, "--json"))
    closed = printed(run("train", films, *SMALL, "--seed", "1", "--no-open-test", "--json"))
    third = printed(run("train", films, *SMALL, "--seed", "2", "--json"))
    other = printed(run("train", films, *SMALL, "--split-seed", "9", "--json"))
    assert [made["test_openings"] for made in (first, closed, third, other)] == [1, 1, 2, 1]
    assert closed["test"] is None
    assert "read 2 times" in (Path(third["directory"]) / "MODEL_CARD.md").read_text()
    assert third["model"] == "cnn@3"


def test_another_model_that_was_altered_costs_no_training(films: Path) -> None:
    plain = [*SMALL, "--no-panel", "--no-gate", "--no-open-test"]
    first = printed(run("train", films, "--name", "one", *plain, "--json"))
    (Path(first["directory"]) / "weights.safetensors").write_bytes(b"altered")
    second = run("train", films, "--name", "two", *plain, "--seed", "1", "--json")
    assert printed(second)["model"] == "two@1"
    assert "warning: one@1 does not count" in second.stderr


def test_a_network_that_is_registered_already_is_said_to_keep_what_it_has(films: Path, tmp_path: Path) -> None:
    plain = [*SMALL, "--no-panel", "--no-gate"]
    first = run("train", films, "--name", "one", *plain, "--no-open-test", "--json")
    assert "registered already" not in first.stderr
    again = run("train", films, "--name", "two", *plain, "--json")
    assert printed(again)["model"] == "one@1"
    assert "warning: this network is registered already, as one@1, and keeps that name" in again.stderr
    clash = run("train", films, *plain, "--specificity", "0", "--json")
    assert isinstance(clash.exception, UsageError)
    assert "--output FOLDER would write them" in clash.stderr
    apart = run("train", films, *plain, "--specificity", "0", "--output", tmp_path / "out", "--json")
    assert set(printed(apart)["thresholds"].values()) == {0.0} and "registered already" not in apart.stderr


def test_the_card_has_the_command_that_trains_it_again(films: Path, tmp_path: Path) -> None:
    places = ("--output", tmp_path / "out", "--save-split", tmp_path / "split.csv", "--checkpoint", tmp_path / "kept")
    made = printed(run("train", films, *SMALL, "--no-flip", *places, "--json"))
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    command = next(line for line in card.splitlines() if line.startswith("wetread train "))
    words = command.split()[2:]
    assert "--no-flip" in words and "--epochs" in words
    assert not {"--json", "--output", "--save-split", "--checkpoint"} & set(words)
    assert printed(run("train", *words, "--json"))["digest"] == made["digest"]


def test_people_see_progress_on_stderr_and_figures_on_stdout(films: Path) -> None:
    result = run("train", films, *SMALL)
    assert result.exit_code == 0
    assert "epoch 2/2 loss" in result.stderr and "validation loss" in result.stderr
    assert "accuracy" in result.stdout and "epoch" not in result.stdout
    accuracy, panel, labels = (
        result.stdout.index(words) for words in ("\naccuracy\t", "\nwhat is seen\t", "\nlabel\tfilms\t")
    )
    assert accuracy < panel < labels
    assert result.stdout.count("\nthe border alone\t") == 1
    assert "not for diagnostic use" in result.stderr
    shown = run("evaluate", "cnn", films)
    assert "macro AUROC" in shown.stdout
    assert "warning: the model was trained on part of these very films" in shown.stderr


@pytest.fixture
def given_away(films: Path, tmp_path: Path) -> Path:
    """The same films; the source gives covid away."""
    shutil.copytree(films, tmp_path / "given away")
    manifest = tmp_path / "given away" / "manifest.csv"
    lines = manifest.read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    rows = [",".join([*row[:3], "ward" if row[1] == "covid" else "clinic", *row[4:]]) for row in cells]
    manifest.write_text("\n".join([lines[0], *rows]))
    return manifest.parent


def test_unsafe_data_is_said_recorded_and_keeps_the_model_from_production(given_away: Path) -> None:
    result = run("train", given_away, *SMALL, "--json")
    made = printed(result)
    assert "unsafe: the source alone predicts covid" in result.stderr
    assert made["audit"]["unsafe"] is True
    assert "the source alone predicts covid" in (Path(made["directory"]) / "MODEL_CARD.md").read_text()
    refused = run("models", "promote", "cnn@1")
    assert isinstance(refused.exception, UnsafeError) and refused.exception.exit_code == 5
    assert "--accept-audit REASON" in str(refused.exception)
    taken = printed(run("models", "promote", "cnn@1", "--accept-audit", "to study the shortcut", *LOWER, "--json"))
    assert (taken["model"], taken["accepted_audit"]) == ("cnn@1", "to study the shortcut")
    shown = run("models", "show", "cnn@1").stdout
    assert "unsafe: the source alone predicts covid" in shown and "to study the shortcut" in shown


def test_strict_refuses_unsafe_data_with_exit_5_and_registers_nothing(given_away: Path) -> None:
    result = run("train", given_away, *SMALL, "--strict")
    assert isinstance(result.exception, UnsafeError) and result.exception.exit_code == 5
    assert "unsafe: the source alone predicts covid" in result.stderr and "epoch" not in result.stderr
    assert "\ncnn@1" not in run("models", "list").stdout


def test_clean_data_is_trained_on_strictly_and_promoted_without_a_reason(films: Path) -> None:
    made = printed(run("train", films, *SMALL, "--strict", "--json"))
    assert made["audit"]["findings"] == []
    assert printed(run("models", "promote", "cnn@1", *LOWER, "--json"))["accepted_audit"] is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["train", "gone"], DataError, "gone: expected a directory"),
        (["train", "FILMS", "--arch", "cnn", "--size", "8"], UsageError, "size"),
        (["train", "FILMS", "--name", "Not A Name"], UsageError, "model name"),
        (["train", "FILMS", "--split", "gone.csv"], DataError, "gone.csv"),
        (["train", "FILMS", "--device", "gpu"], UsageError, "train on keras"),
        (["train", "FILMS", "--average", "2"], UsageError, "below 1, such as 0.995"),
        pytest.param(
            ["train", "FILMS", "--engine", "keras", "--device", "gpu:99"],
            UsageError,
            "cpu:0",
            marks=pytest.mark.keras,
        ),
        (["evaluate", "nobody", "FILMS"], UsageError, "nobody"),
        (["evaluate", "production", "FILMS", "--side", "test"], UsageError, "--split"),
    ],
)
def test_wrong_usage_is_said_and_is_exit_2(
    films: Path, arguments: list[str], error: type[WetreadError], message: str
) -> None:
    result = run(*(films if word == "FILMS" else word for word in arguments))
    assert isinstance(result.exception, error) and message in str(result.exception)
    assert result.exception.exit_code == 2


def test_labels_that_the_model_does_not_know_are_refused(films: Path, tmp_path: Path) -> None:
    printed(run("train", films, *SMALL, "--json"))
    (tmp_path / "other" / "flu").mkdir(parents=True)
    (tmp_path / "other" / "flu" / "x.png").write_bytes(b"")
    result = run("evaluate", "cnn", tmp_path / "other")
    assert "label 'flu' is unknown; the model knows covid, normal, pneumonia" in str(result.exception)
