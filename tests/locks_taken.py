"""Which rows each transaction locks on PostgreSQL, in the order of its statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from wetread.store.core.database import Database
from wetread.store.core.locks import ADVISORY_SPACE, RECEIVED_SPACE, ROOT_SPACE, WALK_SPACE

SPACES = {ROOT_SPACE: "(roots)", RECEIVED_SPACE: "(received)", WALK_SPACE: "(walk)", ADVISORY_SPACE: "(readings)"}
_CHANGES = re.compile(r"\s*(?:UPDATE|DELETE FROM|INSERT INTO (?=\w+ .*ON CONFLICT)) ?(\w+)", re.DOTALL)
_LOCKS = re.compile(r"FOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)(?: OF (\w+))?")


def rows_locked(statement: str, values: Any) -> list[str]:
    """Return the tables and advisory locks that one statement locks existing rows of, in its order.

    Rows that are inserted are nobody else's yet; an INSERT ... ON CONFLICT may lock those that are there.
    """
    if "pg_advisory_xact_lock" in statement:
        return [SPACES[number] for number in dict(values).values() if number in SPACES]
    if changed := _CHANGES.match(statement):
        return [changed[1]]
    return [found[1] or _selected_from(statement[: found.start()]) for found in _LOCKS.finditer(statement)]


def _selected_from(text: str) -> str:
    """Return the table that the SELECT at the end of `text` is from: the first FROM outside of any parenthesis."""
    depth, start = 0, 0
    for place in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[place], 0)
        if depth < 0:
            start = place + 1
            break
    plain = text[start:]
    while (shorter := re.sub(r"\([^()]*\)", "", plain)) != plain:
        plain = shorter
    found = re.search(r"\bFROM (\w+)", plain)
    assert found, text
    return found[1]


@contextmanager
def recorded_locks(database: Database) -> Iterator[list[list[str]]]:
    """Give a list that holds, for each transaction that ends meanwhile, what it locked, each time that it did."""
    ended: list[list[str]] = []
    under_way: dict[int, list[str]] = {}

    def note(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        every = values if isinstance(values, list) else [values]
        under_way.setdefault(id(connection.connection.dbapi_connection), []).extend(
            rows_locked(statement, every[0] if every else {})
        )

    def end(connection: Any) -> None:
        if locked := under_way.pop(id(connection.connection.dbapi_connection), None):
            ended.append(locked)

    listened = {"before_cursor_execute": note, "commit": end, "rollback": end}
    for name, listener in listened.items():
        event.listen(database._engine, name, listener)
    try:
        yield ended
    finally:
        for name, listener in listened.items():
            event.remove(database._engine, name, listener)
