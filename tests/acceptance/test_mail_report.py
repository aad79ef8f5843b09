"""The script of deploy/ that mails the morning report, with a sendmail that keeps what it is given."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.program import REPOSITORY, Program

SCRIPT = REPOSITORY / "deploy" / "mail" / "mail-report"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with `wetread` and `sendmail`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, does in (
        ("wetread", f'exec {shlex.quote(sys.executable)} -m cli "$@"'),
        ("sendmail", f"cat > {shlex.quote(str(tmp_path / 'mail'))}"),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    return folder


def mailed(program: Program, programs: Path) -> tuple[int, EmailMessage]:
    env = program.env()
    ended = subprocess.run(
        [SCRIPT, "night@example.org"], env=env | {"PATH": f"{programs}:{env['PATH']}"}, capture_output=True, text=True
    )
    mail = message_from_bytes((programs.parent / "mail").read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage) and mail["To"] == "night@example.org", ended.stderr
    return ended.returncode, mail


def test_the_night_is_mailed_as_a_page_and_says_whether_it_was_read(
    program: Program, archive: Path, programs: Path
) -> None:
    code, mail = mailed(program, programs)
    assert (code, mail.get_content_type()) == (2, "text/plain"), "no schedule yet"
    assert "no report (exit 2)" in mail["Subject"] and "schedule" in mail.get_content()

    assert program.run("schedule", "add", "night", archive, "--cron", "0 22 * * *").returncode == 0
    assert program.run("schedule", "run-now", "night").returncode == 0
    code, mail = mailed(program, programs)
    assert (code, mail.get_content_type()) == (0, "text/html")
    assert "the night was read" in mail["Subject"] and "<html" in mail.get_content()

    shutil.move(archive, archive.with_name("away"))
    assert program.run("schedule", "run-now", "night").returncode == 4
    code, mail = mailed(program, programs)
    assert (code, mail.get_content_type()) == (3, "text/html")
    assert "look into the night" in mail["Subject"]
