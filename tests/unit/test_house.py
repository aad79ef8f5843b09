"""The rules of the house that import-linter cannot hold (see docs/decisions/0001-floors.md)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "web", "gateway", "screening", "producer", "worker", "trainer", "wetread", "schemas")
LINES_LIMIT, LONG = 300, 250
TABLES_OF_DATA = {
    "schemas/tables.py",
}
"""Modules that are a list of like things, read row by row: their length is no sign of two ideas."""
GRAB_BAGS = {"utils", "util", "common", "helpers", "misc"}

MARK = re.compile(rf"\b({'|'.join(('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'))})\b")
NOQA, IGNORE = "no" + "qa", "type:" + " ignore"  # in two parts, so that this file does not find itself
DIRECTIVE = re.compile(
    r"#\s*(noqa|type:\s*ignore)(?P<rules>(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)|\[[\w, -]+\])?(?P<rest>.*)"
)


@cache
def project_files() -> tuple[Path, ...]:
    """Files that git tracks or would add, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return tuple(Path(name) for name in sorted(set(listed)) if name and (ROOT / name).is_file())


def modules() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py"]


def is_migration(path: Path) -> bool:
    return path.parts[:3] == ("wetread", "store", "migrations")


def test_the_top_level_holds_the_designed_packages_and_no_other() -> None:
    found = {path.parts[0] for path in modules()}
    assert found <= {*PACKAGES, "tests", "benchmarks"}
    assert found >= {*PACKAGES, "tests"}


def test_no_module_is_a_grab_bag() -> None:
    assert [str(path) for path in modules() if GRAB_BAGS.intersection(path.with_suffix("").parts)] == []


def test_no_module_is_long(capsys: pytest.CaptureFixture[str]) -> None:
    """A module over LONG lines is listed, for whoever changes it next: two ideas are two modules."""
    counted = [path for path in modules() if path.parts[0] != "tests" and not is_migration(path)]
    lengths = {str(path): (ROOT / path).read_text().count("\n") for path in counted}
    assert set(lengths) >= TABLES_OF_DATA
    of_code = {path: lines for path, lines in lengths.items() if path not in TABLES_OF_DATA}
    with capsys.disabled():
        for path, lines in sorted(of_code.items()):
            if lines > LONG:
                sys.stdout.write(f"\n{path}: {lines} lines, over {LONG}: is it two ideas?")
    assert {path: lines for path, lines in of_code.items() if lines > LINES_LIMIT} == {}


def test_test_files_are_named_once() -> None:
    names = [path.name for path in modules() if path.name.startswith("test_")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_a_class_name_has_one_meaning() -> None:
    places: dict[str, list[str]] = {}
    for path in (path for path in modules() if path.parts[0] in PACKAGES):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_package_inits_hold_one_docstring() -> None:
    inits = [path for path in modules() if path.name == "__init__.py"]
    assert {path.parts[0] for path in inits} >= set(PACKAGES)
    for path in inits:
        body = ast.parse((ROOT / path).read_text()).body
        assert len(body) == 1 and isinstance(body[0], ast.Expr), f"{path}: expected a docstring alone"


def test_every_package_has_an_init() -> None:
    """Without one, import-linter and mypy would pass a folder by."""
    folders = {path.parent for path in modules() if path.parts[0] in PACKAGES and not is_migration(path)}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").exists()] == []


def test_nothing_is_left_for_later_in_a_mark() -> None:
    texts = [path for path in project_files() if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ""}]
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate((ROOT / path).read_text(errors="replace").splitlines(), 1)
        if MARK.search(line)
    ]
    assert found == []


def without_reason(source: str) -> list[int]:
    """Return the numbers of the lines that silence a rule without naming it, or without a reason beside or above."""
    lines = source.splitlines()
    faults = []
    for number, line in enumerate(lines, 1):
        found = DIRECTIVE.search(line)
        above = lines[number - 2].strip() if number > 1 else ""
        if found and not (found["rules"] and (len(found["rest"].strip(" #")) >= 8 or above.startswith("#"))):
            faults.append(number)
    return faults


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        (f"x = 1  # {NOQA}", [1]),
        (f"x = 1  # {NOQA}: S101", [1]),
        (f"x = 1  # {NOQA}: S101  the reason of it", []),
        (f"# The reason of it.\nx = 1  # {NOQA}: S101", []),
        (f"x = 1  # {IGNORE}", [1]),
        (f"x = 1  # {IGNORE}[arg-type]  # celery has no types", []),
    ],
)
def test_a_silenced_rule_needs_its_name_and_a_reason(source: str, faults: list[int]) -> None:
    assert without_reason(source) == faults


def test_every_silenced_rule_has_a_reason() -> None:
    found = {str(path): without_reason((ROOT / path).read_text()) for path in modules() if not is_migration(path)}
    assert {path: lines for path, lines in found.items() if lines} == {}


def imported(path: Path) -> set[str]:
    """Return the modules that the module at `path` imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
    return names


def test_the_engine_imports_numpy_alone() -> None:
    allowed = {"numpy", "schemas", *sys.stdlib_module_names}
    engine = [path for path in modules() if path.parts[:2] == ("wetread", "engine")]
    assert engine
    for path in engine:
        strange = {name for name in imported(path) if name.partition(".")[0] not in allowed}
        assert {name for name in strange if not name.startswith("wetread.engine.")} == set(), path


def test_the_schemas_import_nothing_of_the_house() -> None:
    for path in (path for path in modules() if path.parts[0] == "schemas"):
        assert {name.split(".")[0] for name in imported(path)}.isdisjoint(set(PACKAGES) - {"schemas"}), path


def loaded_after(code: str) -> set[str]:
    """Return the top-level names of the modules that a new interpreter has loaded after `code`."""
    script = f"import sys\n{code}\nsys.stderr.write('\\n'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stderr.split())


def test_help_loads_neither_numpy_nor_sqlalchemy() -> None:
    loaded = loaded_after(
        """
from cli.main import main
sys.argv = ["wetread", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    )
    assert "click" in loaded
    assert loaded.isdisjoint({"numpy", "cv2", "sqlalchemy", "alembic", "celery", "redis", "tensorflow", "matplotlib"})
