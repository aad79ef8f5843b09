"""A model as the registry lists it."""

from __future__ import annotations

from dataclasses import dataclass

from wetread.store.models.registrations import Registration


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A registered model, its aliases, and its folder on this machine; None where its files are not here."""

    registration: Registration
    aliases: tuple[str, ...]
    directory: str | None
