"""`wetread audit`: what is wrong with labelled films before a model learns from them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cli.data_options import data_options, layout_of
from cli.output import emit_json, emit_table, say
from schemas.errors import EXIT_UNSAFE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainer.audit.findings import Audit

CASES_SHOWN = 20
"""Cases of a finding that people are shown; --json has all."""


@click.command()
@click.argument("data", type=click.Path())
@click.option("--split", type=click.Path(), help="A csv of patient_id,side, or path,side, to check as well.")
@data_options
@click.option("--processes", default=2, show_default=True, help="That read films.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def audit(ctx: click.Context, /, data: str, split: str | None, processes: int, as_json: bool, **options: Any) -> None:
    """Find leaks, copies and shortcuts in labelled films.

    Looked for: patients on two sides of the split; one image twice, even recompressed, shifted or rescaled, across
    sides, patients or labels; labels that the source, view, size, file or border gives away. Exit 5: unsafe.

    \b
    Example:
      wetread audit films/
      wetread audit films/ --split split.csv --json
    """
    from cli.numerics import set_up_products
    from cli.training_progress import TrainingProgress

    set_up_products()
    from trainer.audit.auditing import audit_data
    from trainer.audit.sides import folder_sides, read_sides
    from trainer.data.dataset import load_dataset

    dataset = load_dataset(os.fsencode(data), layout_of(options))
    sides = folder_sides(dataset) if split is None else read_sides(os.fsencode(split), dataset)
    with TrainingProgress() as progress:
        found = audit_data(dataset, sides, processes=processes, progress=progress.reading)
    if as_json:
        emit_json(found.to_json())
    else:
        _show(found)
    ctx.exit(EXIT_UNSAFE if found.unsafe else 0)


def _show(found: Audit) -> None:
    emit_table(
        ("severity", "finding", "what was found"),
        [(finding.severity, finding.kind, finding.text) for finding in found.findings],
        title=f"{found.films} films of {found.patients} patients",
    )
    cases = [(finding.kind, case) for finding in found.findings for case in finding.cases[:CASES_SHOWN]]
    if cases:
        emit_table(("finding", "patients", "labels", "sides", "likeness", "films"), (_row(*case) for case in cases))
    if found.shortcuts:
        emit_table(
            ("shortcut", "label", "AUROC on held-out patients"),
            [(shortcut.kind, shortcut.label, str(shortcut.auroc)) for shortcut in found.shortcuts],
            title="What each thing alone tells of the label; 0.5 is chance",
        )
    for line in _remarks(found):
        say(line)


def _row(kind: str, case: Mapping[str, Any]) -> tuple[object, ...]:
    sides = [side if isinstance(side, str) else "+".join(side) for side in case.get("sides", ())]
    return (
        kind,
        ", ".join(dict.fromkeys(case.get("patients", [case.get("patient", "")]))),
        ", ".join(dict.fromkeys(case.get("labels", ()))),
        ", ".join(dict.fromkeys(sides)),
        "the same file" if case.get("identical") else case.get("likeness"),
        ", ".join(case["films"]),
    )


def _remarks(found: Audit) -> Iterator[str]:
    from trainer.audit.judgement import WHAT

    if any(len(finding.cases) > CASES_SHOWN for finding in found.findings):
        yield f"only the first {CASES_SHOWN} cases of a finding are shown; --json has all"
    judged = {shortcut.kind for shortcut in found.shortcuts}
    if judged and (unknown := [kind for kind in WHAT if kind not in judged]):
        yield f"not judged, because unstated or the same for all films: {', '.join(unknown)}"
    if found.not_judged:
        yield f"too few patients to judge shortcuts to: {', '.join(found.not_judged)}"
    if not found.split_checked:
        yield "no split was checked: give --split FILE"
    if not found.findings:
        yield "nothing was found"
    if found.unsafe:
        yield "unsafe: no accuracy on these films can be trusted before this is mended"
