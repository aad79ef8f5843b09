"""Everything that is known to go wrong with files, in one archive among good films, and each gets its own verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import EXIT_FAILURE_RATE
from tests.hostile.archive import GOOD_FILMS, Screened, paths, screened
from tests.hostile.table import table, written_table
from tests.hostile.watch import watching

MEGABYTES = 600.0
"""Of the largest process: 110 for good films alone, 415 found, 809 more if the 20,000 x 20,000 PNG were decoded."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Screened:
    """The archive, screened once for all tests of this module."""
    return screened(tmp_path_factory.mktemp("hostile"))


def test_every_case_ends_in_its_state_for_its_reason(result: Screened) -> None:
    assert {path: result.gave(path) for path in result.cases} == {
        path: case.made_of for path, case in result.cases.items()
    }
    assert len(result.cases) >= len(paths()) - 2, "devices alone may be beyond whoever runs this"


def test_every_good_film_is_read_and_nothing_is_left(result: Screened) -> None:
    good = [row["state"] for path, row in result.rows.items() if path.startswith("good/")]
    assert good == ["done"] * GOOD_FILMS
    account = result.program.json("status", "1")
    assert (account["state"], account["pending"], account["dead"]) == ("finished", 0, 0)


def test_the_exit_says_whether_too_much_failed_or_was_not_looked_into(result: Screened) -> None:
    assert result.first.returncode == EXIT_FAILURE_RATE, result.first.stderr
    assert result.second.returncode == EXIT_FAILURE_RATE, result.second.stderr
    assert "3 directories were not looked into" in result.second.stderr, "locked, closed meanwhile, and too deep"


def test_nothing_outside_the_root_and_nothing_special_is_opened(result: Screened) -> None:
    assert result.opened == set()


def test_nothing_of_the_files_is_run(result: Screened) -> None:
    everything = [path.name for path in result.archive.parent.rglob("*")]
    assert [name for name in everything if name.startswith("loaded-by-")] == []


def test_no_process_takes_more_memory_than_a_large_film(result: Screened) -> None:
    assert 50.0 < result.program.largest_megabytes < MEGABYTES


def test_no_decoder_speaks_and_nothing_breaks_off(result: Screened) -> None:
    said = result.first.stderr + result.second.stderr
    for word in ("Traceback", "libpng", "JPEG", "TIFF", "OpenCV", "gdcm", "died"):
        assert word not in said


def test_the_table_of_the_documentation_is_what_is_proven_here() -> None:
    rows = ((path.partition("/")[0], case.what, case.made_of) for path, case in paths().items())
    assert written_table() == table(rows), "write it anew: python -m tests.hostile.archive"


def test_an_opening_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "canary").write_bytes(b"film")
    with watching([bytes(tmp_path), bytes(tmp_path / "canary")]) as watch:
        assert watch.opened() == set()
        (tmp_path / "canary").read_bytes()
        assert watch.opened() == {bytes(tmp_path), bytes(tmp_path / "canary")}
