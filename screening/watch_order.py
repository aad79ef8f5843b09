"""The settings of a watch: its roots, its model, and how often it looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from producer.linked_roots import allowed_roots, check_not_links_alone
from schemas.films import ACCEPTED, Accepted
from schemas.walk_rules import USUAL_WALK, WalkRules
from screening.shadow import Warn, chosen_models, shadow_for_now
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.roots.adding import resolved_roots, root_ids

LISTENING_WALK_SECONDS = 300.0
"""Seconds between walks while the kernel tells what happens; they find what it did not tell."""

SHARE_WALK_SECONDS = 10.0
"""Seconds between walks of a network share, of which the kernel tells nothing."""


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """What to watch ({id: path}), by which model and shadow (digests, asked anew for each run), and how often.

    settle_seconds, age, walk_seconds: seconds that a file must stay the same, that a batch waits, between walks.
    listens: the kernel is asked for news. rules: how the roots are walked. allowed: where links may lead to beside
    them. accepted: words of DICOM headers that are read although they name something else.
    """

    roots: dict[int, bytes]
    models: Callable[[], tuple[str, str | None]]
    engine: str
    workers: int
    settle_seconds: float
    age: float
    walk_seconds: float
    listens: bool
    rules: WalkRules = USUAL_WALK
    allowed: Mapping[int, bytes] = field(default_factory=dict)
    accepted: Accepted = ACCEPTED

    @property
    def every_root(self) -> dict[int, bytes]:
        """Return {id: path} of the roots, including roots that links may lead to."""
        return {**self.roots, **self.allowed}


@dataclass(frozen=True, slots=True)
class WatchWish:
    """A watch as a person or a program asks for it, by names; `ordered` makes the order of it.

    poll: seconds between walks, instead of listening; None for what suits the directories.
    """

    directories: Sequence[str]
    model: str
    shadow: str | None
    engine: str
    workers: int
    settle_seconds: float
    age: float
    poll: float | None
    rules: WalkRules
    accepted: Accepted

    def ordered(self, database: Database, settings: Settings, warn: Warn) -> WatchOrder:
        """Check models and directories, and return the order; raise UsageError, or what `chosen_models` does."""
        registry = Registry(database, settings.models_directory)
        chosen_models(registry, self.model, self.shadow, self.engine, settings.broker, warn)
        paths = resolved_roots(self.directories)
        check_not_links_alone(paths, self.rules, settings.image_seconds)
        with database.writing() as session:
            roots = dict(zip(root_ids(session, paths, settings.root_map), paths, strict=True))
        with database.writing() as session:
            allowed = allowed_roots(session, self.rules, settings.root_map)
        listens = self.poll is None and is_listening_useful(paths)
        walk_seconds = self.poll or (LISTENING_WALK_SECONDS if listens else SHARE_WALK_SECONDS)

        def models() -> tuple[str, str | None]:
            digest = registry.resolve(self.model).digest
            if self.shadow is None:
                return digest, None
            return digest, shadow_for_now(registry, self.shadow, digest, settings.broker)

        return WatchOrder(
            roots, models, self.engine, self.workers, self.settle_seconds, self.age, walk_seconds, listens, self.rules,
            allowed, self.accepted,
        )  # fmt: skip


def is_listening_useful(paths: Sequence[bytes]) -> bool:
    """Return whether the kernel hears of all that is written there: not on a network's file system."""
    from wetread.network_disk import network_file_system

    return not any(network_file_system(os.path.realpath(path)) for path in paths)
