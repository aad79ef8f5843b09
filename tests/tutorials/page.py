"""A page whose console blocks are commands and what they print: run, compared, and written anew.

In a ```console block, a line that begins with `$ ` is a command (one that ends with \\ goes on in the next line), and
what follows is its output; in a ```console one block only the first is, since `demo` shows commands of its own.
A ```python block that begins with its file's name is that file.
`python -m tests.tutorials.page docs/tutorials/*.md` (`make recordings`) runs the pages and puts in what the commands
print now; tests/acceptance/test_tutorials.py runs them smaller and compares the shape.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import string
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.program import REPOSITORY
from tests.tutorials.terminal import Shown, run_commands

READER = Path("/home/ada")
"""Whose home the pages show; reader_home makes one whose name is as long."""

MOST_LINES = 40
"""Of one output in a tutorial."""
SCRIPT = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A script of a page, which names its file in its first line: it lies in the reader's home."""
BLOCK = re.compile(r"^```console( one)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNSTEADY = re.compile(r"[\w.-]+:\d+ |\s*\S+/\d+\.(png|jpg|tif)$")
"""A worker's process on the page of `status --watch` (HOST:PID), and the rest of a path that a table has folded."""

SHAPES = (
    (r"[─━╸╺]+", "-"),
    (r"-( +-)+", "-"),
    (r"/home/ada/\S+|…\S*/\S+", "PATH"),
    (r"\b(covid|normal|pneumonia|uncertain)\b", "LABEL"),
    (r"\b[0-9a-f]{12,64}\b", "DIGEST"),
    (r"\b(worker|process)(es|s)?\b", "PROCESS"),
    (r"[-+]?\d+([.:]\d+)*(e-?\d+)?%?", "0"),
    (r"\b0 \(0 to 0\)|\bundefined\b", "0"),
)
"""What differs from run to run -> what stands for it, in this order."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a page, and the output that the page gives for it."""

    command: str
    output: str


def steps_of(block: re.Match[str]) -> list[Step]:
    """Return the commands of one console block."""
    steps: list[Step] = []
    for part in re.split(r"^\$ ", block[2], maxsplit=1 if block[1] else 0, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        steps.append(Step("\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])))
    return steps


def page_steps(text: str) -> list[Step]:
    """Return the commands of a page, in order."""
    return [step for block in BLOCK.finditer(text) for step in steps_of(block)]


def page_environment(home: Path) -> dict[str, str]:
    """Return the environment of a new user whose home is `home`, with `wetread` and its `python` in the PATH."""
    programs = home / ".local" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name, arguments in (("wetread", " -m cli"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}"{arguments} "$@"\n')
        program.chmod(0o755)
    kept = {name: os.environ[name] for name in ("TMPDIR", "TZ") if name in os.environ}
    return kept | {"HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "OPENBLAS_NUM_THREADS": "1"}


def run_page(text: str, home: Path, *, instead: Mapping[str, str], seconds: float) -> list[tuple[Step, Shown]]:
    """Run a page's commands in `home`, with the words of `instead` replaced; return each with what it showed."""
    for script in SCRIPT.finditer(text):
        (home / script[1]).write_text(script[2], encoding="utf-8")
    steps = page_steps(text)
    commands = []
    for step in steps:
        command = step.command
        for words, others in instead.items():
            command = command.replace(words, others)
        commands.append(command)
    shown = run_commands(commands, home, page_environment(home), seconds)
    named = [Shown(one.command, one.text.replace(str(home), str(READER)), one.code) for one in shown]
    return list(zip(steps, named, strict=False))


def shapes(output: str) -> list[str]:
    """Return the lines of an output without what differs from run to run: numbers, labels, widths, repeated rows."""
    found: list[str] = []
    for line in re.sub(r"--after [\w\n-]+\n", "--after PAGE\n", output).split("\n"):
        if line.strip() in ("", "…") or line.startswith("warning:") or UNSTEADY.match(line):
            continue
        shape = line
        for pattern, word in SHAPES:
            shape = re.sub(pattern, word, shape)
        shape = " ".join(shape.split())
        if not found or found[-1] != shape:
            found.append(shape)
    return found


def missing_shapes(page: str, real: str) -> list[str]:
    """Return the lines of the page's output that the real one has not, in the page's order."""
    left, missing = shapes(real), []
    for shape in shapes(page):
        if shape in left:
            del left[: left.index(shape) + 1]
        else:
            missing.append(shape)
    return missing


def rewritten(text: str, shown: Iterator[Shown], most_lines: int | None) -> str:
    """Return the page with the outputs that its commands have now, each cut to so many lines."""

    def block(match: re.Match[str]) -> str:
        parts = []
        for step in steps_of(match):
            output = next(shown).text
            lines = output.split("\n") if output else []
            if most_lines is not None and len(lines) > most_lines:
                lines = [*lines[: most_lines - 1], "…"]
            parts.append("\n".join((f"$ {step.command}", *lines)) + "\n")
        return f"```console{match[1] or ''}\n{''.join(parts)}```"

    return BLOCK.sub(block, text)


@contextmanager
def reader_home() -> Iterator[Path]:
    """Give an empty home whose path is as long as READER's, so that lines break where those of the page do."""
    while True:
        home = Path("/tmp") / "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
            break
    try:
        yield home
    finally:
        shutil.rmtree(home)


def record(path: Path) -> None:
    """Run the page at `path` and write it anew; raise SystemExit when a command fails."""
    from tests.tutorials.servers import servers_for

    text = path.read_text(encoding="utf-8")
    with reader_home() as home, servers_for(text) as instead:
        ran = run_page(text, home, instead=instead, seconds=900)
    if len(ran) < len(page_steps(text)) or ran[-1][1].code:
        raise SystemExit(f"{path}: `{ran[-1][1].command}` failed: {ran[-1][1].text}" if ran else f"{path}: no command")
    most = MOST_LINES if path.parent.name == "tutorials" else None
    path.write_text(rewritten(text, iter([shown for _, shown in ran]), most), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name))
        sys.stderr.write(f"wrote {name}\n")
