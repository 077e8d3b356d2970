"""What really happened in a simulated company, for judges and never for a policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox.company.agenda import Event
from connectors.sandbox.company.blueprint import Blueprint
from connectors.sandbox.company.delivery import stamp


def events_truth(plan: Blueprint) -> list[dict[str, Any]]:
    """Onset, end, kind, entities and whether a decoy, of every event of the calendar and of the accounts."""
    events = sorted((*plan.agenda, *plan.schedule.events), key=lambda e: (e.onset, e.kind, e.entities))
    return [
        {
            "onset": stamp(plan.at(event.onset)),
            "end": stamp(plan.at(event.end)),
            "kind": event.kind,
            "entities": list(event.entities) or list(_entities(plan, event)),
            "decoy": event.decoy,
        }
        for event in events
    ]


def _entities(plan: Blueprint, event: Event) -> Iterator[str]:
    if event.kind == "recall":
        yield f"product:{event.subject.lower()}"
    for region in event.regions:
        name = plan.market.regions[region]
        yield f"campaign:{event.subject}-{name}" if event.subject and event.kind != "recall" else f"region:{name}"
