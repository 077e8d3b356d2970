"""Proposals: what Accord would do about a situation, what it expects, and how it will know."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from domain.actions import Action, ActionSpec
from domain.decisions import Decision
from domain.ids import derive_id, digest
from domain.policy import Verdict
from domain.record import Moment, Record
from domain.situations import Evidence, Origin

Basis = Literal["computed", "rescaled", "former"]


class ProposalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"


class Expected(Record):
    """Contribution margin over the objective's horizon, minor units, with a 90 % interval."""

    value: int
    low: int
    high: int
    currency: str


class Measurement(Record):
    """How the effect will be known, fixed before acting."""

    metric: str
    """Series the verdict rests on, such as `contribution` (revenue × margin − spend)."""
    method: Literal["synthetic_control", "before_after", "none"]
    treated: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    start: Moment
    days: int = Field(ge=0)
    mde_rate: float | None = None
    """Smallest effect this plan can see with 80 % power, as a rate of the metric; None when not computable."""
    min_effect_rate: float = 0.02
    alpha: float = 0.1
    stop: str
    """When and why measuring ends, in words."""


class Resource(Record):
    """A share of something scarce: `money:<scope>` in minor units a day, `hours:content`, …"""

    pool: str
    amount: float


class Candidate(Record):
    """What a specialist would do, computed; the arbiter chooses among these."""

    key: str
    """Names the choice within a situation: `raise:idf`; the same key and specs are the same proposal."""
    situation: str
    specialist: str
    specs: tuple[ActionSpec, ...] = Field(min_length=1)
    title: str
    why: str
    expected: Expected
    cost_minor: int = 0
    """Cost over the horizon, already subtracted in `expected`."""
    risk: str = ""
    uses: tuple[Resource, ...] = ()
    measurement: Measurement
    evidence: tuple[Evidence, ...] = ()
    tainted: bool = False
    """Whether untrusted text took part in it: such a candidate is never executed without a person."""
    mandatory: bool = False
    """Demanded by a finance limit or a person's note: not weighed against gains."""

    @field_validator("specs")
    @classmethod
    def _one_change_each(cls, value: tuple[ActionSpec, ...]) -> tuple[ActionSpec, ...]:
        """Two steps on one thing would pass as small what together is large; the same creation twice is one."""
        changed = [(spec.kind, spec.entity) if spec.reversible else spec.argument_hash for spec in value]
        if len(set(changed)) < len(changed):
            raise ValueError("each thing may be changed once; join the changes into one action")
        return value

    requested_by: tuple[str, ...] = ()
    """People and keys that asked for it."""


class Proposal(Record):
    """A candidate that was chosen, judged by policy, and written for people."""

    id: str
    situation: str
    status: ProposalStatus = ProposalStatus.PENDING
    verdict: Verdict
    actions: tuple[Action, ...]
    policy_version: str
    fingerprint: str
    title: str
    why: str
    expected: Expected
    cost_minor: int = 0
    risk: str = ""
    measurement: Measurement
    evidence: tuple[Evidence, ...]
    alternatives: tuple[str, ...] = ()
    """What else was weighed and why it lost, one sentence each."""
    decisions: tuple[Decision, ...] = ()
    specialist: str
    origin: Origin = "rules"
    """Who wrote the words; the numbers are computed in either case."""
    worded_by: str | None = None
    """The provider whose model wrote the title and the reasons; None where rules did."""
    tainted: bool = False
    mandatory: bool = False
    """Demanded by a finance limit: a reduction may pass `max_step_rate`, by asking."""
    requested_by: tuple[str, ...] = ()
    """People and keys that asked for it: none of these people may be the only one to approve, none of the keys may."""
    valuation: Basis = "computed"
    """What `expected` rests on: the specialist's arithmetic, that scaled to a person's arguments, or former ones."""
    created_at: Moment
    expires_at: Moment
    extended: bool = False
    """Whether a question has moved `expires_at`, which happens once."""
    escalate_at: Moment | None = None
    escalated: bool = False
    detail: str | None = None
    """Why it is void, in words."""
    canary: str | None = None
    """The planted fault, when it only measures attention (`domain.canaries`); told once it was answered."""


def proposal_id(candidate: Candidate) -> str:
    """The same choice about the same situation is the same proposal, as long as it would set the same state.

    What creates (a task, a brief, a message) is proposed once for each situation and key, however its words change.
    """
    states = [spec.argument_hash for spec in candidate.specs if spec.reversible]
    return derive_id("prop", candidate.situation, candidate.key, states)


def action_id(proposal: str, spec: ActionSpec) -> str:
    return derive_id("act", proposal, spec.argument_hash)


def fingerprint(specs: tuple[ActionSpec, ...], policy_version: str, states: dict[str, Any]) -> str:
    """Digest of the arguments, the policy and the state they were computed from: any change voids a decision."""
    return digest([[spec.argument_hash for spec in specs], policy_version, states])


def again(proposal: Proposal, generation: int) -> Proposal:
    """The same choice once more, after it lapsed `generation` times: a proposal of its own, with actions of its own."""
    if generation == 0:
        return proposal
    renewed = again_id(proposal.id, generation)
    actions = tuple(
        action.model_copy(update={"id": action_id(renewed, action.spec), "proposal": renewed})
        for action in proposal.actions
    )
    return proposal.model_copy(update={"id": renewed, "actions": actions})


def again_id(first: str, generation: int) -> str:
    """The id that `again` gives the proposal whose first id was `first`."""
    return first if generation == 0 else derive_id("prop", first, generation)
