"""Which objects are taken, and in which transfer syntax: as they are sent."""

from __future__ import annotations

import pytest

from gateway.receiving.request import REFUSED_ABSTRACT, REFUSED_TRANSFER, Proposed
from gateway.receiving.services import FILMS, VERIFICATION, is_taken, negotiated

CR, CT, SR = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.11"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT, EXPLICIT, BIG, DEFLATED = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
)  # fmt: skip
LOSSLESS, BASELINE, RLE, MPEG = (
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.100",
)  # fmt: skip
J2K, HTJ2K, EXTENDED, NEAR_LOSSLESS = (
    "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
)  # fmt: skip


@pytest.mark.parametrize(
    ("proposed", "taken"),
    [
        ((IMPLICIT, EXPLICIT), EXPLICIT),
        ((IMPLICIT, EXPLICIT, LOSSLESS), LOSSLESS),
        ((BASELINE, LOSSLESS), LOSSLESS),
        ((IMPLICIT, BASELINE), IMPLICIT),
        ((BASELINE, IMPLICIT, EXPLICIT), EXPLICIT),
        ((J2K, EXTENDED, NEAR_LOSSLESS, HTJ2K, BASELINE, DEFLATED), DEFLATED),
        ((BASELINE,), BASELINE),
        ((DEFLATED, BIG), BIG),
        ((DEFLATED, BIG, IMPLICIT), IMPLICIT),
        ((RLE, EXPLICIT), RLE),
        ((DEFLATED,), DEFLATED),
        ((MPEG,), REFUSED_TRANSFER),
    ],
)
def test_nothing_is_lost_that_could_come_whole(proposed: tuple[str, ...], taken: str | int) -> None:
    assert negotiated({1: Proposed(CR, proposed)}, everything=False) == {1: taken}


def test_films_and_echoes_are_taken_and_the_rest_where_it_is_asked_for() -> None:
    contexts = {1: Proposed(CR, (EXPLICIT,)), 3: Proposed(CT, (MPEG,)), 5: Proposed(FIND, (EXPLICIT,))}
    assert negotiated(contexts, everything=False) == {1: EXPLICIT, 3: REFUSED_ABSTRACT, 5: REFUSED_ABSTRACT}
    assert negotiated(contexts, everything=True) == {1: EXPLICIT, 3: MPEG, 5: REFUSED_ABSTRACT}
    assert negotiated({1: Proposed(VERIFICATION, (IMPLICIT,))}, everything=False) == {1: IMPLICIT}


def test_the_classes_of_films() -> None:
    assert all(is_taken(film, everything=False) for film in FILMS)
    assert not is_taken(SR, everything=False)
    assert is_taken(SR, everything=True)
    assert is_taken("1.3.46.670589.2.4.1", everything=True)
