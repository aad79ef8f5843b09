"""`.ci/audit` says what it found, and never that nothing was found where it could not ask."""

from __future__ import annotations

import importlib.util
import io
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
    monkeypatch.setattr(audit.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b'{"vulnerabilities": []}'))
    out = "" if packages is None else json.dumps({"dependencies": packages})
    ended = subprocess.CompletedProcess([], 1, out, "no such module")
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: ended)
    found, words = audit.audit()
    assert (found, said in words) == (code, True), words


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    audit = load()

    def gone(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(audit.urllib.request, "urlopen", gone)
    assert audit.audit() == (2, "not done, since pypi.org cannot be asked (no route)")
