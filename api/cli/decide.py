"""`accord proposals`, `approve`, `reject` and `mode`: a person's part, from a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.command import Command, DefaultGroup, Group
from api.cli.console import Console
from api.cli.settings import config_option, load, opened, person, person_option, stored

if TYPE_CHECKING:
    from domain.decisions import DecisionKind
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


@click.command(cls=Command)
@click.argument("proposal_id")
@click.option("--reason", default="", help="Why; reasons are learnt from.")
@click.option("--fingerprint", help="Decide only if the proposal is still this version.")
@person_option
@config_option
@click.pass_obj
def approve(
    console: Console, proposal_id: str, reason: str, fingerprint: str | None, person_id: str, config: Path | None
) -> None:
    """Approve all actions of a proposal, as a person that policy lets.

    \b
    Example:
      accord approve prop_7e4f315b1f0a9c2d --as ana
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from domain.decisions import DecisionKind

    _answer(console, config, Answer(proposal_id, person_id, DecisionKind.APPROVE, reason, fingerprint))


@click.command(cls=Command)
@click.argument("proposal_id")
@click.option("--reason", required=True, help="Why; reasons are learnt from.")
@click.option("--fingerprint", help="Decide only if the proposal is still this version.")
@person_option
@config_option
@click.pass_obj
def reject(
    console: Console, proposal_id: str, reason: str, fingerprint: str | None, person_id: str, config: Path | None
) -> None:
    """Reject a proposal, with a reason.

    \b
    Example:
      accord reject prop_7e4f315b1f0a9c2d --as ana --reason "Stock in Paris is short until Friday"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from domain.decisions import DecisionKind

    _answer(console, config, Answer(proposal_id, person_id, DecisionKind.REJECT, reason, fingerprint))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person answers to one proposal."""

    proposal: str
    person: str
    kind: DecisionKind
    reason: str
    fingerprint: str | None


def _answer(console: Console, config: Path | None, answer: Answer) -> None:
    from agents.approve import decide
    from api.schemas.proposals import of_proposal
    from domain.decisions import DecisionRequest

    with opened(load(config)) as runtime:
        who = person(runtime.settings, runtime.store, answer.person)
        seen = runtime.store.proposals.get(answer.proposal)
        request = DecisionRequest(
            decision=answer.kind, fingerprint=answer.fingerprint or seen.fingerprint, reason=answer.reason
        )
        after = decide(runtime, answer.proposal, request, who, channel="cli")
    missing = after.verdict.quorum - sum(1 for one in after.decisions if one.kind == "approve")
    waits = f"; {missing} more of {', '.join(after.verdict.roles)} must approve" if after.status == "pending" else ""
    console.answer(of_proposal(after).model_dump(mode="json"), [f"{after.id} is {after.status}{waits}."])


@click.group(cls=Group)
def mode() -> None:
    """Switch how much Accord may do."""


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
