"""What a note of the own teams demands of running campaigns: pause what must not be promoted, resume afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from agents.guidance import fold
from agents.specialists.plan import unmeasured
from domain.actions import ActionKind, ActionSpec, RunStatus
from domain.entities import Entity
from domain.ports import Context
from domain.proposals import Candidate, Expected
from domain.prose import counted, day_text
from domain.situations import Situation

_STOPS = re.compile(r"recall|rappel|no (?:more )?promotion|(?:pas de|aucune|plus de|sans) promotion|stop|arret|suspend"
                    r"|cesse|out of stock|sold out|rupture")  # fmt: skip


def answer_note(situation: Situation, context: Context) -> Iterable[Candidate]:
    """Pauses while a note that says stop is in force; offers to resume when it has ended. Own teams only."""
    facts = situation.facts
    if situation.trust != "internal" or facts.get("stance") != "avoid":
        return
    quote = " ".join(fact.quote or "" for fact in situation.evidence)
    if not _STOPS.search(fold(quote)):
        return
    ended = bool(facts.get("ended"))
    if ended and _barred(situation, context):
        return
    wanted: RunStatus = "active" if ended else "paused"
    campaigns = [c for c in _covered(situation, context) if status_now(context, c) != wanted]
    if campaigns:
        yield _set(situation, context, campaigns, wanted, quote)


def _covered(situation: Situation, context: Context) -> list[Entity]:
    tree = context.view.tree
    scopes: list[str] = situation.facts.get("entities", [])
    return [c for c in tree.of_kind("campaign") if any(tree.covers(scope, c.id) for scope in scopes)]


def _barred(situation: Situation, context: Context) -> bool:
    """Whether another note still forbids what this one no longer does."""
    view = context.view
    scopes: list[str] = situation.facts.get("entities", [])
    return any(
        g.stance != "favour" and g.note != situation.facts.get("note") and g.speaks_of(scope, view.tree, view.now)
        for g in context.guidance
        for scope in scopes
    )


def status_now(context: Context, campaign: Entity) -> str:
    shown = context.state.get(campaign.id, {}).get(ActionKind.STATUS_SET)
    return str(shown or campaign.attrs.get("status") or "active")


def _set(situation: Situation, context: Context, campaigns: list[Entity], wanted: RunStatus, quote: str) -> Candidate:
    verb = "Pause" if wanted == "paused" else "Resume"
    end = datetime.fromisoformat(str(situation.facts["until"]))
    why = (
        f"A note says: “{quote[:200]}”. It holds until {day_text(end)}."
        if wanted == "paused"
        else f"The note “{quote[:200]}” ended on {day_text(end)}."
    )
    return Candidate(
        key=f"{verb.lower()}:{situation.facts['note']}",
        situation=situation.id,
        specialist="demand",
        specs=tuple(
            ActionSpec(
                kind=ActionKind.STATUS_SET, entity=campaign.id, value=wanted, expect=status_now(context, campaign),
                reason=quote[:200],
            )
            for campaign in campaigns
        ),
        title=f"{verb} {counted(len(campaigns), 'campaign') if len(campaigns) > 1 else campaigns[0].name}",
        why=why,
        expected=Expected(value=0, low=0, high=0, currency=context.objective.currency),
        risk="Sales that would have come are given up." if wanted == "paused" else "The reason may not be over yet.",
        measurement=unmeasured(context, "Demanded by a note: not weighed, so not tested."),
        evidence=situation.evidence,
        mandatory=wanted == "paused",
    )  # fmt: skip
