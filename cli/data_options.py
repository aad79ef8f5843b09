"""Options that say how labelled films are laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from trainer.data.layout import DataLayout

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--manifest", metavar="FILE", help="The table of films, in DATA.  [default: manifest.csv]"),
    click.option(
        "--path-column", metavar="COLUMN", help="The table's column of paths.  [default: path, Path, Image Index, …]"
    ),
    click.option(
        "--label-column",
        metavar="COLUMN",
        help="The table's column of labels.  [default: label, Finding Labels, class]",
    ),
    click.option(
        "--patient-column",
        metavar="COLUMN",
        help="The table's column of patients.  [default: patient_id, Patient ID, …]",
    ),
    click.option(
        "--map",
        "mapped",
        multiple=True,
        metavar="OLD=NEW",
        help="Rename a label of the data; '*=NEW' renames all labels that are not named. May be repeated.",
    ),
    click.option(
        "--drop",
        "dropped",
        multiple=True,
        metavar="LABEL",
        help="Leave out films with this label; '*' leaves out all labels that are not named. May be repeated.",
    ),
    click.option("--patient-pattern", help="A regular expression with one group, which finds the patient in a path."),
    click.option(
        "--ignore-sides", is_flag=True, help="Ignore the folders train, val and test, and deal the patients anew."
    ),
)


def data_options(command: Command) -> Command:
    """Add how labelled films are laid out."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def layout_of(options: Mapping[str, Any]) -> DataLayout:
    """Return what these options say; raise UsageError where they cannot be meant."""
    from trainer.data.label_words import label_words
    from trainer.data.layout import DataLayout

    columns = {name: options[name] for name in ("manifest", "path_column", "label_column", "patient_column")}
    return DataLayout(
        **columns,
        words=label_words(options["mapped"], options["dropped"]),
        patient_pattern=options["patient_pattern"],
        ignore_sides=options["ignore_sides"],
    )
