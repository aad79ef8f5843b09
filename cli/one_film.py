"""`wetread screen FILE...`: reads single films, and stores nothing unless --keep is given."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.accept_options import accepted_options
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE, UsageError
from schemas.films import ACCEPTED, Accepted
from schemas.reasons import NO_FILM_REASONS, Reason
from schemas.states import ItemState
from wetread.path_text import path_text

if TYPE_CHECKING:
    from wetread.store.work.outcomes import Outcome
    from worker.models import LoadedModel

TAKEN = {
    "directories", "model", "engine", "keep", "force", "as_json", "accept_modality", "accept_body_part", "accept_view",
}  # fmt: skip
"""Parameters of `screen` that mean something where films are named."""


@dataclass(frozen=True, slots=True)
class OneFilmOrder:
    """Which films to read, by which model on which engine. keep, force: as `screen` has them.

    accepted: words of DICOM headers beside those of the settings.
    """

    films: Sequence[str]
    model: str
    engine: str
    keep: bool
    force: bool
    accepted: Accepted = ACCEPTED


def names_films(ctx: click.Context, named: Sequence[str]) -> bool:
    """Return whether `named` are films; False where they are directories.

    Raises UsageError for films beside directories, for one that is missing beside films, and for options that mean
    nothing for what is named, RootSilent where the file server does not answer.
    """
    from producer.time_limited_calls import answered
    from wetread.settings import load_settings

    films, missing = answered(partial(_films_and_missing, named), load_settings().image_seconds)
    given = {
        param.name: param.opts[-1] for param in ctx.command.params
        if ctx.get_parameter_source(param.name or "") == click.core.ParameterSource.COMMANDLINE
    }  # fmt: skip
    if missing and (films or len(missing) == len(named)):
        raise UsageError(f"expected a directory or a film, found none at {missing[0]!r}; see whether it is mounted")
    if not films:
        if "keep" in given:
            raise UsageError("--keep: expected films, found directories; what is read of a directory is always kept")
        return False
    if len(films) < len(named):
        raise UsageError(
            "expected films alone or directories alone, found both; call wetread once for the films, and once for the "
            "directories"
        )
    if strange := sorted(option for name, option in given.items() if name not in TAKEN):
        raise UsageError(
            f"{', '.join(strange)}: expected a directory, found films; of films only --model, --engine, --keep, "
            "--force, --json and the options that accept words of a DICOM header count"
        )
    if "force" in given and "keep" not in given:
        raise UsageError("--force: expected --keep beside it, found films of which nothing is kept")
    return True


def _films_and_missing(named: Sequence[str]) -> tuple[list[str], list[str]]:
    missing = [name for name in named if not os.path.exists(name)]
    return [name for name in named if name not in missing and not os.path.isdir(name)], missing


def screen_films(order: OneFilmOrder, *, as_json: bool) -> int:
    """Read the films and print what became of each; return the exit code, 3 where one of them could not be read."""
    from wetread.models.engines import check_engine
    from wetread.models.looking_up import look_up_model
    from wetread.settings import load_settings
    from worker.models import LoadedModel
    from worker.one_film import read_one_film

    settings = load_settings()
    check_engine(order.engine)
    registration, artefact = look_up_model(settings, order.model)
    model, shown = LoadedModel.of(artefact, order.engine), []
    for film in order.films:
        path = os.path.realpath(os.fsencode(film))
        outcome = read_one_film(path, model, settings.file_bytes, settings.accepted | order.accepted)
        told = film_json(path, outcome, registration.reference, model)
        shown.append(told | {"run": None, "steps": _steps(film, order, outcome)})
    if order.keep:
        for folder in sorted({os.path.dirname(os.path.realpath(os.fsencode(film))) for film in order.films}):
            _keep(order, folder, registration.digest, shown)
    if as_json:
        emit_json(shown)
    else:
        for one in shown:
            _show(one, model)
    if not order.keep:
        say("nothing was stored; --keep stores it, and `wetread screen DIR` reads a directory")
    say(NOT_DIAGNOSTIC)
    read = all(one["state"] == ItemState.DONE or one["reason"] in NO_FILM_REASONS for one in shown)
    return EXIT_DONE if read else EXIT_FAILURE_RATE


def film_json(path: bytes, outcome: Outcome, reference: str, model: LoadedModel) -> dict[str, Any]:
    """Return one film's reading as JSON; docs/screening.md lists the keys."""
    from wetread.views.images import why

    reading, gate = outcome.prediction, model.gate
    body: dict[str, Any] = {
        "path": path_text(path), "sha256": outcome.sha256, "state": str(outcome.state),
        "reason": None if outcome.reason is None else str(outcome.reason), "detail": outcome.detail,
        "label": None, "probability": None, "probabilities": None, "decision": None, "why": outcome.detail,
        "gate_score": None, "gate_threshold": None if gate is None else gate.threshold,
        "thresholds": dict(model.decision.thresholds), "model": reference, "model_digest": model.classifier.digest,
        "engine": model.classifier.engine,
    }  # fmt: skip
    if reading is not None:
        body |= {
            "label": reading.label, "probability": reading.probability,
            "probabilities": dict(zip(model.classifier.labels, reading.probabilities, strict=True)),
            "decision": reading.decision, "why": why(reading, model.decision), "gate_score": reading.gate_score,
        }  # fmt: skip
    return body


def _steps(film: str, order: OneFilmOrder, outcome: Outcome) -> str | None:
    """Return the command that draws the film's steps; None of what cannot be decoded."""
    if outcome.state != ItemState.DONE and outcome.reason != Reason.NOT_A_FILM:
        return None
    words = [*([] if order.model == "production" else ["--model", order.model]), *accepted_options(order.accepted)]
    return shlex.join(["wetread", "steps", film, "--output", "steps.png", *words])


def _show(one: dict[str, Any], model: LoadedModel) -> None:
    rows: list[tuple[str, object]] = [("film", one["path"]), ("state", one["state"])]
    if one["reason"] is not None:
        rows += [("reason", one["reason"])]
    else:
        rows += [("decision", one["decision"])]
    rows += [("why", one["why"])]
    rows += [(f"probability of {label}", f"{share:.4f}") for label, share in (one["probabilities"] or {}).items()]
    if one["gate_score"] is not None and model.gate is not None:
        rows += [("gate score", f"{one['gate_score']:.2f}; films have at most {model.gate.threshold:.2f}")]
    rows += [("model", f"{one['model']} on {one['engine']}")]
    rows += [] if one["run"] is None else [("kept in run", one["run"])]
    rows += [] if one["steps"] is None else [("its steps", one["steps"])]
    emit_table(("reading", "value"), rows)


def _keep(order: OneFilmOrder, folder: bytes, digest: str, shown: list[dict[str, Any]]) -> None:
    """Screen the films of one folder as a run of it that leaves out all else, and note its number on each."""
    from cli.context import opened_database
    from cli.walk_options import chosen_rules
    from screening.order import RunOrder
    from screening.run import Screening
    from wetread.models.registry import Registry

    paths = {os.path.realpath(os.fsencode(film)) for film in order.films}
    names = sorted(os.path.basename(path) for path in paths if os.path.dirname(path) == folder)
    rules = chosen_rules(("/*", *(f"!/{_literal(name)}" for name in names)), (), follow_links=False)
    with opened_database() as (settings, database):
        Registry(database, settings.models_directory).resolve(digest)  # registers what ships with the program
        words = settings.accepted | order.accepted
        run = RunOrder([os.fsdecode(folder)], digest, order.engine, order.force, 1, rules=rules, accepted=words)
        screening = Screening.open(database, settings, run)
        read = screening.read_here if settings.broker is None else screening.read_by_workers
        account = read(lambda _account: None)
    say(f"run {account.id}: {account.state}, {account.found} found, {account.done} done, {account.skipped} skipped")
    texts = {path_text(path) for path in paths if os.path.dirname(path) == folder}
    for one in shown:
        if one["path"] in texts:
            one["run"] = account.id


def _literal(name: bytes) -> str:
    """Return a pattern that a name alone matches; raise UsageError for a name that patterns cannot say."""
    text = os.fsdecode(name)
    if not text.isprintable():
        raise UsageError(
            "--keep: expected a film whose name is printable text, found another; screen its directory instead"
        )
    return "".join(f"\\{sign}" if sign in "\\*?[]! #" else sign for sign in text)
