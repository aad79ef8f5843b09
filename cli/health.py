"""`wetread health`: quick checks for what restarts services: compose, Kubernetes, systemd."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.output import emit_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wetread.settings import Settings

LEAST_SILENCE_SECONDS = 60.0
"""A process goes round every `sweep_seconds`, and later when a service makes it wait: sooner than this none is ill."""


class _Service(NamedTuple):
    name: str
    module: str


SERVICES = {
    "_broker": _Service("the broker", "wetread.queue"),
    "_database": _Service("the database", "wetread.store.core.migrating"),
}
"""The look that asks it -> what a service is called, and the module that asks it."""

ANSWER_SECONDS = 6.0
"""Seconds that database or broker may take; each of their own limits is shorter, but several can follow each other."""


@click.command()
@click.argument("part", type=click.Choice(["worker", "beat", "listen", "broker", "database"]))
@click.option("--ready", is_flag=True, help="For a worker, beat or listen, also check that database and broker answer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def health(part: str, ready: bool, as_json: bool) -> None:
    """Check quickly whether a part is alive: exit 0 if it is, 1 or 4 if not.

    worker, beat and listen look at the processes of this machine or container alone that serve the same database, and
    at no service: an outage of the database is no reason to restart a worker, which waits for it. broker and database
    ask these.

    \b
    Example:
      wetread health worker
      wetread health worker --ready
      wetread health database --json
    """
    from wetread.settings import load_settings

    settings = load_settings()
    looks: Sequence[Callable[[Settings], str]] = {
        "worker": [_worker], "beat": [_beat], "listen": [_listen], "broker": [_broker], "database": [_database],
    }[part]  # fmt: skip
    if ready and part in ("worker", "beat", "listen"):
        looks = [*looks, _database, _broker]
    said = "; ".join(_answers(looks, settings))
    if as_json:
        emit_json({"part": part, "healthy": True, "found": said})
    else:
        click.echo(said)


def _answers(looks: Sequence[Callable[[Settings], str]], settings: Settings) -> Iterator[str]:
    """Yield what each look found; a service that hangs is given up, whatever it is that hangs."""
    from cli.time_limit import TimedQuestion

    asked = []
    for look in looks:
        if (service := SERVICES.get(look.__name__)) is None:
            yield look(settings)
        else:
            import_module(service.module)  # not by two threads at once
            asked.append(TimedQuestion(service.name, ANSWER_SECONDS, partial(look, settings)))
    for one in asked:
        yield one.answer()


def _worker(settings: Settings) -> str:
    return _process("worker", settings)


def _beat(settings: Settings) -> str:
    return _process("beat", settings)


def _listen(settings: Settings) -> str:
    return _process("listen", settings)


def _process(kind: str, settings: Settings) -> str:
    from schemas.errors import WetreadError
    from wetread.liveness import silences

    longest = max(LEAST_SILENCE_SECONDS, 4 * settings.sweep_seconds)
    found, others = silences(kind, settings.database)
    if not found:
        beside = f", and {others} of other databases" if others else ""
        raise WetreadError(
            f"expected a {kind} of this database on this machine, found none of this user{beside}; start one: "
            f"wetread {kind}"
        )
    silent = {pid: seconds for pid, seconds in found.items() if seconds > longest}
    if silent:
        pid, seconds = max(silent.items(), key=lambda one: one[1])
        raise WetreadError(
            f"expected a sign of life of each {kind} within {longest:g} s, found process {pid} silent for "
            f"{seconds:.0f} s; restart it"
        )
    return f"{len(found)} {kind} alive here, the last sign {max(found.values()):.0f} s ago"


def _broker(settings: Settings) -> str:
    from wetread.queue import make_app, queue_length

    return f"the broker answers, {queue_length(make_app(settings), settings)} messages wait"


def _database(settings: Settings) -> str:
    from schemas.errors import ServiceUnavailable
    from wetread.store.core.database import Database
    from wetread.store.core.migrating import HEAD, is_older, schema_revision

    database = Database(settings.database, asked=True)
    try:
        revision = schema_revision(database)
    finally:
        database.dispose()
    if revision is None or is_older(revision):  # a newer one is no fault of who runs already: upgrades begin with it
        raise ServiceUnavailable(
            f"expected a database at schema {HEAD}, found {revision or 'an empty one'}; its owner brings it to "
            "this one: wetread migrate"
        )
    return f"the database answers, schema {revision}"
