"""Pools of one process share its cores: never more worker processes in all, and an even part for each."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from worker.cores import Cores


def test_a_pool_alone_has_them_all_and_gives_way_when_another_comes() -> None:
    cores = Cores(4)
    with cores.share() as first:
        assert first.room(0) == 4
        with cores.share() as second:
            assert second.room(0) == 0, "the first one's processes still live"
            assert first.room(4) == 2
            assert second.room(0) == 0
            assert first.room(3) == 2
            assert second.room(0) == 1
            assert first.room(2) == 2
            assert second.room(1) == 2
        assert first.room(2) == 4


def test_where_there_are_more_pools_than_cores_the_last_waits_for_one_to_end() -> None:
    cores = Cores(1)
    with ExitStack() as first_night:
        first = first_night.enter_context(cores.share())
        assert first.room(0) == 1
        with cores.share() as second:
            assert (second.room(0), first.room(1)) == (0, 1)
            first_night.close()
            assert second.room(0) == 1


@given(st.integers(1, 6), st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_never_more_live_than_there_are_cores(total: int, looks: list[tuple[int, bool]]) -> None:
    cores, living = Cores(total), [0] * 4
    with ExitStack() as nights:
        shares = [nights.enter_context(cores.share()) for _ in living]
        for one, ended in looks:
            if ended:
                living[one] = max(0, living[one] - 1)
            living[one] = max(living[one], shares[one].room(living[one]))
            assert sum(living) <= total
