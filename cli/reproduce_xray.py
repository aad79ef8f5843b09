"""`wetread reproduce xray`: the paper's comparison of optimizers, its table beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.compare import TABLE_COLUMNS, compared, figure_cells, show_notes, show_shortcuts, title_of
from cli.folder import FOLDER
from cli.output import emit_json, emit_table, say
from cli.training_options import panel_option

if TYPE_CHECKING:
    from trainer.studies.comparison import Comparison


@click.command()
@click.argument("data", type=click.Path())
@click.option(
    "--engine", type=click.Choice(["keras", "numpy"]), default="keras", show_default=True, help="What trains."
)
@click.option(
    "--arch", type=click.Choice(["cnn", "dnn", "separable"]), default="cnn", show_default=True, help="The network."
)
@click.option("--epochs", default=50, show_default=True, help="As in the paper.")
@click.option(
    "--size",
    default=64,
    show_default=True,
    help="Side of the network's input, pixels; the paper states none. 128 takes four times as long.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the first weights and shuffling.")
@click.option(
    "--split", type=click.Path(), help="A csv of patient_id,side: train is learned from, validation is held out."
)
@panel_option
@click.option("--processes", default=2, show_default=True, help="That read films.")
@click.option("--threads", type=int, help="Threads that TensorFlow may use.  [default: one per core]")
@click.option(
    "--output", type=FOLDER, help="Write tables, plot and figures to this folder; the same command continues there."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def xray(data: str, output: str | None, as_json: bool, **options: Any) -> None:
    """Compare optimizers on chest films in the paper's setting.

    CLAHE and brightness at the films' own size, then one common size; five optimizers, 50 epochs. The paper's table
    stands beside ours, which has held-out patients too, and why the paper's is no target.

    \b
    Example:
      wetread reproduce xray ../shared/data/cxr --split trainer/splits/cxr.csv
    """
    from trainer.studies import paper

    comparison = compared(
        data,
        output,
        **options,
        optimizers=",".join(paper.XRAY),
        rates=(),
        width=None,
        batch_size=32,
        schedule="constant",
        augment=False,
        held_out=0.2,
        split_seed=0,
        manifest=None,
        path_column=None,
        label_column=None,
        patient_column=None,
        mapped=(),
        dropped=(),
        patient_pattern=None,
        ignore_sides=False,
        working_size=0,
        clip_limit=2.0,
        brightness=10,
        strict=False,
    )
    reasons = list(paper.WHY_XRAY_IS_NO_TARGET)
    if as_json:
        papers = {name: _paper_json(name) for name in paper.XRAY}
        emit_json(comparison.to_json() | {"paper": papers, "why_the_paper_is_no_target": reasons})
        return
    columns = ("optimizer", "figures", *TABLE_COLUMNS[2:])
    many = comparison.shortcuts is not None
    emit_table(columns, _xray_rows(comparison), title=title_of(comparison), one_of_many=many)
    show_shortcuts(comparison)
    say("Why the paper's table is no target:")
    for reason in reasons:
        say(f"- {reason}")
    show_notes(comparison, output)


def _xray_rows(comparison: Comparison) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, outcome in comparison.outcomes.items():
        papers, ours = _paper_json(name), outcome.to_json()
        for whose, body in (
            ("the paper's", papers),
            ("ours, training films", ours["training"]),
            ("ours, held-out patients", ours["held_out"]),
        ):
            rows.append((name, whose, *figure_cells(body)))
    return rows


def _paper_json(optimizer: str) -> dict[str, dict[str, float]]:
    from trainer.studies.paper import XRAY

    figures = XRAY[optimizer]
    return {
        "first": {"accuracy": figures.first_accuracy, "loss": figures.first_loss},
        "last": {"accuracy": figures.last_accuracy, "loss": figures.last_loss},
    }
