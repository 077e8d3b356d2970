"""Wire shapes of the policy: its rules, where they stand, and why they say what they say."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.proposals import ActionSpec, Check
from api.schemas.wire import Currency, Minor, PersonId, ProposalId, Time, Wire
from domain.policy import VerdictKind
from domain.trust import TrustLevel

RuleId = Annotated[str, Field(examples=["small-steps"])]
Version = Annotated[str, Field(examples=["9c2d7e4f315b"])]


class Standing(Wire):
    """How far a rule is trusted now."""

    level: TrustLevel
    """`ask` first, act and `notify`, or act and be `silent`."""
    because: Annotated[str, Field(examples=["3 measured effects worked, none harmed"])]
    """What moved it there."""
    since: Time | None
    """When; null when nothing moved it yet."""


class RulesInForce(Wire):
    """The rules in force."""

    version: Version
    """Digest of the rules: proposals name the version they were judged by."""
    limits: Annotated[dict[str, Any], Field(examples=[{"daily_spend_moved": "5000", "max_step_rate": 0.2}])]
    """Hard limits, over every rule and over sums; major units of the objective's currency."""
    rules: Annotated[list[dict[str, Any]], Field(examples=[[{"id": "budgets", "verdict": "ask", "quorum": 2}]])]
    """In their order, as in `policy.yaml`."""
    trust: dict[str, Standing]
    """Where each rule with bounds of trust stands."""
    fault: str | None
    """Why the file as it is now could not be read; the version before it stays in force."""


class ActionsToExplain(Wire):
    """Actions to judge, without doing anything."""

    actions: Annotated[list[ActionSpec], Field(min_length=1, max_length=50)]
    """As in a proposal."""


class RuleReading(Wire):
    """What one rule makes of the action."""

    rule: RuleId
    """Its id."""
    says: VerdictKind
    """Its verdict, if it speaks."""
    speaks: bool
    """Whether the verdict follows it."""
    because: Annotated[str, Field(examples=["the change is 20.00 EUR, where at most 5 EUR matches"])]
    """Why it matches or does not."""


class Explained(Wire):
    """Why policy says what it says of one action."""

    verdict: VerdictKind
    """With limits applied."""
    rule: RuleId
    """The rule or limit that decides."""
    reason: str
    """In words."""
    rules: list[RuleReading]
    """Every rule, in order."""
    checks: list[Check]
    """Every limit that was looked at."""


class ExplainedActions(Wire):
    """One explanation for each action, in their order."""

    items: list[Explained]
    """The explanations."""


class ReadingThen(Wire):
    """One proposal of which the verdict would have been another."""

    proposal: ProposalId
    """The proposal."""
    title: str
    """Its title."""
    at: Time
    """When it was made."""
    was: VerdictKind
    """What was said of it then."""
    would_be: VerdictKind
    """What the policy looked at says."""
    rule: RuleId
    """The rule or limit that decides."""
    reason: str
    """In words."""


class Hindsight(Wire):
    """What the policy in force would have said of the last weeks' proposals."""

    policy_version: Version
    """The policy looked at."""
    since: Time
    """From when on."""
    until: Time
    """Until when."""
    proposals: int
    """How many were judged."""
    was: Annotated[dict[VerdictKind, int], Field(examples=[{"auto": 57, "ask": 61, "deny": 0}])]
    """Verdicts as they were given."""
    would_be: Annotated[dict[VerdictKind, int], Field(examples=[{"auto": 60, "ask": 50, "deny": 8}])]
    """Verdicts of the policy looked at."""
    by_rule: Annotated[dict[str, int], Field(examples=[{"small-steps": 60}])]
    """How often each rule or limit would have decided."""
    currency: Currency
    """Of the amounts."""
    moved_by_itself_minor: Minor
    """Sum of the budget changes, a day, that nobody would have been asked about."""
    most_in_a_day_minor: Minor
    """Largest sum of budget changes within 24 hours, asked or not."""
    changed: list[ReadingThen]
    """Proposals of which the verdict differs, oldest first."""


class Approver(Wire):
    """How one person answers."""

    person: PersonId
    """Who."""
    answers: int
    """Proposals answered."""
    approve_rate: float
    """Share approved as proposed, of the real ones."""
    changed: int
    """Approved with other arguments."""
    median_s: float
    """Seconds from the proposal to the answer, in the middle."""
    canaries: int
    """Proposals with a planted fault that were answered."""
    canaries_caught: int
    """Those of them that were refused or changed."""


class Approvers(Wire):
    """Everybody who answered."""

    items: list[Approver]
    """Those who were asked most first."""
    next: None
    """There is one page."""
