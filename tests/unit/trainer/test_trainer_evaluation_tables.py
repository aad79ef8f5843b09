from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from trainer.data.film import Film
from trainer.evaluation import tables
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.reading import Readings
from trainer.evaluation.tables import Metrics, Table

LABELS = ("sick", "well")


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 80)
    films = tuple(
        Film(
            b"x.png",
            LABELS[target],
            f"p{number}",
            MappingProxyType({"source": "north", "view": "AP", "sex": "FM"[number % 2]}),
        )
        for number, target in enumerate(truth)
    )
    readings = Readings(films, LABELS, generator.normal(size=(80, 2)) + 1.5 * np.eye(2)[truth], 1.5, truth > -1)
    return evaluate(readings, specificity=0.8, prevalence=0.02, replicates=50)


def cell(table: Table, row: object, column: str) -> object:
    (found,) = (line for line in table.rows if line[0] == row)
    return found[table.columns.index(column)]


def test_every_table_has_as_many_cells_as_columns(metrics: Metrics) -> None:
    made = [getattr(tables, name)(metrics) for name in dir(tables) if name.endswith("_table")]
    assert len(made) == 11
    for table in made:
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}
        assert table.markdown().startswith(f"| {table.columns[0]} |")


def test_tables_say_what_was_asked_for(metrics: Metrics) -> None:
    point = metrics["operating_points"]["sick"]
    operating, worth = tables.operating_table(metrics), tables.predictive_table(metrics)
    shown = cell(operating, "sick", "sensitivity at specificity 0.8")
    assert shown == tables.estimate(point["sensitivity"])
    of_threshold = cell(operating, "sick", "specificity of this threshold")
    assert of_threshold == tables.estimate(point["at_threshold"]["specificity"]) != shown
    assert cell(operating, "sick", "threshold") == f"{point['threshold']:.3f}"
    by_threshold = next(row for row in worth.rows if row[:2] == ("sick", f"threshold {point['threshold']:.3f}"))
    assert by_threshold[worth.columns.index("PPV at prevalence 0.02")] == tables.estimate(point["at_threshold"]["ppv"])
    assert cell(tables.calibration_table(metrics), "Brier score", "before temperature scaling") == (
        f"{metrics['before_temperature']['brier']:.3f}"
    )
    assert [row[0] for row in tables.abstention_table(metrics).rows] == ["100%", "90%", "80%", "70%", "60%", "50%"]


def test_confusion_is_by_true_label(metrics: Metrics) -> None:
    table = tables.confusion_table(metrics)
    assert table.columns == ("true label", "called sick", "called well")
    assert [list(row[1:]) for row in table.rows] == metrics["confusion"]


def test_a_label_that_cannot_be_called_has_no_threshold() -> None:
    assert tables.threshold({"threshold": None}) == "none"


def test_the_decision_is_told_in_a_sentence_and_left_away_where_there_is_none(metrics: Metrics) -> None:
    assert tables.decision_sentence(metrics).startswith("80 of 80 films are given a label (coverage 1.000")
    without = {**metrics, "decision": None}
    assert tables.decision_sentence(without) == ""
    assert tables.decision_table(without).rows == ()


def test_a_decision_that_says_nothing_is_told_as_that(metrics: Metrics) -> None:
    silent = {**metrics, "decision": {**metrics["decision"], "said": 0, "accuracy": None}}
    assert tables.decision_sentence(silent) == "none of 80 films is given a label: all are uncertain"
    assert cell(tables.overall_table(silent), "accuracy among these", "value") == "undefined"
