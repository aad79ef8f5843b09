"""The report that is mailed in the morning: the unit, its timer, the line of cron and the script agree."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from cronsim import CronSim

from tests.deployed import REPORT, TIMER, called, lines
from tests.program import REPOSITORY as ROOT

MAIL = ROOT / "deploy" / "mail" / "mail-report"
CRON = ROOT / "deploy" / "mail" / "wetread-report.cron"


def test_systemd_accepts_the_report_and_its_timer(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze not found")
    for unit in (REPORT, TIMER):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/wetread/deploy/mail/mail-report", str(MAIL)))
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
        checked = subprocess.run(command, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, ""), unit.name
    (when,) = lines(TIMER, "OnCalendar")
    subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)


def test_timer_and_cron_mail_at_the_same_time_by_the_same_script() -> None:
    (start,), (when,) = lines(REPORT, "ExecStart"), lines(TIMER, "OnCalendar")
    read = [line for line in CRON.read_text().splitlines() if not line.startswith("#")]
    variables, (entry,) = (
        [line for line in read if re.match(r"\w+=", line)],
        [line for line in read if line[0].isdigit()],
    )
    minute, hour, day, month, weekday, user, *command = entry.split()
    assert (day, month, weekday, user, shlex.join(command)) == ("*", "*", "*", "wetread", start)
    assert when == f"*-*-* {int(hour):02}:{int(minute):02}:00"
    assert next(CronSim(" ".join(entry.split()[:5]), datetime(2026, 1, 1))) == datetime(2026, 1, 1, 6, 30)  # noqa: DTZ001 - a clock on the wall
    assert shlex.split(next(lines(REPORT, "Environment"))) == variables[::-1], (
        "both find the program and its home alike"
    )
    assert command[0] == f"/opt/wetread/{MAIL.relative_to(ROOT)}" and MAIL.stat().st_mode & 0o111


def test_the_script_that_mails_calls_what_exists() -> None:
    subprocess.run(["sh", "-n", str(MAIL)], check=True)
    calls = re.findall(r"^wetread (.*?)(?: \d?>.*)?$", MAIL.read_text(), re.MULTILINE)
    assert len(calls) == 1
    called(shlex.split(calls[0]))


def test_the_page_on_nights_has_them_as_they_are() -> None:
    page = (ROOT / "docs" / "nights.md").read_text()
    for file in (REPORT, TIMER, CRON, MAIL):
        assert f"deploy/{file.parent.name}/{file.name}" in page
    for line in [*lines(REPORT, "ExecStart"), *lines(TIMER, "OnCalendar"), CRON.read_text().splitlines()[-1]]:
        assert line in page
