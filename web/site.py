"""What all pages work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from web.film_reader import FilmReader
from web.request_checks import Doors
from web.run_starts import RunStarts
from web.templates import Templates
from web.throttle import Throttle
from wetread.settings import Settings
from wetread.store.core.database import Database


@dataclass(frozen=True, slots=True)
class Site:
    """One reading room: its database, and what its pages share."""

    settings: Settings
    database: Database
    doors: Doors
    films: FilmReader
    runs: RunStarts
    templates: Templates = field(default_factory=Templates)
    throttle: Throttle = field(default_factory=Throttle)
