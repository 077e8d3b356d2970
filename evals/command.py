"""The group `accord eval`: what each command measures stands in its module, imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

_COMMANDS: Mapping[str, str] = {
    "routing": "evals.routing.command:routing",
}


class _Evals(click.Group):
    """Commands by name and place, so that asking for help loads what it shows and `accord --help` none of it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        return getattr(importlib.import_module(module), attribute)


@click.command(name="eval", cls=_Evals)
def evaluate() -> None:
    """Measure how good it is: each figure with an interval, a seed and a command."""
