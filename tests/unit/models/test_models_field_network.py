"""The segmenter lies in the model's folder, and the model's digest covers it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import ArtefactError
from trainer.field.segmenter import segmenter
from wetread.engine.network import Network
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import ModelContents, copy_artefact, load_artefact, save_artefact, verify_artefact
from wetread.models.field_network import FIELD_FILE, decode_field, encode_field
from wetread.models.loading import load_classifier

SIDE = 32


def field_bytes(seed: int = 0) -> bytes:
    network = Network(segmenter(SIDE), seed=seed)
    return encode_field(network.architecture, network.weights())


@pytest.fixture
def with_field(contents: Callable[..., ModelContents]) -> ModelContents:
    made = contents()
    height, width = made.preprocess.height, made.preprocess.width
    record = Preprocess(height=height, width=width, clip_limit=0, brightness=0, lung_field=decode_field(field_bytes()))
    return replace(made, preprocess=record)


def test_a_segmenter_reads_after_its_file_as_it_did_before_and_in_another_process() -> None:
    network = Network(segmenter(SIDE), seed=3)
    field = decode_field(encode_field(network.architecture, network.weights()))
    levels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    odds = network.forward((levels / 255 - 0.5).astype(np.float32)[None, ..., None])[0, ..., 0]
    assert field.finder is not None
    found = field.finder(levels)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-odds)), atol=1e-5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(field.finder))(levels), found)  # noqa: S301 - our own


def test_a_model_brings_its_segmenter_along_and_its_digest_covers_it(tmp_path: Path, with_field: ModelContents) -> None:
    artefact = save_artefact(tmp_path / "one", with_field)
    copied = copy_artefact(tmp_path / "one", tmp_path / "two", version=5)
    other = replace(with_field.preprocess, lung_field=decode_field(field_bytes(seed=1)))
    another = save_artefact(tmp_path / "three", replace(with_field, preprocess=other))
    assert copied.digest == artefact.digest != another.digest
    assert (tmp_path / "two" / FIELD_FILE).read_bytes() == field_bytes()
    loaded = load_classifier(load_artefact(tmp_path / "two"), "numpy").preprocess
    assert loaded.lung_field is not None
    assert loaded.lung_field.finder is not None


def test_a_segmenter_that_is_altered_missing_or_too_many_is_refused(tmp_path: Path, with_field: ModelContents) -> None:
    save_artefact(tmp_path / "model", with_field)
    file = tmp_path / "model" / FIELD_FILE
    file.write_bytes(field_bytes(seed=1))
    with pytest.raises(ArtefactError, match="altered"):
        load_artefact(tmp_path / "model")
    file.unlink()
    with pytest.raises(ArtefactError, match=FIELD_FILE):
        load_artefact(tmp_path / "model")
    save_artefact(tmp_path / "plain", replace(with_field, preprocess=Preprocess(height=12, width=10)))
    (tmp_path / "plain" / FIELD_FILE).write_bytes(field_bytes())
    with pytest.raises(ArtefactError, match="only the card's files"):
        verify_artefact(tmp_path / "plain")


@pytest.mark.parametrize(
    "data", [b"", b"{}", field_bytes()[:-9], field_bytes().replace(b"architecture", b"other_things")]
)
def test_what_is_no_segmenter_is_refused(data: bytes) -> None:
    with pytest.raises(ArtefactError, match="train-field"):
        decode_field(data)
