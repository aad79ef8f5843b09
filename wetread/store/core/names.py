"""The names in a database, for the Tab key: models, runs, labels, schedules. Quick, and read-only.

A shell asks at each press of the key. SQLAlchemy's import takes longer than all of this, so the drivers are asked
themselves; a SQLite file is opened to be read only and never made, no schema is looked at or migrated, and what cannot
be had at once is not had.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol
from urllib.parse import quote

LATEST_RUNS = 30

WAIT_SECONDS = 0.2
"""The longest that an answer of the database is waited for."""

CONNECT_SECONDS = "2"
"""The least that PostgreSQL's library takes for a limit on connecting."""


class _Connection(Protocol):
    def execute(self, query: str, /) -> Any: ...


class Names:
    """Asks the database at `url`; every answer is empty if it does not exist or does not answer at once."""

    def __init__(self, url: str) -> None:
        self._url = url

    def models(self) -> list[tuple[str, str]]:
        """Return (reference, what it is): aliases, names with their highest version, each version."""
        rows = self._rows("SELECT name, version, labels FROM models ORDER BY name, version DESC")
        aliases = self._rows(
            "SELECT alias, name, version FROM model_aliases JOIN models ON digest = model_digest ORDER BY alias"
        )
        found = [(str(alias), f"{name}@{version}") for alias, name, version in aliases]
        seen: set[str] = set()
        for name, version, labels in rows:
            if name not in seen:
                seen.add(name)
                found.append((name, f"the highest version, {version}"))
            found.append((f"{name}@{version}", ", ".join(_list(labels))))
        return found

    def labels(self) -> list[str]:
        """Return the labels of all models, each once."""
        return list(dict.fromkeys(label for (row,) in self._rows("SELECT labels FROM models") for label in _list(row)))

    def runs(self) -> list[tuple[str, str]]:
        """Return (number, how it stands) of the latest runs, newest first."""
        rows = self._rows(f"SELECT id, state, found FROM runs ORDER BY id DESC LIMIT {LATEST_RUNS}")  # noqa: S608 - our number
        return [(str(number), f"{state}, {found} found") for number, state, found in rows]

    def schedules(self) -> list[tuple[str, str]]:
        """Return (name, when) of the schedules that were not removed."""
        rows = self._rows("SELECT name, cron, timezone FROM schedules WHERE removed_at IS NULL ORDER BY name")
        return [(name, f"{cron} {timezone}") for name, cron, timezone in rows]

    def peers(self) -> list[tuple[str, str]]:
        """Return (name, title and address) of the peers that may send."""
        rows = self._rows("SELECT name, title, network FROM peers ORDER BY name")
        return [(name, f"{title} {network}") for name, title, network in rows]

    def _rows(self, query: str) -> Sequence[Sequence[Any]]:
        try:
            with _connected(self._url) as connection:
                return list(connection.execute(query).fetchall()) if connection is not None else []
        except Exception:  # noqa: BLE001 - whatever is wrong with a database, the Tab key says nothing
            return []


def _list(labels: object) -> list[str]:
    """Return a column of JSON, which SQLite gives as text."""
    return list(json.loads(labels)) if isinstance(labels, str) else list(labels)  # type: ignore[call-overload] # as stored


@contextmanager
def _connected(url: str) -> Iterator[_Connection | None]:
    scheme, _, place = url.partition("://")
    if scheme.startswith("sqlite"):
        file = place.removeprefix("/")
        if not os.path.exists(file):
            yield None
            return
        with closing(sqlite3.connect(f"file:{quote(file)}?mode=ro", uri=True, timeout=WAIT_SECONDS)) as connection:
            yield connection
    else:
        from wetread.store.core.postgres_line import PostgresLine

        with PostgresLine.connect(
            f"postgresql://{place}", autocommit=True, prepare_threshold=None, connect_timeout=CONNECT_SECONDS
        ) as connection:
            connection.longest = WAIT_SECONDS  # of a server that is stopped, too
            connection.execute(f"BEGIN READ ONLY; SET LOCAL statement_timeout = {int(1000 * WAIT_SECONDS)}")
            yield connection
