"""How the report's page shows numbers, and where a histogram's bars stand."""

from __future__ import annotations

import pytest

from wetread.report.page import BAR_WIDTH, GAP, HEIGHT, _figure, _percent, _points, _span, histogram


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0.0 s"),
        (59.4, "59.4 s"),
        (60.0, "1 min 00 s"),
        (119.6, "2 min 00 s"),
        (3599.0, "59 min 59 s"),
        (3600.0, "1 h 00 min"),
        (90_061.0, "25 h 01 min"),
    ],
)
def test_a_length_of_time_is_shown_in_the_two_units_that_matter(seconds: float, shown: str) -> None:
    assert _span(seconds) == shown


def test_shares_are_shown_of_a_hundred_and_changes_with_their_sign() -> None:
    assert (_percent(0.1234), _percent(None)) == ("12.3%", "-")
    assert (_points(-0.05), _points(0.0), _points(None)) == ("-5.0 points", "+0.0 points", "-")
    assert (_figure(0.0), _figure(None)) == ("0", "-")


def test_a_bin_is_a_pair_of_bars_whose_height_is_its_share_of_each_side() -> None:
    bins = [
        {"low": 0.0, "high": 0.5, "films": 3, "reference": 10},
        {"low": 0.5, "high": 1.0, "films": 1, "reference": 10},
    ]
    drawn = histogram({"bins": bins, "films": 4, "reference_films": 20})
    assert drawn["width"] == 2 * BAR_WIDTH + GAP
    bars = [(bar["kind"], bar["x"], bar["y"], bar["height"]) for bar in drawn["bars"]]
    half, step = BAR_WIDTH / 2, BAR_WIDTH + GAP
    assert bars == [
        ("reference", 0, HEIGHT - 48.0, 48.0),
        ("run", half, 0, HEIGHT),
        ("reference", step, HEIGHT - 48.0, 48.0),
        ("run", step + half, HEIGHT - 24.0, 24.0),
    ]
    assert all(bar["width"] == half for bar in drawn["bars"])
    assert drawn["bars"][1]["said"] == "0 to 0.5: 75.0%"


def test_a_side_without_films_has_bars_of_no_height_and_no_bins_have_no_bars() -> None:
    drawn = histogram(
        {"bins": [{"low": 0.0, "high": 1.0, "films": 0, "reference": 0}], "films": 0, "reference_films": 0}
    )
    assert [bar["height"] for bar in drawn["bars"]] == [0.0, 0.0]
    assert histogram({"bins": [], "films": 0, "reference_films": 0}) == {"width": 0, "bars": []}
