"""The shortcut panel as people read it."""

from __future__ import annotations

from typing import Any

from trainer.shortcuts.table import above_shortcuts, best_without_lungs, gap, shortcuts_table, small_network
from trainer.shortcuts.views import VIEWS, WHOLE


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def view(accuracy: float, gap: float, within: dict[str, Any] | None = None) -> dict[str, Any]:
    above = {"accuracy": figure(gap), "balanced_accuracy": figure(gap), "macro_auroc": figure(gap)}
    body = {name: figure(accuracy) for name in ("accuracy", "balanced_accuracy", "macro_auroc")}
    return body | {"within_source": within or {}, "model_above": above}


PANEL = {
    "arch": "cnn",
    "size": 64,
    "epochs": 30,
    "views": {
        "the whole film": view(0.7, 0.05),
        "the middle 60% blacked out": view(0.6, 0.15),
        "the border alone": view(0.5, 0.25),
        "a 16x16 thumbnail": view(0.4, 0.35),
    },
}


def test_the_model_is_beside_every_view_with_its_gap() -> None:
    metrics = {"accuracy": figure(0.75), "macro_auroc": None, "within_source": {}}
    table = shortcuts_table(PANEL, metrics)
    assert [row[0] for row in table.rows] == ["this model", *PANEL["views"]]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert table.rows[0][1:4] == ("", "0.750 (0.650 to 0.850)", "undefined")
    assert table.rows[3][1:3] == ("0.250 (0.150 to 0.350)", "0.500 (0.400 to 0.600)")


def test_the_largest_pair_of_one_source_has_a_column() -> None:
    pairs = {"a against b": {"n": 5, "auroc": figure(0.8)}, "b against c": {"n": 9, "auroc": figure(0.6)}}
    seen = {"north": {"b against c": {"n": 9, "auroc": figure(0.3)}}}
    metrics = {"accuracy": figure(0.75), "macro_auroc": figure(0.9), "within_source": {"north": pairs}}
    table = shortcuts_table(PANEL | {"views": {"the border alone": view(0.5, 0.25, seen)}}, metrics)
    column = table.columns.index("AUROC of b against c within north")
    assert [row[column] for row in table.rows] == ["0.600 (0.500 to 0.700)", "0.300 (0.200 to 0.400)"]


def test_the_gap_that_counts_is_to_the_best_view_that_is_not_the_whole() -> None:
    assert best_without_lungs(PANEL)[0] == "the middle 60% blacked out"
    assert above_shortcuts(PANEL) == (
        "accuracy 0.150 (0.050 to 0.250) above a small network that sees only what surrounds the middle 60% of each "
        "side"
    )
    others: dict[str, Any] = {"views": {"the whole film": view(0.9, 0.1), "the border alone": view(0.5, 0.2)}}
    assert above_shortcuts(others).endswith("sees only the border")


def test_the_order_of_views_says_nothing() -> None:
    views = {"the border alone": view(0.5, 0.2), "a 16x16 thumbnail": view(0.5, 0.2)}
    turned = dict(reversed(views.items()))
    assert above_shortcuts({"views": views}) == above_shortcuts({"views": turned})


def test_every_view_is_said_in_words_that_fit_the_sentence() -> None:
    said = [small_network(name) for name in VIEWS if name != WHOLE]
    assert not any("blacked out" in words or words.endswith("alone") for words in said), said


def test_a_model_that_is_worse_is_below_and_not_minus_above() -> None:
    assert gap({"value": -0.037, "low": -0.074, "high": 0.0}) == "0.037 (0.000 to 0.074) below"
    assert gap({"value": 0.037, "low": -0.01, "high": 0.08}) == "0.037 (-0.010 to 0.080) above"
    assert gap(None) == "undefined above"
