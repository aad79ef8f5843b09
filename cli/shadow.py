"""A second model that reads along: which models a screening is by, and what is said of its two runs."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from cli.output import say
from cli.progress import RunProgress
from schemas.errors import ServiceUnavailable, UsageError, WetreadError

if TYPE_CHECKING:
    from wetread.models.registry import Registry
    from wetread.store.accounts import RunAccount
    from wetread.store.runs import OpenedRun


def chosen_models(
    registry: Registry, model: str, shadow: str | None, engine: str, broker: str | None
) -> tuple[str, str | None]:
    """Return the digests of the model and of its shadow.

    Raises UsageError when both are the same model, or when films are to be read on this machine and it lacks the engine
    or a model's files, ArtefactError when one was altered: that is said before anything is begun. With a broker, where
    workers read, an engine that this machine lacks is warned of.
    """
    chosen = registry.resolve(model)
    check_loads(registry, chosen.digest, engine, broker)
    if shadow is None:
        return chosen.digest, None
    beside = registry.resolve(shadow)
    if beside.digest == chosen.digest:
        raise UsageError(
            f"--shadow {shadow}: expected another model than {chosen.reference}, which reads the films anyway, found "
            "the same; name the one that you want to compare"
        )
    if broker is None:
        registry.open(beside.digest)
    return chosen.digest, beside.digest


def check_loads(registry: Registry, digest: str, engine: str, broker: str | None) -> None:
    """Raise what `chosen_models` does where films are to be read here; warn of a missing engine where workers do."""
    from wetread.models.engines import check_engine

    try:
        check_engine(engine)
    except UsageError as error:
        if broker is None:
            raise
        say(f"warning: {error}. Workers read here, and each needs it")
    if broker is None:
        registry.open(digest)


def shadow_for_now(registry: Registry, name: str, model_digest: str, broker: str | None, **of: int) -> str | None:
    """Return the digest of the model that reads along in a run that begins by itself.

    None, and said in the log with `of`, where it cannot or is the run's own model by now: nothing is lost for a shadow.
    """
    why = "it is the run's own model by now"
    try:
        if (digest := registry.resolve(name).digest) != model_digest:
            if broker is None:
                registry.open(digest)  # our own processes need its files
            return digest
    except ServiceUnavailable:
        raise
    except WetreadError as error:
        why = str(error)
    structlog.get_logger().error("a shadow does not read along", why=why, **of)
    return None


class ProgressOfBoth:
    """Shows the run, and when that has ended its shadow, each with a bar of its own. run: the first's."""

    def __init__(self) -> None:
        self.run = RunProgress()
        self._shown = self.run

    def __enter__(self) -> Self:
        """Begin with the run."""
        self.run.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bars as they stand."""
        self._shown.__exit__(kind, error, trace)

    def __call__(self, account: RunAccount) -> None:
        """Show `account`."""
        if account.shadow_of is not None and self._shown is self.run:
            self.run.__exit__(None, None, None)
            say(f"the run has ended; run {account.id}, its shadow, has more to read")
            self._shown = RunProgress().__enter__()
        if account.shadow_of is not None or self._shown is self.run:
            self._shown(account)


def say_opened(opened: OpenedRun, shadow: OpenedRun | None) -> None:
    """Say which runs were begun or are continued."""
    runs = [(f"run {opened.id}", opened)]
    if shadow is not None:
        runs.append((f"run {shadow.id}, its shadow", shadow))
    for name, run in runs:
        say(f"{name}: " + ("continued" if run.resumed else "begun"))
