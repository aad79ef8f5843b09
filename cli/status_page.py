"""Draws the page of `wetread status --watch`: runs, workers, failures, in the size of the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from cli.output import printable
from cli.pace import Pace, duration
from schemas.states import RunState
from wetread.store.runs.accounts import RunAccount
from wetread.store.runs.alarms import run_alarms
from wetread.store.runs.overview import Overview
from wetread.store.work.workers import SeenWorker, WorkerKind

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

RUN_COLUMNS = ("run", "state", "found", "done", "rejected", "dead", "pending", "images/s", "left")
PROCESS_COLUMNS = ("process", "run", "batch", "for", "stage", "memory", "heard")
STYLES = {
    RunState.RUNNING: "green", RunState.PAUSED: "yellow", RunState.INTERRUPTED: "yellow", RunState.FAILED: "red",
}  # fmt: skip


def draw(seen: Overview, pace: Pace, *, height: int, width: int, trouble: str = "", clock: str = "") -> Group:
    """Return the page; what does not fit below is left out, and said to be."""
    from rich.console import Group
    from rich.text import Text

    processes = [one for one in seen.workers if one.kind == WorkerKind.PROCESS]
    services = [one for one in seen.workers if one.kind == WorkerKind.SERVICE and one.alive]
    alive = _counted([one for one in processes if one.alive], "process")
    title = f"wetread status {clock}   {_counted(services, 'worker')}, {alive} alive   q: end"
    parts: list[Text | Table] = [Text(title, style="bold", no_wrap=True, overflow="ellipsis")]
    if trouble:
        parts.append(Text(printable(trouble), style="red", no_wrap=True, overflow="ellipsis"))
    room = height - 1 - len(parts)
    runs = seen.runs[: max(1, min(5, room // 4))]
    parts += _titled(_runs_table(runs, pace, width), "")
    room -= 2 + max(1, len(runs))
    alarms = run_alarms(seen.runs[0])[: max(0, room // 5)] if seen.runs else []
    room -= len(alarms) + (1 if alarms else 0)
    failed = min(len(seen.failed), max(0, room // 3 - 1))
    reasons = _reasons(seen.runs[0]) if seen.runs else ""
    shown = max(0, min(len(processes), room - (failed + 3 if failed else 0) - (2 if reasons else 0) - 3))
    ended = frozenset(run.id for run in seen.runs if not run.pending)
    parts += _titled(_process_table(processes[:shown], ended), _more("workers' processes", len(processes), shown))
    if alarms:
        parts.append(Text())
    for alarm in alarms:
        said = printable(f"look into this: {alarm.message}")
        parts.append(Text(said, style="yellow", no_wrap=True, overflow="ellipsis"))
    if reasons:
        parts += [Text(), Text(reasons, no_wrap=True, overflow="ellipsis")]
    if failed:
        parts += _titled(_failed_table(seen, failed), f"last of run {seen.failed[0].run} that failed")
    return Group(*parts)


def _runs_table(runs: Sequence[RunAccount], pace: Pace, width: int) -> Table:
    from rich.text import Text

    wide = width >= 100
    columns = (*RUN_COLUMNS[:2], "model", *RUN_COLUMNS[2:]) if wide else RUN_COLUMNS
    table = _table(columns, right=frozenset(RUN_COLUMNS) - {"state", "left"})
    for run in runs:
        numbers = (run.found, run.done, run.rejected, run.dead, run.pending)
        cells = [str(run.id), str(run.state), *([f"{run.model} {run.engine}"] if wide else [])]
        cells += [*map(str, numbers), f"{pace.rate(run):.1f}", pace.left(run)]
        table.add_row(*map(Text, cells), style=STYLES.get(run.state, "dim"))
    if not runs:
        table.add_row("none", *[""] * (len(columns) - 1))
    return table


def _process_table(processes: Sequence[SeenWorker], ended: Collection[int]) -> Table:
    """Draw the processes, without what they last reported of a run that has ended since."""
    from rich.text import Text

    table = _table(PROCESS_COLUMNS, right=frozenset({"run", "batch", "for", "memory"}))
    for one in processes:
        held = "" if one.batch_seconds is None else duration(one.batch_seconds)
        in_hand = (one.run, one.batch, held, one.stage) if one.run not in ended else ("", "", "", "waiting")
        heard = "" if one.alive else f"silent for {duration(one.silent_seconds)}"
        memory = "" if one.memory_bytes is None else f"{one.memory_bytes / 1024**2:,.0f} MiB"
        cells = (f"{one.host}:{one.pid}", *in_hand, memory, heard)
        table.add_row(*(Text(printable(cell)) for cell in cells), style="" if one.alive else "red")
    return table


def _failed_table(seen: Overview, count: int) -> Table:
    from rich.text import Text

    table = _table(("image", "state", "reason", "why"), right=frozenset({"image"}))
    for film in seen.failed[:count]:
        cells = (film.image, film.state, film.reason, film.detail)
        table.add_row(*(Text(printable(cell), no_wrap=True, overflow="ellipsis") for cell in cells))
    return table


def _reasons(run: RunAccount) -> str:
    """Return the reasons of one run, the most frequent first, on a line."""
    counts = [(count, reason, "") for reason, count in run.rejected_reasons.items()]
    counts += [(count, reason, " (dead)") for reason, count in run.dead_reasons.items()]
    said = ", ".join(f"{count} {reason}{dead}" for count, reason, dead in sorted(counts, reverse=True))
    return f"run {run.id} failed: {said}" if said else ""


def _table(columns: Iterable[str], *, right: frozenset[str]) -> Table:
    from rich.table import Table

    named = tuple(columns)
    prose = named[-1] == "why"  # it alone is cut where the terminal is narrow
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=prose)
    for column in named:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        ratio = 1 if prose and column == "why" else None
        table.add_column(column, justify=justify, no_wrap=True, overflow="ellipsis", ratio=ratio)
    return table


def _titled(table: Table, title: str) -> list[Text | Table]:
    from rich.text import Text

    return [Text(), Text(title, style="bold"), table] if title else [Text(), table]


def _counted(things: Sequence[object], name: str) -> str:
    many = f"{name}es" if name.endswith("s") else f"{name}s"
    return f"{len(things)} {name if len(things) == 1 else many}"


def _more(title: str, count: int, shown: int) -> str:
    return title if shown == count else f"{title} ({shown} of {count})"
