"""Reads the images of a dead worker's batch one at a time, to tell a bad film from a bad machine.

Before the first of them is touched, another film goes through in the same process, from file to network; before each
other one, the one before it did. So a film is dead only of deaths right before which others were read on the same
machine. Where the other film does not come through either, nobody is blamed, and after some deaths the run is paused.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from schemas.errors import MachineUnfit
from schemas.reasons import Reason
from schemas.states import ItemState
from wetread.imaging.files import FileBytes
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.work.attempts import count_attempt, note_file
from wetread.store.work.control_films import read_films, waiting_films
from wetread.store.work.leases import Claim, ClaimedItem
from wetread.store.work.outcomes import Outcome
from worker.drawn_picture import drawn_picture
from worker.identity import lives_here
from worker.lease_watchdog import LeaseKeeper
from worker.memory import oom_kills
from worker.reading import BatchReader

DEATHS_UNTOUCHED = 30
"""Workers that may die in a row with a run's batches, and no image of it tried alone or settled: no film's fault. A
film costs one before it is tried alone; a worker that is killed at random is followed by others that are not."""

OTHERS_TRIED = 8
"""Other films that are looked for one that can be read, before a picture is drawn instead."""


@dataclass(frozen=True, slots=True)
class OneAtATime:
    """Reads the images of one claimed batch one by one. settle: writes what became of one, as soon as it is known.

    repeated: does a write again whose answer was lost.
    """

    database: Database
    settings: Settings
    held: Claim
    reader: BatchReader
    keeper: LeaseKeeper
    settle: Callable[[Outcome], None]
    repeated: Callable[[Callable[[bool], None]], None]

    def read(self) -> None:
        """Read them all, those that were tried least first.

        Raises RootUnavailable and EngineFault; the image in hand was not tried then.
        """
        items = sorted(self.held.items, key=lambda item: (item.attempts, item.image_id))
        self.keeper.progress()
        self._see_another_go_through(items[0])
        for item in items:
            outcome = self._dead(item) if self._deaths(item) >= self.settings.attempts else self._tried(item)
            self.keeper.rest()
            self.settle(outcome)

    def _deaths(self, item: ClaimedItem) -> int:
        """Return the attempts of an image without those of workers that are seen to live."""
        alive = sum(1 for one in self.held.doubts if one.image_id == item.image_id and lives_here(one.owner))
        return item.attempts - alive

    def _see_another_go_through(self, besides: ClaimedItem) -> None:
        with self.database.reading() as session:
            read, waiting = read_films(session, self.held), waiting_films(session, self.held, besides.image_id)
        others = _shuffled([item for item in read if item.image_id != besides.image_id]) + _shuffled(waiting)
        if not any(self.reader.goes_through(other) for other in others[:OTHERS_TRIED]):
            self.reader.reads(besides, drawn_picture())

    def _tried(self, item: ClaimedItem) -> Outcome:
        """Try an image; where it was not tried after all, its batch is given back, and the attempt is taken back."""

        def write(_again: bool) -> None:
            with self.database.writing() as session:
                count_attempt(session, self.held, item.image_id, oom_kills())

        self.keeper.rest()
        self.repeated(write)
        progress = partial(self.keeper.progress, item.image_id)
        progress()
        return replace(self.reader, progress=progress, opened=self._note).outcomes([item])[0]

    def _note(self, item: ClaimedItem, file: FileBytes) -> None:
        with self.database.writing() as session:
            note_file(session, self.held, item.image_id, file.sha256, file.size, file.mtime_ns)

    def _dead(self, item: ClaimedItem) -> Outcome:
        return Outcome(
            item.image_id,
            ItemState.DEAD,
            reason=item.reason or Reason.CRASHED,
            detail=item.detail or f"its worker process died {item.attempts} times on it alone, while others were read",
            sha256=item.sha256,
            size=item.size,
            mtime_ns=item.mtime_ns,
        )


def see_that_something_is_touched(held: Claim) -> None:
    """Raise MachineUnfit where worker after worker died with the run's batches and no film was as much as tried."""
    if held.untouched >= DEATHS_UNTOUCHED:
        raise MachineUnfit(
            f"expected worker processes that read films, found that {held.untouched} in a row died before they had "
            f"read one, or tried one alone, the last with batch {held.batch_id}; said by {socket.gethostname()}. "
            "No film is blamed. Look for lack of memory, run `wetread doctor`, then run the same command: it goes on"
        )


def _shuffled(items: list[ClaimedItem]) -> list[ClaimedItem]:
    """Return `items` in another order each time: one that is as bad as the film in hand is not met again and again."""
    return random.sample(items, len(items))
