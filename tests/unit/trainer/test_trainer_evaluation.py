from __future__ import annotations

import json
from types import MappingProxyType

import numpy as np
import pytest

from schemas.errors import DataError
from trainer.data.film import Film
from trainer.evaluation.evaluation import confusion, evaluate
from trainer.evaluation.reading import Readings

LABELS = ("covid", "normal", "pneumonia")


def film(number: int, label: str, source: str = "", patient: str = "", **attributes: str) -> Film:
    given = ({"source": source} if source else {}) | attributes
    return Film(f"{number}.png".encode(), label, patient or f"p{number}", MappingProxyType(given))


def readings(count: int = 120, seed: int = 0, temperature: float = 1.7) -> Readings:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, count)
    films = tuple(
        film(number, LABELS[label], patient=f"p{number // 2}", sex="MF"[number % 2])
        for number, label in enumerate(truth)
    )
    return Readings(films, LABELS, generator.normal(size=(count, 3)) + 2 * np.eye(3)[truth], temperature)


def test_figures_come_with_intervals_and_what_they_are_of() -> None:
    made = readings()
    result = evaluate(made, specificity=0.8, prevalence=0.1, replicates=50)
    assert (result["n"], result["patients"], result["temperature"]) == (120, 60, 1.7)
    assert result["stated"] == {"specificity": 0.8, "prevalence": 0.1}
    for label in LABELS:
        of_label, point = result["labels"][label], result["operating_points"][label]
        for figure in (of_label["auroc"], of_label["ppv"], point["sensitivity"], point["at_threshold"]["ppv"]):
            assert figure["low"] < figure["value"] < figure["high"]
    assert sum(part["n"] for part in result["reliability"]) == 120


def test_the_result_is_plain_json_with_null_for_what_is_undefined() -> None:
    made = readings()
    kept = [index for index, target in enumerate(made.targets) if target != 0]
    result = json.loads(json.dumps(evaluate(made.part(kept), replicates=20), allow_nan=False))
    assert result["macro_auroc"] is None
    assert result["labels"]["covid"]["sensitivity"] is None
    assert result["labels"]["covid"]["specificity"]["value"] > 0.5
    assert result["accuracy"]["value"] > 0.5


def test_a_model_that_reads_the_source_is_found_out_within_the_source() -> None:
    # All covid films are from one source, and the model tells sources apart and nothing else.
    generator = np.random.default_rng(1)
    rows = [("covid", "cohen"), ("pneumonia", "cohen"), ("normal", "nih"), ("pneumonia", "nih")] * 60
    films = tuple(film(number, label, source) for number, (label, source) in enumerate(rows))
    favoured = np.array([[3.0, 0, 0] if source == "cohen" else [0, 1.5, 1.5] for _, source in rows])
    result = evaluate(Readings(films, LABELS, favoured + generator.normal(scale=0.5, size=(240, 3))), replicates=200)
    assert result["labels"]["covid"]["auroc"]["value"] > 0.8
    assert set(result["within_source"]) == {"cohen", "nih"}
    for pairs in result["within_source"].values():
        (pair,) = pairs.values()
        assert pair["auroc"]["low"] < 0.5 < pair["auroc"]["high"]
        assert (pair["n"], pair["patients"]) == (120, 120)
    assert set(result["within_source"]["nih"]) == {"normal against pneumonia"}
    assert result["by"]["source"]["cohen"]["films"] == {"covid": 60, "pneumonia": 60}


def test_results_are_given_by_what_the_manifest_says_and_only_that() -> None:
    result = evaluate(readings(), replicates=20)
    assert set(result["by"]) == {"sex"}
    assert sum(part["n"] for part in result["by"]["sex"].values()) == 120
    few = tuple(film(number, LABELS[number % 3], view="L" if number < 3 else "PA") for number in range(30))
    result = evaluate(Readings(few, LABELS, np.zeros((30, 3))), replicates=20)
    assert set(result["by"]["view"]) == {"PA"}


def test_the_temperature_changes_calibration_and_nothing_else() -> None:
    cool, warm = (evaluate(readings(temperature=temperature), replicates=20) for temperature in (1.0, 3.0))
    assert cool["accuracy"] == warm["accuracy"] and cool["confusion"] == warm["confusion"]
    assert cool["brier"] != warm["brier"]
    assert warm["before_temperature"] == {"ece": cool["ece"], "brier": cool["brier"]}


def test_confusion_has_a_row_a_true_label() -> None:
    assert confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3) == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="found none"):
        Readings((), LABELS, np.zeros((0, 3)))
    with pytest.raises(DataError, match=r"\(1, 3\), found \(2, 3\)"):
        Readings((film(1, "covid"),), LABELS, np.zeros((2, 3)))
