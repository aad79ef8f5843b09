"""`wetread reproduce`: repeats the paper's two studies, and sets its figures beside ours."""

from __future__ import annotations

import click

from cli.reproduce_mnist import mnist
from cli.reproduce_xray import xray


@click.group()
def reproduce() -> None:
    """Repeat the paper's studies, and print its figures beside ours.

    \b
    Example:
      wetread reproduce mnist --output mnist/
      wetread reproduce xray films/ --engine numpy
    """


reproduce.add_command(mnist)
reproduce.add_command(xray)
