"""The images of a batch whose worker died, each tried alone: to tell a film's fault from the machine's.

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

from schemas.errors import EngineFault, MachineUnfit, RootUnavailable
from schemas.states import ItemState, Reason
from wetread.imaging.files import FileBytes
from wetread.settings import Settings
from wetread.store.attempts import count_attempt, note_file, take_back_attempt
from wetread.store.controls import read_films, waiting_films
from wetread.store.database import Database
from wetread.store.leases import Claim, ClaimedItem
from wetread.store.settling import Outcome
from worker.drawn_picture import drawn_picture
from worker.keeper import LeaseKeeper
from worker.memory import oom_kills
from worker.reading import Reader

DEATHS_UNTOUCHED = 12
"""Workers that may die in a row with a batch in hand of which they had not touched an image yet: no film's fault."""

OTHERS_TRIED = 8
"""Other films that are looked for one that can be read, before a picture is drawn instead."""


@dataclass(frozen=True, slots=True)
class OneAtATime:
    """Reads the images of one claimed batch one by one. settle: writes what became of one, as soon as it is known."""

    database: Database
    settings: Settings
    held: Claim
    reader: Reader
    keeper: LeaseKeeper
    settle: Callable[[Outcome], None]

    def read(self) -> None:
        """Read them all, those that were tried least first; raise MachineUnfit where workers die of something else.

        Raises RootUnavailable and EngineFault too; the image in hand was not tried then.
        """
        if self.held.untouched >= DEATHS_UNTOUCHED:
            raise MachineUnfit(
                f"expected worker processes that read films, found that {self.held.untouched} in a row died with batch "
                f"{self.held.batch_id} in hand before they had touched one of its films, the last found on "
                f"{socket.gethostname()}: no film is blamed. Look for lack of memory, run `wetread doctor`, then run "
                "the same command: it goes on"
            )
        items = sorted(self.held.items, key=lambda item: (item.attempts, item.image_id))
        self.keeper.progress()
        self._see_another_go_through(items[0])
        for item in items:
            self.keeper.progress(item.image_id)
            self.settle(self._dead(item) if item.attempts >= self.settings.attempts else self._tried(item))

    def _see_another_go_through(self, besides: ClaimedItem) -> None:
        with self.database.reading() as session:
            read, waiting = read_films(session, self.held), waiting_films(session, self.held, besides.image_id)
        others = _shuffled([item for item in read if item.image_id != besides.image_id]) + _shuffled(waiting)
        if not any(self.reader.goes_through(other) for other in others[:OTHERS_TRIED]):
            self.reader.reads(besides, drawn_picture())

    def _tried(self, item: ClaimedItem) -> Outcome:
        with self.database.writing() as session:
            count_attempt(session, self.held, item.image_id, oom_kills())
        progress = partial(self.keeper.progress, item.image_id)
        try:
            return replace(self.reader, progress=progress, opened=self._note).outcomes([item])[0]
        except (RootUnavailable, EngineFault):
            with self.database.writing() as session:
                take_back_attempt(session, self.held, item.image_id)
            raise

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


def _shuffled(items: list[ClaimedItem]) -> list[ClaimedItem]:
    """Return `items` in another order each time: one that is as bad as the film in hand is not met again and again."""
    return random.sample(items, len(items))
