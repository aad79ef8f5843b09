"""Prints the audit's findings on stderr before a long training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import say

if TYPE_CHECKING:
    from cli.training_progress import TrainingProgress
    from trainer.audit.findings import Audit


def warn_of(audit: Audit, progress: TrainingProgress, *, dealt: bool) -> None:
    """Print the findings, and people with several ids. dealt: whether the sides were dealt here, by person."""
    progress.audited()
    for finding in audit.findings:
        say(f"{finding.severity}: {finding.text}")
    say_several_ids(audit.people_with_several_ids, "kept on one side and counted once" if dealt else "counted once")
    if audit.findings:
        say("the data was audited: 'wetread audit' shows each case")


def say_several_ids(people: int, treated: str) -> None:
    """Say how many people have several ids, if any, and how they are treated."""
    if people:
        whom = "1 person has" if people == 1 else f"{people} people have"
        say(f"{whom} several patient ids, by films that are the same: each is {treated}")
