"""`wetread models import`: a model's folder, or another's network as an ONNX file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cli.context import opened_registry
from cli.model_views import listed, listed_json
from cli.output import NOT_DIAGNOSTIC, emit_json, say
from schemas.errors import UsageError

if TYPE_CHECKING:
    pass

GIVES = ("logits", "softmax", "sigmoid")


@click.command("import")
@click.argument("source", type=click.Path(exists=True), metavar="FOLDER|FILE.onnx")
@click.option("--name", help="Of an ONNX file: the model's name; versions are counted.")
@click.option("--labels", metavar="LABEL,LABEL…", help="Of an ONNX file: a label for each of its outputs, in order.")
@click.option(
    "--preprocess", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    help="Of an ONNX file: how a film becomes its input, as JSON; without, levels from 0 to 1 at the file's own size.",
)  # fmt: skip
@click.option(
    "--gives", type=click.Choice(GIVES),
    help="Of an ONNX file: what its outputs are: before a softmax, or the probabilities of one, or one each.  "
    "[default: logits]",
)  # fmt: skip
@click.option(
    "--gate-films", type=click.Path(exists=True, file_okay=False), metavar="DATA",
    help="Of an ONNX file: labelled films of your own, to fit the gate on that rejects what is no film.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_model(source: str, as_json: bool, **options: Any) -> None:
    """Verify a model in FOLDER, or another's network in FILE.onnx, keep it and register it.

    A model that is registered already is only copied, where this machine lacks its files.

    A network that somebody else has made comes as one ONNX file, with --name and --labels, and is read by ONNX Runtime
    alone (--engine onnx). It may hold operators of ONNX itself, no loops, and nothing that lies in other files, and is
    tried out first in a process of its own. A label of _ is that of an output which is not read; one label more than
    outputs means, as the first, a film with none of the findings. Nobody has audited what it learned from, and it has
    no card: measure it with 'wetread evaluate', and fit its decision with 'wetread models recalibrate'.

    \b
    Example:
      wetread models import ./cxr-3
      wetread models import densenet.onnx --name densenet --labels normal,opacity --preprocess preprocess.json
      wetread models import xrv.onnx --name xrv --labels normal,_,opacity --gives sigmoid --gate-films films/
    """
    folder = os.path.isdir(source)
    if folder and (given := [name for name, value in options.items() if value is not None]):
        raise UsageError(f"--{given[0].replace('_', '-')}: expected an ONNX file, found a model's folder")
    if not folder and (options["name"] is None or options["labels"] is None):
        raise UsageError("expected --name and --labels with an ONNX file; it does not say what its outputs mean")
    with opened_registry() as registry:
        registration = registry.register(source) if folder else registry.publish(_contents(source, options))
        if as_json:
            emit_json(listed_json(listed(registry, registration)))
            return
        say(f"registered {registration.reference}, {registration.digest[:12]}; promote it to use it by default")
        if not folder:
            say(
                "warning: nobody has audited what it learned from, and it has no card; 'wetread evaluate "
                f"{registration.reference} DATA --engine onnx' measures it"
            )
            if options["gate_films"] is None:
                say("warning: it has no input gate, and reads any picture as a film; --gate-films fits one")
            say(NOT_DIAGNOSTIC)


def _contents(source: str, options: dict[str, Any]) -> Any:
    """Return what is to be registered of the ONNX file `source`."""
    from wetread.models.another_network import NETWORK_BYTES_LIMIT
    from wetread.models.asked_network import AskedNetwork
    from wetread.models.card import checked_name
    from wetread.models.engines import check_engine
    from wetread.models.files import read_file
    from wetread.models.onnx_probe import imported
    from wetread.models.strict_json import parse
    from wetread.settings import load_settings

    check_engine("onnx")
    checked_name(options["name"])
    body = {}
    if options["preprocess"] is not None:
        with open(options["preprocess"], "rb") as file:
            body = parse(file.read(), options["preprocess"])
    asked = AskedNetwork(tuple(options["labels"].split(",")), options["gives"] or GIVES[0], body)
    where, name = os.path.split(os.path.abspath(source))
    data = read_file(where, name, NETWORK_BYTES_LIMIT)
    contents = imported(data, asked, options["name"], load_settings().memory_bytes)
    if options["gate_films"] is None:
        return contents
    return _with_gate(contents, options["gate_films"])


def _with_gate(contents: Any, data: str) -> Any:
    from dataclasses import replace

    from cli.numerics import set_up_products

    set_up_products()
    from trainer.data.dataset import load_dataset
    from trainer.data.layout import DataLayout
    from trainer.gate.for_another import gate_of_films

    gate, figures = gate_of_films(load_dataset(os.fsencode(data), DataLayout()), contents.preprocess)
    return replace(contents, gate=gate.to_json(), metrics={"gate": figures})
