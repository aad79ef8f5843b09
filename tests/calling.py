"""Commands called in this process: starting the program takes longer than most of what is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import WetreadError
from wetread.settings import load_settings


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def call(*words: object) -> Ended:
    """Call `wetread` in this process: the program's start takes longer than most of what is asked here."""
    load_settings.cache_clear()
    ended = CliRunner().invoke(wetread, [str(word) for word in words])
    if isinstance(ended.exception, WetreadError):
        return Ended(ended.exception.exit_code, ended.stdout, str(ended.exception))
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return Ended(ended.exit_code, ended.stdout, ended.stderr)


def kinds(body: dict[str, Any]) -> list[str]:
    return [alarm["kind"] for alarm in body["alarms"]]


def add_schedule(archive: Path, *options: object) -> Ended:
    return call("schedule", "add", "nightly", archive, "--cron", "0 22 * * *", *options)
