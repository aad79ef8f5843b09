"""A backup restored while workers serve and a `screen` waits: tables are gone for a while, then empty, then full."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.chaos.postgres_site import screening
from tests.chaos.scale import FULL, moments, times, ways
from tests.chaos.serving import settled
from tests.chaos.table import record
from tests.program import eventually
from tests.servers.postgres_server import PostgresServer
from tests.servers.server import program_path

AT_ONCE = ("--single-transaction", "--clean", "--if-exists")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("served"))
def test_a_restore_under_way_is_waited_for(
    way: str, tmp_path: Path, drawn: Path, redis_url: str, start_postgres: Callable[[], PostgresServer]
) -> None:
    moment, began = moments(f"restore {way}"), time.monotonic()
    server = start_postgres()
    url, backup = server.create_database("chaos"), tmp_path / "wetread.dump"
    plain = url.replace("+psycopg", "")
    forms = ["in steps", "in one transaction", "in steps"] if FULL else ["in steps"]
    with screening(way, tmp_path / "home", drawn, url, redis_url) as site:
        for form in forms:
            time.sleep(moment.uniform(0, times(4, 1)))
            called("pg_dump", "--format", "custom", "--file", backup, plain)
            before = settled(site.program)
            eventually(lambda: settled(site.program) > before, what="a film after the backup")  # noqa: B023 - called now
            if form == "in steps":
                restored_in_steps(plain, backup, pause=times(5, 1))
            else:
                eventually(lambda: restored_at_once(plain, backup, AT_ONCE), what="a restore without a deadlock")
            assert site.screen.poll() is None, site.screen.communicate()[1]
            site.reads_on()
    accounts = site.ended_well()
    record(
        "21", way, f"a backup restored under way: {', '.join(forms)}",
        f"{accounts.done} done once each; reading on after {max(site.back):.0f} s at most; `screen` waited and ended "
        "with 0",
        time.monotonic() - began,
    )  # fmt: skip


def restored_in_steps(url: str, backup: Path, *, pause: float) -> None:
    """Drop all tables, and restore them, their rows, and their indexes, with pauses between."""
    with psycopg.connect(url, autocommit=True) as owner:
        eventually(lambda: dropped(owner), what="the end of the tables")
        time.sleep(pause)
        owner.execute("CREATE SCHEMA public")
    for section in ("pre-data", "data"):
        time.sleep(pause)
        called("pg_restore", "--exit-on-error", "--section", section, "--dbname", url, backup)
    time.sleep(pause)
    # Workers use the tables by now. One transaction, so that a deadlock with theirs leaves nothing half done.
    indexes = ("--single-transaction", "--section", "post-data")
    eventually(lambda: restored_at_once(url, backup, indexes), what="indexes without a deadlock")


def restored_at_once(url: str, backup: Path, how: Sequence[str]) -> bool:
    """Restore in one transaction; where it meets a worker's in a deadlock, nothing is changed."""
    words = [program_path("pg_restore"), "--exit-on-error", *how, "--dbname", url, str(backup)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0 or "deadlock detected" in ended.stderr, ended.stderr
    return ended.returncode == 0


def dropped(owner: psycopg.Connection) -> bool:
    """Drop the tables; a worker that holds one may be in the way, and then the same is tried again."""
    try:
        owner.execute("DROP SCHEMA public CASCADE")
    except psycopg.errors.DeadlockDetected:
        return False
    return True


def called(program: str, *arguments: object) -> None:
    words: Sequence[str] = [program_path(program), *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
