"""compare, cross-validate and reproduce, as a person types them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import trainer.studies.digits
from cli.training_options import OPTIMIZERS as OFFERED
from schemas.errors import DataError, UnsafeError, UsageError, WetreadError
from tests.command_line import printed, run
from trainer.phantoms.archive import draw_archive
from trainer.studies.mnist_study import Row
from wetread.engine.optimizers.build import OPTIMIZERS

SMALL = ["--arch", "dnn", "--size", "16", "--epochs", "2", "--processes", "1"]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=36, seed=3, images_per_patient=(1, 2))
    return folder


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trainer.studies.digits, "TRAINING_IMAGES", 4)
    monkeypatch.setattr(Row, "installed", property(lambda row: row.needs == "numpy"))
    generator = np.random.default_rng(0)
    images, digits = generator.integers(0, 256, (30, 28, 28), dtype=np.uint8), np.arange(30, dtype=np.uint8) % 5
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=digits, x_test=images, y_test=digits)
    return tmp_path / "mnist.npz"


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_the_optimizers_offered_are_the_engines() -> None:
    assert tuple(OPTIMIZERS) == OFFERED


def test_compare_prints_the_papers_table_for_both_sides(films: Path, tmp_path: Path) -> None:
    words = ["compare", films, *SMALL, "--no-panel", "--output", tmp_path / "out"]
    result = run(*words, "--optimizers", "SGD, adam")
    assert result.exit_code == 0, result.exception
    rows = table(result.stdout)
    assert [(row["optimizer"], row["films"]) for row in rows] == [
        (name, side) for name in ("sgd", "adam") for side in ("training", "held out")
    ]
    assert " to " in rows[1]["last accuracy"], "the interval"
    assert "the paper states none" in result.stderr and "adam epoch 2/2" in result.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "comparison.json", "table.csv", "epochs.csv", "curves.png", "trainings.json",
    }  # fmt: skip
    again = run(*words, "--optimizers", "sgd,adam")
    assert again.stdout == result.stdout and "epoch 2/2" not in again.stderr


def test_compare_says_beside_its_accuracies_what_shortcuts_reach_on_the_same_patients(films: Path) -> None:
    words = ["compare", films, *SMALL, "--optimizers", "sgd"]
    main, shortcuts = run(*words).stdout.split("# what shortcuts alone reach")
    assert main.startswith("# dnn, 2 epochs") and main.count(" to ") > 1
    rows = table(shortcuts.partition("\n")[2])
    assert [row["what is seen"] for row in rows] == [
        "the whole film", "the middle 60% blacked out", "the border alone", "a 16x16 thumbnail",
    ]  # fmt: skip
    views = printed(run(*words, "--json"))["shortcuts"]["views"]
    assert [f"{of['accuracy']['value']:.3f}" for of in views.values()] == [row["accuracy"][:5] for row in rows]


def test_compare_takes_rates_by_optimizer(films: Path) -> None:
    body = printed(run("compare", films, *SMALL, "--optimizers", "sgd,adam", "--learning-rate", "sgd=0.05", "--json"))
    rates = {name: of["settings"]["learning_rate"] for name, of in body["optimizers"].items()}
    assert rates == {"sgd": 0.05, "adam": 0.001}
    assert body["fixed"]["engine"] == "numpy" and body["fixed"]["class_weights"] is False


def test_reproduce_xray_shows_the_papers_table_and_why_it_is_no_target(films: Path) -> None:
    words = ["reproduce", "xray", films, "--engine", "numpy", *SMALL, "--no-panel"]
    shown = run(*words)
    rows = table(shown.stdout)
    assert [row["optimizer"] for row in rows[::3]] == list(OPTIMIZERS)
    assert rows[3]["figures"] == "the paper's" and rows[3]["last loss"] == "0.6931"
    assert "ln 2" in shown.stderr and "no target" in shown.stderr
    body = printed(run(*words, "--json"))
    assert body["paper"]["rmsprop"] == {
        "first": {"accuracy": 0.9983, "loss": 0.0383}, "last": {"accuracy": 1.0, "loss": 2.3842e-7},
    }  # fmt: skip
    assert body["fixed"]["preprocess"]["working_size"] is None, "CLAHE at the films' own size, as in the paper"


def test_reproduce_mnist_says_which_framework_is_not_installed(mnist: Path, tmp_path: Path) -> None:
    words = ["reproduce", "mnist", "--data", mnist, "--seeds", "2", "--epochs", "1", "--optimizers", "adam,sgd"]
    result = run(*words, "--output", tmp_path / "out")
    rows = table(result.stdout)
    assert [(row["network"], row["paper"]) for row in rows] == [
        ("DNN from scratch", "0.9628"), ("CNN from scratch", "0.8644"), ("DNN in PyTorch", "0.9624"),
        ("CNN in TensorFlow", "0.9528"),
    ]  # fmt: skip
    assert " ± " in rows[0]["adam"] and rows[2]["adam"] == rows[3]["sgd"] == "not installed"
    assert "DNN in PyTorch: torch is not installed" in result.stderr and "8/8" in result.stderr
    body = json.loads((tmp_path / "out" / "mnist.json").read_text())
    assert body == printed(run(*words, "--output", tmp_path / "out", "--json"))
    assert (tmp_path / "out" / "mnist.png").read_bytes().startswith(b"\x89PNG")


def test_cross_validate_prints_folds_and_pooled_figures(films: Path, tmp_path: Path) -> None:
    words = ["cross-validate", films, "--folds", "3", *SMALL]
    body = printed(run(*words, "--json"))
    assert [fold["fold"] for fold in body["folds"]] == [1, 2, 3] and body["leaky"] is False
    assert {"accuracy", "macro_auroc", "labels", "confusion", "ece", "brier"} <= set(body["pooled"])
    assert body["pooled"]["stated"] == {"specificity": 0.95, "prevalence": 0.05}
    shown = run(*words, "--specificity", "0.8", "--prevalence", "0.1", "--output", tmp_path / "out")
    assert "sensitivity at specificity 0.8" in shown.stdout and "PPV at prevalence 0.1" in shown.stdout
    assert shown.stdout.startswith("fold\t") and "macro AUROC" in shown.stdout
    of_labels = shown.stdout.index("label\tfilms\tsensitivity")
    assert shown.stdout.index("\naccuracy\t") < shown.stdout.index("\nwhat is seen\t") < of_labels
    assert shown.stderr.count("training fold 2/3 the border alone\n") == 1
    kept = json.loads((tmp_path / "out" / "cross-validation.json").read_text())
    assert set(kept["shortcuts"]["views"]) == set(body["shortcuts"]["views"]) > {"the border alone"}
    assert kept["recipe"]["specificity"] == 0.8 and body["recipe"]["specificity"] == 0.95
    assert kept["pooled"]["decision"]["said"] > body["pooled"]["decision"]["said"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "cross-validation.json", "confusion.png", "roc.png", "reliability.png", "risk-coverage.png", "shortcuts.png",
        "trainings.json",
    }  # fmt: skip


def test_cross_validate_leaves_the_panel_away_where_asked(films: Path) -> None:
    words = ["cross-validate", films, "--folds", "2", *SMALL, "--no-panel"]
    assert printed(run(*words, "--json"))["shortcuts"] is None
    assert "what is seen" not in run(*words).stdout


def test_cross_validate_sets_two_networks_against_each_other(films: Path, tmp_path: Path) -> None:
    words = ["cross-validate", films, "--folds", "2", *SMALL, "--against", "separable", "--output", tmp_path / "out"]
    shown = run(*words)
    assert shown.exit_code == 0, shown.exception
    assert "figure\tdnn minus separable" in shown.stdout and "AUROC of covid\t" in shown.stdout
    assert "fold 1/2 dnn epoch 2/2" in shown.stderr and "fold 2/2 separable epoch 2/2" in shown.stderr
    assert "making batches\tsteps\tevaluation" in shown.stdout and "reading films took" in shown.stderr
    again = run(*words, "--json")
    assert "epoch" not in again.stderr, "the folds were kept"
    body = printed(again)
    assert body == json.loads((tmp_path / "out" / "cross-validation.json").read_text())
    assert body["against"]["difference"] == "dnn minus separable" and body["parameters"] > body["against"]["parameters"]
    assert set(body["against"]["differences"]) == {"accuracy", "balanced_accuracy", "macro_auroc", "labels"}


@pytest.mark.parametrize("study", [["compare", "--optimizers", "sgd"], ["cross-validate", "--folds", "2"]])
def test_studies_say_what_the_audit_found_and_refuse_unsafe_data_where_asked(
    study: list[str], films: Path, tmp_path: Path
) -> None:
    shutil.copytree(films, tmp_path / "films")
    header, *rows = (tmp_path / "films" / "manifest.csv").read_text().splitlines()
    path, label, patient, *others = rows[0].split(",")
    wrong = {"covid": "normal", "normal": "pneumonia", "pneumonia": "covid"}[label]
    (tmp_path / "films" / "copy").write_bytes((tmp_path / "films" / path).read_bytes())
    copy = ",".join(["copy", wrong, f"{patient}-b", *others])
    (tmp_path / "films" / "manifest.csv").write_text("\n".join([header, *rows, copy]))
    result = run(study[0], tmp_path / "films", *study[1:], *SMALL, "--json")
    assert "unsafe: 1 pair of films: one image with two labels" in result.stderr
    assert "1 person has several patient ids, by films that are the same: each is kept on one side" in result.stderr
    audit = printed(result)["audit"]
    assert audit["unsafe"] is True and audit["people_with_several_ids"] == 1
    refused = run(study[0], tmp_path / "films", *study[1:], *SMALL, "--strict")
    assert isinstance(refused.exception, UnsafeError) and refused.exception.exit_code == 5
    assert "epoch" not in refused.stderr


def test_a_leaky_split_is_labelled_wherever_its_figures_are(films: Path) -> None:
    words = ["cross-validate", films, "--folds", "2", *SMALL, "--leaky-image-level"]
    shown = run(*words)
    assert shown.stdout.startswith("# LEAKY") and "leaky" in shown.stderr
    body = printed(run(*words, "--json"))
    assert body["leaky"] is True and body["split"].startswith("leaky")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["compare", "gone"], DataError, "gone: expected a directory"),
        (["compare", "FILMS", "--optimizers", "sgd,lion"], UsageError, "unknown optimizer 'lion'"),
        (["compare", "FILMS", "--optimizers", ","], UsageError, "found none"),
        (["compare", "FILMS", "--learning-rate", "sgd"], UsageError, "OPTIMIZER=RATE"),
        (["compare", "FILMS", "--optimizers", "adam", "--learning-rate", "sgd=1"], UsageError, "found one of sgd"),
        (["compare", "FILMS", "--split", "gone.csv"], DataError, "gone.csv"),
        (["compare", "FILMS", "--held-out", "0"], DataError, "fractions"),
        (["cross-validate", "FILMS", "--folds", "1"], DataError, "between 2 folds"),
        (["cross-validate", "FILMS", "--size", "2"], UsageError, "size"),
        (["cross-validate", "FILMS", "--against", "cnn"], UsageError, "another network than cnn"),
        (["reproduce", "mnist", "--data", "gone.npz"], DataError, "gone.npz"),
    ],
)
def test_wrong_usage_of_a_study_is_said_and_is_exit_2(
    films: Path, arguments: list[str], error: type[WetreadError], message: str
) -> None:
    result = run(*(films if word == "FILMS" else word for word in arguments))
    assert isinstance(result.exception, error) and message in str(result.exception)
    assert result.exception.exit_code == 2
