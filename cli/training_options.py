"""Options that all training commands share, and the recipe that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.data_options import OPTIONS
from schemas.errors import UsageError

if TYPE_CHECKING:
    from trainer.training.recipe import Recipe
    from wetread.imaging.lung_field import LungField
    from wetread.imaging.preprocess import Preprocess

SIZE, LITE0_SIZE = 128, 224
"""Sides of a network's input where none is given."""

OPTIMIZERS = ("rmsprop", "sgd", "adadelta", "adagrad", "adam")
"""The paper's five, in its order; a test holds them to the engine's."""

Command = TypeVar("Command", bound=Callable[..., Any])


def network_options(command: Command) -> Command:
    """Add what trains, and which network."""
    return _with(
        command,
        click.option(
            "--engine", type=click.Choice(["numpy", "keras"]), default="numpy", show_default=True, help="What trains."
        ),
        click.option(
            "--arch",
            type=click.Choice(["cnn", "dnn", "separable"]),
            default="cnn",
            show_default=True,
            help="The network.",
        ),
        click.option(
            "--size", type=int, help="Side of the network's input, pixels.  [default: 128, and 224 for lite0]"
        ),
        click.option(
            "--width",
            type=int,
            help="Width of the network: scales the filters of every layer.  [default: the architecture's]",
        ),
    )


def backbone_options(command: Command) -> Command:
    """Add what a network may start from."""
    return _with(
        command,
        click.option(
            "--backbone",
            type=click.Choice(["lite0"]),
            help="Start from a network that others trained on photographs: EfficientNet-Lite0.  [default: none]",
        ),
        click.option("--freeze", is_flag=True, help="Train the last layer alone, on the frozen backbone."),
    )


def learning_options(command: Command) -> Command:
    """Add how a model learns."""
    return _with(
        command,
        click.option("--epochs", default=50, show_default=True, help="How often every training film is seen."),
        click.option("--batch-size", default=32, show_default=True, help="Films a step."),
        click.option(
            "--balance",
            metavar="COLUMN",
            help="An attribute, such as view: weigh films so that each label counts alike in each of its values.",
        ),
        click.option(
            "--optimizer", type=click.Choice(OPTIMIZERS), default="adam", show_default=True, help="The optimizer."
        ),
        click.option(
            "--learning-rate", type=float, help="The highest learning rate of the schedule.  [default: the optimizer's]"
        ),
        click.option(
            "--schedule",
            type=click.Choice(["cosine", "constant"]),
            default="cosine",
            show_default=True,
            help="Schedule of the learning rate.",
        ),
        click.option(
            "--label-smoothing",
            default=0.05,
            show_default=True,
            help="Label smoothing: the share of a target that is spread over all labels.",
        ),
        click.option(
            "--patience", type=int, help="Stop after so many epochs without a better validation loss.  [default: never]"
        ),
        click.option(
            "--average",
            type=float,
            metavar="DECAY",
            help="Decay of an average of the weights, such as 0.995.  [default: the last step's weights]",
        ),
        click.option("--flip/--no-flip", default=True, show_default=True, help="Mirror half of the training films."),
        click.option("--augment/--no-augment", default=True, show_default=True, help="Change training films a little."),
        click.option(
            "--seed", default=0, show_default=True, help="Seed of the first weights, shuffling and augmentation."
        ),
        click.option("--device", help="The device of keras: cpu, gpu or gpu:N.  [default: TensorFlow's choice]"),
    )


def film_options(command: Command) -> Command:
    """Add how labelled films are laid out, read and enhanced."""
    return _with(
        command,
        *OPTIONS,
        click.option(
            "--working-size",
            default=400,
            show_default=True,
            help="The long side of a film before CLAHE, pixels; 0: native size.",
        ),
        click.option("--clip-limit", default=2.0, show_default=True, help="The clip limit of CLAHE."),
        click.option("--brightness", default=10, show_default=True, help="Grey levels added after CLAHE."),
        click.option(
            "--lung-field",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Read the lungs alone, as the segmenter in this file finds them, or by the masks of the data's column "
            "mask; see 'wetread train-field'. It takes the place of CLAHE, brightness and the gate.",
        ),
        click.option("--processes", default=2, show_default=True, help="That read films."),
        click.option("--threads", type=int, help="Threads that TensorFlow may use.  [default: one per core]"),
    )


def panel_option(command: Command) -> Command:
    """Add whether the shortcut panel is made."""
    return _with(
        command,
        click.option("--panel/--no-panel", default=True, show_default=True, help="Measure what shortcuts alone reach."),
    )


def recipe_of(options: Mapping[str, Any], **others: Any) -> Recipe:
    """Return the recipe of all of these options; others: further fields of `trainer.training.recipe.Recipe`."""
    from trainer.training.augment import NO_AUGMENTATION, Augmentation
    from trainer.training.options import TrainingOptions
    from trainer.training.recipe import Recipe

    augmentation = Augmentation(flip=0.5 if options["flip"] else 0.0) if options["augment"] else NO_AUGMENTATION
    taken = ("engine", "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "label_smoothing", "patience",
             "average", "seed", "threads", "device")  # fmt: skip
    return Recipe(
        arch=options.get("backbone") or options["arch"],
        size=options["size"] or (LITE0_SIZE if options.get("backbone") else SIZE),
        balance=options.get("balance"),
        width=options["width"],
        preprocess=preprocess_of(options),
        options=TrainingOptions(
            **{name: options[name] for name in taken},
            augmentation=augmentation,
            backbone=options.get("backbone"),
            freeze=options.get("freeze", False),
        ),
        **others,
    )


def preprocess_of(options: Mapping[str, Any]) -> Preprocess:
    """Return the preprocessing of `film_options`; a recipe gives it the network's size."""
    from trainer.backbones import lite0
    from wetread.imaging.preprocess import Preprocess

    mean, std = (lite0.MEAN, lite0.STD) if options.get("backbone") else (0.5, 0.25)
    if options.get("lung_field") is not None:
        field = _field_in(options["lung_field"])
        return Preprocess(
            working_size=options["working_size"] or None,
            clip_limit=0,
            brightness=0,
            mean=mean,
            std=std,
            lung_field=field,
        )
    return Preprocess(
        working_size=options["working_size"] or None,
        clip_limit=options["clip_limit"],
        brightness=options["brightness"],
        mean=mean,
        std=std,
    )


def _field_in(path: str) -> LungField:
    """Return the lung field whose segmenter is in this file; raise UsageError where it cannot be read."""
    from wetread.models.field_network import decode_field

    try:
        with open(path, "rb") as file:
            return decode_field(file.read())
    except OSError as error:
        raise UsageError(
            f"{path}: expected a segmenter, which 'wetread train-field' makes: {error.strerror}"
        ) from error


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    # A decorator's option comes before those already there: the last one first.
    for option in reversed(options):
        command = option(command)
    return command
