"""The built-in specialists: what could be done about a situation, computed."""

from __future__ import annotations

from agents.specialists.account import AccountSpecialist
from agents.specialists.content import ContentSpecialist
from agents.specialists.demand import DemandSpecialist
from agents.specialists.finance import FinanceSpecialist
from domain.ports import Specialist


def built_in_specialists() -> list[Specialist]:
    return [DemandSpecialist(), AccountSpecialist(), ContentSpecialist(), FinanceSpecialist()]
