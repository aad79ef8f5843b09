"""The engines that a person may choose are those that can read."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cli.doctor import doctor
from cli.evaluate import evaluate
from cli.screen import screen
from cli.submit import submit


@pytest.mark.parametrize("command", [screen, submit, evaluate], ids=lambda command: command.name)
def test_every_engine_can_be_chosen_and_no_other(command) -> None:
    assert "[numpy|keras|onnx]" in CliRunner().invoke(command, ["--help"]).stdout
    wrong = CliRunner().invoke(command, ["x", "y", "--engine", "torch"])
    assert (wrong.exit_code, "'numpy', 'keras', 'onnx'" in wrong.stderr) == (2, True)


def test_doctor_names_the_cure_where_an_engine_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"tensorflow", "onnx", "onnxruntime"}
    monkeypatch.setattr("cli.doctor._installed", lambda package: None if package in absent else "1.0")
    lines = CliRunner().invoke(doctor).stdout.splitlines()
    for package, cure in (("tensorflow", "make keras"), ("onnx", "make onnx"), ("onnxruntime", "make onnx")):
        found = next(line.split("\t") for line in lines if line.startswith(f"{package}\t"))
        assert found[1] == "absent" and found[3].endswith(cure)
