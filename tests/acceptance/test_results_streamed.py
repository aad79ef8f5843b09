"""What programs are given is streamed: the memory of a command does not grow with the rows that it prints."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.generated import fill
from tests.program import Program
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

FEW, MANY = 4_000, 40_000

MEASURED = (
    "import sys\n"
    "import wetread.store.core.read_only_sqlite\n"
    "wetread.store.core.read_only_sqlite.PAGES_KIB = 1024\n"  # a limit of SQLite that few rows do not reach
    "from cli.__main__ import main\n"
    "from benchmarks.memory import megabytes\n"
    "try:\n    main()\n"
    "finally:\n    print('held at most', megabytes('VmHWM'), file=sys.stderr)\n"
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Program]:
    """Programs whose databases hold FEW and MANY readings."""
    made = {}
    for rows in (FEW, MANY):
        home = tmp_path_factory.mktemp("streamed")
        database = Database(f"sqlite:///{home / 'results.db'}")
        ensure_schema(database)
        fill(database, rows)
        database.dispose()
        made[rows] = Program(home)
    return made


def asked(program: Program, *words: str) -> tuple[list[str], float]:
    """Return the lines that a question gave, and the megabytes that it held at most."""
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], env=program.env(), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines(), float(ended.stderr.rpartition("held at most ")[2])


@pytest.mark.parametrize(
    "words",
    [
        ("results", "list", "--json"), ("results", "list", "--format", "jsonl"), ("results", "list", "--format", "csv"),
        ("results", "list", "--sort", "path", "--format", "jsonl"),
        ("results", "export", "--format", "jsonl"), ("errors", "list", "--json"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_memory_does_not_grow_with_the_rows(homes: dict[int, Program], words: tuple[str, ...]) -> None:
    few, held_for_few = asked(homes[FEW], *words)
    many, held_for_many = asked(homes[MANY], *words)
    assert len(many) > 8 * len(few), "all of them are given"
    if "csv" not in words:
        assert json.loads(many[0].strip("[,"))["path"]
    # 36,000 rows more are 50 MB where they are kept: a row in Python takes more than a kilobyte.
    assert held_for_many < held_for_few + 12
