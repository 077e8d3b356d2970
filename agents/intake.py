"""Signals in: parsed at the border, stored once, then a round is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agents.extensions import read_foreign
from domain.entities import Entity
from domain.errors import ExternalError, InputError
from domain.implied import first_of_each, implied_entities
from domain.record import Record
from domain.signals import EntityDeclared, Signal, Trust, parse_event

if TYPE_CHECKING:
    from agents.parts import Runtime

MAX_BATCH = 500
"""Signals written in one transaction: bounds memory and the time a crash can cost."""


class Refused(Record):
    """An event that was not taken, and why."""

    id: str
    error: str


class Accepted(Record):
    """What became of a batch. Everything counted as accepted is on disk."""

    accepted: int = 0
    duplicate: int = 0
    rejected: tuple[Refused, ...] = ()

    def __add__(self, other: Accepted) -> Accepted:
        return Accepted(
            accepted=self.accepted + other.accepted,
            duplicate=self.duplicate + other.duplicate,
            rejected=self.rejected + other.rejected,
        )


def accept(runtime: Runtime, events: Sequence[Mapping[str, Any]], *, trust: Trust) -> Accepted:
    """Store what is well formed, name what is not; one bad event never harms its neighbours."""
    total = Accepted()
    for start in range(0, len(events), MAX_BATCH):
        total += _accept_batch(runtime, events[start : start + MAX_BATCH], trust)
    if total.accepted:
        runtime.driver.poke()
    return total


def _accept_batch(runtime: Runtime, events: Sequence[Mapping[str, Any]], trust: Trust) -> Accepted:
    now = runtime.clock.now()
    signals: list[Signal] = []
    refused: list[Refused] = []
    for event in events:
        try:
            signals.append(_parsed(runtime, event, now, trust))
        except InputError as error:
            refused.append(Refused(id=str(event.get("id", ""))[:300], error=error.detail))
    added = runtime.store.signals.add(signals)
    refused += [Refused(id=fault.id, error=fault.error) for fault in added.rejected]
    _adopt(runtime, signals, {fault.id for fault in added.rejected})
    return Accepted(accepted=added.accepted, duplicate=added.duplicate, rejected=tuple(refused))


def _parsed(runtime: Runtime, event: Mapping[str, Any], now: datetime, trust: Trust) -> Signal:
    """The event as a signal; types of other packages are read behind a fence. Raises InputError."""

    def parse() -> Signal:
        return parse_event(event, received_at=now, trust=trust, types=runtime.signal_types)

    for status in runtime.extensions:
        if status.group == "accord.signals" and status.name == event.get("type") in runtime.signal_types:
            return read_foreign(status, runtime.settings.extensions.limit_s, parse)
    return parse()


def _adopt(runtime: Runtime, signals: Sequence[Signal], rejected: set[str]) -> None:
    """An empty sandbox takes entities as its own, so that their state can be read and set."""
    taken = [signal for signal in signals if signal.id not in rejected and signal.trust == "internal"]
    for signal in taken:
        if isinstance(signal.data, EntityDeclared):
            declared = signal.data
            runtime.tools.adopt(
                Entity(id=declared.id, name=declared.name, parent=declared.parent, attrs=declared.attrs)
            )
    for entity in first_of_each(entity for signal in taken for entity in implied_entities(signal)):
        runtime.tools.adopt(entity, only_new=True)


def pull(runtime: Runtime) -> Accepted:
    """Read every connected source once, from where the last reading ended.

    The cursor is kept after the signals are stored: a crash between the two reads them again, as duplicates.
    A tool that cannot be read now stands among `rejected`; the others are read all the same.
    """
    total = Accepted()
    for name, source in runtime.tools.sources():
        flag = f"cursor:{name}"
        try:
            batch = source.read(runtime.store.flags.get(flag, default=None))
        except ExternalError as error:
            total += Accepted(rejected=(Refused(id=f"connector:{name}", error=error.detail),))
            continue
        total += accept(runtime, batch.events, trust="internal")
        runtime.store.flags.set(flag, batch.cursor, facts=[])
    return total
