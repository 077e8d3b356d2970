"""The sales pipeline, day by day: hidden stages, what kills deals, and what content, plays and tasks change."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from connectors.sandbox.company.accounts import LOSS_RATES, Buyers, Deal
from connectors.sandbox.company.agenda import Event
from connectors.sandbox.company.board import Board
from connectors.sandbox.company.parameters import MARGIN_RATE
from connectors.sandbox.company.words import REASONS, STAGES

GROUP_LEAD_DAYS = 12  # a buying group shows this long before verification begins
_TASK_COST = 120.0
_TASK_REASONS = ("slow_response", "approval", "compliance")
_PROOF_REASONS = ("competitor", "fit", "roi_proof", "price", "approval")
_VERIFY_WITH_GROUP, _VERIFY_ALONE, _PAUSED, _EXPANDING = 0.45, 1.2, 1.6, 1.1
_TASK_RELIEF = 0.6


@dataclass(frozen=True, slots=True)
class DealMove:
    """A hidden change of a deal today. `reason` is the true one of a loss."""

    deal: int
    stage: str
    status: str
    reason: str = ""


@dataclass(slots=True)
class Pipeline:
    """State of the deals. The levers are `plays` by account index and `tasks` by deal index."""

    buyers: Buyers
    agenda: tuple[Event, ...]
    plays: dict[int, str] = field(default_factory=dict[int, str])
    tasks: dict[int, int] = field(default_factory=dict[int, int])
    lost: dict[int, str] = field(default_factory=dict[int, str])
    costs: float = 0.0
    _strikes: dict[int, list[tuple[int, int]]] = field(init=False)
    _ends: dict[int, list[tuple[int, int]]] = field(init=False)

    def __post_init__(self) -> None:
        self._strikes, self._ends = defaultdict(list), defaultdict(list)
        for index, deal in enumerate(self.buyers.deals):
            for reason, day in enumerate(deal.strikes):
                self._strikes[day].append((index, reason))
            for stage, day in enumerate(deal.stage_ends):
                self._ends[day].append((index, stage))

    def add_task(self, deals: list[int]) -> None:
        """A task for people, on every deal given; its cost is charged on the next day."""
        self.costs += _TASK_COST
        for deal in deals:
            self.tasks[deal] = self.tasks.get(deal, 0) + 1

    def open_deals(self, account: int, day: int) -> list[int]:
        return [i for i, deal in enumerate(self.buyers.deals) if deal.account == account and self.is_open(i, day)]

    def is_open(self, index: int, day: int) -> bool:
        deal = self.buyers.deals[index]
        return index not in self.lost and deal.start <= day < deal.stage_ends[-1]

    def step(self, day: int, board: Board) -> tuple[list[DealMove], float]:
        """Moves of `day` and the margin won on it less the cost of tasks (major units)."""
        moves: list[DealMove] = []
        for index, reason in self._strikes[day]:
            deal = self.buyers.deals[index]
            if index not in self.lost and deal.luck[reason] < self.hazard(index, reason, day, board):
                self.lost[index] = REASONS[reason]
                moves.append(DealMove(index, STAGES[_stage_at(deal, day)], "lost", REASONS[reason]))
        margin, self.costs = -self.costs, 0.0
        for index, stage in self._ends[day]:
            if index in self.lost:
                continue
            won = stage == len(STAGES) - 1
            moves.append(DealMove(index, STAGES[min(stage + 1, len(STAGES) - 1)], "won" if won else "open"))
            margin += self.buyers.deals[index].amount * MARGIN_RATE if won else 0.0
        return moves, margin

    def hazard(self, index: int, reason: int, day: int, board: Board) -> float:
        """Chance that `reason` kills the deal when it strikes on `day`."""
        rate = float(LOSS_RATES[reason]) * (1 - float(board.help_rate[reason]))
        for event in self.agenda:
            if event.kind in ("loss_wave", "compliance_collapse") and event.subject == REASONS[reason]:
                rate *= event.strength if event.onset <= day < event.end else 1.0
        rate *= self._play_factor(index, reason, day)
        if REASONS[reason] in _TASK_REASONS and self.tasks.get(index):
            rate *= _TASK_RELIEF
        return min(0.95, rate)

    def _play_factor(self, index: int, reason: int, day: int) -> float:
        deal = self.buyers.deals[index]
        match self.plays.get(deal.account, "educate"):
            case "pause":
                return _PAUSED
            case "expand":
                return _EXPANDING
            case "verify" if not group_active(deal, day):
                return _VERIFY_ALONE
            case "verify" if REASONS[reason] in _PROOF_REASONS:
                return _VERIFY_WITH_GROUP
            case _:
                return 1.0


def group_active(deal: Deal, day: int) -> bool:
    """Whether a real buying group is at work on `deal`: from shortly before verification to the end."""
    return deal.group and deal.stage_ends[1] - GROUP_LEAD_DAYS <= day <= deal.stage_ends[-1]


def _stage_at(deal: Deal, day: int) -> int:
    return int(np.searchsorted(np.array(deal.stage_ends), day, side="right").clip(0, len(STAGES) - 1))
