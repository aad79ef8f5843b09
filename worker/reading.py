"""From files to outcomes: read, hash, look up, decode, preprocess, gate, classify.

Threads read ahead while this process decodes, so that a slow disk is hidden; each file is opened once. Bytes
that the model has read already, under whatever name, are linked to that reading and not decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from schemas.errors import Rejected
from schemas.films import FilmHeader
from schemas.predictions import Prediction
from schemas.states import ItemState, Reason
from wetread.imaging.decode import decode
from wetread.imaging.dicom_file import is_dicom
from wetread.imaging.exposure import exposures
from wetread.imaging.files import FileBytes, read_steady
from wetread.imaging.film_header import film_header
from wetread.models.decision import decide
from wetread.models.gate import Gate
from wetread.patient_key import patient_key
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.leases import Claim, ClaimedItem
from wetread.store.settling import LinkedReading, Outcome, known_readings
from worker.failpoints import reach
from worker.models import LoadedModel
from worker.read_ahead import ReadAhead, ReadItem
from worker.stages import CLAHE, DECODE, FILES, GATE, HASH, LOOKUP, NETWORK, READ, REDUCE, RESIZE, Stages


@dataclass(frozen=True, slots=True)
class _Decoded:
    """An image that waits for the network: its bytes are gone, its input is `pixels`, (height, width, 1)."""

    item: ClaimedItem
    sha256: str
    size: int
    mtime_ns: int
    header: FilmHeader | None
    pixels: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads images of one claimed batch with one loaded model.

    files: the threads that read ahead. stages: told what each step took.
    progress: called after each image, so that the lease is kept only while something moves.
    """

    database: Database
    settings: Settings
    model: LoadedModel
    held: Claim
    files: ReadAhead
    stages: Stages
    progress: Callable[[], None]

    def outcomes(self, items: Sequence[ClaimedItem]) -> list[Outcome]:
        """Return what became of each of `items`, in their order.

        Raises RootUnavailable when an archive's root is gone: no image is to be blamed for that.
        """
        settled: dict[int, Outcome] = {}
        waiting: list[_Decoded] = []
        chunks = self.files.chunks(items, self._read)
        while True:
            with self.stages.timed(FILES):
                chunk = next(chunks, None)
            if chunk is None:
                break
            for outcome in self._prepare(chunk, waiting):
                settled[outcome.image_id] = outcome
        reach("read")
        for outcome in self._classify(waiting):
            settled[outcome.image_id] = outcome
        reach("classified")
        return [settled[item.image_id] for item in items]

    def _read(self, item: ClaimedItem) -> FileBytes:
        root = self.settings.local_root(item.root)
        with self.stages.timed(READ):
            file = read_steady(root, item.path, byte_limit=self.settings.file_bytes)
        with self.stages.timed(HASH):
            return file.hashed()

    def _known(self, chunk: Sequence[ReadItem]) -> dict[str, LinkedReading]:
        """Return the readings that this model has of these bytes already."""
        hashes = [read.file.sha256 for read in chunk if isinstance(read.file, FileBytes)]
        if not hashes:
            return {}
        with self.stages.timed(LOOKUP), self.database.reading() as session:
            of_run = self.held.run_id if self.held.force else None
            return known_readings(session, hashes, self.held.model_digest, of_run=of_run)

    def _prepare(self, chunk: Sequence[ReadItem], waiting: list[_Decoded]) -> Iterator[Outcome]:
        """Yield the outcomes that need no network; append the rest to `waiting`, as network input."""
        known = self._known(chunk)
        for item, file in ((read.item, read.file) for read in chunk):
            self.progress()
            if isinstance(file, Rejected):
                yield _rejected(item, file, None)
                continue
            header = self._header(file.data)
            if file.sha256 in known:
                yield _done(item, file, header, linked=known[file.sha256])
            else:
                try:
                    reach("decode", file.sha256)
                    pixels = self._input(file.data)
                except Rejected as fault:
                    yield _rejected(item, fault, file, header)
                else:
                    waiting.append(_Decoded(item, file.sha256, file.size, file.mtime_ns, header, pixels))

    def _input(self, data: bytes) -> npt.NDArray[np.float32]:
        """Return the network's input, (height, width, 1), of a file's bytes; raise Rejected."""
        preprocess, timed = self.model.classifier.preprocess, self.stages.timed
        with timed(DECODE):
            pixels = decode(data).pixels
        with timed(REDUCE):
            original = preprocess.original(pixels)
        with timed(CLAHE):
            equalised = preprocess.equalised(original)
        with timed(RESIZE):
            return preprocess.finished(equalised)

    def _header(self, data: bytes) -> FilmHeader | None:
        """Return what is kept of the header; the key is asked for, and made, only where there is a DICOM film."""
        return film_header(data, patient_key(self.settings)) if is_dicom(data) else None

    def _classify(self, waiting: Sequence[_Decoded]) -> Iterator[Outcome]:
        if not waiting:
            return
        classifier, gate = self.model.classifier, self.model.gate
        images, scores = np.stack([decoded.pixels for decoded in waiting]), None
        if gate is not None:
            with self.stages.timed(GATE):
                scores = gate.score(images)
            passed = scores <= gate.threshold
            for decoded, score, film in zip(waiting, scores, passed, strict=True):
                if not film:
                    yield _no_film(decoded, score, gate)
            images, scores = images[passed], scores[passed]
            waiting = [decoded for decoded, film in zip(waiting, passed, strict=True) if film]
            if not waiting:
                return
        with self.stages.timed(NETWORK):
            readout = classifier.read(images)
            self.progress()
            predictions = decide(
                readout.logits,
                self.model.decision,
                labels=classifier.labels,
                sha256s=[decoded.sha256 for decoded in waiting],
                engine=classifier.engine,
                gate_scores=None if scores is None else scores.tolist(),
            )
            looks = exposures(images, classifier.preprocess)
        for decoded, prediction, (mean, deviation) in zip(waiting, predictions, looks, strict=True):
            looked = replace(prediction, grey_mean=mean, grey_deviation=deviation)
            yield _done(decoded.item, decoded, decoded.header, prediction=looked)


def _rejected(
    item: ClaimedItem, fault: Rejected, file: FileBytes | _Decoded | None, header: FilmHeader | None = None
) -> Outcome:
    return Outcome(
        item.image_id,
        ItemState.REJECTED,
        reason=fault.reason,
        detail=fault.detail,
        sha256=None if file is None else file.sha256,
        size=None if file is None else file.size,
        mtime_ns=None if file is None else file.mtime_ns,
        header=header,
    )


def _no_film(decoded: _Decoded, score: float, gate: Gate) -> Outcome:
    detail = f"not laid out as a frontal chest film: gate score {score:.2f}, films have at most {gate.threshold:.2f}"
    return _rejected(decoded.item, Rejected(Reason.NOT_A_FILM, detail), decoded, decoded.header)


def _done(
    item: ClaimedItem,
    file: FileBytes | _Decoded,
    header: FilmHeader | None,
    prediction: Prediction | None = None,
    linked: LinkedReading | None = None,
) -> Outcome:
    return Outcome(
        item.image_id,
        ItemState.DONE,
        sha256=file.sha256,
        size=file.size,
        mtime_ns=file.mtime_ns,
        prediction=prediction,
        linked=linked,
        header=header,
    )
