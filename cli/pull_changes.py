"""What a schedule fetches from a PACS: as it is made, and the options of `wetread schedule edit` that change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wetread.settings import Settings
    from wetread.store.core.database import Database

PACS = "pacs:"
"""What begins the name of a PACS where a directory is expected."""

_OPTIONS = (
    click.option("--last-days", type=click.IntRange(1, 36_500), help="Of pacs:PEER: films of so many days."),
    click.option(
        "--pace", type=click.FloatRange(min=0), help="Of pacs:PEER: films a minute at most; 0: as many as come."
    ),
    click.option("--via", type=click.Choice(["auto", "wado", "get", "move"]), help="Of pacs:PEER: how."),
    click.option("--connections", type=click.IntRange(1, 16), help="Of pacs:PEER: at once."),
)


@dataclass(frozen=True, slots=True)
class PullChanges:
    """What was named of it; None stays as it is. pace: 0 for none."""

    last_days: int | None
    pace: float | None
    via: str | None
    connections: int | None

    def __bool__(self) -> bool:
        return any(one is not None for one in (self.last_days, self.pace, self.via, self.connections))

    def changed(self, pull: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return what a schedule fetches from now on; raise UsageError where it fetches nothing."""
        from schemas.errors import UsageError

        if not self:
            return pull
        if pull is None:
            raise UsageError(
                "expected a schedule of pacs:PEER to change its days, pace or way, found one of directories; see "
                "`wetread schedule list`"
            )
        named = {"days": self.last_days, "via": self.via, "connections": self.connections}
        kept = pull | {name: value for name, value in named.items() if value is not None}
        return kept if self.pace is None else kept | {"pace": self.pace or None}


def pull_change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options, as one argument `pull_changes`."""

    @wraps(command)
    def called(
        *words: Any, last_days: int | None, pace: float | None, via: str | None, connections: int | None, **options: Any
    ) -> Any:
        return command(*words, pull_changes=PullChanges(last_days, pace, via, connections), **options)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called


def fetched_order(
    database: Database,
    settings: Settings,
    directories: tuple[str, ...],
    last_days: int,
    pace: float | None,
    via: Any,
    connections: int,
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the spool's directory of films, and what is fetched into it."""
    import os

    from cli.pacs_extra import check_pacs
    from schemas.errors import UsageError
    from wetread.store.received.peers import find_peer
    from wetread.store.received.received_films import open_account
    from wetread.store.roots.adding import root_ids

    check_pacs()
    from gateway.pulling.pull_order import PullOrder, Wanted
    from gateway.receiving.spool import FETCHING, Spool

    if len(directories) > 1:
        raise UsageError("expected one PACS and nothing beside it, found several; make a schedule for each")
    with database.reading() as session:
        peer = find_peer(session, directories[0].removeprefix(PACS))
    spool = Spool(os.fsencode(settings.home / "spool"), FETCHING)
    spool.close()
    films = os.path.realpath(spool.films)
    with database.writing() as session:
        open_account(session, root_ids(session, [films], settings.root_map)[0])
    return (os.fsdecode(films),), PullOrder(peer.name, Wanted(days=last_days), via, pace, connections).to_json()
