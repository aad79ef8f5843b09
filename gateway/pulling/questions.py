"""What is asked of a peer, so that no answer is believed to be complete.

One modality and one day a question. A day that has several studies is asked again in two halves: a peer that gives at
most so many, that loses some or that says that there are more gives other studies then, and the halves are halved, down
to a second. Source of what is asked: DICOM PS3.4, annex C.6.2; PS3.18, chapter 10.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

Named = TypeVar("Named")

DAY_SECONDS = 86_400
LIMIT = 1000
"""Of what one answer may list; one that lists so many is full."""


@dataclass(frozen=True, slots=True)
class StudyNamed:
    """A study that a peer named. day: YYYYMMDD, or ""; stated: its NumberOfStudyRelatedInstances."""

    uid: str
    day: str
    stated: int | None


@dataclass(frozen=True, slots=True)
class SeriesNamed:
    """A series that a peer named. stated: its NumberOfSeriesRelatedInstances."""

    uid: str
    modality: str
    stated: int | None


@dataclass(frozen=True, slots=True)
class InstanceNamed:
    """An instance that a peer named. sop_class: "" where it does not say."""

    uid: str
    sop_class: str


@dataclass(frozen=True, slots=True)
class Listed(Generic[Named]):
    """An answer. is_full: there may be more, by its own word or its size."""

    found: tuple[Named, ...]
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Which studies: of one modality and one day, of seconds first to last of it; or one, by its UID or its number."""

    modality: str | None = None
    day: date | None = None
    first: int = 0
    last: int = DAY_SECONDS - 1
    study_uid: str | None = None
    accession: str | None = None

    @property
    def is_whole_day(self) -> bool:
        """Return whether no time is asked for."""
        return (self.first, self.last) == (0, DAY_SECONDS - 1)

    def halves(self) -> tuple[Question, Question]:
        """Return the two halves of its time."""
        middle = (self.first + self.last) // 2
        return replace(self, last=middle), replace(self, first=middle + 1)


class Asker(Protocol):
    """Asks one peer. Raises PeerAway, UsageError or AskedToStop; what is too much for the peer is an answer, full."""

    def studies(self, question: Question) -> Listed[StudyNamed]:
        """Return the studies that the peer names."""

    def series(self, study_uid: str) -> Listed[SeriesNamed]:
        """Return the series of a study."""

    def instances(self, study_uid: str, series_uid: str) -> Listed[InstanceNamed]:
        """Return the instances of a series."""


@dataclass(slots=True)
class Studies:
    """Studies by their UIDs. is_sure: nothing speaks for it that there are more."""

    found: dict[str, StudyNamed] = field(default_factory=dict)
    is_sure: bool = True

    def add(self, listed: Listed[StudyNamed]) -> None:
        """Add what an answer listed."""
        self.found |= {study.uid: study for study in listed.found}


def days(first: date, last: date) -> Iterator[date]:
    """Yield each day from `first` to `last`."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def studies_of(ask: Callable[[Question], Listed[StudyNamed]], question: Question) -> Studies:
    """Return the studies of a question, asked in parts until they agree."""
    answer, all_found = ask(question), Studies()
    all_found.add(answer)
    if question.day is None:
        all_found.is_sure = not answer.is_full
    elif answer.is_full or len(answer.found) > 1:
        _check_halves(ask, question, answer, all_found)
    return all_found


def _check_halves(
    ask: Callable[[Question], Listed[StudyNamed]], question: Question, whole: Listed[StudyNamed], all_found: Studies
) -> None:
    """Ask for the halves, and for theirs where they do not show that the whole was complete."""
    if question.first == question.last:
        all_found.is_sure &= not whole.is_full
        return
    halves = question.halves()
    answers = [ask(half) for half in halves]
    for answer in answers:
        all_found.add(answer)
    early, late = (_by_uid(answer) for answer in answers)
    if early.keys() & late.keys():  # it does not go by the time: to ask for less of it tells nothing
        all_found.is_sure &= not (whole.is_full or any(answer.is_full for answer in answers))
        all_found.is_sure &= (early.keys() | late.keys()) <= _by_uid(whole).keys()
        return
    # Whoever gives at most so many gave at least as many for the whole as for a half that is cut.
    known, most = _by_uid(whole).keys(), len(whole.found)
    agrees = not whole.is_full and (early.keys() | late.keys()) <= known
    for half, answer in zip(halves, answers, strict=True):
        is_doubtful = answer.is_full or (len(answer.found) > 1 and not (agrees and len(answer.found) < most))
        if is_doubtful:
            _check_halves(ask, half, answer, all_found)
    if not agrees and known - (early.keys() | late.keys()):
        all_found.is_sure = False  # some have no time by which they could be parted, and there may be more of them


def _by_uid(listed: Listed[StudyNamed]) -> Mapping[str, StudyNamed]:
    return {study.uid: study for study in listed.found}
