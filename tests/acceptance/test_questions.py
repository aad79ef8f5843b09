"""A question is answered whole, or refused with what there is."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from tests.asking import Asker
from tests.program import films, with_model
from tests.tiny_model import publish_tiny_model


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[Asker, Path]:
    """12 films, a copy and a text, read by two models, of which the second is production."""
    place = tmp_path_factory.mktemp("questions")
    program, archive = with_model(place / "home"), place / "archive"
    films(archive)
    (archive / "manifest.csv").unlink()
    first = next(path for path in sorted(archive.rglob("*")) if path.is_file())
    (archive / "=copy.png").write_bytes(first.read_bytes())
    (archive / "notes.txt").write_text("no picture")
    assert program.json("screen", archive)["done"] == 13
    publish_tiny_model(None, program.home, "other", seed=5)
    assert program.json("screen", archive)["done"] == 13
    return Asker(program.home), archive


def test_a_program_gets_all_and_a_person_a_page(read: tuple[Asker, Path]) -> None:
    asker, _ = read
    for more, rows in ((), 14), (("--model", "any"), 28):
        assert len(asker.ask("results", "list", *more, "--json").json) == rows
        assert len(asker.ask("results", "list", *more, "--format", "jsonl").out.splitlines()) == rows
        table = csv.reader(io.StringIO(asker.ask("results", "list", *more, "--format", "csv").out))
        assert len(list(table)) == 1 + rows
    assert len(asker.ask("results", "list", "--json", "--limit", "3").json) == 3


def test_a_table_is_a_page_of_hundred(read: tuple[Asker, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asker, _ = read
    monkeypatch.setattr("cli.results.PAGE", 5)
    first = asker.ask("results", "list")
    assert len(first.out.splitlines()) == 1 + 5
    (told,) = [line for line in first.err.splitlines() if "next page" in line]
    assert len(told) < 80
    second = asker.ask("results", "list", *told.partition("next page: ")[2].split())
    assert len(second.out.splitlines()) == 1 + 5
    assert not set(first.out.splitlines()[1:]) & set(second.out.splitlines())


def test_readings_are_productions_and_say_so_where_there_are_several(read: tuple[Asker, Path]) -> None:
    asker, _ = read
    listed = asker.ask("results", "list", "--json")
    assert {row["model"] for row in listed.json} == {"other@1"}
    assert "readings of other@1, which is production; tiny@1 has some too: --model any lists all" in listed.err
    exported = asker.ask("results", "export", "--format", "json")
    assert {row["model"] for row in exported.json} == {"other@1"}
    assert "which is production" in exported.err
    for chosen in (("--run", "1"), ("--model", "tiny")):
        answer = asker.ask("results", "list", *chosen, "--json")
        assert ({row["model"] for row in answer.json}, "production" in answer.err) == ({"tiny@1"}, False)
    assert {row["model"] for row in asker.ask("results", "summary", "--json").json["labels"]} == {"other@1", "tiny@1"}


def test_where_production_has_read_nothing_the_models_are_named(
    read: tuple[Asker, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, _ = read
    monkeypatch.setattr("wetread.store.models.registrations.read_aliases", lambda _session: {"production": "0" * 64})
    answer = asker.ask("results", "list", "--json")
    assert {row["model"] for row in answer.json} == {"other@1", "tiny@1"}
    assert "readings of 2 models, a row each: other@1, tiny@1; --model NAME lists one's" in answer.err


REFUSED = {
    "--label Normal": "Did you mean 'normal'?",
    "--label covi": "there are:",
    "--decision uncertan": "Did you mean 'uncertain'?",
    "--run 99": "the latest is 2",
    "--state ded": "Did you mean 'dead'?",
    "--reason truncate": "Did you mean 'truncated'?",
    "--model tinny": "Did you mean 'tiny@1'?",
    "--view PA": "there are: none",
    "--modality XX": "there are: none",
    "--patient-hash aa": "found none",
    "--study 1.2": "found none",
    "--series 1.2": "found none",
    "--path nothing/here": "the roots: ",
    "--since tomorow": "expected a day or a time",
    "--acquired-since 2026-13-01": "expected a day",
}


@pytest.mark.parametrize("filters", REFUSED)
def test_what_nothing_can_have_is_refused_with_what_there_is(filters: str, read: tuple[Asker, Path]) -> None:
    asker, _ = read
    commands = [("results", "list"), ("results", "export"), ("results", "summary")]
    if filters.split()[0] in ("--run", "--reason", "--model"):
        commands.append(("errors", "list"))
    if filters.startswith("--path"):
        commands += [("results", "diff", "tiny", "other"), ("results", "delete", "--yes")]
    for command in commands:
        answer = asker.ask(*command, *filters.split())
        assert (answer.code, answer.out) == (2, ""), command
        assert REFUSED[filters] in answer.err, (command, answer.err)


@pytest.mark.parametrize("words", [
    ("report", "99"), ("report", "--label", "covi"), ("status", "99"), ("runs", "cancel", "99"),
    ("runs", "delete", "99", "--yes"), ("errors", "list", "99"), ("results", "diff", "tinny", "other"),
    ("models", "show", "tinny"), ("results", "show", "00000000"), ("results", "list", "--sort", "pth"),
    ("results", "summary", "--by", "labels"), ("results", "delete", "--sha256", "0" * 64, "--yes"),
], ids=" ".join)  # fmt: skip
def test_so_is_every_other_question_to_what_is_not_there(words: tuple[str, ...], read: tuple[Asker, Path]) -> None:
    answer = read[0].ask(*words)
    assert (answer.code, answer.out) == (2, ""), answer.err


def test_an_empty_answer_says_of_how_many(read: tuple[Asker, Path]) -> None:
    for question in (["--run", "1", "--reason", "flat"], ["--until", "7d"]):
        answer = read[0].ask("results", "list", *question)
        assert (answer.code, "0 of 14 readings" in answer.err) == (0, True), answer.err


def test_times_are_those_that_our_own_json_prints(read: tuple[Asker, Path]) -> None:
    asker, _ = read
    rows = asker.ask("results", "list", "--json", "--sort", "oldest").json
    last = rows[-1]["settled_at"]
    later = asker.ask("results", "list", "--json", "--since", last).json
    assert [row["settled_at"] for row in later] == [row["settled_at"] for row in rows if row["settled_at"] >= last]
    assert len(asker.ask("results", "list", "--json", "--since", "yesterday").json) == 14
    begun = asker.ask("status", "--json").json["begun_at"]
    assert len(asker.ask("results", "list", "--json", "--since", begun).json) == 14


def test_a_path_is_meant_as_it_is_here(read: tuple[Asker, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asker, archive = read
    (archive.parent / "link").symlink_to(archive)
    folder = next(path for path in sorted(archive.iterdir()) if path.is_dir())
    monkeypatch.chdir(archive.parent)

    def found(path: str) -> int:
        return len(asker.ask("results", "list", "--json", "--path", path).json)

    inside = found(f"{folder}/")
    assert 0 < inside < 14
    for written in (f"archive/{folder.name}/", f"link/{folder.name}/", f"{archive.parent}/link/{folder.name}/",
                    f"{folder.name}/", f"./archive/{folder.name}/"):  # fmt: skip
        assert found(written) == inside, written
    monkeypatch.chdir(archive)
    assert found(f"{folder.name}/") == inside, "here and under the root it is the same"
    other = archive.parent / "elsewhere" / folder.name
    other.mkdir(parents=True)
    monkeypatch.chdir(other.parent)
    assert found(f"{folder.name}/") == inside, "what is here was never screened"


def test_some_digits_of_a_hash_are_enough(read: tuple[Asker, Path]) -> None:
    asker, archive = read
    (shown,) = asker.ask("results", "show", archive / "=copy.png", "--json").json
    by_digits = asker.ask("results", "show", shown["sha256"][:8], "--json").json
    assert [one["sha256"] for one in by_digits] == [shown["sha256"]] * 2, "a film and its copy"
    (text,) = asker.ask("results", "show", archive / "notes.txt", "--json").json
    assert asker.ask("results", "show", text["sha256"][:10], "--json").json[0]["path"] == text["path"]
    assert asker.ask("results", "show", shown["sha256"][:7]).code == 2
    with sqlite3.connect(asker.home / "results.db") as connection:
        (number, before), (_, other) = connection.execute("SELECT id, sha256 FROM predictions LIMIT 2").fetchall()
        twin = other[:8] + "f" * 56
        connection.execute("UPDATE predictions SET sha256 = ? WHERE id = ?", (twin, number))
        connection.commit()
        answer = asker.ask("results", "show", other[:8])
        connection.execute("UPDATE predictions SET sha256 = ? WHERE id = ?", (before, number))
    connection.close()
    assert (answer.code, other in answer.err, twin in answer.err) == (2, True, True)


def test_errors_are_those_of_now_whichever_run_said_it(read: tuple[Asker, Path]) -> None:
    asker, archive = read
    listed = asker.ask("errors", "list", "--json").json
    assert {(one["path"], one["model"], one["run"]) for one in listed} == {
        (str(archive / "notes.txt"), "tiny@1", 1), (str(archive / "notes.txt"), "other@1", 2),
    }  # fmt: skip
    assert "\tmodel" in asker.ask("errors", "list").out
    assert len(asker.ask("errors", "list", "--model", "tiny", "--json").json) == 1
    assert len(asker.ask("errors", "list", "1", "--json").json) == 1


def test_what_tables_say_json_says_too(read: tuple[Asker, Path]) -> None:
    asker, archive = read
    runs = asker.ask("runs", "list", "--json").json
    assert [run["run"] for run in runs] == [2, 1]
    for run in (*runs, asker.ask("status", "--json").json):
        assert (run["roots"], run["kind"], run["note"]) == ([str(archive)], "screen", None)
        assert run["begun_at"].endswith("Z")
        assert run["begun_at"] <= run["walked_at"] <= run["ended_at"]
        assert run["rejected_reasons"] == {"undecodable": 1}


def test_a_dash_is_standard_output(read: tuple[Asker, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asker, archive = read
    monkeypatch.chdir(tmp_path)
    assert len(asker.ask("results", "export", "-o", "-", "--format", "json").json) == 14
    assert asker.ask("report", "--format", "html", "-o", "-").out.startswith("<!DOCTYPE html>")
    assert json.loads(asker.ask("report", "--json", "-o", "-").out)["run"] == 2
    film = next(archive.rglob("*.png"))
    assert asker.ask("steps", film, "-o", "-").raw.startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []
