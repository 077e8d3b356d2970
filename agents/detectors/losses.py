"""Why deals are lost lately: reasons that truly rose, with quotes and the money lost, late collapses apart."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agents.detectors.accounts import deal_text, open_deals
from agents.detectors.panel import moment
from analysis.losses import Loss, Rise, rises
from domain.money import to_minor
from domain.ports import Told, View
from domain.prose import capital, term
from domain.signals import DealChanged
from domain.situations import Evidence, Finding, Hypothesis, SituationKind

WINDOW = timedelta(days=30)
LONGEST_WEEKS = 16
LEAST_DEALS = 3
LATE_STAGES = frozenset({"verification", "contract", "negotiation", "legal", "procurement", "proposal", "closing"})


class LossesDetector:
    """Built-in detector `losses`. One situation per reason for as long as it stays risen."""

    name = "losses"

    def __init__(self) -> None:
        self._onsets: dict[str, str] = {}

    def find(self, view: View) -> Iterable[Finding]:
        lost = _lost(view)
        losses = _losses(lost, view)
        risen = _risen(losses, view.as_of.timestamp())
        # While a reason stays risen its name stays, even when late news move the week in which it began.
        self._onsets = {
            rise.reason: self._onsets.get(rise.reason) or _onset(losses, rise.reason, view.as_of) for rise in risen
        }
        for rise in risen:
            yield _finding(view, rise, lost, self._onsets[rise.reason])


def _risen(losses: list[Loss], now_s: float) -> list[Rise]:
    return [
        rise
        for rise in rises(losses, now_s, window_s=WINDOW.total_seconds())
        if rise.rose and rise.recent >= LEAST_DEALS
    ]


def _onset(losses: list[Loss], reason: str, now: datetime) -> str:
    """The Monday of the first of the weeks on end in which the reason stood risen: names the occurrence."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(LONGEST_WEEKS):
        if reason not in {rise.reason for rise in _risen(losses, monday.timestamp())}:
            break
        monday -= timedelta(days=7)
    return f"{monday:%Y-%m-%d}"


def _lost(view: View) -> dict[str, Told[DealChanged]]:
    """The change by which each deal that is lost now was lost."""
    newest: dict[str, Told[DealChanged]] = {}
    for told in view.deals():
        newest[told.data.deal] = told
    return {deal: told for deal, told in newest.items() if told.data.status == "lost"}


def _losses(lost: dict[str, Told[DealChanged]], view: View) -> list[Loss]:
    return [
        Loss(
            deal=deal,
            at_s=told.at.timestamp(),
            amount_minor=to_minor(told.data.amount or 0, told.data.currency or "EUR"),
            note=told.data.note or "",
            reason_field=told.data.loss_reason,
            late=told.data.stage.lower() in LATE_STAGES,
        )
        for deal, told in sorted(lost.items())
        if told.at <= view.as_of
    ]


def _finding(view: View, rise: Rise, lost: dict[str, Told[DealChanged]], onset: str) -> Finding:
    collapse = rise.late_collapse
    reason = term(rise.reason)
    since = view.as_of - WINDOW
    recent = [told for told in lost.values() if told.at > since]
    late = ", late in the funnel" if collapse else ""
    title = f"{rise.recent} of the {rise.recent_of} deals lost in 30 days fell over {reason}{late}"
    outside = any(lost[deal].trust == "external" for deal, _ in rise.quotes if deal in lost)
    evidence = (
        Evidence(
            text=f"{capital(reason)} stands behind {rise.recent} of {rise.recent_of} losses in 30 days{late}, against "
            f"{rise.base_rate:.0%} of them before; a true rise is {rise.rise_probability:.1%} probable.",
            figures={"recent": rise.recent, "recent_of": rise.recent_of, "base_rate": round(rise.base_rate, 4),
                     "rise_probability": round(rise.rise_probability, 4), "money_minor": rise.money_minor,
                     "late": rise.late, "days": 30},
            source="deals:lost",
        ),
        *_quotes(view, rise, lost),
    )  # fmt: skip
    open_ = [told for told in open_deals(view) if told.data.stage.lower() in LATE_STAGES]
    return Finding(
        kind=SituationKind.LATE_COLLAPSE if collapse else SituationKind.LOSS_PATTERN,
        key=f"losses@{rise.reason}@{onset}",
        entities=tuple(deal for deal, _ in rise.quotes if deal in view.tree),
        onset=min((told.at for told in recent), default=moment(view.as_of.timestamp())),
        seen=view.as_of,
        title=title,
        summary=f"{title}; before, {rise.base_rate:.0%} of losses did.",
        evidence=evidence,
        hypotheses=_hypotheses(rise),
        worth_minor=rise.money_minor,
        facts={"reason": rise.reason, "recent": rise.recent, "recent_of": rise.recent_of, "base_rate": rise.base_rate,
               "excess_rate": max(0.0, 1 - rise.base_rate * rise.recent_of / max(1, rise.recent)),
               "money_minor": rise.money_minor, "late": collapse, "open_late": [told.data.deal for told in open_],
               "lost_deals": [deal for deal, _ in rise.quotes]},
        trust="external" if outside else "internal",
        teams=("sales", "content"),
    )  # fmt: skip


def _quotes(view: View, rise: Rise, lost: dict[str, Told[DealChanged]]) -> Iterable[Evidence]:
    for deal, quote in rise.quotes:
        told = lost[deal]
        yield Evidence(
            text=f"The deal {deal_text(view.tree, told.data)} was lost in {told.data.stage}.",
            figures={"amount": float(told.data.amount or 0)},
            source=told.signal,
            quote=quote,
            trust=told.trust,
        )


def _hypotheses(rise: Rise) -> tuple[Hypothesis, ...]:
    true = rise.rise_probability
    return (
        Hypothesis(name="proof is missing", odds=0.8 * true, because="the rate rose beyond its own history"),
        Hypothesis(name="habit of naming it", odds=0.2 * true, because="reasons in a CRM are often chosen in haste"),
        Hypothesis(name="chance", odds=1 - true, because="small counts cluster by themselves"),
    )
