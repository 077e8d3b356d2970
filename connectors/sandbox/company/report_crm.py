"""What the CRM shows of the pipeline, some days after it happened and not always right."""

from __future__ import annotations

from connectors.sandbox.company.blueprint import Blueprint
from connectors.sandbox.company.delivery import CloudEvent, Delivery, cloud_event, stamp
from connectors.sandbox.company.dice import dice
from connectors.sandbox.company.loss_notes import lost_because
from connectors.sandbox.company.parameters import CURRENCY
from connectors.sandbox.company.pipeline import DealMove
from connectors.sandbox.company.words import STAGES


class CrmReport:
    """Reports deals: those already open on day 0, new ones as they start, moves as they are told."""

    def __init__(self, plan: Blueprint) -> None:
        self._plan = plan
        self._starting: dict[int, list[int]] = {}
        for index, deal in enumerate(plan.buyers.deals):
            if deal.stage_ends[-1] > 0:
                self._starting.setdefault(max(0, deal.start), []).append(index)

    def send(self, day: int, moves: tuple[DealMove, ...], out: Delivery) -> None:
        """Hand the deals that started or moved on `day` to `out`."""
        for index in self._starting.get(day, ()):
            deal = self._plan.buyers.deals[index]
            passed = sum(end <= day for end in deal.stage_ends)
            out.send(day, [self._event(DealMove(index, STAGES[passed], "open"), day, 0)])
        for move in moves:
            deal = self._plan.buyers.deals[move.deal]
            # A deal that ended before its start was told is none of today's news.
            if deal.stage_ends[-1] < 0:
                continue
            lag = deal.told_after[STAGES.index(move.stage)] if move.status == "open" else min(2, deal.told_after[3])
            out.send(day, [self._event(move, day, lag)], lag)

    def _event(self, move: DealMove, day: int, lag: int) -> CloudEvent:
        deal = self._plan.buyers.deals[move.deal]
        data: dict[str, object] = {
            "deal": deal.id,
            "account": self._plan.account_of(move.deal).id,
            "stage": move.stage,
            "status": move.status,
            "amount": deal.amount,
            "currency": CURRENCY,
            "product": f"product:{deal.product.lower()}",
            "owner": deal.owner,
        }
        if move.status == "lost":
            reason, note = self._told_reason(move, day, deal.competitor)
            told = {"loss_reason": reason, "note": note}
            told["competitor"] = deal.competitor if reason == "competitor" else None
            data |= {key: value for key, value in told.items() if value is not None}
        name = f"{deal.id}:{move.stage}:{move.status}"
        return cloud_event("crm", "deal.changed", name, stamp(self._plan.at(day + lag + 0.6)), deal.id, data)

    def _told_reason(self, move: DealMove, day: int, competitor: str) -> tuple[str | None, str | None]:
        rng = dice(self._plan.seed, f"loss/{move.deal}")
        for event in self._plan.agenda:
            # In a random cluster the same wrong reason is told of whatever is lost.
            if event.kind == "random_loss_cluster" and event.onset <= day < event.end:
                return lost_because(rng, event.subject, competitor)
        return lost_because(rng, move.reason, competitor)
