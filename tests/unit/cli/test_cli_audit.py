from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import wetread
from schemas.errors import EXIT_UNSAFE, DataError
from trainer.phantoms.archive import draw_archive

REAL_FILMS = Path(__file__).parents[4] / "shared" / "data" / "cxr"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=36, seed=5, images_per_patient=(1, 1))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(wetread, ["audit", *(str(argument) for argument in arguments), "--processes", "1"])


@pytest.fixture
def leaking_split(films: Path, tmp_path: Path) -> Path:
    """One patient is listed on two sides."""
    with (films / "manifest.csv").open(newline="") as file:
        patients = sorted({row["patient_id"] for row in csv.DictReader(file)})
    rows = ["patient_id,side", *(f"{patient},train" for patient in patients), f"{patients[0]},test"]
    (tmp_path / "split.csv").write_text("\n".join(rows))
    return tmp_path / "split.csv"


def test_clean_data_is_exit_0(films: Path) -> None:
    result = run(films)
    assert result.exit_code == 0
    assert "nothing was found" in result.stderr and "no split was checked" in result.stderr
    assert "AUROC on held-out patients" in result.stdout


def test_unsafe_data_is_exit_5_with_the_findings_on_stdout(films: Path, leaking_split: Path) -> None:
    result = run(films, "--split", leaking_split)
    assert result.exit_code == EXIT_UNSAFE
    assert "patient_on_two_sides" in result.stdout and "phantom-0001" in result.stdout
    assert "unsafe" in result.stderr and "no split was checked" not in result.stderr


def test_json_has_everything_and_the_same_exit(films: Path, leaking_split: Path) -> None:
    result = run(films, "--split", leaking_split, "--json")
    assert result.exit_code == EXIT_UNSAFE
    found = json.loads(result.stdout)
    assert found["unsafe"] is True and found["split_checked"] is True
    (finding,) = found["findings"]
    assert (finding["kind"], finding["severity"]) == ("patient_on_two_sides", "unsafe")
    assert finding["cases"][0]["patient"] == "phantom-0001"
    assert found["films"] == found["patients"] == 36
    assert set(found["shortcuts"]["border"]) == {"covid", "normal", "pneumonia"}
    assert {"value", "low", "high"} == set(found["shortcuts"]["border"]["covid"])


def test_data_that_cannot_be_used_is_exit_2(films: Path, tmp_path: Path) -> None:
    for arguments, said in (
        ([tmp_path / "gone"], "gone: expected a directory"),
        ([films, "--split", "no.csv"], "no.csv"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, DataError) and said in str(result.exception)
        assert result.exception.exit_code == 2


@pytest.mark.data
def test_the_real_films_are_unsafe_because_the_source_gives_covid_away() -> None:
    if not REAL_FILMS.is_dir():
        pytest.skip("../shared/data/cxr is not there")
    result = run(REAL_FILMS, "--json")
    assert result.exit_code == EXIT_UNSAFE
    found = {finding["kind"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert found["shortcut_source"]["severity"] == "unsafe"
    assert "covid with AUROC 0.954" in found["shortcut_source"]["text"]
