"""Wire shapes around a decision: batches, a look at changed arguments, questions, standing in, notices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.proposals import ActionSpec, Check, Expected, Measurement, Proposal
from api.schemas.wire import Currency, Digest, EntityName, PersonId, ProposalId, Time, Wire
from domain import delegations, notices, proposals, questions
from domain.decisions import ReasonCode
from domain.policy import VerdictKind
from domain.proposals import Basis

QuestionId = Annotated[str, Field(examples=["que_4f315b1f0a9c2d7e"])]
DelegationId = Annotated[str, Field(examples=["dlg_315b1f0a9c2d7e4f"])]
_WHY = "Stock in Paris is short until Friday"


class BatchItem(Wire):
    """One decision among several."""

    proposal: ProposalId
    """What it answers."""
    decision: Literal["approve", "reject", "escalate"]
    """The answer; `modify` goes by itself."""
    fingerprint: Digest
    """The `fingerprint` of the proposal as it was seen."""
    reason: Annotated[str, Field(max_length=4000, examples=[_WHY])] = ""
    """Why; reasons are learnt from."""
    reason_code: ReasonCode | None = None
    """Why, in a word that can be counted."""


class BatchBody(Wire):
    """Decisions that are all recorded, or none of them."""

    decisions: Annotated[list[BatchItem], Field(min_length=1, max_length=50)]
    """At most 50, each on another proposal."""


class Decided(Wire):
    """The proposals after a batch, in its order."""

    items: list[Proposal]
    """Each as it is now."""


class RecheckBody(Wire):
    """Arguments to look at."""

    actions: Annotated[list[ActionSpec], Field(min_length=1, max_length=50)]
    """New arguments of every action: the same kinds and entities in the same order."""


class Change(Wire):
    """One line of a comparison."""

    kind: Annotated[str, Field(examples=["ads.budget.set"])]
    """Kind of action."""
    entity: EntityName | None
    """What it changes."""
    now: Annotated[Any, Field(json_schema_extra={"examples": [120000]})]
    """The state it is computed from."""
    proposed: Annotated[Any, Field(json_schema_extra={"examples": [138000]})]
    """What the proposal would set."""
    wanted: Annotated[Any, Field(json_schema_extra={"examples": [130000]})]
    """What the given arguments would set."""
    currency: Currency | None
    """ISO 4217, where the value is money."""


class Rechecked(Wire):
    """What a proposal would be with other arguments; nothing was written."""

    verdict: VerdictKind
    """What policy says: `ask` can be approved, `deny` cannot."""
    rule: Annotated[str, Field(examples=["budgets"])]
    """The rule or limit that said it."""
    verdict_reason: str
    """Why, in the rule's words."""
    checks: list[Check]
    """Everything that policy looked at."""
    roles: list[str]
    """Roles that may decide on it."""
    quorum: int
    """How many different people must approve it."""
    expected: Expected
    """What it should bring."""
    valuation: Basis
    """`rescaled` when `expected` is that of the given arguments, `former` where it is not."""
    measurement: Measurement
    """How we will know."""
    changes: list[Change]
    """Now, proposed and wanted, action by action."""
    fingerprint: Digest
    """The version that `modify` would make."""


class QuestionBody(Wire):
    """A question about a proposal."""

    text: Annotated[str, Field(min_length=1, max_length=4000, examples=["Is the flight booked until May?"])]
    """What you want to know."""
    to: Annotated[str | None, Field(max_length=100, examples=["ben"])] = None
    """A person or a role that is asked; they are written to."""


class AnswerBody(Wire):
    """The answer to a question."""

    text: Annotated[str, Field(min_length=1, max_length=4000, examples=["Until 12 May, with an option for June."])]
    """What there is to say."""


class Question(Wire):
    """One remark in the thread of a proposal."""

    id: QuestionId
    """Name of the remark."""
    proposal: ProposalId
    """What it is about."""
    kind: Literal["question", "answer"]
    """Whether it asks or answers."""
    by: PersonId
    """Who said it."""
    to: Annotated[str | None, Field(examples=["ben"])]
    """The person or role that is asked."""
    text: str
    """What was said."""
    answers: QuestionId | None
    """The question that it answers."""
    at: Time
    """When."""
    channel: Annotated[str, Field(examples=["page"])]
    """Where: api, page, cli or slack."""


class Thread(Wire):
    """Everything that was said about a proposal, oldest first."""

    items: list[Question]
    """Questions and answers."""
    expires_at: Time
    """When the proposal lapses; the first question of somebody who may decide moves it once."""


class DelegationBody(Wire):
    """Who answers for somebody who is away."""

    to: Annotated[str, Field(min_length=1, max_length=100, examples=["ben"])]
    """Who answers meanwhile, in the roles that the absent person holds by themselves."""
    from_: Annotated[Time | None, Field(alias="from")] = None
    """When it begins; now when not given."""
    until: Time
    """When it ends by itself, at most 180 days later."""
    reason: Annotated[str, Field(max_length=1000, examples=["Leave"])] = ""
    """Why."""


class Delegation(Wire):
    """Who answers for somebody who is away."""

    id: DelegationId
    """Name of the delegation."""
    person: PersonId
    """Who is away."""
    to: Annotated[str, Field(examples=["ben"])]
    """Who answers meanwhile."""
    from_: Annotated[Time, Field(serialization_alias="from")]
    """When it begins."""
    until: Time
    """When it ends by itself."""
    reason: str
    """Why."""
    by: PersonId
    """Who set it up."""
    ended_at: Time | None
    """When it was taken back; null when it was not."""


class Notice(Wire):
    """One thing that one receiver is told outside the pages."""

    id: Annotated[str, Field(examples=["msg_5b1f0a9c2d7e4f31"])]
    """Name of the notice, also in the mail's Message-ID."""
    kind: Annotated[str, Field(examples=["asked"])]
    """asked, escalated, expiring, done, question, answer, or card."""
    way: Literal["mail", "slack"]
    """How it is sent."""
    to: Annotated[str, Field(examples=["ana"])]
    """A person, or a Slack channel."""
    proposal: ProposalId
    """What it is about."""
    status: Annotated[str, Field(examples=["sent"])]
    """waiting, sent, open (a card that is kept up to date), over or failed."""
    attempts: int
    """How often it was tried."""
    due_at: Time
    """When it is tried next, while it waits."""
    sent_at: Time | None
    """When it was taken by the receiver."""
    detail: str
    """Why it could not be sent."""


def of_question(question: questions.Question) -> Question:
    return Question.model_validate(question)


def of_delegation(delegation: delegations.Delegation) -> Delegation:
    return Delegation(**delegation.model_dump(exclude={"since", "made_at"}), from_=delegation.since)


def of_notice(notice: notices.Notice) -> Notice:
    return Notice.model_validate(notice)


def of_recheck(before: proposals.Proposal, after: proposals.Proposal) -> Rechecked:
    """`after` is `before` with other arguments."""
    verdict = after.verdict
    pairs = zip(before.actions, after.actions, strict=True)
    return Rechecked(
        verdict=verdict.kind,
        rule=verdict.rule,
        verdict_reason=verdict.reason,
        checks=[Check.model_validate(check) for check in verdict.checks],
        roles=list(verdict.roles),
        quorum=verdict.quorum,
        expected=Expected.model_validate(after.expected),
        valuation=after.valuation,
        measurement=Measurement.model_validate(after.measurement.model_dump()),
        changes=[
            Change(
                kind=wanted.spec.kind,
                entity=wanted.spec.entity,
                now=wanted.spec.expect,
                proposed=known.spec.value,
                wanted=wanted.spec.value,
                currency=wanted.spec.currency,
            )
            for known, wanted in pairs
        ],
        fingerprint=after.fingerprint,
    )
