"""The shape of every command: `--json`, `--debug`, loaded when called, results alone on stdout."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import click

from api.cli.console import Console
from domain.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

EXTENSION_GROUP = "accord.commands"
_OWN = "accord"  # our own distribution, whose evals join like an extension since `api` must not import them
Sections = Mapping[str, tuple[tuple[str, str, str], ...]]
"""Rows of (name, "module:attribute", help) by heading."""


def _set_flag(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 — click's
        if value:
            setattr(context.ensure_object(Console), name, True)

    return remember


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set_flag("as_json"),
            help="Print JSON on stdout and nothing else there.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set_flag("debug"),
            help="Show the stack trace of a failure.",
        ),
    ]


class Command(click.Command):
    """A command with `--json` and `--debug`. Whatever libraries print while it runs goes to stderr."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *_common_options()]

    def invoke(self, ctx: click.Context) -> object:
        ctx.ensure_object(Console).out = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            return super().invoke(ctx)


class Group(click.Group):
    """A group of such commands, which names the nearest one when asked for one it lacks."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"`{ctx.command_path} --help` lists them."
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


class DefaultGroup(Group):
    """A group that runs its `default` command when none is named: `accord proposals` lists them."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class LazyGroup(Group):
    """The root: its commands are imported when called, so that asking for help loads none of them.

    Other packages add commands by entry point; one that cannot be loaded fails alone, by name.
    """

    sections: ClassVar[Sections] = {}

    @property
    def _targets(self) -> dict[str, str]:
        return {name: target for rows in self.sections.values() for name, target, _ in rows}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._targets, *_extensions(self._targets)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        targets = self._targets
        if cmd_name in targets:
            module, _, attribute = targets[cmd_name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        extension = _extensions(targets).get(cmd_name)
        return None if extension is None else _load(extension)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        extensions = _extensions(self._targets)
        width = max(len(name) for name in (*self._targets, *extensions))
        for heading, rows in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, _, text in rows])
        ours = {name: entry for name, entry in extensions.items() if _origin(entry) == _OWN}
        if ours:
            with formatter.section("Measure"):
                rows = [(name.ljust(width), _load(entry).get_short_help_str(80)) for name, entry in ours.items()]
                formatter.write_dl(rows)
        if others := {name: entry for name, entry in extensions.items() if name not in ours}:
            with formatter.section("From other packages"):
                formatter.write_dl([(name.ljust(width), f"Added by {_origin(e)}.") for name, e in others.items()])


def _extensions(taken: Mapping[str, str]) -> dict[str, EntryPoint]:
    """Commands of other packages by name; ours cannot be replaced."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=EXTENSION_GROUP) if entry.name not in taken}


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _load(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except Exception as error:  # edge: code of another package
        raise ConfigError(
            f"The command {entry.name!r} of {_origin(entry)!r} cannot be loaded: {type(error).__name__}: {error}. "
            "Mend or uninstall that package."
        ) from error
    if not isinstance(command, click.Command):
        raise ConfigError(f"{entry.value!r} of {_origin(entry)!r} is no click command. Mend or uninstall that package.")
    return command
