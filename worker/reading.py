"""Turns files into outcomes: read, hash, look up, decode, preprocess, gate, classify.

Threads read ahead while this process decodes, so that a slow disk is hidden; each file is opened once. Bytes
that the model has read already, under whatever name, are linked to that reading and not decoded. A DICOM film whose
picture it has read in a file of other bytes is linked too, once it is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.errors import EngineFault, Rejected
from schemas.films import Accepted, DisplayNote, FilmHeader
from wetread.imaging.decode import Grey, decode
from wetread.imaging.dicom.file import is_dicom
from wetread.imaging.dicom.kept_header import film_header
from wetread.imaging.files import FileBytes, read_steady
from wetread.imaging.header import Enough
from wetread.imaging.picture import picture_digest
from wetread.imaging.preprocess import Preprocess
from wetread.patient_key import patient_key
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.work.known_readings import known_pictures, known_readings
from wetread.store.work.leases import Claim, ClaimedItem
from wetread.store.work.outcomes import LinkedReading, Outcome
from worker.failpoints import reach
from worker.model_reading import ModelReading, Waiting
from worker.models import LoadedModel
from worker.read_ahead import ReadAhead, ReadItem, Upcoming, no_more
from worker.read_threads import alive
from worker.stages import CLAIM, DECODE, FILES, HASH, LOOKUP, READ, Stages


class NetworkInput(NamedTuple):
    """What a network reads of a film. levels: (height, width, 1). shown: as `picture_digest`; None where not DICOM."""

    levels: npt.NDArray[np.float32]
    shown: str | None


class FileInHand:
    """The bytes of one file: decoded once for each size that is enough, and preprocessed for each record."""

    def __init__(self, file: FileBytes, stages: Stages, accepted: Accepted) -> None:
        self._file = file
        self._accepted = accepted
        self._notes: tuple[DisplayNote, ...] | None = None
        self._timed = stages.timed
        self._pixels: dict[Enough, Grey | Rejected] = {}
        self._inputs: dict[Preprocess, NetworkInput] = {}

    def input(self, preprocess: Preprocess) -> NetworkInput:
        """Return a network's input, and the digest of what it shows; raise Rejected where there is none."""
        if preprocess not in self._inputs:
            self._inputs[preprocess] = self._preprocessed(preprocess)
        return self._inputs[preprocess]

    def noted(self, header: FilmHeader | None) -> FilmHeader | None:
        """Return the header with what of the film's display was set right, if it has been decoded and there is one."""
        if self._notes is None or (header is None and not self._notes):
            return header
        return replace(header or FilmHeader(), display_note=",".join(self._notes))

    def _preprocessed(self, preprocess: Preprocess) -> NetworkInput:
        grey = self._decoded(preprocess.enough)
        first, *rest = preprocess.named_steps()
        with self._timed(first.stage):
            picture: npt.NDArray[Any] = first.take(grey.pixels)
            # Others than DICOM come by one way, as one file, and are known again by their bytes.
            shown = picture_digest(grey.pixels, picture, grey.display) if grey.display else None
        for step in rest:
            with self._timed(step.stage):
                picture = step.take(picture)
        return NetworkInput(picture, shown)

    def _decoded(self, enough: Enough) -> Grey:
        if enough not in self._pixels:
            reach("decode", self._file.sha256)
            try:
                with self._timed(DECODE):
                    grey = decode(self._file.data, enough, *([self._accepted] if self._accepted else []))
                self._pixels[enough], self._notes = grey, grey.notes
            except Rejected as fault:
                self._pixels[enough] = fault
        found = self._pixels[enough]
        if isinstance(found, Rejected):
            raise found
        return found


def prepare(
    reading: ModelReading, item: ClaimedItem, file: FileBytes, header: FilmHeader | None, film: FileInHand
) -> None:
    """Have a film wait for the reading's network, or settle it as rejected where there is no picture of a film."""
    try:
        made = film.input(reading.model.classifier.preprocess)
    except Rejected as fault:
        reading.reject(item, fault, file, film.noted(header))
    else:
        reading.wait(Waiting(item, file.sha256, file.size, file.mtime_ns, film.noted(header), *made))


@dataclass(frozen=True, slots=True)
class BatchReader:
    """Reads images of one claimed batch with one loaded model, and with others what rides on it.

    files: the threads that read ahead. stages: told what each step took.
    progress: called after each image, so that the lease is kept only while something moves.
    waiting: entered while there is nothing to do but to wait for files.
    opened: told of each file's bytes, just before they are decoded.
    """

    database: Database
    settings: Settings
    model: LoadedModel
    held: Claim
    files: ReadAhead
    stages: Stages
    progress: Callable[[], None]
    riders: Sequence[ModelReading] = ()
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    opened: Callable[[ClaimedItem, FileBytes], None] = lambda _item, _file: None

    def outcomes(self, items: Sequence[ClaimedItem], upcoming: Upcoming = no_more) -> list[Outcome]:
        """Return what became of each of `items`, in their order; the riders have theirs afterwards.

        upcoming: asked for what may be read next, once all of these files are read.
        Raises RootUnavailable when an archive's root is gone or silent, and EngineFault when the model's engine raises:
        no image is to be blamed for that. A rider's engine fault is the rider's alone, and is noted on it.
        """
        mine = ModelReading(self.held, self.model, items)
        readings = (mine, *self.riders)
        every = list({item.image_id: item for reading in readings for item in reading.items}.values())

        def chosen() -> Sequence[ClaimedItem]:
            with self.stages.timed(CLAIM):
                return upcoming()

        chunks = self.files.chunks(every, self._read, chosen)
        while True:
            with self.stages.timed(FILES), self.waiting():
                chunk = next(chunks, None)
            if chunk is None:
                break
            self._prepare(chunk, readings)
        reach("read")
        for reading in readings:
            reading.link_shown(self._known_pictures(reading))
        mine.classify(self.progress, self.stages)
        for rider in self.riders:
            try:
                rider.classify(self.progress, self.stages)
            except EngineFault as fault:
                rider.fault = fault
        reach("classified")
        return mine.outcomes

    def goes_through(self, item: ClaimedItem) -> bool:
        """Read a film to its end and forget what it gave; return False where it cannot be read as one."""
        with self.waiting():
            (file,) = (read.file for chunk in self.files.chunks([item], self._read) for read in chunk)
        return isinstance(file, FileBytes) and self.reads(item, file)

    def reads(self, item: ClaimedItem, file: FileBytes) -> bool:
        """Decode, preprocess and classify a file's bytes, and forget what that gave; False where they are no film's."""
        reading = ModelReading(self.held, self.model, [item])
        try:
            made = FileInHand(file, self.stages, self.held.accepted).input(self.model.classifier.preprocess)
        except Rejected:
            return False
        reading.wait(Waiting(item, file.sha256, file.size, file.mtime_ns, None, made.levels))
        reading.classify(self.progress, self.stages)
        return True

    def _read(self, item: ClaimedItem) -> FileBytes:
        root = self.settings.local_root(item.root)
        with self.stages.timed(READ):
            reach("file")
            file = read_steady(root, item.path, byte_limit=self.settings.file_bytes, moved=alive)
        with self.stages.timed(HASH):
            return file.hashed()

    def _known(self, held: Claim, chunk: Sequence[ReadItem]) -> dict[str, LinkedReading]:
        """Return the readings that a batch's model has of these bytes already."""
        hashes = [read.file.sha256 for read in chunk if isinstance(read.file, FileBytes)]
        if not hashes:
            return {}
        with self.stages.timed(LOOKUP), self.database.reading() as session:
            return known_readings(session, hashes, held.model_digest, of_run=held.run_id if held.force else None)

    def _known_pictures(self, reading: ModelReading) -> dict[str, LinkedReading]:
        """Return the readings that a batch's model has of what these files show, under other bytes."""
        if not (shown := reading.shown):
            return {}
        held = reading.held
        with self.stages.timed(LOOKUP), self.database.reading() as session:
            return known_pictures(session, shown, held.model_digest, of_run=held.run_id if held.force else None)

    def _prepare(self, chunk: Sequence[ReadItem], readings: Sequence[ModelReading]) -> None:
        """Settle what needs no network; what does waits for it, as network input."""
        known = [self._known(reading.held, chunk) for reading in readings]
        for item, file in ((read.item, read.file) for read in chunk):
            self.progress()
            mine = [(reading, ours) for reading, ours in zip(readings, known, strict=True) if reading.wants(item)]
            if isinstance(file, Rejected):
                for reading, _ in mine:
                    reading.reject(item, file, None)
                continue
            self.opened(item, file)
            header, film = self._header(file.data), FileInHand(file, self.stages, self.held.accepted)
            for reading, ours in mine:
                if file.sha256 in ours:
                    reading.link(item, file, header, ours[file.sha256])
                    continue
                prepare(reading, item, file, header, film)

    def _header(self, data: bytes) -> FilmHeader | None:
        """Return what is kept of the header; the key is asked for, and made, only where there is a DICOM film."""
        return film_header(data, patient_key(self.settings)) if is_dicom(data) else None
