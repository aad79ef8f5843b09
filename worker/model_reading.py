"""Reads a claimed batch's films with one model: links, rejections, gate and network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from schemas.errors import EngineFault, Rejected
from schemas.films import FilmHeader
from schemas.predictions import Prediction
from schemas.reasons import Reason
from schemas.states import ItemState
from wetread.imaging.exposure import exposures
from wetread.imaging.files import FileBytes
from wetread.models.decision import decide
from wetread.models.gate import Gate
from wetread.store.work.leases import Claim, ClaimedItem
from wetread.store.work.outcomes import LinkedReading, Outcome
from worker.engine_faults import read_in_pieces, usable_answers
from worker.models import LoadedModel
from worker.stages import GATE, NETWORK, Stages


@dataclass(frozen=True, slots=True)
class Waiting:
    """An image that waits for the network: its bytes are gone, its input is `pixels`, (height, width, 1).

    shown: the digest of what it shows; None where it is no DICOM film.
    """

    item: ClaimedItem
    sha256: str
    size: int
    mtime_ns: int
    header: FilmHeader | None
    pixels: npt.NDArray[np.float32]
    shown: str | None = None


@dataclass(slots=True)
class ModelReading:
    """The part of a claimed batch's reading that is one model's own.

    settled: by image. fault: why its engine could not read them; nothing is settled then.
    """

    held: Claim
    model: LoadedModel
    items: Sequence[ClaimedItem]
    settled: dict[int, Outcome] = field(default_factory=dict)
    fault: EngineFault | None = None
    _wanted: frozenset[int] = frozenset()
    _waiting: list[Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wanted = frozenset(item.image_id for item in self.items)

    @property
    def outcomes(self) -> list[Outcome]:
        """Return what became of each of `items`, in their order, when all is done."""
        return [self.settled[item.image_id] for item in self.items]

    def wants(self, item: ClaimedItem) -> bool:
        """Return whether the image is one of `items`."""
        return item.image_id in self._wanted

    def reject(
        self, item: ClaimedItem, fault: Rejected, file: FileBytes | Waiting | None, header: FilmHeader | None = None
    ) -> None:
        """Settle an image that cannot be read, or is no film."""
        self.settled[item.image_id] = Outcome(
            item.image_id,
            ItemState.REJECTED,
            reason=fault.reason,
            detail=fault.detail,
            word=fault.word,
            sha256=None if file is None else file.sha256,
            size=None if file is None else file.size,
            mtime_ns=None if file is None else file.mtime_ns,
            header=header,
        )

    @property
    def shown(self) -> list[str]:
        """Return the digests of what the images show that wait for `classify`."""
        return [one.shown for one in self._waiting if one.shown is not None]

    def link(self, item: ClaimedItem, file: FileBytes, header: FilmHeader | None, known: LinkedReading) -> None:
        """Settle an image whose bytes this model has read before."""
        self._done(item, file, header, linked=known)

    def link_shown(self, known: Mapping[str, LinkedReading]) -> None:
        """Settle what waits and shows what this model has read before. known: by the digest of what is shown."""
        for one in self._waiting:
            if one.shown is not None and one.shown in known:
                self._done(one.item, one, one.header, linked=known[one.shown], shown=one.shown)
        self._waiting = [one for one in self._waiting if one.shown not in known]

    def wait(self, waiting: Waiting) -> None:
        """Keep an image for `classify`."""
        self._waiting.append(waiting)

    def classify(self, progress: Callable[[], None], stages: Stages) -> None:
        """Settle what waits: the gate, the network and the decision, as one array.

        Raises EngineFault where the network's engine does not read it, not even image by image, or answers what cannot
        be used, such as a probability of 1.05.
        """
        waiting = self._waiting
        if not waiting:
            return
        classifier, gate = self.model.classifier, self.model.gate
        images, scores = np.stack([one.pixels for one in waiting]), None
        if gate is not None:
            with stages.timed(GATE):
                scores = gate.score(images)
            passed = scores <= gate.threshold
            for one, score, film in zip(waiting, scores, passed, strict=True):
                if not film:
                    self.reject(one.item, _no_film(score, gate), one, one.header)
            images, scores = images[passed], scores[passed]
            waiting = [one for one, film in zip(waiting, passed, strict=True) if film]
            if not waiting:
                return
        with stages.timed(NETWORK), usable_answers(classifier):
            readout = read_in_pieces(classifier, images, progress)
            predictions = decide(
                readout.logits,
                self.model.decision,
                labels=classifier.labels,
                sha256s=[one.sha256 for one in waiting],
                engine=classifier.engine,
                gate_scores=None if scores is None else scores.tolist(),
            )
            looks = exposures(images, classifier.preprocess)
        for one, prediction, (mean, deviation) in zip(waiting, predictions, looks, strict=True):
            looked = replace(prediction, grey_mean=mean, grey_deviation=deviation, shown=one.shown)
            self._done(one.item, one, one.header, prediction=looked)

    def _done(
        self,
        item: ClaimedItem,
        file: FileBytes | Waiting,
        header: FilmHeader | None,
        prediction: Prediction | None = None,
        linked: LinkedReading | None = None,
        shown: str | None = None,
    ) -> None:
        self.settled[item.image_id] = Outcome(
            item.image_id,
            ItemState.DONE,
            sha256=file.sha256,
            size=file.size,
            mtime_ns=file.mtime_ns,
            prediction=prediction,
            linked=linked,
            shown=shown,
            header=header,
        )


def _no_film(score: float, gate: Gate) -> Rejected:
    detail = f"not laid out as a frontal chest film: gate score {score:.2f}, films have at most {gate.threshold:.2f}"
    return Rejected(Reason.NOT_A_FILM, detail)
