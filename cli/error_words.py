"""The words of DICOM headers that set films aside, and the option that has each read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.accept_options import OPTIONS
from cli.output import emit_table

if TYPE_CHECKING:
    from wetread.store.images.words import FoundWord

RARE = "rare words"


def words_json(words: Sequence[FoundWord]) -> list[dict[str, Any]]:
    """Return what `errors list --words --json` prints."""
    return [{"reason": one.reason, "word": one.word, "films": one.films, "accept": _option(one)} for one in words]


def show_words(words: Sequence[FoundWord]) -> None:
    """Print the words as a table, if there are any."""
    rows = [(one.reason, one.word or RARE, one.films, _option(one) or "-") for one in words]
    if rows:
        columns = ("reason", "word", "films", "read them with")
        emit_table(columns, rows, title="set aside by a word of the header", one_of_many=True)


def _option(one: FoundWord) -> str | None:
    return None if one.word is None else f"{OPTIONS[one.reason]} {one.word}"
