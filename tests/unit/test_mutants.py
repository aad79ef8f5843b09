"""`make mutants`: what is changed, which tests judge it, and that a weak test lets a change pass."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from tests.mutants.__main__ import TREE, choose, say_survivors
from tests.mutants.changes import Change, changes, changes_below
from tests.mutants.judging import TreeCopy, Verdict
from tests.mutants.own_tests import OWN_TESTS, in_turn, own_tests, package_of

SOURCE = '''"""1 < 2 and 3."""
@dataclass(slots=True)
class Kept(Base, frozen=True):
    size: Literal[3] | None = 7

def f(*a, b: int | None = None, **c) -> int | str:
    """4 > 5."""
    for x in [a]:
        if not x and a.b <= 0.5 and (x) is not None or x not in c:
            raise Odd(f"expected {a + b}")
    a += 1
    os.kill(pid, 0)
    return -a * True
'''


def test_each_token_that_is_computed_with_is_changed_and_no_other() -> None:
    found = changes("a.py", SOURCE)
    assert [(change.line, change.before, change.after) for change in found] == [
        (4, "7", "8"),
        (9, "not", ""), (9, "and", "or"), (9, "<=", "<"), (9, "0.5", "1.0"), (9, "and", "or"),
        (9, "is not", "is"), (9, "or", "and"), (9, "not in", "in"),
        (11, "+=", "-="), (11, "1", "2"),
        (13, "*", "+"), (13, "True", "False"),
    ]  # fmt: skip
    for change in found:
        changed = change.applied(SOURCE)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE)), change


def test_a_change_of_what_is_no_longer_there_is_refused() -> None:
    with pytest.raises(ValueError, match="expected this token, found 'b'"):
        Change("a.py", 1, 3, "<", "<=").applied("a b c\n")


def test_the_same_seed_chooses_the_same_changes_and_migrations_are_left() -> None:
    first, again, other = (choose(TREE, ["wetread/schedule"], 20, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 20
    line = first[0].line
    assert {change.line for change in changes_below(TREE, f"{first[0].path}:{line}")} == {line}
    with pytest.raises(ValueError, match="can be changed at wetread/store/migrations/versions, found none"):
        changes_below(TREE, "wetread/store/migrations/versions")


@pytest.mark.parametrize("package", sorted(OWN_TESTS))
def test_each_package_has_tests_of_its_own_and_those_of_the_module_come_first(package: str) -> None:
    tests = own_tests(TREE, package)
    assert all((TREE / test).is_file() for test in tests)
    groups = in_turn(TREE, tests, "wetread/store/core/image_set.py")
    assert sorted(test for group in groups for test in group) == sorted(tests)
    assert package_of(f"{package}/some/module.py") == package
    assert package != "wetread/store" or [test.name for test in groups[0]] == ["test_store_image_set.py"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "project"
    (tree / "own").mkdir(parents=True)
    (tree / "own" / "age.py").write_text("def of_age(years: int) -> bool:\n    return years >= 18\n")
    (tree / "test_age.py").write_text(
        "from own.age import of_age\n\ndef test_it() -> None:\n    assert of_age(20) and not of_age(17)\n"
    )
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
    return tree


def test_what_the_tests_let_pass_survives_and_the_tree_stays_as_it_was(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (tree / "own" / "age.py").read_text()
    (tmp_path / "copy").mkdir()
    copy = TreeCopy(tree, tmp_path / "copy")
    boundary = changes_below(tree, "own")[0]
    turned = Change("own/age.py", 2, boundary.column, ">=", "<")
    never_ends = Change("own/age.py", 2, 5, "return", "while True: pass #")
    limits = {boundary: 60.0, turned: 60.0, never_ends: 3.0}
    verdicts = {change: copy.judge(change, [[Path("test_age.py")]], limit) for change, limit in limits.items()}
    assert list(verdicts.values()) == [Verdict.SURVIVED, Verdict.FOUND, Verdict.OVERLONG]
    assert (tree / "own" / "age.py").read_text() == (copy.root / "own" / "age.py").read_text() == before
    assert say_survivors(tree, verdicts) == 3
    printed = capsys.readouterr().out
    assert "2 of 3 found (67%), 1 of these because the tests did not end; 1 survived" in printed
    assert "own/age.py:2:18: >= -> >\n    return years >= 18" in printed


def test_a_program_that_cannot_be_judged_is_no_verdict(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    copy = TreeCopy(tree, tmp_path / "copy")
    with pytest.raises(RuntimeError, match="expected pytest to pass or fail, found exit 4"):
        copy.judge(changes_below(tree, "own")[0], [[Path("test_gone.py")]], 60.0)
