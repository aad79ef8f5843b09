"""`wetread completion`: prints the script that makes the Tab key complete commands."""

from __future__ import annotations

import click

from cli.completing import PROGRAM, VARIABLE

AT_SIGN = """\
# NAME@VERSION is one word.
COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}
"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete wetread's commands.

    With it the Tab key completes commands, options and their choices, directories, and what the database knows: models,
    runs, labels, schedules. Nothing is written and no database is made for that. The command has to be found under the
    name wetread: put .venv/bin into PATH, or link it from a directory that is.

    \b
    Example:
      wetread completion bash > ~/.local/share/bash-completion/completions/wetread
      wetread completion zsh > ~/.zfunc/_wetread
      wetread completion fish > ~/.config/fish/completions/wetread.fish

    bash reads that directory where bash-completion is installed; elsewhere append the script to ~/.bashrc. zsh needs
    the directory in its fpath, before compinit. Each takes effect in the next shell.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has all three
    # Not source(): for bash that asks the bash of this machine for its version first.
    completer = found(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    script = completer.source_template % completer.source_vars()
    # click's own cuts what fish shows beside a word at its first comma.
    script = script.replace('(string split "," $completion)', '(string split --max 1 "," $completion)')
    click.echo((AT_SIGN if shell == "bash" else "") + script)
