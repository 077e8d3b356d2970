"""Why policy says what it says of an action: every rule with the field that kept it from matching. Pure."""

from __future__ import annotations

from domain.actions import ActionSpec
from domain.policy import Facts, Policy, Verdict, VerdictKind, judge, mismatch
from domain.record import Record


class RuleReading(Record):
    """One rule beside the action."""

    rule: str
    says: VerdictKind
    speaks: bool
    """Whether it is the one that the verdict follows; limits on top may still tighten it."""
    because: str


class Explanation(Record):
    """The verdict with the rules in their order; the verdict's checks hold the limits."""

    verdict: Verdict
    rules: tuple[RuleReading, ...]


def explain(policy: Policy, spec: ActionSpec, facts: Facts) -> Explanation:
    """What each rule of `policy` makes of `spec`: a deny wins wherever it stands, else the first that matches."""
    why_not = {rule.id: mismatch(rule.match, spec, facts) for rule in policy.rules}
    matching = [rule for rule in policy.rules if why_not[rule.id] is None]
    denying = [rule for rule in matching if rule.verdict is VerdictKind.DENY]
    first = next(iter(denying or matching), None)
    readings = tuple(
        RuleReading(
            rule=rule.id,
            says=rule.verdict,
            speaks=rule is first,
            because=why_not[rule.id] or _matched(rule.id, None if first is None else first.id),
        )
        for rule in policy.rules
    )
    return Explanation(verdict=judge(policy, [spec], facts), rules=readings)


def _matched(rule: str, first: str | None) -> str:
    return "matches and decides" if rule == first else f"matches, but {first} comes before it"
