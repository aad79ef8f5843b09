"""Makes, resumes, pauses, completes and cancels runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from schemas.alarms import Alarm, AlarmKind
from schemas.errors import UsageError
from schemas.films import ACCEPTED, Accepted
from schemas.states import UNFINISHED_RUNS, RunKind, RunState
from schemas.tables import Batch, Run, WorkItem
from schemas.walk_rules import WalkRules
from wetread.clock import utc_now
from wetread.store.core.database_clock import database_seconds
from wetread.store.core.locks import lock_readings
from wetread.store.images.recording import WALK_LEASE_SECONDS
from wetread.store.runs.numbers import next_run_number

Walkers = Callable[[str], bool]
"""Tells of a process whether it is known to have died."""


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run to go on with. resumed: it was there already. walks: it is ours to walk; another process does otherwise."""

    id: int
    resumed: bool
    walks: bool


def open_run(
    session: Session,
    roots: Sequence[int],
    model_digest: str,
    engine: str,
    *,
    force: bool,
    walker: str,
    dead: Walkers,
    kind: RunKind = RunKind.SCREEN,
    run_id: int | None = None,
    shadow_of: int | None = None,
    rules: WalkRules | None = None,
    accepted: Accepted = ACCEPTED,
) -> OpenedRun:
    """Return the unfinished run of these roots by this model, of this kind and these rules, running, or a new one.

    run_id: exactly that run, by its own rules; raises UsageError where it has ended meanwhile.
    rules: by default the usual ones.

    A resumed run keeps its images, and its roots are walked again; those counted as skipped are counted anew,
    since their files may have changed since. While another living process walks the run, ours only joins it.
    dead: tells of a walker whether it is known to have died; otherwise its lease says.
    shadow_of: the run that this one reads beside; an unfinished shadow of its model goes on with it.
    accepted: words of DICOM headers that it is to read although they name something else; a resumed run's own count no
    more, unless it was named by its number and these are none.
    """
    kind = kind if shadow_of is None else RunKind.SHADOW
    if run_id is None:
        run = _unfinished(
            session, roots, model_digest, force=force, kind=kind, shadow_of=shadow_of, rules=rules or WalkRules()
        )
    else:
        this = select(Run).where(Run.id == run_id, Run.state.in_(UNFINISHED_RUNS)).with_for_update()
        if (run := session.scalar(this)) is None:
            raise UsageError(f"expected run {run_id} unfinished, found it ended; see `wetread runs list`")
    if run is None:
        run = Run(
            id=next_run_number(session), walk_rules=(rules or WalkRules()).to_json(),
            state=RunState.RUNNING, model_digest=model_digest, engine=engine, root_ids=list(roots), force=force,
            created_at=utc_now(), walker=walker, walk_until=None, kind=kind, shadow_of=shadow_of,
            accepts=accepted.to_json(),
        )  # fmt: skip
        session.add(run)
        session.flush()
        renew_walk(session, run.id, walker)
        return OpenedRun(run.id, resumed=False, walks=True)
    run.shadow_of = shadow_of
    if accepted or run_id is None:  # `runs resume` names no words, and means those that the run has
        run.accepts = accepted.to_json()
    if _is_walked(session, run, dead):
        return OpenedRun(run.id, resumed=True, walks=False)
    _begin_walk(session, run, engine, walker)
    return OpenedRun(run.id, resumed=True, walks=True)


def take_walk(session: Session, run_id: int, walker: str, dead: Walkers) -> bool:
    """Make `walker` walk a running run whose walk was left half way; return False where there is no need to."""
    run = session.scalar(select(Run).where(Run.id == run_id).with_for_update())
    if run is None or run.state != RunState.RUNNING or run.walked_at is not None or _is_walked(session, run, dead):
        return False
    _begin_walk(session, run, run.engine, walker)
    return True


def _is_walked(session: Session, run: Run, dead: Walkers) -> bool:
    """Return whether a living process walks the run now."""
    now = session.scalar(select(database_seconds())) or 0.0
    return run.walker is not None and not dead(run.walker) and (run.walk_until or 0.0) > now


def _begin_walk(session: Session, run: Run, engine: str, walker: str) -> None:
    session.execute(
        update(Run)
        .where(Run.id == run.id)
        .values(
            state=RunState.RUNNING,
            engine=engine,
            note=None,
            trouble=None,
            trouble_why=None,
            drift=None,
            walked_at=None,
            ended_at=None,
            untouched=0,
            walker=walker,
            walk_until=database_seconds() + WALK_LEASE_SECONDS,
            found=Run.found - Run.skipped,
            skipped=0,
        )
    )
    # Workers dropped the messages for a run that was not running: ring anew, and not when those count as lost.
    session.execute(
        update(Batch).where(Batch.run_id == run.id, Batch.pending > 0, Batch.owner.is_(None)).values(rung_at=None)
    )


def renew_walk(session: Session, run_id: int, walker: str) -> None:
    """Say that `walker` still walks the run."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.walker == walker)
        .values(walk_until=database_seconds() + WALK_LEASE_SECONDS)
    )


def _unfinished(
    session: Session,
    roots: Sequence[int],
    model_digest: str,
    *,
    force: bool,
    kind: RunKind,
    shadow_of: int | None,
    rules: WalkRules,
) -> Run | None:
    alike = [Run.model_digest == model_digest, Run.force == force, Run.kind == kind]
    if shadow_of is not None:  # of whichever run of the same model it was last beside
        model = select(Run.model_digest).where(Run.id == shadow_of).scalar_subquery()
        beside = aliased(Run)
        alike.append(Run.shadow_of.in_(select(beside.id).where(beside.model_digest == model)))
    candidates = session.scalars(
        select(Run).where(Run.state.in_(UNFINISHED_RUNS), *alike).order_by(Run.id.desc()).with_for_update()
    )
    alike_too = (
        run
        for run in candidates
        if sorted(run.root_ids) == sorted(roots) and WalkRules.from_json(run.walk_rules) == rules
    )
    return next(alike_too, None)


def walk_rules_of(session: Session, run_id: int) -> WalkRules:
    """Return the walk rules of a run; raise UsageError for an unknown run."""
    kept = session.execute(select(Run.walk_rules).where(Run.id == run_id)).first()
    if kept is None:
        raise UsageError(f"expected a run, found no run {run_id}; see `wetread runs list`")
    return WalkRules.from_json(kept[0])


def note_walk(session: Session, run_id: int, passed_over: Mapping[str, int], unread: int, *, walker: str) -> None:
    """Keep what a walk of the run has passed over, {kind: count}, and how many directories it could not look into."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.walker == walker)
        .values(passed_over=dict(passed_over) or None, unread_directories=unread)
    )


def note_trouble(session: Session, run_id: int, kind: AlarmKind, why: str) -> None:
    """Note a difficulty of a run that continues, such as a worker that lacks its engine."""
    running = (Run.id == run_id, Run.state == RunState.RUNNING)
    session.execute(update(Run).where(*running).values(trouble=kind, trouble_why=why))


def note_drift(session: Session, run_id: int, alarms: Sequence[Alarm]) -> None:
    """Keep what a run's drift was found to be past, so that whoever asks is told without measuring again."""
    kept = [alarm.to_json() for alarm in alarms] or None
    session.execute(update(Run).where(Run.id == run_id).values(drift=kept))


def end_walk(session: Session, run_id: int, note: str | None = None, *, walker: str) -> bool:
    """Say that every root was walked to its end; the run is finished when nothing of it is pending.

    Returns False, having changed nothing, when `walker` does not walk the run any more: another took over, or it
    was interrupted.
    """
    values: dict[str, object] = {"walked_at": utc_now(), "walker": None, "walk_until": None}
    if note is not None:
        values["note"] = note
    ended = session.execute(update(Run).where(Run.id == run_id, Run.walker == walker).values(values).returning(Run.id))
    if ended.first() is None:
        return False
    finish_if_settled(session, run_id)
    return True


def finish_if_settled(session: Session, run_id: int) -> None:
    """Make the run finished when it was walked to its end and nothing of it is pending."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.pending == 0, Run.walked_at.is_not(None), Run.state == RunState.RUNNING)
        .values(state=RunState.FINISHED, ended_at=utc_now())
    )


def shadows_of(session: Session, run_id: int) -> list[int]:
    """Return the runs that shadow this one, the latest first."""
    return list(session.scalars(select(Run.id).where(Run.shadow_of == run_id).order_by(Run.id.desc())))


def set_state(
    session: Session, run_id: int, state: RunState, note: str | None = None, trouble: AlarmKind | None = None
) -> bool:
    """Move an unfinished run to `state`; return whether it was unfinished. trouble: of what kind the note is."""
    values: dict[str, object] = {"state": state, "note": note}
    values |= {"trouble": trouble, "trouble_why": None if trouble is None else note}
    values |= {"walker": None, "walk_until": None}
    if state in (RunState.FAILED, RunState.CANCELLED):
        values["ended_at"] = utc_now()
    changed = session.execute(
        update(Run).where(Run.id == run_id, Run.state.in_(UNFINISHED_RUNS)).values(values).returning(Run.id)
    )
    return changed.first() is not None


def cancel_pending(session: Session, run_id: int, *, batches: int = 64) -> int:
    """Cancel what is pending in some batches of a cancelled run; return how many batches were left to do.

    Call until it returns 0. A worker that holds such a batch loses its lease: its fence is passed over.
    """
    model = session.scalar(select(Run.model_digest).where(Run.id == run_id))
    if model is None:
        return 0
    lock_readings(session, model)
    ids = list(
        session.scalars(
            select(Batch.id)
            .where(Batch.run_id == run_id, Batch.pending > 0)
            .order_by(Batch.id)
            .limit(batches)
            .with_for_update()
        )
    )
    if not ids:
        return 0
    session.execute(
        update(Batch)
        .where(Batch.id.in_(ids))
        .values(pending=0, owner=None, lease_until=None, fence=Batch.fence + 1)
        .execution_options(synchronize_session=False)
    )
    images = session.scalars(
        update(WorkItem)
        .where(WorkItem.batch_id.in_(ids), WorkItem.state == "pending")
        .values(state="cancelled", settled_at=utc_now())
        .returning(WorkItem.image_id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(pending=Run.pending - len(images), cancelled=Run.cancelled + len(images))
    )
    return len(ids)
