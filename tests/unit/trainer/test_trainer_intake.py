"""Films are read once, for the audit and the network, and both get what they would have read themselves."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

import trainer.audit.intake
from schemas.errors import DataError, UnsafeError
from tests.unit.imaging.pictures import encoded, film
from trainer.audit.auditing import audit_data
from trainer.audit.findings import Audit
from trainer.audit.intake import take_in
from trainer.audit.people import with_several_ids
from trainer.audit.sides import sides_of
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.dealing import split_patients
from trainer.data.film import Film
from trainer.data.pixels import load_films
from trainer.phantoms.archive import draw_archive
from wetread.imaging.decode import ALL, Grey, decode
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.range import normalise

PREPROCESS = Preprocess(height=24, width=24, working_size=200)


def with_a_second_id(folder: Path) -> Dataset:
    """Phantoms, and one patient's film once more, recompressed, under another id."""
    draw_archive(folder, patients=36, seed=21, images_per_patient=(1, 1))
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    levels = normalise(decode((folder / rows[4]["path"]).read_bytes()).pixels)
    (folder / "again.jpg").write_bytes(cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, rows[4] | {"path": "again.jpg", "patient_id": "zz-second"}])
    return load_dataset(os.fsencode(folder))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return with_a_second_id(tmp_path_factory.mktemp("films"))


def test_the_network_and_the_audit_get_what_they_would_have_read_alone(dataset: Dataset) -> None:
    intake = take_in(dataset, PREPROCESS, processes=1)
    assert np.array_equal(intake.films, load_films(dataset, PREPROCESS, processes=1))
    split = split_patients(dataset, validation=0.2, test=0.2, seed=0)
    sides = sides_of(dataset, split)
    assert intake.audit(sides).to_json() == audit_data(dataset, sides, processes=1).to_json()


def test_each_file_is_opened_and_decoded_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    def counted(data: bytes, enough: Enough = ALL) -> Grey:
        if enough is ALL:  # a large JPEG is decoded at a fraction too
            decoded.append(len(data))
        return decode(data, enough)

    monkeypatch.setattr(trainer.audit.intake, "decode", counted)
    monkeypatch.setattr("trainer.audit.film_features.decode", lambda _data: pytest.fail("decoded again"))
    seen: list[tuple[int, int]] = []
    take_in(dataset, PREPROCESS, processes=1, progress=lambda done, films: seen.append((done, films)))
    assert len(decoded) == len(dataset) and seen[-1] == (len(dataset), len(dataset)) and len(seen) == len(dataset)


def test_a_large_jpeg_is_learned_from_as_it_will_be_served(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(encoded(".jpg", film(1000, 900)))
    look, levels = trainer.audit.intake._read(os.fsencode(tmp_path), PREPROCESS, Film(b"large.jpg", "any", "p"))
    assert (look.width, look.height) == (900, 1000)
    served = decode((tmp_path / "large.jpg").read_bytes(), PREPROCESS.enough).pixels
    assert served.shape == (500, 450)
    assert np.array_equal(levels, PREPROCESS.levels(served))


def test_a_person_with_two_ids_is_kept_on_one_side_of_every_new_split(dataset: Dataset) -> None:
    intake = take_in(dataset, PREPROCESS, processes=1)
    ((person, ids),) = with_several_ids(intake.dataset).items()
    assert "zz-second" in ids and person == min(ids)
    parted = kept = 0
    for seed in range(12):
        as_given, united = (
            split_patients(of, validation=0.3, test=0.3, seed=seed).sides for of in (dataset, intake.dataset)
        )
        parted += len({as_given[one] for one in ids}) > 1
        kept += len({united[one] for one in ids}) == 1
    assert parted > 0 and kept == 12
    audit = intake.audit(sides_of(dataset, split_patients(intake.dataset, validation=0.3, test=0.3, seed=0)))
    assert audit.people_with_several_ids == 1 and audit.to_json()["people_with_several_ids"] == 1
    assert "copy_of_two_patients_on_one_side" in {finding.kind for finding in audit.findings}


def test_unsafe_data_is_told_of_and_then_refused(dataset: Dataset) -> None:
    intake, said = take_in(dataset, PREPROCESS, processes=1), list[Audit]()
    assert intake.audit(None).unsafe
    with pytest.raises(UnsafeError, match="without --strict"):
        intake.audit(None, strict=True, audited=said.append)
    assert said == [intake.audit(None)]


def test_other_files_are_another_digest(dataset: Dataset, tmp_path: Path) -> None:
    other = with_a_second_id(tmp_path)
    path = tmp_path / "again.jpg"
    whole = take_in(dataset, PREPROCESS, processes=1).digest
    assert take_in(other, PREPROCESS, processes=1).digest == whole
    path.write_bytes(path.read_bytes() + b"\0")
    assert take_in(other, PREPROCESS, processes=1).digest != whole


def test_a_film_that_cannot_be_read_is_named(dataset: Dataset, tmp_path: Path) -> None:
    broken = with_a_second_id(tmp_path)
    (tmp_path / "again.jpg").write_bytes(b"no film")
    with pytest.raises(DataError, match=r"again\.jpg: expected a film that can be read"):
        take_in(broken, PREPROCESS, processes=1)
