"""A model of lungs beside one of whole films, on films of which one shows no lungs; its segmenter is made by hand."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from tests.tiny_model import tiny_contents
from trainer.data.dataset import load_dataset
from trainer.data.pixels import load_films
from trainer.studies.model_readings import read_films
from web.film_child import answered
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import ModelContents, save_artefact
from wetread.models.field_network import decode_field, encode_field
from wetread.models.loading import load_classifier

PIXELS, SIDE = 160, 32
LABELS = ("covid", "normal", "pneumonia")


def of_lungs() -> ModelContents:
    """Return a model whose segmenter takes what is darker than 100 for lung."""
    one = {"filters": 1, "kernel_size": [1, 1], "strides": [1, 1], "padding": "same", "use_bias": True}
    weights = {"lung/kernel": np.full((1, 1, 1, 1), -60, np.float32), "lung/bias": np.full(1, -6.5, np.float32)}
    field = decode_field(encode_field(Architecture((SIDE, SIDE, 1), (LayerSpec("conv2d", "lung", one),)), weights))
    preprocess = Preprocess(height=32, width=32, clip_limit=0, brightness=0, lung_field=field)
    return replace(tiny_contents("lungs"), preprocess=preprocess)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three films with dark lungs, and before them a wall without any."""
    random = np.random.default_rng(0)
    rows = ["path,label,patient_id", "0wall.png,normal,w"]
    pictures = {"0wall.png": np.full((PIXELS, PIXELS), 240.0)}
    for number, label in enumerate(LABELS):
        film, mask = random.normal(170, 8, (PIXELS, PIXELS)), np.zeros((PIXELS, PIXELS), np.uint8)
        for middle in (48, 112):
            cv2.ellipse(mask, (middle, 80 + number), (22, 52), 0, 0, 360, 255, -1)
        film[mask > 0] -= 110
        pictures[f"{number + 1}.png"] = film
        rows.append(f"{number + 1}.png,{label},p{number}")
    for name, film in pictures.items():
        film[:20] = random.normal(170, 30, (20, PIXELS))
        levels = np.clip(film, 101, 255) if name == "0wall.png" else np.clip(film, 0, 255)
        (tmp_path / name).write_bytes(cv2.imencode(".png", levels.astype(np.uint8))[1].tobytes())
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    return tmp_path


@pytest.mark.parametrize("lungs_first", [True, False])
def test_two_models_read_the_films_that_both_can(folder: Path, lungs_first: bool) -> None:
    lungs = save_artefact(folder / "models" / "lungs", of_lungs())
    whole = save_artefact(folder / "models" / "whole", tiny_contents("whole", seed=1))
    dataset = load_dataset(os.fsencode(folder))
    both = read_films([lungs, whole] if lungs_first else [whole, lungs], dataset, range(4), "numpy", processes=1)
    assert both.set_aside == 1
    for artefact, read in zip([lungs, whole], both.models if lungs_first else both.models[::-1], strict=True):
        assert [film.name for film in read.readings.films] == ["1.png", "2.png", "3.png"]
        preprocess = artefact.card.preprocess
        films = load_films(replace(dataset, films=dataset.films[1:]), preprocess, processes=1)
        alone = load_classifier(artefact, "numpy").read(preprocess.scaled(films)[..., None])
        np.testing.assert_allclose(read.readings.logits, alone.logits, atol=1e-4)


def test_the_reading_room_shows_the_field_that_the_model_read(folder: Path) -> None:
    artefact = save_artefact(folder / "models" / "lungs", of_lungs())
    order = {
        "what": "as_read", "root": base64.b64encode(os.fsencode(folder)).decode(),
        "path": base64.b64encode(b"1.png").decode(), "file_bytes": 10**6, "accepted": {},
        "directory": str(folder / "models" / "lungs"), "digest": artefact.digest,
        "preprocess": artefact.card.preprocess.to_json(),
    }  # fmt: skip
    head, png = answered(order)
    assert "fault" not in head, head
    shown = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert (shown == 127).mean() > 0.5, "flat outside the lungs"
    assert shown.std() > 10
