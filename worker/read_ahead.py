"""Reads files ahead in threads, within bounds of memory, so that a slow disk is hidden."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import chain, repeat

from schemas.errors import Rejected, RootSilent
from wetread.imaging.files import FileBytes
from wetread.store.work.leases import ClaimedItem
from worker.read_threads import ReadThreads

READ_THREADS = 16
"""Files that are opened at once. A film behind four directories of a file server that takes 20 ms for each open takes
0.1 s; a process that decodes 60 films a second needs 6 on their way, and a slower server more."""

FILES_AHEAD = 32
"""Files in memory at once, at most."""

FILES_TOGETHER = (1, 4, 16)
"""Files handed over together, at first, next, and from then on: they are looked up in one query, 6 for a batch of 64,
and the first is worked on as soon as it is there."""

BYTES_AHEAD = 256 * 1024 * 1024
"""Bytes in memory at once, at most, as far as the largest file so far tells; one file is always read."""

LOOK_SECONDS = 0.25
"""Seconds between two looks whether the file server still answers."""

File = FileBytes | Rejected

Upcoming = Callable[[], Sequence[ClaimedItem]]
"""Tells which images may be asked for next."""


def no_more() -> Sequence[ClaimedItem]:
    """Tell that it is not known what is asked for next."""
    return ()


@dataclass(frozen=True, slots=True)
class ReadItem:
    """An image's bytes, or why there are none."""

    item: ClaimedItem
    file: File


class ReadAhead:
    """Reading threads of one process; they live as long as it does.

    patience: seconds without one byte after which a file server counts as silent.
    """

    def __init__(self, patience: float = 30.0) -> None:
        self.patience = patience
        self._threads = ReadThreads(READ_THREADS)
        self._early: dict[int, Future[FileBytes]] = {}

    def chunks(
        self, items: Sequence[ClaimedItem], read: Callable[[ClaimedItem], FileBytes], upcoming: Upcoming = no_more
    ) -> Iterator[list[ReadItem]]:
        """Yield `items` in order with what `read` returned or rejected, some together.

        The next files are read while the caller works. Raises what `read` raises, but Rejected, and RootSilent where
        a file server does not answer; what hangs is left behind then, and the next call begins with new threads.
        upcoming: asked before the last are yielded; the first of what it tells are read meanwhile too, and are there
        when the next call wants them. What that does not want is dropped.
        """
        self._drop_early(but=items)
        left, reading = deque(items), deque[tuple[ClaimedItem, Future[FileBytes]]]()
        # Where the first are here already, none has to be begun with while the others come.
        together = repeat(FILES_TOGETHER[-1]) if self._early else chain(FILES_TOGETHER, repeat(FILES_TOGETHER[-1]))
        largest = 1
        try:
            while left or reading:
                self._begin(left, reading, read, _room(largest, 0))
                chunk = [self._result(*reading.popleft()) for _ in range(min(next(together), len(reading)))]
                largest = max(largest, *(len(got.file.data) for got in chunk if isinstance(got.file, FileBytes)), 1)
                room = _room(largest, len(chunk))
                self._begin(left, reading, read, room)
                if not left and not reading:
                    self._begin_early(upcoming()[: min(room, FILES_TOGETHER[-1])], read)
                yield chunk
                chunk.clear()  # so that the caller's loop is the last to hold its bytes
        finally:
            for _, future in reading:
                future.cancel()

    def _begin(
        self,
        left: deque[ClaimedItem],
        reading: deque[tuple[ClaimedItem, Future[FileBytes]]],
        read: Callable[[ClaimedItem], FileBytes],
        room: int,
    ) -> None:
        while left and len(reading) < room:
            item = left.popleft()
            early = self._early.pop(item.image_id, None)
            reading.append((item, early or self._threads.submit(read, item)))

    def forget(self) -> None:
        """Drop what was read early: it will not be asked for soon, and would stay in memory."""
        self._drop_early(but=())

    def _begin_early(self, items: Sequence[ClaimedItem], read: Callable[[ClaimedItem], FileBytes]) -> None:
        self._early = {item.image_id: self._threads.submit(read, item) for item in items}

    def _drop_early(self, but: Sequence[ClaimedItem]) -> None:
        """Forget what was read early for nothing, or in vain: that is tried again when it is asked for."""
        wanted = {item.image_id for item in but}
        for image_id, future in list(self._early.items()):
            failed = future.done() and not future.cancelled() and future.exception() is not None
            if image_id not in wanted or failed:
                future.cancel()
                self._early.pop(image_id, None)  # both of a process's threads drop them

    def _result(self, item: ClaimedItem, future: Future[FileBytes]) -> ReadItem:
        look = min(LOOK_SECONDS, self.patience / 4)
        while not future.done() and not wait([future], timeout=look).done:
            if self._threads.longest_silence() > self.patience:
                self._leave_behind()
                raise RootSilent(
                    f"expected the archive's file server to answer within {self.patience:g} s, found that it does not: "
                    "no byte came of a file that was being read. See to the server and its mount, then run the same "
                    "command: it goes on, and no film is blamed"
                )
        try:
            return ReadItem(item, future.result())
        except Rejected as fault:
            return ReadItem(item, fault)

    def _leave_behind(self) -> None:
        """Begin anew with other threads: those that hang in the system end when it lets them go."""
        self._threads.abandon()
        self._threads = ReadThreads(READ_THREADS)
        self._early = {}


def _room(largest: int, held: int) -> int:
    """Return how many files may be on their way when `held` are in the caller's hands; one at least."""
    return max(1, min(FILES_AHEAD, BYTES_AHEAD // largest) - held)
