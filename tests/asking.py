"""Asks wetread in this process: a question takes milliseconds so, and a test can ask many."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cli.main import wetread
from cli.output import set_quiet
from schemas.errors import WetreadError
from wetread.settings import load_settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gave, as a process would have. raw: what `out` is of."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        """What was printed, as one JSON document."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the database of one home."""

    home: Path

    def ask(self, *words: object, **environment: str) -> Answer:
        """Run one command line."""
        variables: Mapping[str, str | None] = {
            "WETREAD_HOME": str(self.home), "WETREAD_DATABASE_URL": None, "WETREAD_BROKER_URL": None, **environment,
        }  # fmt: skip
        load_settings.cache_clear()
        try:
            ended = CliRunner().invoke(wetread, list(map(str, words)), env=variables)
        finally:
            load_settings.cache_clear()
            set_quiet(False)
        fault = ended.exception
        if isinstance(fault, WetreadError):
            return Answer(fault.exit_code, ended.stdout, f"{ended.stderr}wetread: {fault}\n", ended.stdout_bytes)
        if fault is not None and not isinstance(fault, SystemExit):
            raise fault
        return Answer(ended.exit_code, ended.stdout, ended.stderr, ended.stdout_bytes)
