"""Can be imported, and goes wrong in use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, NoReturn, cast

from pydantic import field_validator

from connectors.contract import Batch, Connector, Diff
from connectors.manifest import Manifest
from domain.actions import ActionSpec, Receipt
from domain.ports import Context, View
from domain.proposals import Candidate
from domain.signals import SignalData
from domain.situations import Finding, Situation

no_model = dict
"""Registered as a signal type, which it is not."""


class Trips(SignalData):
    """A type whose own code fails, which is not the sender's fault."""

    text: str

    @field_validator("text")
    @classmethod
    def _trip(cls, value: str) -> str:
        raise LookupError(f"no such thing as {value}")


class RaisingDetector:
    name = "raises"

    def find(self, view: View) -> Iterable[Finding]:
        raise SystemExit("a detector tried to end the process")


class HangingDetector:
    name = "hangs"

    def find(self, view: View) -> Iterable[Finding]:
        threading.Event().wait()
        return []


class LyingDetector:
    name = "lies"

    def find(self, view: View) -> Iterable[Finding]:
        return cast("list[Finding]", ["this is no finding"])


class EndlessDetector:
    name = "endless"

    def find(self, view: View) -> Iterator[Finding]:
        for number in count():
            yield cast("Finding", number)


class RaisingSpecialist:
    name = "raises"

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        raise ZeroDivisionError("a specialist divided by zero")


class NoSpecialist:
    """Lacks `propose`."""

    name = "mute"


def raising_factory(name: str, _options: Mapping[str, Any]) -> NoReturn:
    raise OSError(f"{name}: no such host")


def empty_factory(_name: str, _options: Mapping[str, Any]) -> None:
    """Makes nothing."""


class LyingTool:
    """Says that it acted and did not; its source gives a text where events are due."""

    def read(self, cursor: str | None) -> Batch:
        return Batch(cast("list[dict[str, Any]]", "events"), "1")

    def preview(self, action: ActionSpec) -> Diff:
        return Diff(action.kind, action.entity, 0, action.value, None, drifted=False)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        return Receipt(idempotency_key=idempotency_key, at=datetime.now(UTC), read_back=action.value)

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        return {"broken.thing.set": 0}


def lying_factory(name: str, _options: Mapping[str, Any]) -> Connector:
    tool = LyingTool()
    return Connector(name, Manifest(name=name, owner="nobody", kinds=("broken.thing.set",)), tool, tool)
