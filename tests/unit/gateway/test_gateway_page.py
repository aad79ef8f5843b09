"""docs/pacs.md states what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.receiving.request import IMPLEMENTATION_UID
from gateway.receiving.services import FILMS, SYNTAXES, VERIFICATION

PAGE = (Path(__file__).parents[3] / "docs" / "pacs.md").read_text()


def test_the_conformance_statement_has_each_class_and_each_syntax_in_its_order() -> None:
    statement = PAGE[PAGE.index("## Conformance statement") :]
    for uid, name in {VERIFICATION: "Verification", **FILMS}.items():
        assert f"| {name} | {uid} | SCP |" in statement
    named = re.findall(r"1\.2\.840\.10008\.1\.2[.\d]*(?:, \.\d+)?", statement[statement.index("Transfer syntaxes") :])
    found = [uid for text in named for uid in _each(text)]
    assert found == list(SYNTAXES)
    assert IMPLEMENTATION_UID in statement


def _each(text: str) -> list[str]:
    first, _, other = text.partition(", ")
    return [first, first.rpartition(".")[0] + other] if other else [first]
