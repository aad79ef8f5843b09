"""`wetread models`: list, show, verify, promote, rollback, recalibrate, import, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL
from cli.context import asked_registry, opened_registry
from cli.model_views import figure_cells, known_figures, listed, listed_json, read_whole, show_standing, summary_rows
from cli.models_import import import_model
from cli.output import NOT_DIAGNOSTIC, STANDARD_OUTPUT, emit_bytes, emit_json, emit_table, printable_lines, say
from cli.recalibrate import recalibrate
from schemas.errors import EXIT_UNSAFE

if TYPE_CHECKING:
    from wetread.models.registry import ListedModel, Registry
    from wetread.store.models.registrations import AliasMove

PRODUCTION = "production"


@click.group()
def models() -> None:
    """List, show, verify and promote models.

    A MODEL is named by an alias (production, shipped), by NAME (its highest version), by NAME@VERSION, or by
    at least 8 digits of its digest.

    \b
    Example:
      wetread models list
    """


models.add_command(recalibrate)
models.add_command(import_model)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_models(as_json: bool) -> None:
    """List every model, with its aliases and its main figures on patients that it did not learn from.

    \b
    Example:
      wetread models list --json
    """
    with asked_registry() as registry:
        known = registry.models()
        figures = [known_figures(registry, model.registration) for model in known]
    if as_json:
        measures = [None if measured is None else measured.to_json() for measured in figures]
        emit_json([listed_json(one) | {"figures": its} for one, its in zip(known, measures, strict=True)])
        return
    if not known:
        say("no model is registered yet; run 'wetread train' or 'wetread models import'")
        return
    emit_table(
        (
            "model",
            "aliases",
            "labels",
            "accuracy",
            "macro AUROC",
            "patients",
            "digest",
            "registered (UTC)",
            "files here",
        ),
        [
            (
                model.registration.reference,
                ", ".join(model.aliases),
                ", ".join(model.registration.labels),
                *figure_cells(measured),
                model.registration.digest[:12],
                f"{model.registration.registered_at:%Y-%m-%d %H:%M}",
                "yes" if model.directory else "no",
            )
            for model, measured in zip(known, figures, strict=True)
        ],
        drop=("digest", "registered (UTC)", "patients", "labels"),
    )


@models.command()
@click.argument("model", type=MODEL, default=PRODUCTION)
@click.option("--card", is_flag=True, help="Print its MODEL_CARD.md instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the whole card.")
def show(model: str, card: bool, as_json: bool) -> None:
    """Show what a model is, where it came from and how it was measured.

    \b
    Example:
      wetread models show
      wetread models show cxr@3 --card
    """
    from schemas.errors import UsageError

    with asked_registry() as registry:
        shown = listed(registry, registry.resolve(model))
        whole, documents = read_whole(registry, shown)
    if card:
        if "MODEL_CARD.md" not in documents:
            why = "a network that was imported has none: " if "onnx" in whole["architecture"] else ""
            raise UsageError(
                f"model {shown.registration.reference}: expected a MODEL_CARD.md, found none; {why}"
                "'wetread models show' has what is known of it, and 'wetread evaluate' measures it"
            )
        click.echo(printable_lines(documents["MODEL_CARD.md"].decode("utf-8", "replace")))
    elif as_json:
        emit_json(whole)
    else:
        emit_table(("field", "value"), summary_rows(whole))
        say(NOT_DIAGNOSTIC)


@models.command()
@click.argument("names", nargs=-1, type=MODEL, metavar="[MODEL]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Hash every file of the models, by default of all; exit 5 when a file was altered.

    \b
    Example:
      wetread models verify
      wetread models verify production
    """
    with opened_registry() as registry:
        chosen = [listed(registry, registry.resolve(name)) for name in names] if names else registry.models()
        for name, model in zip(names, chosen, strict=False):
            if model.directory is None:
                registry.verify(name)  # says where its files should be, with exit 2
        found = [_verified(registry, model) for model in chosen]
    if as_json:
        emit_json(found)
    else:
        emit_table(
            ("model", "digest", "state", "fault"),
            [(one["model"], one["model_digest"][:12], one["state"], one["fault"]) for one in found],
        )
    ctx.exit(EXIT_UNSAFE if any(one["state"] == "altered" for one in found) else 0)


@models.command()
@click.argument("model", type=MODEL)
@click.option("--alias", default=PRODUCTION, show_default=True, help="The alias to move.")
@click.option(
    "--accept-audit", metavar="REASON", help="The reason to promote it although the audit of its data found it unsafe."
)
@click.option(
    "--accept-evaluation",
    metavar="REASON",
    help="The reason to promote it although it was not evaluated, or is worse than the model that serves now.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def promote(model: str, alias: str, accept_audit: str | None, accept_evaluation: str | None, as_json: bool) -> None:
    """Verify a model and put it into production; exit 5 when that is not safe.

    Its figures and those of what serves now are shown side by side. It is not safe when its files were altered, when
    the audit found its training data unsafe (--accept-audit), when it has no figures on patients that it did not learn
    from, or when it is worse than what serves now (--accept-evaluation): surely so where 'wetread evaluate MODEL DATA
    --against production --output FOLDER' compared them on the same films, else by their cards. The reasons are kept.

    \b
    Example:
      wetread models promote cxr@3
      wetread models promote cxr@4 --alias candidate --accept-audit "for a study of the shortcut itself"
    """
    with opened_registry() as registry:
        standing = registry.standing(model, alias)
        if not as_json:
            show_standing(standing)
        move = registry.promote(model, alias, accept_audit=accept_audit, accept_evaluation=accept_evaluation)
        _show_move(registry, move, as_json, standing.to_json())


@models.command()
@click.option("--alias", default=PRODUCTION, show_default=True, help="The alias to move back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rollback(alias: str, as_json: bool) -> None:
    """Undo the last promotion; again, the promotion before it, and so on.

    What was taken back is served again by promoting it.

    \b
    Example:
      wetread models rollback
    """
    with opened_registry() as registry:
        _show_move(registry, registry.rollback(alias), as_json)


@models.command()
@click.argument("model", type=MODEL)
@click.argument("folder", type=click.Path(), required=False)
@click.option(
    "--format", "form", type=click.Choice(["artefact", "onnx", "keras"]), default="artefact", show_default=True,
    help="The form: the model as a FOLDER, or its network alone as a file for other programs.",
)  # fmt: skip
@click.option("--output", type=click.Path(), help="The new file, for onnx and keras.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(model: str, folder: str | None, form: str, output: str | None, as_json: bool) -> None:
    """Write a verified copy of a model as the new FOLDER, to be imported elsewhere, or its network as a file.

    The network takes images that were preprocessed as its description says, and gives logits; labels, preprocessing,
    temperature and digests are in the file. Of an imported ONNX file, onnx gives that very file, without these.

    \b
    Example:
      wetread models export production ./cxr-3
      wetread models export production --format onnx --output cxr-3.onnx
    """
    from schemas.errors import UsageError
    from wetread.models.network_file import network_bytes, write_network

    place = folder if form == "artefact" else output
    if place is None or None not in (folder, output):
        wanted = "a FOLDER and no --output" if form == "artefact" else "--output FILE and no FOLDER"
        raise UsageError(f"--format {form}: expected {wanted}")
    if form == "artefact" and place == STANDARD_OUTPUT:
        raise UsageError("expected a FOLDER for a whole model, found -, standard output")
    with opened_registry() as registry:
        if form == "artefact":
            registration = registry.export(model, place)
        else:
            registration = registry.verify(model)
            artefact = registry.open(registration.digest)
            if place == STANDARD_OUTPUT:
                emit_bytes(network_bytes(artefact, form))
                return
            write_network(artefact, form, place)
        if as_json:
            emit_json(listed_json(listed(registry, registration)))
        else:
            say(f"exported {registration.reference}, {registration.digest[:12]}, to {place}")
            if form != "artefact":
                say(NOT_DIAGNOSTIC)


def _verified(registry: Registry, model: ListedModel) -> dict[str, Any]:
    """Return the model's state: good, altered with its fault, or not on this machine."""
    from schemas.errors import ArtefactError

    registration = model.registration
    state, fault = "good", None
    if model.directory is None:
        state = "not on this machine"
    else:
        try:
            registry.verify(registration.digest)
        except ArtefactError as error:
            state, fault = "altered", str(error)
    return {"model": registration.reference, "model_digest": registration.digest, "state": state, "fault": fault}


def _show_move(registry: Registry, move: AliasMove, as_json: bool, standing: Mapping[str, Any] | None = None) -> None:
    """Say where an alias points now, and where it pointed."""
    now = registry.resolve(move.model_digest).reference
    before = registry.resolve(move.previous_digest).reference if move.previous_digest else None
    if as_json:
        emit_json(
            {
                "alias": move.alias,
                "model": now,
                "model_digest": move.model_digest,
                "previous": before,
                "previous_digest": move.previous_digest,
                "accepted_audit": move.accepted_audit,
                "accepted_evaluation": move.accepted_evaluation,
                **(standing or {}),
            }
        )
    else:
        say(f"{move.alias} is {now}" + (f"; it was {before}" if before else ""))
