"""`wetread reproduce mnist`: the paper's networks for digits, from scratch and in the frameworks."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from cli.compare import chosen_optimizers
from cli.folder import FOLDER
from cli.numerics import set_up_products
from cli.output import emit_json, emit_table, say
from cli.training_options import OPTIMIZERS
from wetread.whole_file import AS_UMASK_SAYS, write_whole

if TYPE_CHECKING:
    from trainer.studies.mnist_study import Study


@click.command()
@click.option("--data", type=click.Path(), help="MNIST as .npz.  [default: ../shared/data or Keras's cache]")
@click.option("--optimizers", default=",".join(OPTIMIZERS), show_default=True, help="Which ones, separated by commas.")
@click.option("--seeds", default=5, show_default=True, help="How many trainings of each network with each optimizer.")
@click.option("--epochs", default=10, show_default=True, help="As in the paper.")
@click.option("--threads", type=int, help="Threads that TensorFlow and PyTorch may use.  [default: one per core]")
@click.option("--output", type=FOLDER, help="Write figures and plot to this folder; the same command continues there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def mnist(data: str | None, optimizers: str, output: str | None, as_json: bool, **options: Any) -> None:
    """Train the paper's digit networks, from scratch and in the frameworks.

    Digits 0 to 4, 2,000 training images of each, 14 x 14 pixels; accuracy on the 5,139 test images of these digits.
    A row whose framework is not installed says so.

    \b
    Example:
      wetread reproduce mnist --seeds 1 --optimizers adam
      wetread reproduce mnist --output mnist/ --json
    """
    set_up_products()
    from cli.training_progress import TrainingProgress
    from trainer.studies.digits import find_mnist, load_digits
    from trainer.studies.reproduce_mnist import reproduce_mnist

    chosen = chosen_optimizers(optimizers)
    folder = None if output is None else os.fsencode(output)
    if folder is not None:
        from trainer.studies.plots_mnist import mnist_plot  # where matplotlib is missing, that is said first
    digits = load_digits(find_mnist(None if data is None else os.fsencode(data)))
    with TrainingProgress() as progress:
        study = reproduce_mnist(digits, chosen, folder=folder, done=progress.trainings, **options)
    if output is not None:
        _write(output, "mnist.json", (json.dumps(study.to_json(), indent=1) + "\n").encode())
        _write(output, "mnist.png", mnist_plot(study))
    if as_json:
        emit_json(study.to_json())
    else:
        _show_study(study)


def _show_study(study: Study) -> None:
    from trainer.studies.mnist_study import POINTS_BETWEEN_TWINS, ROWS

    rows = []
    for row in ROWS:
        trials = [study.trials.get((row.name, optimizer)) for optimizer in study.optimizers]
        cells = ["not installed" if trial is None else str(trial) for trial in trials]
        rows.append((row.name, f"{row.paper:.4f}", *cells))
    setting = study.setting
    emit_table(
        ("network", "paper", *study.optimizers),
        rows,
        title=f"accuracy on {setting['test_images']} test images after {setting['epochs']} epochs, mean ± standard "
        "deviation over seeds",
    )
    for row in ROWS:
        best = study.best(row)
        if best is None:
            say(f"{row.name}: {row.needs} is not installed")
        elif row.target is not None:
            reached = "reached" if best.mean >= row.target else "not reached"
            say(f"{row.name}: {best.mean:.4f} with {best.optimizer}; to reach: {row.target:.3f}, {reached}")
        else:
            points = {optimizer: study.difference(row, optimizer) for optimizer in study.optimizers}
            widest = max(points, key=lambda optimizer: abs(points[optimizer]))
            within = "within" if abs(points[widest]) <= POINTS_BETWEEN_TWINS else "not within"
            say(
                f"{row.name} is at most {abs(points[widest]):.2f} points from {row.twin} ({widest}): {within} "
                f"{POINTS_BETWEEN_TWINS}"
            )
    say("Learning rates and other numbers are Keras's defaults, in the frameworks too; the paper states none.")
    say("The best optimizer is named by the test images themselves, which favours it a little.")


def _write(folder: str, name: str, data: bytes) -> None:
    os.makedirs(folder, exist_ok=True)
    write_whole(os.path.join(folder, name), data, mode=AS_UMASK_SAYS)
