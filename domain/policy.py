"""Policy: which actions run by themselves, which ask whom, which never happen. Pure.

Deny wins wherever it stands; otherwise the first matching rule; otherwise ask. Hard limits apply on
top, to each action and to sums. Amounts in `policy.yaml` are major units of the objective's currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from domain.actions import ActionSpec
from domain.entities import EntityTree
from domain.ids import digest
from domain.limits import ActiveLimit, breach
from domain.money import to_major, to_minor
from domain.record import Record


class VerdictKind(StrEnum):
    AUTO = "auto"
    ASK = "ask"
    DENY = "deny"


Trust = Literal["ask", "notify", "silent"]


class Match(Record):
    """What a rule speaks of; every given field must hold."""

    kind: str | None = None
    """Action kind or glob, such as `content.*`."""
    entity: str | None = None
    """An entity and everything below it, or `*`."""
    delta_abs_max: Decimal | None = Field(default=None, ge=0)
    step_rate_max: float | None = Field(default=None, ge=0)
    reversible: bool | None = None


class TrustBounds(Record):
    """How far measured outcomes may move a rule."""

    min: Trust = "ask"
    max: Trust = "ask"


class Rule(Record):
    id: str = Field(min_length=1)
    match: Match = Match()
    verdict: VerdictKind
    reason: str = ""
    roles: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=1)
    expires_h: float = Field(default=72, gt=0)
    escalate_to: str | None = None
    notify: tuple[str, ...] = ()
    trust: TrustBounds | None = None


class Limits(Record):
    daily_spend_moved: Decimal | None = Field(default=None, ge=0)
    """Sum of |value − expect| over budget changes in a rolling 24 h, major units."""
    per_entity_cooldown_h: float | None = Field(default=None, ge=0)
    max_step_rate: float | None = Field(default=None, ge=0)


class Policy(Record):
    limits: Limits = Limits()
    rules: tuple[Rule, ...] = ()

    @property
    def version(self) -> str:
        return digest(self.model_dump(mode="json"))[:12]


class Check(Record):
    """One thing that was looked at, for the card and the audit."""

    name: str
    passed: bool
    detail: str


class Verdict(Record):
    """What policy says of one proposal, with the rule that said it."""

    kind: VerdictKind
    rule: str
    reason: str
    roles: tuple[str, ...] = ()
    quorum: int = 1
    expires_h: float = 72
    escalate_to: str | None = None
    notify: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the world looks like while a verdict is made; read by the caller, judged here."""

    now: datetime
    currency: str
    tree: EntityTree
    limits: Sequence[ActiveLimit] = ()
    moved_24h_minor: int = 0
    last_change: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """Time of the last executed change of each entity."""
    known_kinds: frozenset[str] | None = None
    """Kinds that some connected tool can act on; None when not yet known."""
    tainted: bool = False
    read_only: bool = False
    demanded: bool = False
    """Whether a finance limit in force demands the action: a reduction may then pass `max_step_rate`, by asking."""


_ORDER = {VerdictKind.AUTO: 0, VerdictKind.ASK: 1, VerdictKind.DENY: 2}
_DEFAULT = Rule(id="default", verdict=VerdictKind.ASK, reason="no rule speaks of it")


def judge(policy: Policy, specs: Sequence[ActionSpec], facts: Facts) -> Verdict:
    """The verdict over all of a proposal's actions: the strictest of them, then the limits on sums."""
    verdicts = [_judge_one(policy, spec, facts) for spec in specs]
    strictest = max(verdicts, key=lambda verdict: _ORDER[verdict.kind])
    checks = tuple(check for verdict in verdicts for check in verdict.checks)
    total = sum(spec.delta_minor for spec in specs) + facts.moved_24h_minor
    cap = policy.limits.daily_spend_moved
    if cap is not None and any(spec.delta_minor for spec in specs):
        sum_check = _check(
            "daily_spend_moved",
            total <= to_minor(cap, facts.currency),
            f"{to_major(total, facts.currency)} of {cap} {facts.currency} moved within 24 h",
        )
        checks += (sum_check,)
        if not sum_check.passed:
            strictest = _tighten(strictest, VerdictKind.DENY, "limits.daily_spend_moved", sum_check.detail)
    return strictest.model_copy(update={"checks": checks})


def _judge_one(policy: Policy, spec: ActionSpec, facts: Facts) -> Verdict:
    matching = [rule for rule in policy.rules if matches(rule.match, spec, facts)]
    denying = [rule for rule in matching if rule.verdict is VerdictKind.DENY]
    rule = (denying or matching or [_DEFAULT])[0]
    verdict = _from_rule(rule)
    checks = [_check(f"rule {rule.id}", rule.verdict is not VerdictKind.DENY, verdict.reason)]
    for kind, name, check in _hard_limits(policy.limits, spec, facts):
        checks.append(check)
        if not check.passed:
            verdict = _tighten(verdict, kind, name, check.detail)
    return verdict.model_copy(update={"checks": tuple(checks)})


def _hard_limits(limits: Limits, spec: ActionSpec, facts: Facts) -> list[tuple[VerdictKind, str, Check]]:
    """Every limit that speaks of one action: how strict it is, its name, and whether it holds."""
    deny, ask = VerdictKind.DENY, VerdictKind.ASK
    found: list[tuple[VerdictKind, str, Check]] = []

    def add(kind: VerdictKind, name: str, passed: bool, detail: str) -> None:  # noqa: FBT001 — a table row
        found.append((kind, name, _check(name, passed, detail)))

    if facts.read_only:
        add(deny, "read_only", False, "the read-only switch is on")
    if facts.known_kinds is not None and spec.kind not in facts.known_kinds:
        add(deny, "unknown_kind", False, f"no connected tool can do {spec.kind}")
    if spec.entity is not None and spec.entity not in facts.tree:
        add(deny, "unknown_entity", False, f"{spec.entity!r} was never declared")
    breached = breach(spec, facts.limits, facts.tree, facts.now)
    if breached is not None:
        add(deny, "finance.limit", False, f"{breached.limit.kind} on {breached.limit.scope} ({breached.signal})")
    if facts.tainted:
        add(ask, "untrusted_text", False, "untrusted text took part in it, so a person decides")
    if spec.delta_minor and not spec.expect:
        add(ask, "expect_zero", False, "the budget is 0 now, so no step rate can be computed")
    rate = spec.step_rate
    if limits.max_step_rate is not None and rate is not None:
        passed = rate <= limits.max_step_rate + 1e-9
        eased = facts.demanded and int(spec.value) < int(spec.expect)
        add(
            ask if eased else deny,
            "limits.max_step_rate",
            passed,
            f"step {rate:.0%} of at most {limits.max_step_rate:.0%}",
        )
    last = facts.last_change.get(spec.entity or "")
    if limits.per_entity_cooldown_h is not None and last is not None:
        rest = last + timedelta(hours=limits.per_entity_cooldown_h) - facts.now
        add(
            deny,
            "limits.per_entity_cooldown_h",
            rest <= timedelta(0),
            f"{spec.entity} last changed {last:%Y-%m-%d %H:%M}",
        )
    return found


def matches(match: Match, spec: ActionSpec, facts: Facts) -> bool:
    """Whether every given field of `match` holds for `spec`."""
    if match.kind is not None and not fnmatchcase(spec.kind, match.kind):
        return False
    if match.entity is not None and not (spec.entity and facts.tree.covers(match.entity, spec.entity)):
        return match.entity == "*"
    if match.delta_abs_max is not None and spec.delta_minor > to_minor(match.delta_abs_max, facts.currency):
        return False
    if match.step_rate_max is not None and (spec.step_rate is None or spec.step_rate > match.step_rate_max):
        return False
    return match.reversible is None or match.reversible == spec.reversible


def _from_rule(rule: Rule) -> Verdict:
    return Verdict(
        kind=rule.verdict,
        rule=rule.id,
        reason=rule.reason or f"rule {rule.id}",
        roles=rule.roles,
        quorum=rule.quorum,
        expires_h=rule.expires_h,
        escalate_to=rule.escalate_to,
        notify=rule.notify,
    )


def _tighten(verdict: Verdict, kind: VerdictKind, rule: str, reason: str) -> Verdict:
    """`verdict` made at least as strict as `kind`; the name of what tightened it replaces the rule's."""
    if _ORDER[kind] <= _ORDER[verdict.kind]:
        return verdict
    return verdict.model_copy(update={"kind": kind, "rule": rule, "reason": reason})


def _check(name: str, passed: bool, detail: str) -> Check:  # noqa: FBT001 — a table row
    return Check(name=name, passed=passed, detail=detail)
