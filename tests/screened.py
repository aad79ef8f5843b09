"""A run in a database, without files: to test what the store does with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import func, select

from schemas.films import FilmHeader
from schemas.predictions import Prediction
from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Model, StoredDecision, StoredPrediction
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.core.image_set import ImageSet
from wetread.store.images.recording import FoundFile, Recorded, RunToFill, record_files
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import OpenedRun, end_walk, open_run
from wetread.store.work.leases import Claim, ClaimedItem, claim
from wetread.store.work.outcomes import Outcome
from wetread.store.work.settling import settle

DIGEST = "a" * 64
LABELS = ("covid", "normal", "pneumonia")


def nobody_died(_owner: str) -> bool:
    return False


class RunKit:
    """What a producer and a worker do, step by step."""

    def __init__(self, database: Database, batch_size: int = 4) -> None:
        self.database = database
        self.batch_size = batch_size
        with database.writing() as session:
            session.add(StoredDecision(digest="d" * 64, model_digest=DIGEST, temperature=1.0, thresholds={}))
            session.flush()
            session.add(
                Model(
                    digest=DIGEST, name="cnn", version=1, directory="cnn/1", labels=list(LABELS),
                    decision_digest="d" * 64, registered_at=utc_now(),
                )
            )  # fmt: skip
            (self.root,) = root_ids(session, [b"/archive"])

    def open(self, *, force: bool = False, walker: str = "here:1:1") -> OpenedRun:
        with self.database.writing() as session:
            return open_run(session, [self.root], DIGEST, "numpy", force=force, walker=walker, dead=nobody_died)

    def record(
        self,
        run: int,
        names: Sequence[bytes],
        *,
        force: bool = False,
        walker: str = "here:1:1",
        mtime_ns: int = 1,
        walk_skipped: ImageSet | None = None,
    ) -> Recorded:
        with self.database.writing() as session:
            return record_files(
                session,
                RunToFill(run, walker, DIGEST, force, self.batch_size),
                self.root,
                [FoundFile(name, 100, mtime_ns) for name in names],
                ImageSet() if walk_skipped is None else walk_skipped,
            )

    def end_walk(self, run: int, *, walker: str = "here:1:1") -> None:
        with self.database.writing() as session:
            assert end_walk(session, run, walker=walker)

    def filled(self, names: Sequence[bytes], *, force: bool = False) -> tuple[int, Recorded]:
        run = self.open(force=force).id
        recorded = self.record(run, names, force=force)
        self.end_walk(run)
        return run, recorded

    def claim(self, batch: int, owner: str = "w:1:1", lease_seconds: float = 60.0) -> Claim | None:
        with self.database.writing() as session:
            return claim(session, batch, owner, lease_seconds)

    def settle(self, held: Claim, outcomes: Sequence[Outcome]) -> None:
        with self.database.writing() as session:
            settle(session, held, outcomes)

    def settle_all(self, recorded: Recorded, *, content: str = "") -> None:
        for batch in recorded.batch_ids:
            held = self.claim(batch)
            assert held is not None
            self.settle(held, [done(item, content=content) for item in held.items])

    def predictions(self) -> int:
        """Count the stored readings."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(StoredPrediction)) or 0

    def account(self, run: int) -> RunAccount:
        with self.database.reading() as session:
            account = run_account(session, run)
        ended = account.pending + account.done + account.rejected + account.dead + account.cancelled + account.skipped
        assert account.found == ended
        return account


def done(
    item: ClaimedItem,
    *,
    label: str = "normal",
    decision: str | None = None,
    content: str = "",
    header: FilmHeader | None = None,
) -> Outcome:
    sha256 = hashlib.sha256(item.path + content.encode()).hexdigest()
    prediction = Prediction(
        sha256, DIGEST, "numpy", (0.0, 1.0, 0.0), None, label, 0.6, (0.2, 0.6, 0.2), decision or label, "d" * 64
    )
    return Outcome(
        item.image_id, ItemState.DONE, sha256=sha256, size=100, mtime_ns=1, prediction=prediction, header=header
    )


def rejected(item: ClaimedItem, reason: Reason) -> Outcome:
    return Outcome(item.image_id, ItemState.REJECTED, reason=reason, detail="why", size=100, mtime_ns=1)
