"""Asks a peer for all that is wanted, and writes it down before anything of it is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from gateway.calling.patience import CallPatience
from gateway.pulling.pull_order import Wanted
from gateway.pulling.questions import Asker, Question, SeriesNamed, Studies, StudyNamed, days, studies_of
from gateway.receiving.services import is_film
from wetread.store.core.database import Database
from wetread.store.received.pulls import NamedInstance, settle_received, whole_studies, write_study

TOGETHER = 20
"""Studies that are written down in one transaction."""


@dataclass(slots=True)
class PullQuestions:
    """Asks for one pull. is_sure: no answer spoke for it that there is more than it listed."""

    database: Database
    asker: Asker
    wanted: Wanted
    pull_id: int
    patience: CallPatience
    is_sure: bool = True
    _known: dict[str, int] = field(default_factory=dict)

    def ask(self, today: date) -> None:
        """Ask, and write down. Raises PeerAway, UsageError, or AskedToStop; what was written stays."""
        with self.database.reading() as session:
            self._known = whole_studies(session, self.pull_id)
        first = self.wanted.first_day(today)
        if first is None:
            self._write(self._found([self._named()]))
        else:
            for day in days(first, self.wanted.last_day(today)):
                self._write(self._found(Question(modality, day) for modality in self.wanted.modalities))
        with self.database.writing() as session:
            settle_received(session, self.pull_id)

    def _named(self) -> Question:
        return Question(study_uid=self.wanted.study_uid, accession=self.wanted.accession)

    def _found(self, questions: Iterable[Question]) -> list[StudyNamed]:
        found: Studies = Studies()
        for question in questions:
            self.patience.check()
            answer = studies_of(self.asker.studies, question)
            found.found |= answer.found
            self.is_sure &= answer.is_sure
        return list(found.found.values())

    def _write(self, studies: list[StudyNamed]) -> None:
        new = [one for one in studies if one.stated is None or self._known.get(one.uid) != one.stated]
        for start in range(0, len(new), TOGETHER):
            held = [(study, *self._held(study)) for study in new[start : start + TOGETHER]]
            with self.database.writing() as session:
                for study, stated, count, named in held:
                    write_study(session, self.pull_id, study.uid, stated, count, named)

    def _held(self, study: StudyNamed) -> tuple[int | None, int, list[NamedInstance]]:
        """Return how many instances the peer says that a study has, how many it named, and those that may be wanted."""
        self.patience.check()
        listed = self.asker.series(study.uid)
        stated = [series.stated for series in listed.found]
        whole = study.stated
        if whole is None and all(one is not None for one in stated):
            whole = sum(one or 0 for one in stated)
        if whole is None or listed.is_full:
            self.is_sure &= not listed.is_full
        count, named = 0, []
        for series in {one.uid: one for one in listed.found}.values():
            if not self._is_wanted(series) and series.stated is not None:
                count += series.stated
                continue
            instances = self.asker.instances(study.uid, series.uid)
            if series.stated is None and study.stated is None:
                self.is_sure &= not instances.is_full
            found = {one.uid: one.sop_class for one in instances.found}
            count += len(found)
            named += [
                NamedInstance(series.uid, uid, sop_class, self._is_wanted(series) and _may_be_film(sop_class))
                for uid, sop_class in found.items()
            ]
        return whole, count, named

    def _is_wanted(self, series: SeriesNamed) -> bool:
        return series.modality.upper() in ("", *self.wanted.modalities)


def _may_be_film(sop_class: str) -> bool:
    return not sop_class or is_film(sop_class)
