"""A method that knows what the network uses beats a random order and the centre; one that does not is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cli import explain_check
from schemas.errors import UsageError
from tests.another_model import draw_densenet
from tests.tiny_model import tiny_contents
from wetread.explain import checking
from wetread.explain.cells import CELLS, in_cells, rank_correlation, sums_of_cells
from wetread.explain.checking import check_maps
from wetread.explain.curves import FILLS, areas
from wetread.explain.methods import METHODS, MapMaker
from wetread.models.artefact import Artefact, load_artefact, save_artefact
from wetread.models.asked_network import AskedNetwork
from wetread.models.classifier import Readout
from wetread.models.onnx_probe import imported
from wetread.store.models.map_checks import KeptMapCheck
from wetread.views.map_checks import map_check_json, map_checks_card


@pytest.fixture
def tiny(tmp_path: Path) -> Artefact:
    save_artefact(str(tmp_path / "tiny"), tiny_contents(), version=1)
    return load_artefact(str(tmp_path / "tiny"))


def films(artefact: Artefact, count: int = 10) -> list[np.ndarray]:
    preprocess, rng = artefact.card.preprocess, np.random.default_rng(3)
    return [preprocess.apply(rng.integers(0, 4096, (160, 140)).astype(np.uint16)) for _ in range(count)]


class OneCell:
    """A classifier whose first label is the brightness of one cell in a corner."""

    def read(self, images: np.ndarray) -> Readout:
        lit = images[:, :4, :4, 0].mean((1, 2)) * 8
        return Readout(np.stack([lit, 4 - lit], axis=1).astype(np.float32), images[:, 0, :, 0])


def test_the_curves_know_the_cell_that_matters_from_others() -> None:
    image = np.full((64, 64, 1), 0.1, np.float32)
    image[:4, :4] = 1.0
    first = np.arange(CELLS * CELLS)
    for fill in FILLS:
        deletion, insertion = areas(OneCell(), image, 0, first, fill)
        late_deletion, late_insertion = areas(OneCell(), image, 0, first[::-1].copy(), fill)
        assert deletion < 0.3 < 0.7 < insertion
        assert late_deletion > 0.7 > 0.3 > late_insertion


def test_cells_add_up_and_correlate_by_rank() -> None:
    values = np.random.default_rng(1).random((50, 37))
    assert sums_of_cells(values).shape == (CELLS, CELLS)
    assert sums_of_cells(values).sum() == pytest.approx(values.sum())
    assert in_cells(values).shape == (CELLS, CELLS)
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)
    assert rank_correlation(values, np.zeros_like(values)) == 0


def test_every_method_is_measured_and_the_same_seed_gives_the_same(tiny: Artefact) -> None:
    images = films(tiny)
    one, other = check_maps(tiny, images, seed=5), check_maps(tiny, images, seed=5)
    assert one == other and [found.method for found in one] == list(METHODS)
    for found in one:
        assert found.films == 10 and set(found.above) == {"random", "centre"}
        for value, low, high in found.above.values():
            assert low <= value <= high
        assert found.broken[0][0] == tiny.card.architecture.layers[-1].name
        assert -1 <= found.broken[-1][1] <= 1 and 0 < found.stable <= 1
    with pytest.raises(UsageError, match="at least 10"):
        check_maps(tiny, images[:9])


def test_another_s_file_is_measured_by_onnx_runtime_and_has_no_layers_to_shuffle(tmp_path: Path) -> None:
    contents = imported(draw_densenet(), AskedNetwork(("covid", "normal", "pneumonia"), "logits", {}), "dense", 1024**3)
    save_artefact(str(tmp_path / "dense"), contents, version=1)
    artefact = load_artefact(str(tmp_path / "dense"))
    (found,) = check_maps(artefact, films(artefact))
    assert (found.method, found.films, found.broken) == ("occlusion", 10, [])
    figures = {
        "deletion": found.deletion, "insertion": found.insertion, "above": found.above, "broken": found.broken,
        "stable": found.stable,
    }  # fmt: skip
    kept = KeptMapCheck(found.method, found.films, found.why, figures, datetime(2026, 12, 1, tzinfo=UTC))
    assert "- occlusion: not measured" in map_checks_card({"occlusion": kept})
    explain_check._show([map_check_json(kept)])


@pytest.mark.parametrize(("row", "column", "passes"), [(0, 0, True), (15, 15, False), (8, 8, False)])
def test_a_map_that_points_elsewhere_is_refused(
    tiny: Artefact, monkeypatch: pytest.MonkeyPatch, row: int, column: int, passes: bool
) -> None:
    """Of a network that reads one corner alone, whoever points there beats chance and the centre; nobody else does."""
    images = [np.random.default_rng(seed).random((64, 64, 1), np.float32) * 0.2 for seed in range(10)]
    for image in images:
        image[:4, :4] = 1.0
    pointing = np.zeros((CELLS, CELLS))
    pointing[row, column] = 1.0
    if (row, column) != (0, 0):
        pointing[0, 0] = -1.0
    monkeypatch.setattr(checking, "load_classifier", lambda *_: OneCell())
    monkeypatch.setattr(checking, "methods_of", lambda _: ["occlusion"])
    monkeypatch.setattr(MapMaker, "values", lambda *_: (pointing, None))
    (found,) = check_maps(tiny, images)
    assert (found.why is None) is passes
    if not passes:
        assert found.why is not None and "random" in found.why
    for _, low, _ in found.above.values():
        assert (low > 0) is passes
