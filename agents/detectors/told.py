"""What notes of the own teams say about causes: a fault, a holiday, a promotion, a rival's test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from agents.guidance import fold
from analysis.rivals import FAULT, PROMOTION, RIVAL, SEASON
from domain.ports import View

_SAID = {
    FAULT: re.compile(r"tracking (?:fault|bug|error|issue)|counted (?:several times|twice)|erreur de (?:suivi|mesure)"),
    SEASON: re.compile(r"public holiday|bank holiday|jours? feries?|vacances|seasonal"),
    PROMOTION: re.compile(r"price promo|operation prix|discount week|soldes"),
    RIVAL: re.compile(r"competitor|concurrent"),
}
_NEAR = timedelta(days=10)


def told_causes(view: View, units: Sequence[str], onset: datetime) -> frozenset[str]:
    """Causes that notes written within ten days of `onset` name for `units` or for no place in particular.

    Notes from outside do not count: they could talk a real move away.
    """
    tree, found = view.tree, set[str]()
    for told in view.notes(onset - _NEAR):
        if told.trust != "internal" or abs(told.at - onset) > _NEAR:
            continue
        about = told.data.about
        if about and not any(tree.covers(scope, unit) or tree.covers(unit, scope) for scope in about for unit in units):
            channels = all(scope.startswith("channel:") for scope in about)
            if not channels:
                continue
        found |= {cause for cause, pattern in _SAID.items() if pattern.search(fold(told.data.text))}
    return frozenset(found)
