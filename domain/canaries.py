"""Proposals with a planted fault, to measure whether approvers still read. They are never carried out. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from domain.actions import MONEY_KINDS, Action, ActionSpec
from domain.decisions import Decision, DecisionKind
from domain.entities import kind_of
from domain.ids import derive_id
from domain.lifecycle import record_decision
from domain.proposals import Proposal, ProposalStatus, action_id, fingerprint

Flaw = Literal["wrong_direction", "wrong_entity"]
_SAID: dict[str, str] = {
    "wrong_direction": "it did the opposite of what its title says",
    "wrong_entity": "it changed another thing than the one it speaks of",
}
_SCALE = 2**64


def draw(proposal: str, key: bytes) -> float:
    """A number of 0..1 for `proposal` that nobody without `key` can foresee."""
    made = hmac.new(key, f"canary\n{proposal}".encode(), sha256).digest()
    return int.from_bytes(made[:8], "big") / _SCALE


def planted(real: Proposal, states: Mapping[str, Mapping[str, Any]], luck: float) -> Proposal | None:
    """`real` once more, with arguments that its own words belie; None where no fault can be planted.

    `states` are what the tools show, by entity and kind; `luck` (0..1) chooses among them.
    """
    spec = real.actions[0].spec
    faulty = _turned(spec) or _elsewhere(spec, states, luck)
    if len(real.actions) != 1 or faulty is None:
        return None
    name: Flaw = "wrong_direction" if faulty.entity == spec.entity else "wrong_entity"
    id_ = derive_id("prop", "canary", real.id)
    read = {f"{faulty.kind} {faulty.entity}": states.get(faulty.entity or "", {}).get(faulty.kind, faulty.expect)}
    action = Action(id=action_id(id_, faulty), proposal=id_, spec=faulty)
    made = {
        "id": id_,
        "actions": (action,),
        "fingerprint": fingerprint((faulty,), real.policy_version, read),
        "canary": name,
    }
    return real.model_copy(update=made)


def _turned(spec: ActionSpec) -> ActionSpec | None:
    """The same step the other way, where there is a way to go."""
    if spec.kind not in MONEY_KINDS or not spec.expect or spec.value == spec.expect or spec.value > 2 * spec.expect:
        return None
    return spec.model_copy(update={"value": 2 * spec.expect - spec.value})


def _elsewhere(spec: ActionSpec, states: Mapping[str, Mapping[str, Any]], luck: float) -> ActionSpec | None:
    """The same state for another thing of its kind that is not in it yet."""
    others: Sequence[str] = sorted(
        name
        for name, state in states.items()
        if spec.reversible
        and spec.entity is not None
        and name != spec.entity
        and kind_of(name) == kind_of(spec.entity)
        and state.get(spec.kind) not in (None, spec.value)
    )
    if not others:
        return None
    other = others[min(int(luck * len(others)), len(others) - 1)]
    return spec.model_copy(update={"entity": other, "expect": states[other][spec.kind]})


def caught(decision: Decision) -> bool:
    """Whether an answer to a canary shows that its fault was seen: refused, or changed."""
    return decision.kind in {DecisionKind.REJECT, DecisionKind.MODIFY}


def unmasked(canary: Proposal, decision: Decision) -> Proposal:
    """`canary` once it was answered: void whatever the answer was, and telling what it was."""
    found = "You saw it" if caught(decision) else "It was approved all the same; nothing was done"
    detail = f"This was a test of attention: {_SAID[canary.canary or 'wrong_entity']}. {found}."
    return record_decision(canary, decision, ProposalStatus.VOID).model_copy(update={"detail": detail})
