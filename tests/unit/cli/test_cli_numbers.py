"""Numbers that no machine can hold are refused by every option that takes one."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import ArtefactError
from tests.unit.cli.test_cli_streams import leaves
from wetread.models import strict_json


def numbers() -> list[tuple[str, str]]:
    """Return (command, option) of every option that takes a number."""
    found = []
    for path in leaves(wetread):
        command: click.Command = wetread
        for name in path:
            assert isinstance(command, click.Group)
            each = command.get_command(click.Context(command), name)
            assert each is not None
            command = each
        for param in command.params:
            if isinstance(param.type, click.types.IntParamType | click.types.FloatParamType):
                found += [(" ".join(path), param.opts[0])]
    return found


@pytest.mark.parametrize(("command", "option"), numbers())
def test_an_option_takes_no_number_that_is_none(command: str, option: str) -> None:
    for number in ("nan", "inf", "1e400", "9" * 400):
        ended = CliRunner().invoke(wetread, [*command.split(), option, number])
        assert ended.exit_code == 2, ended.output
        assert option in ended.output or "Invalid value" in ended.output or "Missing" in ended.output


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "NaN", "1" * 5000])
def test_a_file_holds_no_such_number_either(number: str) -> None:
    with pytest.raises(ArtefactError, match=r"decision\.json"):
        strict_json.parse(f'{{"temperature": {number}}}'.encode(), "decision.json")
