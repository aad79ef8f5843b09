"""A watch's walks: the files under its roots, a slice at a time, and what they could not look into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from producer.ingest import WalkOrder, walks
from producer.passed_over import PassedOver
from producer.walk import FoundElsewhere
from screening.watch_order import WatchOrder
from screening.watch_runs import WatchRuns
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.images import FoundFile
from wetread.store.runs import note_walk
from wetread.store.unread import note_unread


def watch_walk(
    database: Database, settings: Settings, order: WatchOrder, runs: WatchRuns
) -> Iterator[tuple[int, FoundFile]]:
    """Yield (root, file) of all that lies there; note at the end what was passed over. Raises RootUnavailable."""
    total = PassedOver(kinds=Counter())
    for walked in walks(order.roots, WalkOrder(order.rules, settings.own_paths, order.allowed, settings.image_seconds)):
        for file in walked.files:
            yield (file.root_id, file.file) if isinstance(file, FoundElsewhere) else (walked.root_id, file)
        total.add(walked.passed)
        with database.writing() as session:
            note_unread(session, runs.run.id, walked.root_id, walked.passed.unread, whole=walked.is_root)
    with database.writing() as session:
        for each in runs.each:
            note_walk(session, each.id, total.kinds, total.unread_count, walker=each.walker)
