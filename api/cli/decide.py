"""`accord proposals` and `mode`: what waits for people, and how much Accord may do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command, DefaultGroup, Group
from api.cli.console import Console
from api.cli.settings import config_option, load, opened, person, person_option, stored

if TYPE_CHECKING:
    from domain.proposals import Proposal

_STATUSES = ("pending", "approved", "rejected", "expired", "void", "all")


@click.group(cls=DefaultGroup)
def proposals() -> None:
    """List and show proposals. Without a subcommand it lists those that wait for an answer."""


@proposals.command("list", cls=Command)
@click.option("--status", type=click.Choice(_STATUSES), default="pending", show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@config_option
@click.pass_obj
def list_(console: Console, status: str, limit: int, config: Path | None) -> None:
    """List proposals, newest first.

    \b
    Example:
      accord proposals list --status approved --json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from api.cli.story import proposal_lines
    from api.schemas.proposals import of_proposal
    from domain.proposals import ProposalStatus

    wanted = None if status == "all" else ProposalStatus(status)
    with stored(load(config)) as store:
        page = store.proposals.page(status=wanted, limit=limit)
    lines = itertools.chain.from_iterable(proposal_lines(one) for one in page.items)
    if not page.items:
        lines = iter([f"No proposal is {status}." if wanted else "There are no proposals yet."])
    items = [of_proposal(one).model_dump(mode="json") for one in page.items] if console.as_json else []
    console.answer({"items": items, "next": page.next}, lines)


@proposals.command("show", cls=Command)
@click.argument("proposal_id")
@config_option
@click.pass_obj
def show(console: Console, proposal_id: str, config: Path | None) -> None:
    """Show one proposal: actions, reasons, evidence, measurement, checks."""
    from api.schemas.proposals import of_proposal

    with stored(load(config)) as store:
        found = store.proposals.get(proposal_id)
    console.answer(of_proposal(found).model_dump(mode="json") if console.as_json else None, _card(found))


def _card(found: Proposal) -> Iterator[str]:
    from api.cli.story import proposal_lines

    yield from proposal_lines(found)
    yield f"    status: {found.status}" + (f" ({found.detail})" if found.detail else "")
    yield ""
    yield found.why
    yield ""
    for action in found.actions:
        spec = action.spec
        change = f"{spec.expect!r} → {spec.value!r} {spec.currency or ''}".rstrip()
        yield f"  do      {spec.kind} {spec.entity or ''}: {change} [{action.status}]"
    for evidence in found.evidence:
        yield f"  because {evidence.text} ({evidence.source})"
    for other in found.alternatives:
        yield f"  instead {other}"
    for check in found.verdict.checks:
        yield f"  {'holds' if check.passed else 'FAILS':7} {check.name}: {check.detail}"
    measured = found.measurement
    yield f"  measure {measured.metric} by {measured.method} over {measured.days} days. {measured.stop}"
    for decision in found.decisions:
        reason = decision.reason or "no reason given"
        yield f"  {decision.kind} by {decision.by} at {decision.at:%Y-%m-%d %H:%M}: {reason}"


@click.group(cls=Group)
def mode() -> None:
    """Switch how much Accord may do: nothing in the tools for a while, or nothing that waits at all."""


@mode.command("read-only", cls=Command)
@click.argument("switch", type=click.Choice(["on", "off"]))
@click.option("--reason", default="", help="Why, for the audit.")
@person_option
@config_option
@click.pass_obj
def read_only(console: Console, switch: str, reason: str, person_id: str, config: Path | None) -> None:
    """Stop every effect, or allow them again. Reading, reasoning and proposing go on.

    \b
    Example:
      accord mode read-only on --as emma --reason "year-end close"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.modes import set_read_only

    with opened(load(config)) as runtime:
        set_read_only(runtime, switch == "on", person(runtime.settings, runtime.store, person_id), reason)
    console.answer({"read_only": switch == "on"}, [f"Read-only mode is {switch}."])


@mode.command("stop", cls=Command)
@click.option("--reason", default="", help="Why, for the audit.")
@person_option
@config_option
@click.pass_obj
def stop(console: Console, reason: str, person_id: str, config: Path | None) -> None:
    """Stop everything: read-only from now on, and nothing that waits or was approved but not begun will ever happen.

    \b
    Example:
      accord mode stop --as emma --reason "wrong numbers everywhere"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents import modes
    from domain.prose import counted

    with opened(load(config)) as runtime:
        dropped = modes.stop(runtime, person(runtime.settings, runtime.store, person_id), reason)
    asked, all_ = counted(dropped.proposals, "proposal"), counted(dropped.actions, "action")
    lines = [
        f"Stopped: {asked} that waited, {all_} in all, were dropped.",
        "Read-only mode is on. `accord mode read-only off --as PERSON` turns it off.",
    ]
    if dropped.begun:
        lines.append(f"{counted(dropped.begun, 'action')} had begun: finished or settled, not torn.")
    console.answer(dropped.model_dump(mode="json"), lines)
