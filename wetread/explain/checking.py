"""Whether a model's maps say what it uses: measured against a random order and the centre, and by broken weights.

A method that does not beat both, by the lower end of a 95% interval, is refused for that model: its map would be a
picture of nothing. Cells are ordered by the map; a film's score is its insertion less its deletion, meaned over fills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from wetread.explain.cells import CELLS, in_cells, rank_correlation
from wetread.explain.curves import FILLS, areas
from wetread.explain.methods import MapMaker, methods_of
from wetread.models.artefact import Artefact
from wetread.models.loading import load_classifier

FloatArray = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

RANDOM, CENTRE = "random", "centre"
BASELINES = (RANDOM, CENTRE)
LEAST_FILMS = 10
RANDOM_ORDERS = 3
RESAMPLES = 2000
BROKEN_FILMS = 5
"""Of which maps are made anew with the weights of each layer shuffled, and with noise."""

NOISE = 0.02
"""Of a film's standard deviation."""


@dataclass(frozen=True, slots=True)
class CheckedMaps:
    """How good a method's maps of a model are.

    deletion, insertion: mean areas by fill. above: {baseline: (difference of scores, low, high)}.
    broken: (layer, mean rank correlation with the whole network's map) as layers are shuffled, the last first; empty
    of another's ONNX file.
    stable: the mean rank correlation with the map under a little noise. why: it is refused; None if not.
    """

    method: str
    films: int
    deletion: Mapping[str, float]
    insertion: Mapping[str, float]
    above: Mapping[str, tuple[float, float, float]]
    broken: Sequence[tuple[str, float]]
    stable: float
    why: str | None


def check_maps(
    artefact: Artefact, films: Sequence[FloatArray], *, seed: int = 0, told: Callable[[int], object] = lambda _: None
) -> list[CheckedMaps]:
    """Return how good each method is for a model, on preprocessed films, (height, width, 1) each.

    told: how many films are through. Raises UsageError for fewer than LEAST_FILMS: no interval would mean anything.
    """
    if len(films) < LEAST_FILMS:
        raise UsageError(f"expected at least {LEAST_FILMS} films that can be read, found {len(films)}")
    rng = np.random.default_rng(seed)
    classifier = load_classifier(artefact, "onnx" if artefact.onnx else "numpy")
    makers = {method: MapMaker(artefact, method) for method in methods_of(artefact)}
    measured: dict[str, list[Values]] = {name: [] for name in (*makers, *BASELINES)}
    labels = []
    for number, image in enumerate(films, 1):
        label = int(classifier.read(image[None]).logits[0].argmax())
        labels.append(label)
        orders = {name: [_order(maker.values(image, label)[0])] for name, maker in makers.items()}
        orders[RANDOM] = [rng.permutation(CELLS * CELLS) for _ in range(RANDOM_ORDERS)]
        orders[CENTRE] = [_from_the_centre()]
        for name, several in orders.items():
            found = [[areas(classifier, image, label, order, fill) for fill in FILLS] for order in several]
            measured[name].append(np.mean(found, axis=0))
        told(number)
    by_film = {name: np.asarray(found) for name, found in measured.items()}  # (films, fills, deletion and insertion)
    few = list(zip(films[:BROKEN_FILMS], labels, strict=False))
    return [_checked(artefact, makers[method], by_film, few, rng) for method in makers]


def _checked(
    artefact: Artefact,
    maker: MapMaker,
    by_film: Mapping[str, Values],
    few: Sequence[tuple[FloatArray, int]],
    rng: np.random.Generator,
) -> CheckedMaps:
    own = by_film[maker.method]
    above = {name: _difference(_scores(own) - _scores(by_film[name]), rng) for name in BASELINES}
    lost = [name for name, (_, low, _) in above.items() if low <= 0]
    why = None
    if lost:
        said = ", ".join(
            f"{name}: {above[name][0]:+.3f} ({above[name][1]:+.3f} to {above[name][2]:+.3f})" for name in lost
        )
        why = f"on {len(own)} films its order of the cells was not better than {said}"
    whole = [maker.values(image, label)[0] for image, label in few]
    noisy = [
        maker.values(image + rng.normal(0, NOISE * image.std(), image.shape).astype(np.float32), label)[0]
        for image, label in few
    ]
    stable = float(np.mean([rank_correlation(*pair) for pair in zip(whole, noisy, strict=True)]))
    deletion, insertion = ({fill: float(own[:, at, kind].mean()) for at, fill in enumerate(FILLS)} for kind in (0, 1))
    broken = _broken(artefact, maker.method, few, whole, rng)
    return CheckedMaps(maker.method, len(own), deletion, insertion, above, broken, stable, why)


def _broken(
    artefact: Artefact,
    method: str,
    few: Sequence[tuple[FloatArray, int]],
    whole: Sequence[Values],
    rng: np.random.Generator,
) -> list[tuple[str, float]]:
    """Shuffle the weights of one layer after another, the last first.

    Source: Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018. Shuffled, and not drawn anew, so that each
    layer keeps its scale, and a variance stays above 0. Of another's ONNX file there are no layers to shuffle: empty.
    """
    if artefact.onnx:
        return []
    weights = dict(artefact.weights)
    found: list[tuple[str, float]] = []
    for layer in reversed([layer.name for layer in artefact.card.architecture.layers]):
        own = [name for name in weights if name.rpartition("/")[0] == layer]
        if not own:
            continue
        for name in own:
            weights[name] = rng.permutation(weights[name].ravel()).reshape(weights[name].shape)
        maker = MapMaker(replace(artefact, weights=dict(weights)), method)
        maps = [maker.values(image, label)[0] for image, label in few]
        found.append((layer, float(np.mean([rank_correlation(*pair) for pair in zip(whole, maps, strict=True)]))))
    return found


def _order(values: Values) -> npt.NDArray[np.int64]:
    return np.argsort(-in_cells(values), axis=None, kind="stable")


def _from_the_centre() -> npt.NDArray[np.int64]:
    places = np.arange(CELLS) - (CELLS - 1) / 2
    return np.argsort(np.hypot(places[:, None], places[None]), axis=None, kind="stable")


def _scores(found: Values) -> Values:
    return np.asarray((found[:, :, 1] - found[:, :, 0]).mean(1))


def _difference(values: Values, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the mean of a difference by film, and its 95% interval by the bootstrap of films."""
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
