"""The command `wetread`: its groups and commands, loaded when one is called."""

from __future__ import annotations

import errno
import io
import select
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from cli.completing import PROGRAM, VARIABLE, items
from cli.faults import OutputFailed, say_fault
from cli.interrupting import end_if_interrupted, watch_interrupts
from cli.mistyped import mistyped_settings, refuse_mistyped
from cli.numbers import bound_numbers
from cli.output import set_quiet, warn
from cli.short_options import shortened, version_option
from cli.streams import STDOUT, discard_output, output_is_closed, prepare_streams
from schemas.errors import EXIT_INTERRUPTED, WetreadError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "demo": ("cli.demo", "Draw an archive, train on part of it, screen the rest."),
    "screen": ("cli.screen", "Screen directories of chest X-rays, start to end."),
    "submit": ("cli.submit", "Submit directories to the workers, and return when every file is recorded."),
    "watch": ("cli.watch", "Screen films as they appear, until stopped."),
    "listen": (
        "cli.listen",
        "Receive films from a PACS or a modality by DICOM (C-STORE), and screen them, until stopped.",
    ),
    "pull": ("cli.pull", "Fetch films from a PACS, and screen them as they come."),
    "pulls": ("cli.pulls", "List pulls from PACS and how many films are missing, newest first."),
    "send": ("cli.send", "Send readings to a PACS, as Structured Reports."),
    "deliveries": ("cli.deliveries", "List deliveries to PACS, and retry failed ones."),
    "peers": ("cli.peers", "Manage which PACS and modalities may send films, and how they are called."),
    "worker": ("cli.worker", "Serve batches from the broker until stopped."),
    "beat": ("cli.beat", "Run the schedules, and notify workers of waiting batches, until stopped."),
    "schedule": (
        "cli.schedule",
        "Schedule screenings of directories, night after night; `wetread beat` runs them.",
    ),
    "status": ("cli.status", "Show the progress of a run: the latest, or the run with this number."),
    "runs": ("cli.runs", "List, cancel, resume and delete runs."),
    "report": ("cli.report", "Report on a run: what it gave, how it differs, what to look at first."),
    "errors": ("cli.errors", "List rejected and dead images, and retry them."),
    "results": ("cli.results", "List, show, summarise and delete readings."),
    "web": ("cli.web", "Open the reading room: look at the films, agree or disagree, until stopped."),
    "readers": ("cli.readers", "Manage who may sign in to the reading room, `wetread web`."),
    "tokens": ("cli.tokens", "Say which programs may ask the HTTP API of `wetread web`, and as whom."),
    "reviews": ("cli.reviews", "Check, measure and export what readers said of the films in the reading room."),
    "audit": ("cli.audit", "Find leaks, copies and shortcuts in labelled films."),
    "train": ("cli.train", "Train a model on labelled films."),
    "train-field": ("cli.train_field", "Train the segmenter that finds the lungs, on films with masks."),
    "evaluate": ("cli.evaluate", "Measure a model on labelled films."),
    "compare": ("cli.compare", "Compare optimizers on the same films."),
    "cross-validate": ("cli.cross_validate", "Measure a recipe, every patient held out once."),
    "models": ("cli.models", "List, show, verify and promote models."),
    "reproduce": ("cli.reproduce", "Repeat the paper's studies, and print its figures beside ours."),
    "steps": ("cli.steps", "Draw an image's original, CLAHE and brightness side by side."),
    "explain": ("cli.explain", "Show where a model looks in a film, and check how far that is to be trusted."),
    "health": ("cli.health", "Check quickly whether a part is alive: exit 0 if it is, 1 or 4 if not."),
    "doctor": ("cli.doctor", "Check this installation, and say how to mend what is wrong."),
    "migrate": (
        "cli.migrate",
        "Bring the database to this program's schema, or make an empty one; registers the model that ships too.",
    ),
    "completion": ("cli.completion", "Print the script that makes a shell complete wetread's commands."),
}
"""Command -> the module that defines it under the same name (_ for -), and the line that `wetread --help` shows.

The lines stand here so that help imports none of the modules; a test holds them to the commands' own.
"""


class LazyGroup(click.Group):
    """A group whose commands are imported only when called: `wetread --help` is there at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order in which a person needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command, importing its module."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        return shortened(bound_numbers(command)) if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; a mistyped one is refused with the nearest."""
        refuse_mistyped(ctx, args, COMMANDS)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. That the reader of its output leaves (wetread results list | head) is no fault: exit 0."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            if not _reader_left():
                # Without the number by which click ends any command in silence.
                raise OSError("a pipe between wetread's own processes broke") from error
            discard_output()
            ctx.exit(0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        """Write the commands' lines without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Offer the commands to the Tab key without importing them."""
        offered = items(((name, line) for name, (_, line) in COMMANDS.items()), incomplete)
        return offered + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@version_option
@click.option("-v", "--verbose", is_flag=True, help="Log more on stderr; may stand after the command too.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Print only data, errors and alarms; may stand after the command too."
)
def wetread(verbose: bool, quiet: bool) -> None:
    """Give a whole archive of chest X-rays its wet read: the quick first reading before the report.

    Research software: not for diagnostic use.

    \b
    Example:
      wetread demo
      wetread screen /archive --json
    """
    from wetread.logs import set_up_logs

    set_quiet(quiet)
    set_up_logs(verbose=verbose)
    for line in mistyped_settings():
        warn(line)


def _reader_left() -> bool:
    asked = select.poll()
    asked.register(STDOUT, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


def main() -> None:
    """Run the command line; end with the exit code that design and README name."""
    prepare_streams()
    watch_interrupts()
    code = _finished(_run())
    end_if_interrupted(code)
    sys.exit(code)


def _run() -> int:
    try:
        return int(wetread.main(prog_name=PROGRAM, complete_var=VARIABLE, standalone_mode=False) or 0)
    except WetreadError as error:
        warn(f"wetread: {error}")
        return error.exit_code
    except click.exceptions.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        warn(shown.getvalue().removesuffix("\n"))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last who can say a sentence of it
        return say_fault(_unwritten() or _refused(error) or error)


def _finished(code: int) -> int:
    """Write out what is buffered yet; return the code, or that of a failure where it cannot be written."""
    unwritten = _unwritten()
    return say_fault(unwritten) if unwritten is not None and not code else code


def _refused(error: Exception) -> OutputFailed | None:
    """Return `error` as a failed print where standard output was closed; None for any other.

    A print that is longer than the buffer is not held back, so that `_unwritten` has nothing left to try.
    """
    if isinstance(error, OSError) and error.errno == errno.EBADF and output_is_closed():
        return OutputFailed(error)
    return None


def _unwritten() -> OutputFailed | None:
    """Write out what standard output holds; return why that failed, None where it did not or its reader left."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        return OutputFailed(error)
    return None
