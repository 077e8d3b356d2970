"""The built-in detectors: what each team's signals amount to."""

from __future__ import annotations

from agents.detectors.accounts import AccountsDetector
from agents.detectors.demand import DemandDetector
from agents.detectors.finance import FinanceDetector
from agents.detectors.losses import LossesDetector
from agents.detectors.notes import NotesDetector
from domain.ports import Detector


def built_in_detectors() -> list[Detector]:
    """A fresh set: detectors of demand and losses keep state, so one set serves one company."""
    return [DemandDetector(), AccountsDetector(), LossesDetector(), FinanceDetector(), NotesDetector()]
