"""The states of a watch's run, and the next state: a pure function of state, event and time.

Opening -> Filling -> Closing -> Opening: one run after the other. A root that workers miss leads to Paused, and from
there to Opening; whoever else ends the run, to Ended. Seconds are those of a clock that only grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.states import RunState

GO_ON_SECONDS = 2.0
"""Seconds from a pause, because of a root, to the next try."""

SHADOW_SECONDS = 60.0
"""How long a run that is over waits for its shadow. What that has not read then, it reads beside the next run."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The run is to be opened; a service that is away may not let it yet. missed: as of Filling."""

    missed: int | None = None


@dataclass(frozen=True, slots=True)
class Filling:
    """What appears is recorded for the run of `day`, an ordinal.

    missed: after a pause, how many images were settled at it; None once workers have settled others.
    """

    day: int
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """Workers missed a root. The run is opened again from `until` on, when the roots hold something.

    settled: how many of its images were settled by then.
    """

    until: float
    settled: int


@dataclass(frozen=True, slots=True)
class Closing:
    """The run is over, and goes on until `until` at the longest, while its shadow reads."""

    until: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The run was ended by somebody else."""


State = Opening | Filling | Paused | Closing | Ended


@dataclass(frozen=True, slots=True)
class Opened:
    """The run is open. day: that it belongs to."""

    day: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The run's accounts were looked at.

    day: that of now. at_rest: nothing is being walked or recorded. changed: a film that changed since the run has read
    it is due for another run.
    """

    run: RunState
    settled: int
    pending: int
    day: int
    at_rest: bool
    changed: bool

    @property
    def quiet(self) -> bool:
        """Return whether there is nothing left to do for the run just now."""
        return self.run == RunState.RUNNING and self.pending == 0 and self.at_rest


@dataclass(frozen=True, slots=True)
class ShadowSeen:
    """The shadow's accounts were looked at, while the run is quiet. reads: it has images left that it reads."""

    reads: bool


@dataclass(frozen=True, slots=True)
class RootsAnswered:
    """All roots are there, and hold something."""


Event = Opened | Seen | ShadowSeen | RootsAnswered


def step(state: State, event: Event, now: float) -> State:
    """Return the state that follows; the same where the event changes nothing of it."""
    match state, event:
        case Opening(missed), Opened(day):
            return Filling(day, missed)
        case Paused(until, settled), RootsAnswered() if now >= until:
            return Opening(settled)
        case Closing(until), ShadowSeen(reads) if now >= until or not reads:
            return Opening()
        case ((Filling() | Paused() | Closing()), Seen()):
            return _after_look(state, event, now)
    return state


def _after_look(state: Filling | Paused | Closing, seen: Seen, now: float) -> State:
    if seen.run == RunState.PAUSED:
        return state if isinstance(state, Paused) else Paused(now + GO_ON_SECONDS, seen.settled)
    if seen.run != RunState.RUNNING:
        return Ended()
    if not isinstance(state, Filling):
        return state
    if seen.quiet and (seen.changed or seen.day != state.day):
        return Closing(now + SHADOW_SECONDS)
    if state.missed is not None and (seen.settled > state.missed or seen.pending == 0):
        return replace(state, missed=None)  # something moves: the workers see the root, too
    return state


def is_hindered(state: State) -> bool:
    """Return whether workers missed a root, and have not settled anything since."""
    return isinstance(state, Paused) or (isinstance(state, Opening | Filling) and state.missed is not None)
