"""How labelled films are laid out, where it is not wetread's own way."""

from __future__ import annotations

from dataclasses import dataclass, field

from trainer.data.label_words import LabelWords


@dataclass(frozen=True, slots=True)
class DataLayout:
    """What a person says of labelled data.

    manifest: name of the csv file, relative to the data's folder; None for manifest.csv, or folders where it is absent.
    path_column, label_column, patient_column: its columns; None to find them by their usual names.
    words: what the data's words for labels mean.
    patient_pattern: a regular expression with one group, which finds the patient in a path.
    ignore_sides: deal the patients anew, where folders train, val and test would say who learns.
    """

    manifest: str | None = None
    path_column: str | None = None
    label_column: str | None = None
    patient_column: str | None = None
    words: LabelWords = field(default_factory=LabelWords)
    patient_pattern: str | None = None
    ignore_sides: bool = False

    @property
    def names_columns(self) -> bool:
        """Whether it says anything that only a manifest has."""
        return any((self.manifest, self.path_column, self.label_column, self.patient_column))


WETREADS_OWN = DataLayout()
"""A folder per label, or manifest.csv with path, label and patient_id."""
