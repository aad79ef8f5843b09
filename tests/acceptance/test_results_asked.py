"""Asking the results as a user does: pages, exports, one image, counts, two models, and a run of two that goes on."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import Program, films, with_model
from tests.tiny_model import publish_tiny_model
from wetread.store.results.columns import COLUMNS

pyarrow = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path]:
    """12 films, a copy and a text, read by two models."""
    place = tmp_path_factory.mktemp("asked")
    program, archive = with_model(place / "home"), place / "archive"
    films(archive)
    (archive / "manifest.csv").unlink()
    first = next(path for path in sorted(archive.rglob("*")) if path.is_file())
    (archive / "=copy.png").write_bytes(first.read_bytes())
    (archive / "notes.txt").write_text("no picture")
    assert program.json("screen", archive)["done"] == 13
    publish_tiny_model(None, program.home, "other", seed=5)
    assert program.json("screen", archive)["done"] == 13
    return program, archive


def test_a_page_ends_with_the_word_of_the_next(screened: tuple[Program, Path]) -> None:
    program, _ = screened
    command = ["results", "list", "--model", "any", "--limit", "5", "--format", "jsonl", "--sort", "least-probable"]
    rows, word = [], []
    for _ in range(10):
        ended = program.run(*command, *word)
        assert ended.returncode == 0, ended.stderr
        rows += [json.loads(line) for line in ended.stdout.splitlines()]
        told = [line for line in ended.stderr.splitlines() if "the next page: " in line]
        if not told:
            break
        assert len(told[0]) < 80
        word = told[0].partition("the next page: ")[2].split()
    assert len(rows) == 26
    assert len({(row["path"], row["model"]) for row in rows}) == 26
    assert [row["probability"] for row in rows] == sorted(row["probability"] for row in rows)
    other = program.run("results", "list", *word, "--limit", "5")
    assert (other.returncode, "found others" in other.stderr) == (2, True)
    for wrong in ("x", "1-1-000000", "9223372036854775808-1-000000", "1-9-zzzzzz"):
        assert program.run("results", "list", "--after", wrong).returncode == 2


def test_every_export_holds_the_same_rows_in_the_same_columns(screened: tuple[Program, Path], tmp_path: Path) -> None:
    program, _ = screened
    for form in ("csv", "jsonl", "json", "parquet"):
        ended = program.run("results", "export", "--model", "any", "--format", form, "-o", tmp_path / form)
        assert ended.returncode == 0, ended.stderr
        assert "28 rows" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["csv", "json", "jsonl", "parquet"]
    rows = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert [tuple(row) for row in rows] == [COLUMNS] * 28
    assert json.loads((tmp_path / "json").read_text()) == rows
    read = list(csv.DictReader(io.StringIO((tmp_path / "csv").read_bytes().decode(), newline="")))
    assert [tuple(row) for row in read] == [COLUMNS] * 28
    assert [row["path"] for row in read] == [row["path"] for row in rows]
    assert [float(row["probability"] or -1) for row in read] == [row["probability"] or -1 for row in rows]
    table = pyarrow.read_table(tmp_path / "parquet")
    assert tuple(table.column_names) == COLUMNS
    columns = table.to_pydict()
    assert columns["path"] == [row["path"] for row in rows]
    assert columns["probability"] == [row["probability"] for row in rows]
    assert [json.loads(one) if one else None for one in columns["probabilities"]] == [
        row["probabilities"] for row in rows
    ]
    assert [one.isoformat() for one in columns["settled_at"]] == [row["settled_at"] for row in rows]


def test_a_csv_for_excel_begins_with_its_mark_and_is_else_the_same(
    screened: tuple[Program, Path], tmp_path: Path
) -> None:
    program, _ = screened
    plain = subprocess.run(program.command("results", "export"), env=program.env(), capture_output=True).stdout
    marked = subprocess.run(
        program.command("results", "export", "--excel"), env=program.env(), capture_output=True
    ).stdout
    assert program.run("results", "export", "--excel", "--output", tmp_path / "it.csv").returncode == 0
    assert marked == (tmp_path / "it.csv").read_bytes() == b"\xef\xbb\xbf" + plain
    assert next(csv.DictReader(io.StringIO(marked.decode("utf-8-sig"))))["path"]
    refused = program.run("results", "export", "--excel", "--format", "jsonl")
    assert (refused.returncode, "--format csv" in refused.stderr) == (2, True), refused


def test_the_columns_stay() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
    listed = [
        line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `") and "--" not in line
    ]
    assert tuple(listed[: len(COLUMNS)]) == COLUMNS, "docs/results.md lists them in this order"
    assert COLUMNS[:4] == ("path", "sha256", "state", "label")
    assert COLUMNS[-6:] == (
        "patient_hash",
        "decision_digest",
        "gate_score",
        "settled_at",
        "display_note",
        "picture_digest",
    ), "add at the end"


def test_an_export_that_fails_leaves_what_was_there(screened: tuple[Program, Path], tmp_path: Path) -> None:
    program, _ = screened
    (tmp_path / "out").write_text("before")
    assert program.run("results", "export", "--model", "none", "--output", tmp_path / "out").returncode == 2
    assert program.run("results", "export", "--output", tmp_path / "no" / "out").returncode == 2
    assert program.run("results", "export", "--format", "parquet").returncode == 2
    assert (tmp_path / "out").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out"]


@pytest.mark.parametrize("command", [("list",), ("list", "--format", "csv"), ("export",)])
def test_that_the_reader_of_the_output_leaves_is_no_fault(
    command: tuple[str, ...], screened: tuple[Program, Path]
) -> None:
    program, _ = screened
    process = program.start("results", *command)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (0, False), said


def test_one_image_is_shown_with_everything_known_of_it(screened: tuple[Program, Path]) -> None:
    program, archive = screened
    copy = archive / "=copy.png"
    (shown,) = program.json("results", "show", copy)
    assert shown["path"] == str(copy)
    assert len(shown["paths"]) == 2
    assert {reading["model"] for reading in shown["readings"]} == {"tiny@1", "other@1"}
    for reading in shown["readings"]:
        assert reading["label"] in reading["why"]
        assert reading["preprocessing"]["height"] == 32
        assert (reading["attempts"], reading["run"]) == (0, reading["read_by_run"])
        timings = reading["timings"]
        assert timings["settled_together"] == 14, "all films of so small a run are one batch"
        assert 0 < timings["mean_milliseconds_in_its_run"]["decode"] < 1000 * timings["seconds_from_run_to_settled"]
    assert [run["run"] for run in shown["runs"]] == [1, 2]
    assert len(program.json("results", "show", shown["sha256"])) == 2
    (text,) = program.json("results", "show", archive / "notes.txt")
    assert {reading["reason"] for reading in text["readings"]} == {"undecodable"}
    assert "preprocessing" in program.run("results", "show", copy).stdout


def test_a_run_is_counted_as_its_rows_are(screened: tuple[Program, Path]) -> None:
    program, archive = screened
    counted = program.json("results", "summary", "--run", "1")
    rows = program.lines("results", "list", "--run", "1")
    for row in counted["labels"]:
        assert row["images"] == sum(one["label"] == row["label"] for one in rows)
    assert counted["failures"] == [{"model": "tiny@1", "state": "rejected", "reason": "undecodable", "images": 1}]
    by_run = program.json("results", "summary", "--by", "run")
    assert {row["run"] for row in by_run["labels"]} == {1, 2}
    by_model = program.json("results", "summary", "--by", "model")
    assert [(row["model"], row["images"]) for row in by_model["labels"]] == [("other@1", 13), ("tiny@1", 13)]
    by_month = program.json("results", "summary", "--by", "month")
    assert sum(row["images"] for row in by_month["labels"]) == 26
    directories = program.json("results", "summary", "--by", "directory", "--model", "tiny@1")
    assert {row["directory"].startswith(str(archive)) for row in directories["labels"]} == {True}
    assert sum(row["images"] for row in directories["labels"]) == 13


def test_two_models_are_compared_over_the_same_images(screened: tuple[Program, Path]) -> None:
    program, _ = screened
    found = program.json("results", "diff", "tiny", "other", "--limit", "0")
    labels = {model: {row["path"]: row["label"] for row in program.lines("results", "list", "--model", model)
                      if row["label"]} for model in ("tiny", "other")}  # fmt: skip
    differing = {path for path in labels["tiny"] if labels["tiny"][path] != labels["other"][path]}
    assert (found["images"], found["changed"], found["only_a"]) == (13, len(differing), 0)
    assert {film["path"] for film in found["films"]} == differing
    assert found["agreement"] == pytest.approx(1 - len(differing) / 13)
    assert program.run("results", "diff", "tiny", "tiny").returncode == 2


def test_asking_imports_nothing_heavy(screened: tuple[Program, Path]) -> None:
    program, _ = screened
    for words in (["list", "--model", "tiny"], ["summary", "--run", "1"], ["show", "/x"], ["diff", "tiny", "other"]):
        code = (
            f"import sys; sys.argv = ['wetread', 'results', *{words!r}]\nfrom cli.main import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "heavy = {'numpy', 'cv2', 'tensorflow', 'celery', 'matplotlib', 'alembic', 'pydicom', 'pyarrow'}\n"
            "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy), file=sys.stderr)"
        )
        ended = subprocess.run([sys.executable, "-c", code], env=program.env(), capture_output=True, text=True)
        assert ended.stderr.splitlines()[-1] == "[]", words


def test_canned_queries_answer_on_a_real_database(screened: tuple[Program, Path]) -> None:
    program, _ = screened
    body = json.loads((Path(__file__).parents[2] / "deploy" / "datasette.json").read_text())
    queries = body["databases"]["results"]["queries"]
    assert len(queries) >= 6
    label = next(row["label"] for row in program.lines("results", "list") if row["label"])
    given = {"label": label, "least": "0", "run": "1", "path": "/", "first": "tiny@1", "second": "other@1"}
    connection = sqlite3.connect(f"file:{program.home / 'results.db'}?mode=ro", uri=True)
    for name, query in queries.items():
        rows = connection.execute(query["sql"], {one: given[one] for one in query.get("params", [])}).fetchall()
        assert rows or name == "uncertain", name
    connection.close()


def test_resume_goes_on_with_the_run_that_is_named(tmp_path: Path) -> None:
    program, archive = with_model(tmp_path / "home"), tmp_path / "archive"
    films(archive, patients=3)
    (archive / "manifest.csv").write_text("no picture")
    program.json("screen", archive)
    program.json("screen", archive, "--force")
    for run in (1, 2):
        assert program.json("errors", "retry", "--run", run) == {"run": run, "pending": 1}
    ended = program.json("runs", "resume", 1)
    assert (ended["run"], ended["state"], ended["pending"]) == (1, "finished", 0)
    assert program.json("status", 2)["pending"] == 1
    assert program.run("runs", "resume", "1").returncode == 2
