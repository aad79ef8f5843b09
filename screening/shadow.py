"""Chooses the models of a screening: its own, and a second one that reads along (`--shadow`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from schemas.errors import ServiceUnavailable, UsageError, WetreadError

if TYPE_CHECKING:
    from wetread.models.registry import Registry


Warn = Callable[[str], object]
"""Told, in a sentence, what is doubtful and hinders nothing."""


def chosen_models(
    registry: Registry, model: str, shadow: str | None, engine: str, broker: str | None, warn: Warn
) -> tuple[str, str | None]:
    """Return the digests of the model and of its shadow.

    Raises UsageError when both are the same model, or when films are to be read on this machine and it lacks the engine
    or a model's files, ArtefactError when one was altered: that is said before anything is begun. With a broker, where
    workers read, `warn` is told of an engine that this machine lacks.
    """
    from wetread.models.loading import check_reads

    chosen = registry.resolve(model)
    if broker is None:
        check_loads(registry, chosen.digest, engine)
    else:
        _warn_of_engine(engine, warn)
    if shadow is None:
        return chosen.digest, None
    beside = registry.resolve(shadow)
    if beside.digest == chosen.digest:
        raise UsageError(
            f"--shadow {shadow}: expected another model than {chosen.reference}, which reads the films anyway, found "
            "the same; name the one that you want to compare"
        )
    if broker is None:
        check_reads(registry.open(beside.digest), engine)
    return chosen.digest, beside.digest


def check_loads(registry: Registry, digest: str, engine: str) -> None:
    """Raise UsageError or ArtefactError where this machine lacks what it takes to read films by this model."""
    from wetread.models.engines import check_engine
    from wetread.models.loading import check_reads

    check_engine(engine)
    check_reads(registry.open(digest), engine)


def _warn_of_engine(engine: str, warn: Warn) -> None:
    from wetread.models.engines import check_engine

    try:
        check_engine(engine)
    except UsageError as error:
        warn(f"{error}. Workers read here, and each needs it")


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
