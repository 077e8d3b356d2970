"""`accord actions`: what was done in the tools, setting it back, and settling what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command, DefaultGroup
from api.cli.console import Console
from api.cli.settings import config_option, load, opened, person, person_option, stored

if TYPE_CHECKING:
    from domain.actions import Action

_STATUSES = ("pending", "executing", "done", "unknown", "drifted", "denied", "compensated", "all")


@click.group(cls=DefaultGroup)
def actions() -> None:
    """List actions, undo one, or settle one that is unknown. Without a subcommand it lists the unknown ones."""


@actions.command("list", cls=Command)
@click.option("--status", type=click.Choice(_STATUSES), default="unknown", show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@config_option
@click.pass_obj
def list_(console: Console, status: str, limit: int, config: Path | None) -> None:
    """List actions, newest first; those that are unknown wait for a person's word.

    \b
    Example:
      accord actions list --status done --json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.schemas.proposals import of_action

    with stored(load(config)) as store:
        page = store.actions.page(status=None if status == "all" else status, limit=limit)
    lines = [line for one in page.items for line in _lines(one)] or [f"No action is {status}."]
    items = [of_action(one).model_dump(mode="json") for one in page.items] if console.as_json else []
    console.answer({"items": items, "next": page.next}, lines)


def _lines(action: Action) -> Iterator[str]:
    spec = action.spec
    yield f"{action.id}  {action.status:11} {spec.kind} {spec.entity or ''}: {spec.expect!r} → {spec.value!r}"
    if action.detail:
        yield f"    {action.detail}"


@actions.command("settle", cls=Command)
@click.argument("action_id")
@click.option("--happened/--did-not-happen", required=True, help="What you found in the tool.")
@click.option("--reason", required=True, help="Where you looked and what you saw.")
@person_option
@config_option
@click.pass_obj
def settle(
    console: Console,
    action_id: str,
    happened: bool,  # noqa: FBT001 — click's flag
    reason: str,
    person_id: str,
    config: Path | None,
) -> None:
    """Say whether an action happened that the tool neither confirmed nor denied.

    \b
    Example:
      accord actions settle act_2d7e4f315b1f0a9c --happened --as ana --reason "the console shows 1,150"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.settle import settle_by_person
    from api.schemas.proposals import of_action

    with opened(load(config)) as runtime:
        who = person(runtime.settings, runtime.store, person_id)
        after = settle_by_person(runtime, action_id, happened=happened, person=who, reason=reason)
    console.answer(of_action(after).model_dump(mode="json"), [f"{after.id} is {after.status}."])


@actions.command("undo", cls=Command)
@click.argument("action_id")
@click.option("--reason", default="", help="Why; reasons are learnt from.")
@person_option
@config_option
@click.pass_obj
def undo(console: Console, action_id: str, reason: str, person_id: str, config: Path | None) -> None:
    """Set back what an action changed, or say why it cannot be.

    \b
    Example:
      accord actions undo act_2d7e4f315b1f0a9c --as ana --reason "the flight was cancelled"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.undo import undo as set_back
    from api.schemas.proposals import of_action

    with opened(load(config)) as runtime:
        who = person(runtime.settings, runtime.store, person_id)
        undoing = set_back(runtime, action_id, who, reason, channel="cli")
    console.answer(of_action(undoing).model_dump(mode="json"), [f"{undoing.id} sets {action_id} back."])
