"""A copy of the working tree in which a change is made, judged by tests, and taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from importlib.util import cache_from_source
from pathlib import Path

import psutil

from tests.mutants.changes import Change

PASSED, FAILED, INTERRUPTED = 0, 1, 2
"""Exit codes of pytest; it is interrupted where a test file cannot be imported."""

ENDING_SECONDS = 20.0
"""How long tests that are told to end may take to stop their servers."""


class Verdict(StrEnum):
    """What the tests say of a change."""

    FOUND = "found"
    OVERLONG = "found: the tests did not end"
    SURVIVED = "survived"


class TreeCopy:
    """A copy of what git tracks or would add, in a folder of its own, with the real X-rays beside it as in the tree."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.root = folder / "tree"
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=tree, check=True, capture_output=True).stdout.split(b"\0")
        for name in filter(None, map(os.fsdecode, names)):
            if (tree / name).is_file():  # one that git tracks may be deleted
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(tree / name, self.root / name)
        if (tree.parent / "shared").is_dir():
            (folder / "shared").symlink_to((tree.parent / "shared").resolve())
        # Tests of the house ask git for the files.
        subprocess.run(["git", "init", "--quiet"], cwd=self.root, check=True)

    def judge(self, change: Change, groups: Sequence[Sequence[Path]], seconds: float) -> Verdict:
        """Return whether the tests find the change; raise RuntimeError where pytest cannot judge.

        groups: tests that are run one group after another until one finds it, each for up to `seconds`.
        """
        path = self.root / change.path
        whole = path.read_text(encoding="utf-8")
        _write(path, change.applied(whole))
        try:
            codes = (self.test(tests, seconds) for tests in groups)
            code = next((code for code in codes if code != PASSED), PASSED)
        finally:
            _write(path, whole)
        if code is None:
            return Verdict.OVERLONG
        if code not in (PASSED, FAILED, INTERRUPTED):
            raise RuntimeError(f"{change}: expected pytest to pass or fail, found exit {code}:\n{self.log_tail()}")
        return Verdict.SURVIVED if code == PASSED else Verdict.FOUND

    def test(self, tests: Sequence[Path], seconds: float) -> int | None:
        """Return pytest's exit code, which stops at the first failure; None when it did not end within `seconds`."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        # Before the tree itself, which is installed in this environment.
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile every module
        with (self.root.parent / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(process)

    def log_tail(self) -> str:
        """Return the end of what the last tests printed."""
        return (self.root.parent / "log.txt").read_text(errors="replace")[-2000:]


def _write(path: Path, source: str) -> None:
    """Write a module, and forget what it was compiled to: Python compares the times of the two in whole seconds."""
    path.write_text(source, encoding="utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the tests and all that they started, their servers in order if they can."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_SECONDS)
    until = time.monotonic() + ENDING_SECONDS
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=max(0.0, until - time.monotonic()))
    process.kill()
    process.wait()
