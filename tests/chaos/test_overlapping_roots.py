"""Commands on a directory and on one inside it, in either order and at once, with changes between: one row a film."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.scale import FULL, moments, times, ways
from tests.chaos.serving import settled, workers
from tests.chaos.table import record
from tests.program import Program, eventually


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("embedded"))
@pytest.mark.parametrize("first", ["inside", "around"] if FULL else ["inside"])
def test_directories_inside_one_another_have_one_row_a_film_before_and_after_a_change(
    way: str, first: str, own_archive: Path, request: pytest.FixtureRequest
) -> None:
    program: Program = request.getfixturevalue(way)
    program.environment["WETREAD_LEASE_SECONDS"] = "60"  # nobody dies here, on a slow machine either
    moment, began = moments(f"overlapping {way} {first}"), time.monotonic()
    inner = own_archive / "inner"
    inner.mkdir()
    for folder in sorted(own_archive.glob("[0-9]*"))[::2]:
        folder.rename(inner / folder.name)
    given = [inner, own_archive] if first == "inside" else [own_archive, inner]
    with workers(program, 2 if way == "served" else 0):
        one = program.start("screen", given[0], "--workers", "1", "--json")
        eventually(lambda: settled(program) > 0, what="a batch")
        other = program.start("screen", given[1], "--workers", "1", "--json")
        for running in (one, other):
            _, said = running.communicate(timeout=program.patience)
            assert running.returncode == 0, said
        films = assert_nothing_lost(program, own_archive).files
        changed = 0
        for number in range(times(4, 1)):
            count = swap_some(inner, moment.randrange(10, 40))
            changed += count
            order = given if number % 2 else given[::-1]
            accounts = [program.json("screen", directory, "--workers", 1) for directory in order]
            assert [account["done"] for account in accounts] == [count, 0]
            assert [account["found"] - account["skipped"] for account in accounts] == [count, 0]
            assert assert_nothing_lost(program, own_archive).files == films
            assert len(program.lines("results", "list")) == films
    assert ask(program, "SELECT count(*) FROM images") == [(films,)]
    record(
        "24", way,
        f"a directory and one {first} screened at once, then {times(4, 1)} times one after the other, "
        f"{changed} films changed",
        f"{films} rows, one current reading each; a change read once, by whichever command came first",
        time.monotonic() - began,
    )  # fmt: skip


def swap_some(directory: Path, pairs: int) -> int:
    """Give each of two films the other's bytes, as new files of a later time; return how many films have changed."""
    films = sorted(directory.rglob("*.png"))[: 2 * pairs]
    for one, other in zip(films[::2], films[1::2], strict=True):
        for path, content in ((one, other.read_bytes()), (other, one.read_bytes())):
            beside = path.with_suffix(".new")
            beside.write_bytes(content)
            beside.replace(path)
    return len(films)
