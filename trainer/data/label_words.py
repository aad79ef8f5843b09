"""Maps the words that data has for labels to the labels that a model learns.

NIH's tables write several findings into one cell, `Effusion|Infiltration`. A film has one label here, so such a cell
is a label only once its words have been mapped to one, or the film is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.errors import UsageError

SEPARATOR = "|"
"""Between the findings in one cell."""

EVERY_OTHER = "*"
"""Stands for every word that is not named."""


@dataclass(frozen=True, slots=True)
class LabelWords:
    """mapped: word -> label. dropped: words whose films are left out. Either may have `*`, for every other word."""

    mapped: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dropped: frozenset[str] = frozenset()

    def label_of(self, cell: str) -> str | None:
        """Return the label that a cell of the label's column means; None where its film is left out.

        A cell that is named as a whole means what is said of it; else each of its words does, and they must agree.
        Raises ValueError, with a sentence, where they do not.
        """
        if cell in self.dropped:
            return None
        if cell in self.mapped:
            return self.mapped[cell]
        words = [word.strip() for word in cell.split(SEPARATOR)]
        labels = list(dict.fromkeys(self._label_of_word(word) for word in words))
        if None in labels:
            return None
        if len(labels) > 1:
            raise ValueError(
                f"has several labels, {cell!r}: say which one with --map {cell!r}=LABEL, or leave such films out with "
                f"--drop {cell!r}"
            )
        return labels[0]

    def _label_of_word(self, word: str) -> str | None:
        if word in self.dropped:
            return None
        if word in self.mapped:
            return self.mapped[word]
        if EVERY_OTHER in self.dropped:
            return None
        return self.mapped.get(EVERY_OTHER, word)


def label_words(mapped: Sequence[str], dropped: Sequence[str]) -> LabelWords:
    """Return the words of --map OLD=NEW and --drop LABEL; raise UsageError where one cannot be meant."""
    pairs: dict[str, str] = {}
    for text in mapped:
        old, equals, new = text.rpartition("=")
        if not equals or not new.strip():
            raise UsageError(f"expected --map OLD=NEW, such as 'No Finding=normal', found {text!r}")
        if pairs.setdefault(old.strip(), new.strip()) != new.strip():
            raise UsageError(
                f"expected one label for {old.strip()!r}, found {pairs[old.strip()]!r} and {new.strip()!r}"
            )
    left_out = frozenset(word.strip() for word in dropped)
    if twice := sorted(left_out & pairs.keys()):
        raise UsageError(f"expected {twice[0]!r} either mapped or dropped, found both")
    return LabelWords(MappingProxyType(pairs), left_out)
