"""Plays on accounts: a real buying group is sent proof instead of lessons, and the owner of the deal is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from agents.detectors.accounts import open_deals
from agents.specialists.plan import lesson_factor, unmeasured
from domain.actions import ActionKind, ActionSpec, Task
from domain.money import money_text, to_minor
from domain.ports import Context, Told
from domain.proposals import Candidate, Expected, Measurement
from domain.prose import counted, listed, term
from domain.signals import DealChanged
from domain.situations import Evidence, Situation, SituationKind

ABOUT = "account:verify"
# Rise of the chance to win when a real group finds proof in time: judgement until outcomes say otherwise.
_WIN_RISE = (0.05, 0.0, 0.15)
_TASK_RISE = (0.01, 0.0, 0.03)
TASK_COST_MAJOR = 120
_PROOF = frozenset({"educate"})


class AccountSpecialist:
    """Built-in specialist `account`."""

    name = "account"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        if situation.kind != SituationKind.BUYING_GROUP:
            return
        account = str(situation.facts["account"])
        top = max(situation.hypotheses, key=lambda h: h.odds, default=None)
        if top is not None and top.name != "buying group":
            return
        deals = open_deals(context.view, account)
        play = play_now(context, account)
        if play in _PROOF:
            yield _verify(situation, context, account, play, deals)
        if deals:
            yield _tell_owner(situation, context, deals)


def play_now(context: Context, account: str) -> str:
    """The account's play as the CRM shows it, else as declared; `educate` when nobody ever set one."""
    shown = context.state.get(account, {}).get(ActionKind.PLAY_SET)
    declared = context.view.tree.get(account)
    return str(shown or (declared.attrs.get("play") if declared else None) or "educate")


def worth_of(deals: list[Told[DealChanged]], context: Context, rise: tuple[float, float, float], cost: int) -> Expected:
    """Open amounts × margin × rise of the chance to win, less cost; minor units."""
    currency = context.objective.currency
    amount = sum(to_minor(deal.data.amount or 0, currency) for deal in deals) * context.objective.margin_rate
    mean, low, high = (round(amount * rate) - cost for rate in rise)
    return Expected(value=mean, low=low, high=high, currency=currency)


def _verify(
    situation: Situation, context: Context, account: str, play: str, deals: list[Told[DealChanged]]
) -> Candidate:
    factor = lesson_factor(context, ABOUT)
    mean, low, high = _WIN_RISE
    worth = worth_of(deals, context, (mean * factor, low, high * factor), 0)
    return Candidate(
        key="verify",
        situation=situation.id,
        specialist="account",
        specs=(
            ActionSpec(
                kind=ActionKind.PLAY_SET, entity=account, value="verify", expect=play, reason=situation.title[:200]
            ),
        ),
        title=f"Switch {context.view.tree.name(account)} from {play} to buyer verification",
        why=f"{situation.summary} Case studies and compliance documents answer what such a group asks.",
        expected=worth,
        risk="Proof sent to people who are not buying yet can end the conversation early.",
        measurement=_plan(context, account),
        evidence=(*situation.evidence, _arithmetic(worth, len(deals), mean * factor)),
    )


def _tell_owner(situation: Situation, context: Context, deals: list[Told[DealChanged]]) -> Candidate:
    largest = max(deals, key=lambda deal: (deal.data.amount or 0, deal.data.deal))
    cost = to_minor(TASK_COST_MAJOR, context.objective.currency)
    worth = worth_of([largest], context, _TASK_RISE, cost)
    task = Task(
        title=f"Bring proof to the buying group: {situation.title}"[:200],
        assignee=largest.data.owner or "sales",
        due=context.view.now + timedelta(days=3),
        body=f"{situation.summary} Roles seen: {listed([term(role) for role in situation.facts.get('roles', [])])}.",
    )
    account, tree = str(situation.facts["account"]), context.view.tree
    entity = largest.data.deal if largest.data.deal in tree else account
    return Candidate(
        key="tell-owner",
        situation=situation.id,
        specialist="account",
        specs=(
            ActionSpec(
                kind=ActionKind.TASK_CREATE, entity=entity, value=task.model_dump(mode="json"),
                reason=situation.title[:200],
            ),
        ),
        title=f"Ask {task.assignee} to meet the buying group at {tree.name(account)}",
        why=f"{situation.summary} The owner of {tree.name(entity)} can offer proof while the group is at work.",
        expected=worth,
        cost_minor=cost,
        risk="A task costs time of the sales team.",
        measurement=unmeasured(context, "One deal is too few to tell an effect."),
        evidence=(*situation.evidence, _arithmetic(worth, 1, _TASK_RISE[0])),
    )  # fmt: skip


def _plan(context: Context, account: str) -> Measurement:
    return Measurement(
        metric="deal_won",
        method="none",
        treated=(account,),
        start=context.view.now,
        days=context.objective.horizon_days,
        stop="One account is too few to tell an effect; outcomes of many are compared with the accounts left alone.",
    )


def _arithmetic(worth: Expected, deals: int, rise: float) -> Evidence:
    worth_text = f"{money_text(worth.value, worth.currency)} after cost, assumed until outcomes say otherwise"
    return Evidence(
        text=f"{counted(deals, 'open deal')} × margin × {rise:.1%} more chance to win: {worth_text}."
        if deals
        else "No deal is open there yet, so no money is expected from it.",
        figures={"deals": deals, "win_rise_rate": round(rise, 4), "value_minor": worth.value},
        source=f"lesson:{ABOUT}",
    )
