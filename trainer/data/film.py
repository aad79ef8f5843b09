"""One labelled film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from trainer.data.side import Side
from wetread.path_text import path_text


@dataclass(frozen=True, slots=True)
class Film:
    """One labelled image.

    path: relative to the data set's root, as bytes.
    patient_id: as the data gives it.
    attributes: the manifest's other columns, such as source, view and sex; empty cells are left out.
    person_id: whose films are known to be the same person's under another id too (`trainer.audit.people`); else empty.
    side: of a split, where the data's own folders say it; else None.
    mask: of its lungs, where the manifest names one: a picture, relative to the root; else None.
    """

    path: bytes
    label: str
    patient_id: str
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    person_id: str = ""
    side: Side | None = None
    mask: bytes | None = None

    @property
    def name(self) -> str:
        """The path as text for people; bytes that are not UTF-8 are percent-escaped."""
        return path_text(self.path)

    @property
    def person(self) -> str:
        """Whom it shows: the patient id, or what several ids of one person have in common."""
        return self.person_id or self.patient_id

    @property
    def source(self) -> str:
        """Where the film comes from; empty when the manifest does not say."""
        return self.attributes.get("source", "")
