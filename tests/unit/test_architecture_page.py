"""docs/architecture.md names every room, with the sentence that the room says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.unit.test_house import PACKAGES, ROOT, modules

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_every_room_is_on_the_page_in_its_own_words() -> None:
    inits = [path for path in modules() if path.name == "__init__.py" and path.parts[0] in PACKAGES]
    said = {str(path.parent): ast.get_docstring(ast.parse((ROOT / path).read_text())) for path in inits}
    assert dict(re.findall(r"^\| `([\w/]+)` \| (.+) \|$", PAGE, re.MULTILINE)) == said


def test_the_modules_that_it_names_exist() -> None:
    named = set(re.findall(r"\b((?:producer|worker|wetread)/[\w/]+)", PAGE)) - {""}
    missing = [
        name for name in sorted(named) if not Path(ROOT, name).is_dir() and not Path(ROOT, f"{name}.py").is_file()
    ]
    assert missing == []
