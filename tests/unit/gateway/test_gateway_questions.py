"""Questions to a peer that caps or loses: all studies are found, or it is said that there may be more."""

from __future__ import annotations

import random
from datetime import date

import pytest

from gateway.pulling.questions import DAY_SECONDS, Listed, Question, Studies, StudyNamed, studies_of

DAY = date(2026, 3, 1)


class Peer:
    """Has studies at seconds of a day (None: without a time). cap: of one answer; says: whether it tells of the cap."""

    def __init__(self, seconds: list[int | None], cap: int, *, says: bool = False, by_time: bool = True) -> None:
        self.seconds, self.cap, self.says, self.by_time, self.asked = seconds, cap, says, by_time, 0

    def __call__(self, question: Question) -> Listed[StudyNamed]:
        self.asked += 1
        found = [
            StudyNamed(f"1.{number}", "20260301", 1)
            for number, second in enumerate(self.seconds)
            if question.is_whole_day
            or not self.by_time
            or (second is not None and question.first <= second <= question.last)
        ]
        return Listed(tuple(found[: self.cap]), self.says and len(found) > self.cap)

    def ask(self) -> Studies:
        return studies_of(self, Question("DX", DAY))


@pytest.mark.parametrize("says", [False, True])
@pytest.mark.parametrize("cap", [2, 3, 10, 100])
@pytest.mark.parametrize("within", [300, DAY_SECONDS])
def test_a_cap_hides_nothing(cap: int, within: int, says: bool) -> None:
    drawn = random.Random(cap * within)  # noqa: S311 - the same studies each time
    for count in (0, 1, 2, cap, cap + 1, 3 * cap, 150):
        seconds: list[int | None] = list(drawn.sample(range(within), count))
        answer = Peer(seconds, cap, says=says).ask()
        assert (len(answer.found), answer.is_sure) == (count, True)


def test_an_honest_peer_is_asked_little() -> None:
    peer = Peer([number * 300 for number in range(250)], 1000)
    assert (len(peer.ask().found), peer.asked) == (250, 3)


def test_studies_of_one_second_beyond_a_cap_are_said_to_be_more() -> None:
    answer = Peer([7] * 20, 10, says=True).ask()
    assert (len(answer.found), answer.is_sure) == (10, False)


def test_studies_without_a_time_are_found_and_beyond_a_cap_said_to_be_more() -> None:
    seconds = [None, None, 5, 50_000]
    assert (len(Peer(seconds, 10).ask().found), Peer(seconds, 10).ask().is_sure) == (4, True)
    assert not Peer([*seconds, None, None], 3, says=True).ask().is_sure
    assert not Peer([*seconds, 60_000, 70_000], 3).ask().is_sure


def test_a_peer_that_does_not_go_by_the_time_is_not_asked_for_ever() -> None:
    peer = Peer(list(range(40)), 1000, by_time=False)
    assert (len(peer.ask().found), peer.ask().is_sure, peer.asked) == (40, True, 6)
    capped = Peer(list(range(40)), 20, says=True, by_time=False)
    assert (capped.ask().is_sure, capped.asked) == (False, 3)
