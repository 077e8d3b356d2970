"""Finance limits as situations: a cap or freeze that begins to bind, and money that a limit sets free."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from domain.entities import kind_of
from domain.limits import ActiveLimit
from domain.money import money_text, to_minor
from domain.ports import View
from domain.prose import counted, day_text, listed
from domain.situations import Evidence, Finding, SituationKind

FREED_FOR = timedelta(days=7)
"""How long money freed by the end of a limit is news."""


class FinanceDetector:
    """Built-in detector `finance`."""

    name = "finance"

    def find(self, view: View) -> Iterable[Finding]:
        for active in view.limits():
            if active.limit.kind not in {"cap", "freeze"}:
                continue
            ended = active.limit.until
            if active.in_force(view.now):
                yield _finding(view, active, SituationKind.FINANCE_LIMIT)
            elif ended is not None and ended <= view.now < ended + FREED_FOR:
                yield _finding(view, active, SituationKind.FREED_BUDGET)


def _finding(view: View, active: ActiveLimit, kind: SituationKind) -> Finding:
    limit = active.limit
    ended = kind == SituationKind.FREED_BUDGET
    scope = view.tree.name(limit.scope)
    currency = limit.currency or "EUR"
    minor = to_minor(limit.amount, currency) if limit.amount is not None else None
    amount = f" of {money_text(minor, currency)} a day" if minor is not None else ""
    title = f"Finance ended the {limit.kind} on {scope}" if ended else f"Finance set a {limit.kind}{amount} on {scope}"
    bound = tuple(e.id for e in view.tree.of_kind("budget") if active.binds(e.id, view.tree))
    exceptions = f" Excepted: {listed([view.tree.name(one) for one in limit.exceptions])}." if limit.exceptions else ""
    span = f"from {day_text(limit.from_)}" + (f" to {day_text(limit.until)}" if limit.until else "")
    return Finding(
        kind=kind,
        key=f"{limit.kind}@{limit.scope}@{limit.from_:%Y-%m-%d}{'@ended' if ended else ''}",
        entities=(limit.scope,) if limit.scope in view.tree else tuple(bound[:1]),
        onset=limit.until if ended and limit.until else limit.from_,
        seen=view.as_of,
        title=title,
        summary=f"{title}; it {'bound' if ended else 'binds'} {counted(len(bound), 'budget')}.{exceptions}",
        evidence=(
            Evidence(
                text=f"A {limit.kind}{amount} on {scope} {span}.",
                figures={"budgets": len(bound), "amount_minor": minor},
                source=active.signal,
            ),
        ),
        facts={"kind": limit.kind, "scope": limit.scope, "amount_minor": minor, "signal": active.signal,
               "budgets": list(bound), "exceptions": list(limit.exceptions), "ended": ended,
               "from": limit.from_.isoformat()},
        teams=("finance", kind_of(limit.scope)),
    )  # fmt: skip
