"""Agreement that fell is an alarm where it fell by more than chance, and where enough was said."""

from __future__ import annotations

import pytest

from wetread.models.agreement import agreement
from wetread.report.reviewing import LEAST_FILMS, ReviewedLately, agreement_alarms


def said(agreed: int, films: int) -> object:
    return agreement({("covid", "covid"): agreed, ("normal", "covid"): films - agreed} if films else {})


@pytest.mark.parametrize(
    ("lately", "before", "fell"),
    [
        ((60, 100), (90, 100), True),
        ((90, 100), (60, 100), False),
        ((88, 100), (90, 100), False),
        ((10, LEAST_FILMS - 1), (100, 100), False),
        ((10, LEAST_FILMS), (100, 100), True),
        ((0, 0), (100, 100), False),
        ((100, 100), (100, 100), False),
    ],
)
def test_a_fall_by_more_than_chance_is_an_alarm(
    lately: tuple[int, int], before: tuple[int, int], fell: bool
) -> None:  # fmt: skip
    found = ReviewedLately("shown", said(*lately), said(*before))  # type: ignore[arg-type]  # agreements, or none
    alarms = agreement_alarms([found])
    assert found.fell is fell and len(alarms) == fell
    if fell:
        assert alarms[0].kind == "agreement" and f"{lately[0] / lately[1]:.0%}" in alarms[0].message
