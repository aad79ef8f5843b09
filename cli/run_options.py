"""Options of every command that makes runs or schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.accept_options import accept_options
from cli.completing import MODEL
from cli.engine_option import engine_option
from cli.walk_options import chosen_rules, walk_options
from schemas.predictions import ENGINES

if TYPE_CHECKING:
    from schemas.films import Accepted
    from schemas.walk_rules import WalkRules
    from wetread.settings import Settings
    from wetread.store.core.database import Database

Command = TypeVar("Command", bound=Callable[..., Any])

NO_SHADOW = "none"
"""What `schedule edit` calls no shadow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What these options say: by which model and shadow on which engine, and what of the directories is read."""

    model: str
    shadow: str | None
    engine: str
    exclude: tuple[str, ...] = ()
    follow_links: bool = False
    allow: tuple[str, ...] = ()
    accept_modality: tuple[str, ...]
    accept_body_part: tuple[str, ...]
    accept_view: tuple[str, ...]

    @property
    def rules(self) -> WalkRules:
        """How directories are walked; raises UsageError for a wrong pattern or a missing directory."""
        return chosen_rules(self.exclude, self.allow, follow_links=self.follow_links)

    @property
    def accepted(self) -> Accepted:
        """The words that were named; those of the settings are beside them."""
        from schemas.films import Accepted

        return Accepted(self.accept_modality, self.accept_body_part, self.accept_view)

    def check_models(self, database: Database, settings: Settings) -> None:
        """Check models and engine before a port is opened or a peer asked; raises what `chosen_models` does."""
        from screening.shadow import chosen_models
        from wetread.models.registry import Registry

        registry = Registry(database, settings.models_directory)
        chosen_models(registry, self.model, self.shadow, self.engine, settings.broker, lambda _: None)


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What the same options change of a schedule; None and empty leave it as it is."""

    model: str | None
    shadow: str | None
    engine: str | None
    exclude: tuple[str, ...]
    exclude_nothing: bool
    follow_links: bool | None
    allow: tuple[str, ...]
    accept_modality: tuple[str, ...]
    accept_body_part: tuple[str, ...]
    accept_view: tuple[str, ...]
    accept_nothing: bool

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) not in (None, (), False) for field in fields(self)) or (
            self.follow_links is False
        )

    def changed(self, rules: WalkRules, accepted: Accepted) -> tuple[WalkRules, Accepted]:
        """Return the rules and words of a schedule that has had these.

        Raises UsageError for a wrong pattern, a missing directory, and options that contradict each other.
        """
        from schemas.errors import UsageError
        from schemas.films import Accepted

        named = self.accept_modality, self.accept_body_part, self.accept_view
        for option, given, cleared in (
            ("--exclude", self.exclude, self.exclude_nothing), ("--accept-...", any(named), self.accept_nothing),
        ):  # fmt: skip
            if given and cleared:
                nothing = f"{option.removesuffix('...').removesuffix('-')}-nothing"
                raise UsageError(f"expected {option} or {nothing}, found both")
        follows = rules.follow_links if self.follow_links is None else self.follow_links
        chosen = chosen_rules(self.exclude, self.allow, follow_links=follows)
        if not self.exclude and not self.exclude_nothing:
            chosen = replace(chosen, exclude=rules.exclude)
        if follows and not self.allow:
            chosen = replace(chosen, allow=rules.allow)
        words = (new or kept for new, kept in zip(named, accepted.lists, strict=True))
        return chosen, Accepted() if self.accept_nothing else Accepted(*words)


def run_options(*, each: str | None = None, walks: bool = True) -> Callable[[Command], Command]:
    """Give a command these options, and hand it what they say as `chosen`, RunOptions.

    each: of which runs the models are looked up anew, where the command makes more than one.
    walks: whether it walks directories, of which it can be told what to leave out.
    """
    anew = "" if each is None else f"; looked up anew for {each}"
    options = [
        click.option(
            "--model", type=MODEL, default="production", show_default=True,
            help=f"A model: NAME, NAME@VERSION or a digest{anew}.",
        ),
        click.option(
            "--shadow", type=MODEL,
            help=f"A second model that reads the same films{anew}; its readings are kept apart.",
        ),
        engine_option,
        *([walk_options] if walks else []),
        accept_options,
    ]  # fmt: skip
    return lambda command: _with(command, options, RunOptions)


def run_change_options(command: Command) -> Command:
    """Give a command the same options to change a schedule, and hand it what they say as `changes`, RunChanges."""
    options = [
        click.option("--model", type=MODEL, help="A model, looked up anew for each run."),
        click.option("--shadow", type=MODEL, help=f"A second model that reads the same films, or {NO_SHADOW!r}."),
        click.option(
            "--engine", type=click.Choice(ENGINES), help="What computes the network; keras and onnx need their extra."
        ),
        lambda of: walk_options(of, instead=True),
        lambda of: accept_options(of, instead=True),
    ]
    return _with(command, options, RunChanges)


def _with(command: Command, options: list[Any], kind: type[RunOptions | RunChanges]) -> Command:
    names = [field.name for field in fields(kind)]
    handed = "chosen" if kind is RunOptions else "changes"

    @wraps(command)
    def taking(*args: Any, **given: Any) -> Any:
        said = kind(**{name: given.pop(name) for name in names if name in given})
        return command(*args, **given, **{handed: said})

    made: Any = taking
    for option in reversed(options):
        made = option(made)
    return made  # type: ignore[no-any-return] # what click's decorators return is the command
