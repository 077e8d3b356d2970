"""Wire shapes of proposals, their actions and decisions, flat as DESIGN §6.5 lists them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue

from api.schemas.evidence import Evidence, Origin
from api.schemas.wire import (
    ActionId,
    Currency,
    DecisionId,
    Digest,
    EntityName,
    Minor,
    OutcomeId,
    PersonId,
    ProposalId,
    SituationId,
    Time,
    Wire,
)
from domain import actions, decisions, proposals
from domain.actions import ActionStatus
from domain.decisions import DecisionKind, ReasonCode
from domain.policy import VerdictKind
from domain.proposals import Basis, ProposalStatus

_BUDGET: dict[str, JsonValue] = {"examples": [138000]}


class Receipt(Wire):
    """What the tool answered."""

    idempotency_key: str
    """Key under which the tool was called; a repeat has no second effect."""
    at: Time
    """When the tool answered."""
    vendor_id: str | None
    """The tool's own name of the change."""
    read_back: Any
    """What the tool showed when asked afterwards."""
    detail: str | None
    """What else the tool said."""


class ActionSpec(Wire):
    """A desired state with what it is now: set `entity` to `value` if it is `expect`."""

    kind: Annotated[str, Field(examples=["ads.budget.set"])]
    """Kind of action (DESIGN §6.7, or of an extension)."""
    entity: EntityName | None = None
    """What it changes; null for creations and messages."""
    value: Annotated[Any, Field(json_schema_extra=_BUDGET)]
    """The wished state; money in minor units of `currency`."""
    expect: Annotated[Any, Field(examples=[120000])] = None
    """The state it was computed from; anything else at execution voids the action as drifted."""
    currency: Currency | None = None
    """ISO 4217, where the value is money."""
    reason: str = ""
    """Why, for people."""


class Action(Wire):
    """An action on its way."""

    id: ActionId
    """Name of the action."""
    proposal: ProposalId
    """The proposal that it belongs to."""
    kind: Annotated[str, Field(examples=["ads.budget.set"])]
    """Kind of action."""
    entity: EntityName | None
    """What it changes; null for creations and messages."""
    value: Annotated[Any, Field(json_schema_extra=_BUDGET)]
    """The wished state; money in minor units of `currency`."""
    expect: Annotated[Any, Field(examples=[120000])]
    """The state it was computed from."""
    currency: Currency | None
    """ISO 4217, where the value is money."""
    reason: str
    """Why, for people."""
    reversible: bool
    """Whether it can be undone once done."""
    status: ActionStatus
    """Where it stands."""
    authorised_by: Annotated[str | None, Field(examples=["dec_7e4f315b1f0a9c2d"])]
    """`rule:<id>` or the decision that allowed it; null before that."""
    argument_hash: Digest
    """Digest of what would be done."""
    state_before: Any
    """What the tool showed before the change."""
    receipt: Receipt | None
    """What the tool answered; null before that."""
    undo_of: ActionId | None
    """The action that this one sets back."""
    executed_at: Time | None
    """When it was done."""
    measure_at: Time | None
    """When its effect will be measured."""
    outcome: OutcomeId | None
    """The measured outcome, once there is one."""
    detail: str | None
    """Why it was denied, drifted or is unknown."""


class Decision(Wire):
    """What a person (or a rule) answered."""

    id: DecisionId
    """Name of the decision."""
    proposal: ProposalId
    """What it answers."""
    decision: DecisionKind
    """The answer."""
    by: PersonId
    """Who answered."""
    role: Annotated[str | None, Field(examples=["search_owner"])]
    """The role of the rule that the person filled."""
    reason: str
    """Why, in the person's words."""
    reason_code: ReasonCode | None
    """Why, in a word that can be counted."""
    on_behalf_of: PersonId | None
    """The absent person whose role was filled; null when it was one's own."""
    fingerprint: Digest
    """The version of the proposal that was answered."""
    at: Time
    """When."""
    channel: Annotated[str, Field(examples=["api"])]
    """Where: api, page, cli, mail, slack, rule or script."""


class Expected(Wire):
    """Contribution margin over the objective's horizon, with a 90 % interval."""

    value: Minor
    """Expected margin, minor units."""
    low: Minor
    """Lower end of the interval, minor units."""
    high: Minor
    """Upper end of the interval, minor units."""
    currency: Currency
    """ISO 4217."""


class Measurement(Wire):
    """How the effect will be known, fixed before acting."""

    metric: Annotated[str, Field(examples=["contribution"])]
    """Series that the verdict rests on."""
    method: Annotated[str, Field(examples=["synthetic_control"])]
    """How the counterfactual is made; `none` when it cannot be measured."""
    treated: list[EntityName]
    """Units that receive the action."""
    control: list[EntityName]
    """Units that do not, for comparison."""
    start: Time
    """When measuring begins."""
    days: int
    """How long it lasts."""
    mde_rate: Annotated[float | None, Field(examples=[0.06])]
    """Smallest effect that can be seen with 80 % power; null when not computable."""
    min_effect_rate: float
    """Effects inside ± this rate count as none."""
    alpha: float
    """Error rate of the verdict."""
    stop: str
    """When and why measuring ends."""


class Check(Wire):
    """One thing that policy looked at."""

    name: Annotated[str, Field(examples=["limits.max_step_rate"])]
    """Rule or limit."""
    passed: bool
    """Whether it holds."""
    detail: Annotated[str, Field(examples=["step 15% of at most 20%"])]
    """With the figures."""


class Proposal(Wire):
    """What Accord would do about a situation. A decision covers all of its actions."""

    id: ProposalId
    """Name of the proposal."""
    situation: SituationId
    """What it answers to."""
    status: ProposalStatus
    """Where it stands."""
    verdict: VerdictKind
    """What policy says: `auto`, `ask` or `deny`."""
    rule: Annotated[str, Field(examples=["budgets"])]
    """The rule or limit that said it."""
    verdict_reason: str
    """Why, in the rule's words."""
    checks: list[Check]
    """Everything that policy looked at."""
    roles: list[str]
    """Roles that may decide; anybody with the scope when empty."""
    quorum: int
    """How many different people must approve."""
    escalate_to: str | None
    """Role that is asked next when nobody answers."""
    notify: list[str]
    """Roles that are told."""
    actions: list[Action]
    """What would be done."""
    fingerprint: Digest
    """Names this version; a decision must carry it."""
    policy_version: str
    """The policy it was judged by."""
    title: str
    """One line for people."""
    why: str
    """The reasons, for people."""
    expected: Expected
    """What it should bring."""
    valuation: Basis
    """What `expected` rests on: `computed` for these arguments, `rescaled` from former ones to those of a person, or
    `former` where changed arguments could not be valued anew."""
    cost_minor: Minor
    """What it costs, already subtracted in `expected`; minor units."""
    risk: str
    """What could go wrong."""
    measurement: Measurement
    """How we will know."""
    evidence: list[Evidence]
    """What it rests on."""
    alternatives: list[str]
    """What else was weighed and why it lost."""
    decisions: list[Decision]
    """Answers so far."""
    specialist: Annotated[str, Field(examples=["demand"])]
    """Which specialist computed it."""
    origin: Origin
    """Who wrote the words; the numbers are computed in either case."""
    tainted: bool
    """Whether text from outside took part in it: it is then never carried out without a person."""
    requested_by: list[str]
    """People and keys that asked for it: none of these people may be the only one to approve."""
    created_at: Time
    """When it was made."""
    expires_at: Time
    """When it lapses without an answer."""
    extended: bool
    """Whether a question has moved `expires_at`, which happens once."""
    escalate_at: Time | None
    """When the next role is asked."""
    escalated: bool
    """Whether it was."""
    detail: str | None
    """Why it is void."""


class DecisionBody(Wire):
    """A person's answer to a proposal."""

    decision: DecisionKind
    """`approve`, `modify` (needs `actions`), `reject` or `escalate`."""
    fingerprint: Digest
    """The `fingerprint` of the proposal as it was seen; 409 when it has changed since."""
    reason: Annotated[str, Field(max_length=4000, examples=["Stock in Paris is short until Friday"])] = ""
    """Why; reasons are learnt from."""
    reason_code: ReasonCode | None = None
    """Why, in a word that can be counted; above all for `reject`."""
    actions: Annotated[list[ActionSpec], Field(min_length=1, max_length=50)] | None = None
    """New arguments of every action, only with `modify`."""


class SettleBody(Wire):
    """What a person found in the tool, of an action that is unknown."""

    happened: Annotated[bool, Field(examples=[True])]
    """Whether the tool did it."""
    reason: Annotated[str, Field(min_length=1, max_length=4000, examples=["The budget shows 1,150 in the console"])]
    """Where you looked and what you saw."""


class UndoBody(Wire):
    """Why an action is set back."""

    reason: Annotated[str, Field(max_length=4000, examples=["The flight was cancelled"])] = ""
    """Why."""


def of_action(action: actions.Action) -> Action:
    spec = action.spec
    return Action(
        **action.model_dump(exclude={"spec"}),
        **spec.model_dump(),
        reversible=spec.reversible,
        argument_hash=spec.argument_hash,
    )


def of_decision(decision: decisions.Decision) -> Decision:
    return Decision(**decision.model_dump(exclude={"kind"}), decision=decision.kind)


def of_proposal(proposal: proposals.Proposal) -> Proposal:
    """The flat shape: the verdict's parts stand beside the proposal's."""
    verdict = proposal.verdict
    return Proposal(
        **proposal.model_dump(exclude={"verdict", "actions", "decisions"}),
        verdict=verdict.kind,
        rule=verdict.rule,
        verdict_reason=verdict.reason,
        checks=[Check.model_validate(check) for check in verdict.checks],
        roles=list(verdict.roles),
        quorum=verdict.quorum,
        escalate_to=verdict.escalate_to,
        notify=list(verdict.notify),
        actions=[of_action(action) for action in proposal.actions],
        decisions=[of_decision(decision) for decision in proposal.decisions],
    )
