"""docs/glossary.md names classes and tables that exist, and every table."""

from __future__ import annotations

import ast
import re

from schemas.tables import Base
from tests.unit.test_house import PACKAGES, ROOT, modules

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| word", "|---"))
]


def named(column: int) -> set[str]:
    return {name for row in ROWS for name in re.findall(r"`(\w+)`", row[column])}


def test_the_classes_that_it_names_exist() -> None:
    trees = (ast.parse((ROOT / path).read_text()) for path in modules() if path.parts[0] in PACKAGES)
    classes = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assert named(2) - classes == set()


def test_it_names_every_table_and_no_other() -> None:
    assert named(3) == set(Base.metadata.tables)


def test_a_word_stands_once() -> None:
    words = [row[0] for row in ROWS]
    assert sorted({word for word in words if words.count(word) > 1}) == []
