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
        self._untold: dict[int, list[DealMove]] = {}
        self._closed: set[int] = set()
        self._starting: dict[int, list[int]] = {}
        for index, deal in enumerate(plan.buyers.deals):
            if deal.stage_ends[-1] > 0:
                self._starting.setdefault(max(0, deal.start), []).append(index)

    def send(self, day: int, moves: tuple[DealMove, ...], out: Delivery) -> None:
        """Hand the deals that started, and the moves that are told today, to `out`."""
        for index in self._starting.get(day, ()):
            passed = sum(end < day for end in self._plan.buyers.deals[index].stage_ends)
            out.send(day, [self._event(DealMove(index, STAGES[passed], "open"), day)])
        for move in moves:
            deal = self._plan.buyers.deals[move.deal]
            if move.status == "open":
                self._untold.setdefault(day + deal.told_after[STAGES.index(move.stage)], []).append(move)
            else:
                self._closed.add(move.deal)
                out.send(day, [self._event(move, day)], min(2, deal.told_after[-1]))
        for move in self._untold.pop(day, ()):
            # Nobody tells a stage of a deal that has ended since.
            if move.deal not in self._closed:
                out.send(day, [self._event(move, day)])

    def _event(self, move: DealMove, day: int) -> CloudEvent:
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
        return cloud_event("crm", "deal.changed", name, stamp(self._plan.at(day + 0.6)), deal.id, data)

    def _told_reason(self, move: DealMove, day: int, competitor: str) -> tuple[str | None, str | None]:
        rng = dice(self._plan.seed, f"loss/{move.deal}")
        for event in self._plan.agenda:
            # In a random cluster the same wrong reason is told of whatever is lost.
            if event.kind == "random_loss_cluster" and event.onset <= day < event.end:
                return lost_because(rng, event.subject, competitor)
        return lost_because(rng, move.reason, competitor)
