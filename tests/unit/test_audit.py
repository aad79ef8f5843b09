"""`.ci/audit` says what it found, and never that nothing was found where it could not ask."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FAULT = {"id": "CVE-1", "fix_versions": ["2.0"]}


def load() -> ModuleType:
    loader = SourceFileLoader("ci_audit", str(Path(__file__).parents[2] / ".ci" / "audit"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def answering(monkeypatch: pytest.MonkeyPatch, audit: ModuleType, *answers: list[dict[str, Any]] | None) -> None:
    """Let pip-audit answer so, in turn; None: it fails."""
    ended = [
        subprocess.CompletedProcess([], 1, "" if of is None else json.dumps({"dependencies": of}), "no such module")
        for of in answers
    ]
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: ended.pop(0))


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 packages, no known vulnerability"),
        ([{"name": "a", "version": "1", "vulns": [FAULT]}], 1, "a 1: CVE-1, mended in 2.0"),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "none"}], 2, "1 of 2 packages: b"),
        (None, 2, "pip-audit failed: no such module"),
    ],
)
def test_what_was_not_asked_is_not_called_sound(
    monkeypatch: pytest.MonkeyPatch, packages: list[dict[str, Any]] | None, code: int, said: str
) -> None:
    audit = load()
    answering(monkeypatch, audit, [{"name": "known", "version": "1", "vulns": [FAULT]}], packages)
    found, words = audit.audit()
    assert (found, said in words) == (code, True), words


@pytest.mark.parametrize("answer", [[{"name": "known", "skip_reason": "none"}], [{"name": "known", "vulns": []}], None])
def test_where_not_even_what_is_known_is_known_it_says_so(
    monkeypatch: pytest.MonkeyPatch, answer: list[dict[str, Any]] | None
) -> None:
    audit = load()
    answering(monkeypatch, audit, answer)
    found, words = audit.audit()
    assert (found, words.startswith("not done")) == (2, True), words
