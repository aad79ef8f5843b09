"""Pages of results: where one ends, as a word that the next command takes."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from datetime import datetime
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from schemas.errors import UsageError

if TYPE_CHECKING:
    from wetread.store.results import Filters, Position, Sort


def page_word(position: Position, filters: Filters, sort: Sort | None) -> str:
    """Return what --after takes to go on behind `position`. It holds no path."""
    body = [
        _question(filters, sort), position.image_id, position.model_digest, position.state, position.reason,
        position.settled_at.isoformat() if position.settled_at else None, position.prediction_id, position.probability,
    ]  # fmt: skip
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")


def read_page_word(word: str, filters: Filters, sort: Sort | None) -> Position:
    """Return the position that `word` holds; raise UsageError when it is none of this question's."""
    from wetread.store.results import Position

    try:
        question, *values = json.loads(base64.urlsafe_b64decode(word.encode() + b"=" * (-len(word) % 4)))
        image, digest, state, reason, settled, prediction, probability = values
        position = Position(
            int(image), str(digest), str(state), None if reason is None else str(reason),
            None if settled is None else datetime.fromisoformat(settled),
            None if prediction is None else int(prediction), None if probability is None else float(probability),
        )  # fmt: skip
        if not 0 <= position.image_id < 2**63 or not 0 <= (position.prediction_id or 0) < 2**63:
            raise ValueError("no number of a row")
    except (ValueError, TypeError, UnicodeError, RecursionError) as error:
        raise UsageError("--after: expected the word that the page before ended with, found another") from error
    if question != _question(filters, sort):
        raise UsageError("--after: expected the filters and --sort of the page before, found others; begin anew")
    return position


def next_command(ctx: click.Context, word: str) -> str:
    """Return the command that prints the next page."""
    words, above = list[str](), ctx
    while above.parent is not None:  # but the program's own name, which is wetread wherever it was started from
        words.insert(0, above.info_name or "")
        above = above.parent
    for option in ctx.command.params:
        name = option.name or ""
        if name != "after" and ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            value = ctx.params[name]
            if isinstance(value, datetime):
                value = value.isoformat()
            words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
    return shlex.join(["wetread", *words, "--after", word])


def _question(filters: Filters, sort: Sort | None) -> str:
    return hashlib.sha256(repr((filters, sort)).encode("utf-8", "backslashreplace")).hexdigest()[:8]
