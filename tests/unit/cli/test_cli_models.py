"""`wetread models`, as a person and as a program use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli.models import models
from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError, NoDatabase, UnsafeError, UsageError, WetreadError
from tests.another_model import draw_densenet
from tests.measured import MEASURED
from wetread.imaging.preprocess import Preprocess
from wetread.models import registry as registry_module
from wetread.models import shipped as shipped_module
from wetread.models.artefact import ModelContents, save_artefact
from wetread.models.card import Provenance

Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def nothing_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shipped_module, registry_module):
        monkeypatch.setattr(module, "SHIPPED", {})


@pytest.fixture
def call() -> Call:
    """Run `wetread models ...`; a fault of ours is raised."""

    def call(*arguments: object) -> Result:
        result = CliRunner().invoke(models, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two models that somebody sent."""
    layers = (LayerSpec("flatten", "flat"), LayerSpec("dense", "logits", {"units": 2, "use_bias": False}))
    for version in (1, 2):
        kernel = np.random.default_rng(version).normal(size=(16, 2)).astype(np.float32)
        contents = ModelContents(
            name="film",
            architecture=Architecture((4, 4, 1), layers),
            weights={"logits/kernel": kernel},
            labels=("clear", "focal"),
            preprocess=Preprocess(height=4, width=4),
            provenance=Provenance("numpy", "dnn", version, "2026-11-23T05:00:00+00:00"),
            metrics=MEASURED,
            documents={"MODEL_CARD.md": b"# film\n"},
        )
        save_artefact(tmp_path / f"sent{version}", contents, version=version)
    return [tmp_path / "sent1", tmp_path / "sent2"]


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_model_is_imported_promoted_shown_and_rolled_back(call: Call, folders: list[Path]) -> None:
    for folder in folders:
        call("import", folder)
    call("promote", "film@1")
    assert "production is film@2; it was film@1" in call("promote", "film").stderr
    assert as_json(call("show", "--json"))["model"] == "film@2"
    assert as_json(call("rollback", "--json")) | {"model_digest": "", "previous_digest": ""} == {
        "alias": "production",
        "model": "film@1",
        "model_digest": "",
        "previous": "film@2",
        "previous_digest": "",
        "accepted_audit": None,
        "accepted_evaluation": None,
    }
    again = call("promote", "film@2")
    assert [line.split("\t") for line in again.stdout.splitlines()] == [
        ["model", "accuracy", "macro AUROC", "of"],
        ["film@2", "0.750 (0.500 to 0.900)", "", "10 patients (test)"],
        ["film@1, which serves now", "0.750 (0.500 to 0.900)", "", "10 patients (test)"],
    ]
    figures = as_json(call("promote", "film@1", "--json"))
    assert figures["figures"] == figures["previous_figures"] == {
        "of": "test", "n": 20, "patients": 10, "accuracy": {"value": 0.75, "low": 0.5, "high": 0.9}
    }  # fmt: skip
    assert figures["difference"] is None
    assert as_json(call("list", "--json"))[0]["figures"] == figures["figures"]

    shown = as_json(call("show", "--json"))
    assert (shown["model"], shown["aliases"], shown["parameters"]) == ("film@1", ["production"], 32)
    assert (shown["metrics"], shown["decision"]["temperature"]) == (MEASURED, 1.0)
    assert call("show", "--card").stdout == "# film\n\n"
    assert "accuracy, test\t0.750 (0.500 to 0.900), 20 films of 10 patients\n" in call("show").stdout


def test_data_goes_to_stdout_and_advice_to_stderr(call: Call, folders: list[Path]) -> None:
    with pytest.raises(NoDatabase):
        call("list")
    call("verify")
    empty = call("list")
    assert (empty.stdout, empty.exit_code) == ("", 0)
    assert "wetread train" in empty.stderr
    assert as_json(call("list", "--json")) == []
    assert as_json(call("import", folders[0], "--json"))["model"] == "film@1"
    listed = call("list")
    assert listed.stderr == ""
    assert listed.stdout.splitlines()[0].split("\t")[:2] == ["model", "aliases"]
    assert listed.stdout.splitlines()[1].split("\t")[0] == "film@1"


def test_verify_ends_with_5_when_a_model_was_altered(call: Call, folders: list[Path], tmp_path: Path) -> None:
    for folder in folders:
        call("import", folder)
    assert call("verify").exit_code == 0
    changed = tmp_path / "home" / "models" / "film" / "2" / "weights.safetensors"
    changed.write_bytes(changed.read_bytes()[:-1] + b"\x7f")

    result = call("verify", "--json")
    assert result.exit_code == 5
    assert [(one["model"], one["state"]) for one in as_json(result)] == [("film@1", "good"), ("film@2", "altered")]
    assert call("verify", "film@1").exit_code == 0
    with pytest.raises(ArtefactError, match="SHA-256"):
        call("promote", "film@2")


def test_what_is_exported_can_be_imported(call: Call, folders: list[Path], tmp_path: Path) -> None:
    call("import", folders[1])
    call("export", "film", tmp_path / "out")
    assert as_json(call("import", tmp_path / "out", "--json"))["model"] == "film@2"
    with pytest.raises(UsageError, match="never overwritten"):
        call("export", "film", tmp_path / "out")


def test_wrong_usage_is_told_apart_from_an_unsafe_model(call: Call, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"model\.json"):
        call("import", tmp_path)
    with pytest.raises(UsageError, match="no model is registered"):
        call("show", "film@9")
    assert call("import", tmp_path / "nowhere").exit_code == 2


@pytest.mark.parametrize("command", [models, *models.commands.values()], ids=lambda command: command.name)
def test_every_help_has_an_example(command: click.Command) -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.stdout
    assert f"wetread models {'' if command is models else command.name}" in result.stdout


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """A network that somebody else has made."""
    path = tmp_path / "dense.onnx"
    path.write_bytes(draw_densenet())
    return path


def test_another_network_is_imported_shown_verified_and_exported(call: Call, others: Path, tmp_path: Path) -> None:
    (tmp_path / "preprocess.json").write_text('{"input_range": [-1024, 1024]}')
    how = ("--name", "dense", "--labels", "a,b,c", "--preprocess", tmp_path / "preprocess.json")
    said = call("import", others, *how).stderr
    assert "registered dense@1" in said and "nobody has audited" in said and "no input gate" in said
    whole = as_json(call("show", "dense", "--json"))
    assert whole["preprocessing"]["mean"] == 0.5 and whole["preprocessing"]["std"] == 1 / 2048
    assert whole["architecture"]["onnx"]["gives"] == "logits" and whole["labels"] == ["a", "b", "c"]
    assert "nobody says here what it learned from" in call("show", "dense").output
    assert as_json(call("verify", "--json"))[0]["state"] == "good"
    with pytest.raises(UsageError, match="was imported has none"):
        call("show", "dense", "--card")
    with pytest.raises(UnsafeError, match="--accept-evaluation"):
        call("promote", "dense")
    call("export", "dense", "--format", "onnx", "--output", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == others.read_bytes()
    call("export", "dense", tmp_path / "sent")
    assert as_json(call("import", tmp_path / "sent", "--json"))["model"] == "dense@1"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("--labels", "a,b,c"), "expected --name and --labels"),
        (("--name", "dense", "--labels", "a,b"), "3 outputs"),
        (("--name", "Dense", "--labels", "a,b,c"), "lower-case"),
        (("--name", "production", "--labels", "a,b,c"), "alias"),
        (("--name", "dense", "--labels", "a,b,c", "--gives", "softmax"), "expected probabilities"),
    ],
)
def test_another_network_is_not_imported_as_what_it_is_not(
    call: Call, folders: list[Path], others: Path, given: tuple[str, ...], found: str
) -> None:
    call("import", folders[0])
    with pytest.raises(WetreadError, match=found):
        call("import", others, *given)
    assert [one["model"] for one in as_json(call("list", "--json"))] == ["film@1"]


def test_a_folder_has_its_own_name_and_labels(call: Call, folders: list[Path]) -> None:
    with pytest.raises(UsageError, match="--name: expected an ONNX file"):
        call("import", folders[0], "--name", "mine")
