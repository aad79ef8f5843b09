"""A terminal of text: runs a shell's commands in a pseudo-terminal and says what a person would see after each."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS, LINES = 110, 50
BEGIN, END = "\036", "\037"
"""Signs that no program prints: before a command's output, and after it, with the exit code behind."""

SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|\x1b[=>78]|\x1b\][^\x07]*\x07")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one command left on the terminal, and how it ended."""

    command: str
    text: str
    code: int


def screen_text(written: str) -> str:
    """Return what a terminal shows of `written`: carriage returns, moves and erasures obeyed, colours left away.

    What a program drew on the alternative screen (`status --watch`) counts as shown, since a person saw it.
    """
    rows: list[list[str]] = [[]]
    row = column = at = 0
    while at < len(written):
        if found := SEQUENCE.match(written, at):
            at = found.end()
            count = int(found[2].split(";")[0] or 0) if found[2] and not found[1] else 0
            move = found[3] if not found[1] else None
            if move == "A":
                row = max(row - (count or 1), 0)
            elif move == "B":
                row += count or 1
            elif move == "H":
                row, column, rows = 0, 0, [[]]
            elif move == "G":
                column = max(count - 1, 0)
            elif move == "K":
                rows[row] = [] if count == 2 else rows[row][:column]
            elif move == "J":
                rows = rows[: row + 1] if count == 0 else [[]]
                row = min(row, len(rows) - 1)
            continue
        sign = written[at]
        at += 1
        if sign == "\n":
            row, column = row + 1, 0
        elif sign == "\r":
            column = 0
        elif sign == "\t":
            column = min(column // 8 * 8 + 8, COLUMNS)
        elif sign == "\b":
            column = max(column - 1, 0)
        elif sign >= " ":
            if column == COLUMNS:
                row, column = row + 1, 0
            rows.extend([] for _ in range(row + 1 - len(rows)))
            rows[row].extend(" " * (column + 1 - len(rows[row])))
            rows[row][column] = sign
            column += 1
        rows.extend([] for _ in range(row + 1 - len(rows)))
    text = "\n".join("".join(signs).rstrip() for signs in rows).strip("\n")
    return re.sub(r"\n{3,}", "\n\n", text)  # the empty rest of a page as high as the terminal


def run_commands(commands: Sequence[str], place: Path, environment: Mapping[str, str], seconds: float) -> list[Shown]:
    """Run `commands` in one bash in `place`, one after the other, until one fails; what is left running is ended.

    Raises AssertionError when they take longer than `seconds`.
    """
    script = "".join(
        f"printf '{_octal(BEGIN)}'\n{command}\ncode=$?; printf '{_octal(END)}%d{_octal(END)}' $code\n"
        "[ $code = 0 ] || exit 1\n"
        for command in commands
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    looks = {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": str(COLUMNS), "LINES": str(LINES), "LANG": "C.UTF-8"}
    shell = subprocess.Popen(
        ["bash", "--norc", "-c", script], cwd=place, env=dict(environment) | looks, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        written = _read(ours, shell, time.monotonic() + seconds)
    finally:
        os.close(ours)
        _end(shell)
    parts = re.findall(f"{BEGIN}([^{BEGIN}{END}]*){END}(\\d+){END}", written)
    return [
        Shown(command, screen_text(text), int(code)) for command, (text, code) in zip(commands, parts, strict=False)
    ]


def _octal(sign: str) -> str:
    return f"\\{ord(sign):03o}"


def _read(terminal: int, shell: subprocess.Popen[bytes], until: float) -> str:
    """Return all that is written until the shell has ended; background commands may hold the terminal longer."""
    kept = b""
    while True:
        assert time.monotonic() < until, f"the commands took too long; so far: {kept.decode(errors='replace')[-2000:]}"
        ended = shell.poll() is not None
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                read = os.read(terminal, 1 << 16)
            except OSError:  # nobody holds the other end any more
                read = b""
            kept += read
            if read:
                continue
        if ended:
            return kept.decode(errors="replace").replace("\r\n", "\n")


def _end(shell: subprocess.Popen[bytes]) -> None:
    """End the shell's own session with all that it left in the background."""
    for way in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(shell.pid, way)
        except ProcessLookupError:
            break
        time.sleep(0.2)
    shell.wait()
