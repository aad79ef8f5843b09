"""Data that cannot be used is said before anything is trained, with the file or the row that is wrong: exit 2."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import wetread
from schemas.errors import EXIT_USAGE, DataError
from trainer.phantoms.archive import draw_archive

PATIENTS = 24


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.phantoms.archive.SIDES", (256, 300))
        draw_archive(folder, patients=PATIENTS, seed=3, images_per_patient=(1, 1))
    return folder


# Each fault spoils a folder and returns what must be said of it.


def an_empty_folder(folder: Path) -> str:
    shutil.rmtree(folder)
    folder.mkdir()
    return "found no images"


def one_label_only(folder: Path) -> str:
    rows = rows_of(folder)
    write_rows(folder, [[path, "covid", *rest] for path, _, *rest in rows])
    return "two labels"


def a_table_of_another_name(folder: Path) -> str:
    (folder / "manifest.csv").rename(folder / "Data_Entry.csv")
    (folder / "images").mkdir()
    for name in {
        row[0].split("/")[0]
        for row in csv.reader((folder / "Data_Entry.csv").read_text().splitlines())
        if "/" in row[0]
    }:
        (folder / name).rename(folder / "images" / name)
    return "Data_Entry.csv lies there: --manifest Data_Entry.csv reads it"


def a_film_that_is_none(folder: Path) -> str:
    path = rows_of(folder)[-1][0]
    (folder / path).write_bytes(b"not a picture")
    return f"{path}: expected a film that can be read, found undecodable"


def a_film_cut_short(folder: Path) -> str:
    path = rows_of(folder)[0][0]
    (folder / path).write_bytes((folder / path).read_bytes()[:-2000])
    return f"{path}: expected a film that can be read, found truncated"


def a_file_that_is_not_there(folder: Path) -> str:
    write_rows(folder, [*rows_of(folder), ["gone.png", "covid", "x", "", ""]])
    return f"manifest.csv, line {PATIENTS + 2}: gone.png: cannot be opened: No such file"


def a_patient_without_an_id(folder: Path) -> str:
    rows = rows_of(folder)
    rows[4][2] = " "
    write_rows(folder, rows)
    return "manifest.csv, line 6: patient_id is empty"


FAULTS: tuple[Callable[[Path], str], ...] = (
    an_empty_folder,
    one_label_only,
    a_table_of_another_name,
    a_film_that_is_none,
    a_film_cut_short,
    a_file_that_is_not_there,
    a_patient_without_an_id,
)


def rows_of(folder: Path) -> list[list[str]]:
    return [line.split(",") for line in (folder / "manifest.csv").read_text().splitlines()[1:]]


def write_rows(folder: Path, rows: list[list[str]]) -> None:
    header = (folder / "manifest.csv").read_text().splitlines()[0]
    (folder / "manifest.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]))


@pytest.mark.parametrize("command", ["train", "audit"])
@pytest.mark.parametrize("spoil", FAULTS, ids=lambda fault: fault.__name__)
def test_bad_data_is_named_before_any_training(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], str], command: str
) -> None:
    from wetread.settings import load_settings

    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    shutil.copytree(drawn, tmp_path / "films")
    said = spoil(tmp_path / "films")
    result = CliRunner().invoke(wetread, [command, str(tmp_path / "films"), "--processes", "1"])
    assert isinstance(result.exception, DataError), result.exception
    assert result.exception.exit_code == EXIT_USAGE
    assert said in str(result.exception)
    assert "epoch" not in result.stderr and result.stdout == ""
