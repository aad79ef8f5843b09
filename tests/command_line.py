"""The command line called in this process, and what it printed or refused."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from cli.main import wetread
from schemas.errors import WetreadError
from wetread.settings import load_settings


def run(*arguments: object) -> Result:
    """Call `wetread` with these words; a fault of ours is in the result's `exception`.

    Settings are read anew, as by a process of its own: a test before this one had another home.
    """
    load_settings.cache_clear()
    return CliRunner().invoke(wetread, [str(argument) for argument in arguments])


def printed(result: Result) -> dict[str, Any]:
    """Return the JSON object that a command printed as it ended well."""
    assert result.exit_code == 0, (result.stderr, result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(result: Result, *said: str) -> None:
    """Assert that a command was wrong usage or had wrong data, and that it said so in these words."""
    assert isinstance(result.exception, WetreadError), result.output
    assert result.exception.exit_code == 2
    for words in said:
        assert words in str(result.exception)
