"""Policy: which actions run by themselves, which ask whom, which never happen. Pure.

Deny wins wherever it stands; otherwise the first matching rule; otherwise ask. Hard limits apply on
top, to each action and to sums. Amounts in `policy.yaml` are major units of the objective's currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase

from pydantic import Field, model_validator

from domain.actions import ActionSpec
from domain.entities import EntityTree
from domain.ids import digest
from domain.limits import ActiveLimit, Shown, binding, breach, over_cap
from domain.money import convert, money_text, to_minor
from domain.prose import day_text
from domain.record import Record
from domain.trust import TrustBounds, TrustLevel


class VerdictKind(StrEnum):
    AUTO = "auto"
    ASK = "ask"
    DENY = "deny"


MOST_H = 10 * 365 * 24
"""Ten years: what is meant as "never" must still be a date."""


class Match(Record):
    """What a rule speaks of; every given field must hold."""

    kind: str | None = None
    """Action kind or glob, such as `content.*`."""
    entity: str | None = None
    """An entity and everything below it, or `*`."""
    delta_abs_max: Decimal | None = Field(default=None, ge=0)
    """Most that |value − expect| of a budget or bid may be, major units."""
    step_rate_max: float | None = Field(default=None, ge=0)
    reversible: bool | None = None


class Rule(Record):
    """One line of `policy.yaml`: what it speaks of and its verdict; for one that asks, whom and for how long."""

    id: str = Field(min_length=1)
    match: Match = Match()
    verdict: VerdictKind
    reason: str = ""
    roles: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=1)
    expires_h: float = Field(default=72, gt=0, le=MOST_H)
    escalate_to: str | None = None
    notify: tuple[str, ...] = ()
    trust: TrustBounds | None = None

    @model_validator(mode="after")
    def _trust_has_a_sense(self) -> Rule:
        if self.trust is not None and self.verdict is VerdictKind.DENY:
            raise ValueError("a rule that denies cannot be trusted with more: take out `trust`")
        return self

    @property
    def first_trust(self) -> TrustLevel:
        """The level before anything was measured: what the verdict says, within the bounds."""
        return (self.trust or TrustBounds()).hold("ask" if self.verdict is VerdictKind.ASK else "notify")


class Limits(Record):
    daily_spend_moved: Decimal | None = Field(default=None, ge=0)
    """Sum of |value − expect| over budget changes in a rolling 24 h, major units."""
    per_entity_cooldown_h: float | None = Field(default=None, ge=0, le=MOST_H)
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
    trust: TrustLevel | None = None
    """The level at which the rule stands, when it has bounds for it."""
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
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    """What one major unit of another currency is worth in `currency`."""
    demanded: bool = False
    """Whether a finance limit in force demands the action: a reduction may then pass `max_step_rate`, by asking."""
    trust: Mapping[str, TrustLevel] = field(default_factory=dict[str, TrustLevel])
    """Where each rule with bounds stands, by its id; before anything was measured it stands where its verdict says."""
    shown: Shown | None = None
    """What the tools show, read when a cap over a scope asks for it; None where such sums cannot be looked at."""


_ORDER = {VerdictKind.AUTO: 0, VerdictKind.ASK: 1, VerdictKind.DENY: 2}
_SAYS = {VerdictKind.AUTO: "lets it run", VerdictKind.ASK: "asks a person", VerdictKind.DENY: "forbids it"}
_DEFAULT = Rule(id="default", verdict=VerdictKind.ASK, reason="no rule speaks of it")


def judge(policy: Policy, specs: Sequence[ActionSpec], facts: Facts) -> Verdict:
    """The verdict over all of a proposal's actions: the strictest of them, then the limits on sums."""
    verdict = _under_caps(_joined([_judge_one(policy, spec, facts) for spec in specs]), specs, facts)
    cap = policy.limits.daily_spend_moved
    if cap is None or not any(spec.delta_minor for spec in specs):
        return verdict
    total = sum(in_objective(spec, spec.delta_minor, facts) or 0 for spec in specs) + facts.moved_24h_minor
    most = to_minor(cap, facts.currency)
    check = _check(
        "daily_spend_moved",
        total <= most,
        f"{money_text(total, facts.currency)} of at most {money_text(most, facts.currency)} moved within 24 hours",
    )
    if not check.passed:
        verdict = _tighten(verdict, VerdictKind.DENY, "limits.daily_spend_moved", check.detail)
    return verdict.model_copy(update={"checks": (*verdict.checks, check)})


def _under_caps(verdict: Verdict, specs: Sequence[ActionSpec], facts: Facts) -> Verdict:
    """`verdict`, denied when the actions together pass a cap over the budgets of a scope."""
    passed = None if facts.shown is None else over_cap(specs, facts.limits, facts.tree, facts.now, facts.shown)
    if passed is None:
        return verdict
    detail = f"{passed.text(facts.tree)}, and together its budgets would pass it"
    check = _check("finance.limit", False, detail)
    denied = _tighten(verdict, VerdictKind.DENY, check.name, detail)
    return denied.model_copy(update={"checks": (*verdict.checks, check)})


def _joined(verdicts: Sequence[Verdict]) -> Verdict:
    """The strictest verdict, with people who may answer for every action that asks.

    Roles are those that all asking rules name; when no role is named by all, an admin answers, so that nobody
    approves what another rule keeps for others.
    """
    strictest = max(verdicts, key=lambda verdict: (_ORDER[verdict.kind], verdict.quorum))
    same = [verdict for verdict in verdicts if verdict.kind is strictest.kind]
    named = [verdict.roles for verdict in same if verdict.roles]
    shared = tuple(role for role in named[0] if all(role in roles for roles in named)) if named else ()
    superiors = {verdict.escalate_to for verdict in same}
    return strictest.model_copy(
        update={
            "roles": shared or (("admin",) if named else ()),
            "expires_h": min(verdict.expires_h for verdict in same),
            "escalate_to": strictest.escalate_to if len(superiors) == 1 else None,
            "notify": tuple(dict.fromkeys(name for verdict in verdicts for name in verdict.notify)),
            "checks": tuple(check for verdict in verdicts for check in verdict.checks),
        }
    )


def _judge_one(policy: Policy, spec: ActionSpec, facts: Facts) -> Verdict:
    matching = [rule for rule in policy.rules if matches(rule.match, spec, facts)]
    denying = [rule for rule in matching if rule.verdict is VerdictKind.DENY]
    rule = (denying or matching or [_DEFAULT])[0]
    verdict = _from_rule(rule, facts)
    checks = [_check(f"rule {rule.id}", rule.verdict is not VerdictKind.DENY, verdict.reason)]
    for kind, check in _hard_limits(policy.limits, spec, facts):
        checks.append(check)
        if not check.passed:
            verdict = _tighten(verdict, kind, check.name, check.detail)
    if verdict.kind is VerdictKind.ASK and rule.verdict is VerdictKind.AUTO:
        verdict = _asked_as(verdict, [later for later in matching if later.verdict is VerdictKind.ASK], facts)
    return verdict.model_copy(update={"checks": tuple(checks)})


def _asked_as(verdict: Verdict, asking: Sequence[Rule], facts: Facts) -> Verdict:
    """What would have run by itself is asked of whom the first asking rule that matches names."""
    if not asking:
        return verdict
    return _from_rule(asking[0], facts).model_copy(
        update={"kind": verdict.kind, "rule": verdict.rule, "reason": verdict.reason}
    )


def _hard_limits(limits: Limits, spec: ActionSpec, facts: Facts) -> Iterator[tuple[VerdictKind, Check]]:
    """Every limit that speaks of one action: how strict it is, and whether it holds."""
    deny, ask = VerdictKind.DENY, VerdictKind.ASK
    yield from ((deny, check) for check in _barriers(spec, facts))
    if facts.tainted:
        yield ask, _check("untrusted_text", False, "untrusted text took part in it, so a person decides")
    if spec.change_minor and not spec.expect:
        yield ask, _check("expect_zero", False, f"{_name(spec, facts)} is 0 now, so no step rate can be computed")
    if limits.max_step_rate is not None and spec.step_rate is not None:
        eased = facts.demanded and spec.value < spec.expect and _capped(spec, facts)
        detail = f"a step of {spec.step_rate:.2%}, where at most {limits.max_step_rate:.2%} is allowed"
        passed = spec.step_rate <= limits.max_step_rate
        yield ask if eased else deny, _check("limits.max_step_rate", passed, detail)
    last = facts.last_change.get(spec.entity or "")
    if limits.per_entity_cooldown_h is not None and last is not None:
        passed = facts.now - last >= timedelta(hours=limits.per_entity_cooldown_h)
        detail = f"{_name(spec, facts)} last changed on {day_text(last)} at {last:%H:%M} UTC"
        yield deny, _check("limits.per_entity_cooldown_h", passed, detail)


def _capped(spec: ActionSpec, facts: Facts) -> bool:
    """Whether a cap in force binds the entity: a demand is believed only where finance made one."""
    found = binding(facts.limits, spec.entity or "", facts.tree, facts.now)
    return any(active.limit.kind == "cap" for active in found)


def _barriers(spec: ActionSpec, facts: Facts) -> Iterator[Check]:
    """What forbids the action whatever the rules say; only what stands in the way is named."""
    if facts.read_only:
        yield _check("read_only", False, "the read-only switch is on")
    if facts.known_kinds is not None and spec.kind not in facts.known_kinds:
        yield _check("unknown_kind", False, f"no connected tool can do {spec.kind}")
    if spec.entity is not None and spec.entity not in facts.tree:
        yield _check("unknown_entity", False, f"{spec.entity!r} was never declared")
    if spec.change_minor and in_objective(spec, spec.change_minor, facts) is None:
        yield _check("unknown_rate", False, f"limits are in {facts.currency}: add `{spec.currency}` to `fx`")
    breached = breach(spec, facts.limits, facts.tree, facts.now)
    if breached is not None:
        yield _check("finance.limit", False, breached.text(facts.tree))


def _name(spec: ActionSpec, facts: Facts) -> str:
    return facts.tree.name(spec.entity or "")


def in_objective(spec: ActionSpec, minor: int, facts: Facts) -> int | None:
    """Minor units of the action's currency in those of the objective's; None when the rate is not known."""
    if spec.currency is None or spec.currency == facts.currency:
        return minor
    if spec.currency not in facts.rates:
        return None
    return convert(minor, spec.currency, facts.currency, facts.rates)


def matches(match: Match, spec: ActionSpec, facts: Facts) -> bool:
    """Whether every given field of `match` holds for `spec`; bounds on money hold for changes of money alone."""
    return mismatch(match, spec, facts) is None


def mismatch(match: Match, spec: ActionSpec, facts: Facts) -> str | None:
    """The first field of `match` that does not hold for `spec`, in words; None when all do."""
    if match.kind is not None and not fnmatchcase(spec.kind, match.kind):
        return f"kind is {spec.kind}, not {match.kind}"
    if match.entity is not None and not _covers(match.entity, spec.entity, facts.tree):
        return f"{spec.entity or 'no entity'} is not {match.entity} or below it"
    if match.delta_abs_max is not None:
        change = None if spec.change_minor is None else in_objective(spec, spec.change_minor, facts)
        if change is None or change > to_minor(match.delta_abs_max, facts.currency):
            found = "no change of money" if change is None else money_text(change, facts.currency)
            return f"the change is {found}, where at most {match.delta_abs_max} {facts.currency} matches"
    if match.step_rate_max is not None and (spec.step_rate is None or spec.step_rate > match.step_rate_max):
        found = "no step" if spec.step_rate is None else f"a step of {spec.step_rate:.2%}"
        return f"it is {found}, where at most {match.step_rate_max:.2%} matches"
    if match.reversible is not None and match.reversible != spec.reversible:
        return f"it {'can' if spec.reversible else 'cannot'} be set back"
    return None


def _covers(scope: str, entity: str | None, tree: EntityTree) -> bool:
    return scope == "*" or (entity is not None and tree.covers(scope, entity))


def _from_rule(rule: Rule, facts: Facts) -> Verdict:
    """What `rule` says at the level where it stands: a person is asked, told afterwards, or left in peace."""
    level = facts.trust.get(rule.id, rule.first_trust) if rule.trust else None
    kind, notify = rule.verdict, rule.notify
    if level is not None:
        kind = VerdictKind.ASK if level == "ask" else VerdictKind.AUTO
        notify = {"ask": rule.notify, "notify": rule.notify or rule.roles, "silent": ()}[level]
    return Verdict(
        kind=kind,
        rule=rule.id,
        reason=rule.reason or f"rule {rule.id} {_SAYS[kind]}",
        roles=rule.roles,
        quorum=rule.quorum,
        expires_h=rule.expires_h,
        escalate_to=rule.escalate_to,
        notify=notify,
        trust=level,
    )


def _tighten(verdict: Verdict, kind: VerdictKind, rule: str, reason: str) -> Verdict:
    """`verdict` made at least as strict as `kind`; the name of what tightened it replaces the rule's."""
    if _ORDER[kind] <= _ORDER[verdict.kind]:
        return verdict
    return verdict.model_copy(update={"kind": kind, "rule": rule, "reason": reason})


def _check(name: str, passed: bool, detail: str) -> Check:  # noqa: FBT001 — a table row
    return Check(name=name, passed=passed, detail=detail)
