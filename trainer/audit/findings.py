"""What an audit found: in sentences, in cases, and as JSON.

Cases name patients and paths. They are for the data's owner, on stdout; a model's card and provenance
travel, and get the sentences and figures alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trainer.audit.shortcuts import Shortcut


class Severity(StrEnum):
    """UNSAFE: no figure of a model trained and tested on these films can be trusted. WARNING: look at it."""

    UNSAFE = "unsafe"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault. text: a sentence that names no patient. cases: each time it occurs, with names."""

    kind: str
    severity: Severity
    text: str
    cases: tuple[Mapping[str, Any], ...] = ()

    def to_json(self, *, with_cases: bool = True) -> dict[str, Any]:
        """Return the JSON form."""
        body: dict[str, Any] = {"kind": self.kind, "severity": self.severity.value, "text": self.text}
        return body | {"cases": [dict(case) for case in self.cases]} if with_cases else body


@dataclass(frozen=True, slots=True)
class Audit:
    """The findings on a data set, the unsafe ones first, and the figures behind them.

    split_checked: whether the sides of a split were known. not_judged: labels with too few patients for a
    judgement on shortcuts. Kinds of shortcut that are the same for all films have no figure.
    people_with_several_ids: known by films that are one under two patient ids.
    """

    data_digest: str
    films: int
    patients: int
    split_checked: bool
    findings: tuple[Finding, ...]
    shortcuts: tuple[Shortcut, ...]
    not_judged: tuple[str, ...]
    people_with_several_ids: int = 0

    @property
    def unsafe(self) -> bool:
        """Whether one finding is."""
        return any(finding.severity is Severity.UNSAFE for finding in self.findings)

    def to_json(self, *, with_cases: bool = True) -> dict[str, Any]:
        """Return the JSON form; without cases it names no patient and no path."""
        return {
            "unsafe": self.unsafe,
            "findings": [finding.to_json(with_cases=with_cases) for finding in self.findings],
            "shortcuts": _by_kind(self.shortcuts),
            "not_judged": list(self.not_judged),
            "data_digest": self.data_digest,
            "films": self.films,
            "patients": self.patients,
            "people_with_several_ids": self.people_with_several_ids,
            "split_checked": self.split_checked,
        }


def _by_kind(shortcuts: Iterable[Shortcut]) -> dict[str, dict[str, dict[str, float]]]:
    """Return kind -> label -> AUROC with its interval."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for shortcut in shortcuts:
        found.setdefault(shortcut.kind, {})[shortcut.label] = shortcut.auroc.to_json()
    return found
