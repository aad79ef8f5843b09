"""Every name that a file system takes, and paths longer than a system call takes, on both databases."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.names import CASES
from tests.program import Program, with_model
from tests.unit.imaging.pictures import encoded, film
from wetread.path_text import path_text

SINGLE_BYTES = [bytes([byte]) for byte in range(1, 256) if bytes([byte]) not in (b"/", b".")]
LONG_PATHS = [b"/".join([b"d" * 255] * folders + [b"f" * 160]) for folders in (15, 40)]
"""4,000 and 10,400 bytes: the second is more than any system call takes at once."""


def write_film(root: Path, path: bytes, seed: int) -> None:
    """Write a small film of its own at `path`, one directory after the other."""
    *folders, name = path.split(b"/")
    descriptor = os.open(root, os.O_RDONLY)
    for folder in folders:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, dir_fd=descriptor)
        inner = os.open(folder, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=descriptor), "wb") as file:
        file.write(encoded(".png", film(64, 64, seed)))
    os.close(descriptor)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film under each single-byte name, in a folder of its own, and under the names of the other cases."""
    root = tmp_path_factory.mktemp("names")
    names = [b"single/" + name for name in SINGLE_BYTES] + [os.fsencode(name) for name in CASES] + LONG_PATHS
    for seed, name in enumerate(names):
        write_film(root, name, seed)
    return root


@pytest.fixture(params=["sqlite", "postgresql"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    if request.param == "sqlite":
        return with_model(tmp_path / "home")
    return with_model(tmp_path / "home", WETREAD_DATABASE_URL=request.getfixturevalue("postgres_url"))


def on_a_terminal(program: Program, *arguments: str) -> str:
    """Return what a command draws on a terminal that knows no colours."""
    ours, theirs = pty.openpty()
    drawing = subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        env=program.env() | {"TERM": "dumb", "COLUMNS": "200"}, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    drawn = bytearray()
    try:
        while piece := os.read(ours, 65536):
            drawn += piece
    except OSError:  # how a terminal ends whose other side is closed
        pass
    finally:
        os.close(ours)
    assert drawing.wait(60) == 0
    return drawn.decode()


def test_every_name_is_screened_and_listed_once_and_no_terminal_obeys_it(program: Program, archive: Path) -> None:
    assert len(SINGLE_BYTES) == 253
    prefix = os.fsencode(archive) + b"/"
    names = [b"single/" + name for name in SINGLE_BYTES] + [os.fsencode(name) for name in CASES] + LONG_PATHS
    ended = program.json("screen", archive)
    assert (ended["found"], ended["done"], ended["state"]) == (len(names), len(names), "finished")
    listed = Counter(row["path"] for row in program.lines("results", "list"))
    assert listed == Counter(path_text(prefix + name) for name in names)
    assert program.json("screen", archive)["skipped"] == len(names), "each is known again under its name"
    if "WETREAD_DATABASE_URL" in program.environment:
        return  # what is drawn does not depend on the database
    drawn = on_a_terminal(program, "results", "list", "--limit", "0")
    assert drawn.count("done") >= len(names)
    assert [sign for sign in set(drawn) if not sign.isprintable() and sign not in "\r\n"] == []
