"""Bends what people answered: old approvals again, other arguments, other people, other proposals."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agents.approve import decide
from agents.undo import undo
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import AccordError
from domain.proposals import Proposal, ProposalStatus

if TYPE_CHECKING:
    from agents.parts import Runtime

WHILE_ASKED = (
    "borrowed_fingerprint", "no_such_person", "wrong_role", "other_entity", "other_kind", "far_over_limit",
)  # fmt: skip
ONCE_ANSWERED = ("replay", "after_rejection", "other_arguments_after_approval", "undo_by_a_stranger")
_EVE = Person(id="eve", roles=frozenset({"content_lead"}))
_NOBODY = Person(id="emma\u200b", roles=frozenset())


def tamper(runtime: Runtime, chance: random.Random, *, asked: bool) -> Iterator[tuple[str, str]]:
    """Tries each kind once, on proposals that are still asked or on answered ones; tells what came of each."""
    # Two proposals that would do the same thing share a fingerprint: only different ones can be mistaken.
    found = [p for p in runtime.store.proposals.page(limit=200).items if (p.status is ProposalStatus.PENDING) is asked]
    if len(found) < 2:
        return
    for kind in WHILE_ASKED if asked else ONCE_ANSWERED:
        one = chance.choice(found)
        other = next((p for p in found if p.fingerprint != one.fingerprint), one)
        try:
            _try(runtime, kind, one, other)
        except AccordError as error:
            yield kind, f"refused ({error.code})"
        except ValidationError:
            yield kind, "refused (typed arguments)"
        else:
            yield kind, "taken"


def _try(runtime: Runtime, kind: str, one: Proposal, other: Proposal) -> None:
    emma = runtime.settings.auth.people[-1]
    if kind == "undo_by_a_stranger":
        # What a rule did may be taken back by whoever decides; what people did, by people of their roles.
        asked = next((p for p in runtime.store.proposals.page(limit=200).items if p.verdict.roles), one)
        undo(runtime, asked.actions[0].id, _NOBODY, "no")
        return
    decision, person, fingerprint = DecisionKind.APPROVE, emma, one.fingerprint
    actions = None
    spec = one.actions[0].spec
    match kind:
        case "borrowed_fingerprint":
            fingerprint = other.fingerprint
        case "no_such_person":
            person = _NOBODY
        case "wrong_role":
            person = _EVE
        case "other_entity":
            decision, actions = DecisionKind.MODIFY, (spec.model_copy(update={"entity": "budget:of-others"}),)
        case "other_kind":
            decision, actions = DecisionKind.MODIFY, (spec.model_copy(update={"kind": "crm.export.all"}),)
        case "far_over_limit" | "other_arguments_after_approval":
            decision, actions = DecisionKind.MODIFY, (spec.model_copy(update={"value": 10**9}),)
        case _:
            pass
    request = DecisionRequest(decision=decision, fingerprint=fingerprint, reason="as before", actions=actions)
    decide(runtime, one.id, request, person, channel="script")
