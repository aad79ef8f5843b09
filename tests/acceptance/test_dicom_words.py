"""`wetread screen` tells which words set films aside, and reads those that a site accepts or newer rules allow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.program import Program, with_model
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path]:
    """Twelve hands of three studies, three laterals, and films with words of the field and odd displays."""
    folder = tmp_path_factory.mktemp("site")
    archive = folder / "archive"
    archive.mkdir()
    for number in range(12):
        said = {"BodyPartExamined": f"L HAND DOE {number}", "StudyInstanceUID": f"1.2.{number // 4}"}
        (archive / f"hand{number}.dcm").write_bytes(dicom(film(seed=number), **said))
    for number in range(3):
        (archive / f"side{number}.dcm").write_bytes(dicom(film(seed=50 + number), ViewPosition="LATERAL"))
    read = {
        "torax": {"BodyPartExamined": "TORAX"}, "dr": {"Modality": "DR"}, "erect": {"ViewPosition": "AP_ERECT"},
        "noted": {"WindowCenter": "9000", "WindowWidth": "2"},
    }  # fmt: skip
    for number, (name, said) in enumerate(read.items()):
        (archive / f"{name}.dcm").write_bytes(dicom(film(seed=90 + number), **said))
    program = with_model(folder / "home")
    account = program.json("screen", archive, "--workers", "1")
    assert (account["done"], account["rejected"]) == (4, 15)
    return program, archive


def test_words_are_named_where_many_films_share_them_with_the_option_that_reads_them(
    site: tuple[Program, Path],
) -> None:
    program, _ = site
    assert program.json("errors", "list", "1", "--words") == [
        {"reason": "other_body_part", "word": "HAND", "films": 12, "accept": "--accept-body-part HAND"},
        {"reason": "other_view", "word": None, "films": 3, "accept": None},
    ]
    listed = program.run("errors", "list", "1").stdout
    assert "--accept-body-part HAND" in listed
    assert "DOE" not in listed
    report = program.json("report", "1")
    assert [one["films"] for one in report["set_aside_by_word"]] == [12, 3]
    assert report["display_notes"] == {"window_of_one_value": 1}


def test_what_was_set_right_of_a_display_stays_with_the_film(site: tuple[Program, Path]) -> None:
    program, archive = site
    (shown,) = program.json("results", "show", archive / "noted.dcm")
    assert shown["header"]["display_note"] == "window_of_one_value"
    rows = {Path(row["path"]).stem: row["display_note"] for row in program.lines("results", "list", "--run", "1")}
    assert {name: note for name, note in rows.items() if note} == {"noted": "window_of_one_value"}
    exported = program.run("results", "export", "--run", "1").stdout.splitlines()
    assert exported[0].endswith(",display_note,picture_digest")
    assert sum(",window_of_one_value," in line for line in exported) == 1


def test_a_word_that_is_accepted_is_read_by_the_next_run(site: tuple[Program, Path]) -> None:
    program, archive = site
    again = program.json("screen", archive, "--workers", "1")
    assert (again["done"], again["rejected"], again["skipped"]) == (0, 0, 19)
    accepted = program.json("screen", archive, "--workers", "1", "--accept-body-part", "hand")
    assert (accepted["done"], accepted["rejected"], accepted["skipped"]) == (12, 0, 7)
    again = program.json("screen", archive, "--workers", "1", "--accept-body-part", "hand")
    assert (again["done"], again["rejected"], again["skipped"]) == (0, 0, 19)


def test_what_was_rejected_by_an_older_rule_is_read_again(site: tuple[Program, Path]) -> None:
    program, archive = site
    (archive / "notes.txt").write_text("no film")
    assert program.json("screen", archive, "--workers", "1", code=3)["rejected"] >= 1
    assert program.json("screen", archive, "--workers", "1")["skipped"] == 20
    with closing(sqlite3.connect(program.home / "results.db")) as connection:
        connection.execute("UPDATE work_items SET rules = NULL WHERE reason = 'undecodable'")
        connection.commit()
    again = program.json("screen", archive, "--workers", "1", code=3)  # all that it found anew could not be read
    assert (again["rejected"], again["skipped"]) == (1, 19)
