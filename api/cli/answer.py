"""`accord approve`, `reject`, `modify`, `ask`, `escalate` and `delegate`: a person's answers, from a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar, Unpack

import click

from api.cli.command import Command
from api.cli.console import Console
from api.cli.settings import config_option, load, opened, person, person_option
from domain.errors import InputError

if TYPE_CHECKING:
    from agents.parts import Runtime
    from domain.decisions import DecisionKind, DecisionRequest
    from domain.proposals import Proposal

P = ParamSpec("P")
R = TypeVar("R")
CODES = ("wrong_numbers", "bad_timing", "already_done", "not_our_priority", "too_risky", "brand_risk", "other")
"""`domain.decisions.ReasonCode`, known here since importing that takes a while; a test holds them together."""


class Given(TypedDict):
    """The options that all answers share, as click passes them."""

    person_id: str
    config: Path | None
    reason: str
    fingerprint: str | None


def _answering(command: Callable[P, R]) -> Callable[P, R]:
    """Adds `--fingerprint`, `--as` and `--config`."""
    for add in (
        config_option,
        person_option,
        click.option("--fingerprint", help="Decide only if the proposal is still this version."),
    ):
        command = add(command)
    return command


@click.command(cls=Command)
@click.argument("proposal_ids", nargs=-1, required=True, metavar="PROPOSAL...")
@click.option("--reason", default="", help="Why; reasons are learnt from.")
@_answering
@click.pass_obj
def approve(console: Console, proposal_ids: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Approve all actions of a proposal, as a person that policy lets. Several are approved together or not at all.

    \b
    Examples:
      accord approve prop_7e4f315b1f0a9c2d --as ana
      accord approve prop_7e4f315b1f0a9c2d prop_9c2d7e4f315b1f0a --as ana
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from domain.decisions import DecisionKind

    _answer(console, proposal_ids, DecisionKind.APPROVE, None, given)


@click.command(cls=Command)
@click.argument("proposal_ids", nargs=-1, required=True, metavar="PROPOSAL...")
@click.option("--reason", default="", help="Why, in your words; reasons are learnt from.")
@click.option("--reason-code", type=click.Choice(CODES), help="Why, in a word that can be counted.")
@_answering
@click.pass_obj
def reject(console: Console, proposal_ids: tuple[str, ...], reason_code: str | None, **given: Unpack[Given]) -> None:
    """Reject a proposal, with a reason. Several are rejected together or not at all.

    \b
    Example:
      accord reject prop_7e4f315b1f0a9c2d --as ana --reason-code bad_timing --reason "Stock is short until Friday"
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from domain.decisions import DecisionKind

    if not given["reason"] and reason_code is None:
        raise click.UsageError("Give --reason-code or --reason: reasons are learnt from.")
    _answer(console, proposal_ids, DecisionKind.REJECT, reason_code, given)


@click.command(cls=Command)
@click.argument("proposal_id")
@click.option("--reason", default="", help="Why.")
@_answering
@click.pass_obj
def escalate(console: Console, proposal_id: str, **given: Unpack[Given]) -> None:
    """Hand a proposal on to whom its rule names."""
    from domain.decisions import DecisionKind

    _answer(console, (proposal_id,), DecisionKind.ESCALATE, None, given)


@click.command(cls=Command)
@click.argument("proposal_id")
@click.option(
    "--set",
    "values",
    multiple=True,
    required=True,
    metavar="[ENTITY.]value=X",
    help="The new value, major units where it is money; name the entity where there are several actions.",
)
@click.option("--check", is_flag=True, help="Only say what policy would say and what it would be worth.")
@click.option("--reason", default="", help="Why.")
@_answering
@click.pass_obj
def modify(
    console: Console,
    proposal_id: str,
    values: tuple[str, ...],
    check: bool,  # noqa: FBT001 — click's
    **given: Unpack[Given],
) -> None:
    """Approve a proposal with other values; policy checks them again, and what they are worth is computed again.

    \b
    Examples:
      accord modify prop_7e4f315b1f0a9c2d --set value=1300 --as ana
      accord modify prop_7e4f315b1f0a9c2d --set budget:ctv-nord.value=900 --set budget:ctv-sud.value=700 --as ana
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.approve import decide, recheck
    from api.cards import changed_specs
    from api.schemas.approvals import of_recheck
    from domain.decisions import DecisionKind, DecisionRequest

    with opened(load(given["config"])) as runtime:
        who = person(runtime.settings, runtime.store, given["person_id"])
        seen = runtime.store.proposals.get(proposal_id)
        specs = changed_specs(seen, _fields(seen, values))
        if check:
            found = of_recheck(seen, recheck(runtime, proposal_id, specs))
            worth = f"expected {found.expected.value / 100:,.0f} {found.expected.currency} ({found.valuation})"
            console.answer(found.model_dump(mode="json"), [f"{found.verdict}: {found.verdict_reason}", worth])
            return
        request = DecisionRequest(
            decision=DecisionKind.MODIFY,
            fingerprint=given["fingerprint"] or seen.fingerprint,
            reason=given["reason"],
            actions=specs,
        )
        after = decide(runtime, proposal_id, request, who, channel="cli")
    _tell(console, [after], alone=True)


def _fields(seen: Proposal, values: Sequence[str]) -> dict[str, str]:
    """`value=X` for the only action, `entity.value=X` for one of several, as fields of a form."""
    fields: dict[str, str] = {}
    for each in values:
        name, sign, value = each.partition("=")
        entity = name.removesuffix("value").removesuffix(".")
        places = [place for place, action in enumerate(seen.actions) if not entity or action.spec.entity == entity]
        if not sign or not name.endswith("value") or len(places) != 1:
            known = ", ".join(f"{action.spec.entity}.value" for action in seen.actions)
            raise InputError(f"--set {each!r} names no one action. Write {known}, each with `=` and its value.")
        fields[f"value_{places[0]}"] = value
    return fields


@click.command(cls=Command)
@click.argument("proposal_id")
@click.argument("text")
@click.option("--to", help="A person or role that is asked; they are written to.")
@click.option("--answers", metavar="QUESTION", help="Id of the question that this answers.")
@person_option
@config_option
@click.pass_obj
def ask(console: Console, proposal_id: str, text: str, **given: Any) -> None:
    """Ask about a proposal before deciding, or answer. The first question gives everybody time once more.

    \b
    Example:
      accord ask prop_7e4f315b1f0a9c2d "Is the flight booked until May?" --to ben --as ana
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.questions import Remark
    from agents.questions import ask as say
    from api.schemas.approvals import of_question

    with opened(load(given["config"])) as runtime:
        who = person(runtime.settings, runtime.store, given["person_id"])
        thread = say(runtime, proposal_id, Remark(text, given["to"], given["answers"]), who, channel="cli")
    lines = [f"{q.id}  {q.by}{f' to {q.to}' if q.to else ''} ({q.kind}): {q.text}" for q in thread]
    console.answer({"items": [of_question(q).model_dump(mode="json") for q in thread]}, lines)


@click.command(cls=Command)
@click.argument("to")
@click.option("--until", required=True, type=click.DateTime(), help="When it ends by itself (UTC).")
@click.option("--from", "since", type=click.DateTime(), help="When it begins (UTC); now when left out.")
@click.option("--person", "absent", help="Who is away, where an administrator says so; else who acts.")
@click.option("--reason", default="", help="Why.")
@person_option
@config_option
@click.pass_obj
def delegate(console: Console, to: str, until: datetime, **given: Any) -> None:
    """Let somebody answer in your roles while you are away.

    \b
    Example:
      accord delegate ben --until 2026-08-21 --reason leave --as ana
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    from agents.delegations import Absence
    from agents.delegations import delegate as stand_in
    from api.schemas.approvals import of_delegation

    since: datetime | None = given["since"]
    with opened(load(given["config"])) as runtime:
        who = person(runtime.settings, runtime.store, given["person_id"])
        absence = Absence(
            person=given["absent"] or who.id,
            to=to,
            until=until.replace(tzinfo=UTC),
            since=since.replace(tzinfo=UTC) if since else None,
            reason=given["reason"],
        )
        made = stand_in(runtime, absence, who)
    told = f"{made.to} answers for {made.person} until {made.until:%Y-%m-%d %H:%M} UTC."
    console.answer(of_delegation(made).model_dump(mode="json", by_alias=True), [told])


def _answer(console: Console, proposals: Sequence[str], kind: DecisionKind, code: str | None, given: Given) -> None:
    """One answer alone, several together; the versions are those that stand now, unless one is named."""
    from agents.approve import Voice, decide, decide_all

    if given["fingerprint"] and len(proposals) > 1:
        raise click.UsageError("--fingerprint goes with one proposal.")
    with opened(load(given["config"])) as runtime:
        who = person(runtime.settings, runtime.store, given["person_id"])
        asked = [(name, _request(runtime, name, kind, code, given)) for name in proposals]
        if len(asked) == 1:
            after = [decide(runtime, *asked[0], who, channel="cli")]
        else:
            after = decide_all(runtime, asked, Voice(who, "cli"))
    _tell(console, after, alone=len(asked) == 1)


def _request(runtime: Runtime, name: str, kind: DecisionKind, code: str | None, given: Given) -> DecisionRequest:
    from domain.decisions import DecisionRequest, ReasonCode

    return DecisionRequest(
        decision=kind,
        fingerprint=given["fingerprint"] or runtime.store.proposals.get(name).fingerprint,
        reason=given["reason"],
        reason_code=ReasonCode(code) if code else None,
    )


def _tell(console: Console, after: Sequence[Proposal], *, alone: bool) -> None:
    from api.schemas.proposals import of_proposal

    items = [of_proposal(each).model_dump(mode="json") for each in after]
    console.answer(items[0] if alone else {"items": items}, [_line(each) for each in after])


def _line(after: Proposal) -> str:
    from domain.lifecycle import agreed, wanted_roles

    missing = after.verdict.quorum - len(agreed(after))
    asked = ", ".join(sorted(wanted_roles(after))) if after.verdict.roles else "anybody"
    waits = f"; {missing} more of {asked} must approve"
    return f"{after.id} is {after.status}{waits if after.status == 'pending' and missing > 0 else ''}."
