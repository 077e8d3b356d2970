"""The fence around code of other packages: each call has a time limit, and a fault is named instead of spreading."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from connectors.contract import Actuator, Batch, Compensates, Compensation, Connector, Diff, Source, Validates
from domain.actions import ActionSpec, Receipt
from domain.errors import AccordError, Conflict, ExternalError, TerminalError, TransientError

CONNECTOR_LIMIT_S = 60.0
CALLS_AT_ONCE = 8
"""Calls of one connector that may be under way; one that hangs keeps its place, so threads left behind are few."""

T = TypeVar("T")


@dataclass(slots=True)
class ExtensionStatus:
    """How one extension fares. `fault` is the newest failure in words; None while it behaves."""

    group: str
    name: str
    origin: str
    fault: str | None = None
    failures: int = 0

    def record(self, fault: str) -> None:
        self.fault, self.failures = fault, self.failures + 1


class Unresponsive(Exception):
    """Foreign code did not come back within its time."""


def call_within(work: Callable[[], T], limit_s: float, name: str) -> T:
    """Runs `work` in a thread of its own and waits `limit_s` seconds for it. Raises what it raised, or Unresponsive.

    Python cannot end a thread: one that hangs stays behind as a daemon and does not keep the process alive.
    """
    outcome: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # edge: foreign code, re-raised in the thread that waits
            faults.append(error)

    thread = threading.Thread(target=run, name=f"extension-{name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise Unresponsive(f"did not answer within {limit_s:g} s")
    if faults:
        raise faults[0]
    return outcome[0]


class Fence:
    """Calls into one connector. Raises ExternalError or Conflict, whatever the connector raised."""

    def __init__(self, name: str, status: ExtensionStatus, limit_s: float) -> None:
        self._name, self._status, self._limit_s = name, status, limit_s
        self._places = threading.BoundedSemaphore(CALLS_AT_ONCE)

    def call(self, method: str, work: Callable[[], object], kind: type[T]) -> T:
        """The `kind` that `work` returns; TransientError with `outcome="unknown"` for what is no answer at all."""
        try:
            answer = self._timed(work)
        except (ExternalError, Conflict):
            raise
        except AccordError as error:
            raise TerminalError(error.detail, **error.facts) from error
        except (Exception, SystemExit) as error:  # edge: a foreign connector must not take its callers with it
            raise self.fault(method, f"{type(error).__name__}: {error}") from error
        if not isinstance(answer, kind):
            raise self.fault(method, f"returned a {type(answer).__name__!r} where a {kind.__name__} is due")
        return answer

    def fault(self, method: str, what: str) -> TransientError:
        """The error for a broken promise, written down on the way."""
        self._status.record(f"{self._name}.{method}: {what}")
        return TransientError(
            f"Connector {self._name!r} failed in `{method}`: {what}. Mend or remove its package.", outcome="unknown"
        )

    def _timed(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(timeout=self._limit_s):
            raise Unresponsive(f"has {CALLS_AT_ONCE} calls that never came back")

        def run() -> T:
            try:
                return work()
            finally:
                self._places.release()

        return call_within(run, self._limit_s, self._name)


class FencedSource:
    """A foreign source behind its fence."""

    def __init__(self, inner: Source, fence: Fence) -> None:
        self._inner, self._fence = inner, fence

    def read(self, cursor: str | None) -> Batch:
        batch = self._fence.call("read", lambda: self._inner.read(cursor), Batch)
        events, position = cast("object", batch.events), cast("object", batch.cursor)
        sound = isinstance(events, list) and all(isinstance(event, dict) for event in cast("list[object]", events))
        if not sound or not isinstance(position, str):
            raise self._fence.fault("read", "returned a Batch without a list of events and a cursor of text")
        return batch


class FencedActuator:
    """A foreign actuator behind its fence; what it claims to have done is read back before it is believed."""

    def __init__(self, inner: Actuator, fence: Fence) -> None:
        self._inner, self._fence = inner, fence

    def preview(self, action: ActionSpec) -> Diff:
        return self._fence.call("preview", lambda: self._inner.preview(action), Diff)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        """Raises TransientError with `outcome="unknown"` also for a receipt of another key, or without the effect."""
        receipt = self._fence.call("apply", lambda: self._inner.apply(action, idempotency_key), Receipt)
        if receipt.idempotency_key != idempotency_key:
            raise self._fence.fault("apply", f"gave a receipt for {receipt.idempotency_key!r}")
        state = self.read_back(action)
        if not _shows(state, action):
            raise self._fence.fault("apply", f"gave a receipt, but the tool shows {state.get(action.kind)!r}")
        return receipt

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        return self._fence.call("read_back", lambda: self._inner.read_back(action), cast("type[dict[str, Any]]", dict))


class FencedValidates(FencedActuator):
    """One that has a dry run."""

    def validate(self, action: ActionSpec) -> None:
        self._fence.call("validate", lambda: cast("Validates", self._inner).validate(action), type(None))


class FencedCompensates(FencedActuator):
    """One that can undo."""

    def compensate(self, receipt: Receipt) -> Compensation:
        undo = cast("Compensates", self._inner).compensate
        return self._fence.call("compensate", lambda: undo(receipt), Compensation)


class FencedWhole(FencedValidates, FencedCompensates):
    """One that has both."""


def fenced(connector: Connector, name: str, status: ExtensionStatus, limit_s: float) -> Connector:
    """`connector` under the configured `name`, each of its parts behind one fence; absent parts stay absent."""
    fence = Fence(name, status, limit_s)
    source, actuator, unlock = connector.source, connector.actuator, connector.unlock
    return replace(
        connector,
        name=name,
        source=None if source is None else FencedSource(source, fence),
        actuator=None if actuator is None else _fenced_actuator(actuator, fence),
        unlock=None if unlock is None else _fenced_unlock(unlock, fence),
    )


Unlock = Callable[[Mapping[str, str]], Actuator]


def _fenced_unlock(unlock: Unlock, fence: Fence) -> Unlock:
    def unlocked(secrets: Mapping[str, str]) -> Actuator:
        return _fenced_actuator(cast("Actuator", fence.call("unlock", lambda: unlock(secrets), object)), fence)

    return unlocked


def _fenced_actuator(actuator: Actuator, fence: Fence) -> Actuator:
    match isinstance(actuator, Validates), isinstance(actuator, Compensates):
        case True, True:
            return FencedWhole(actuator, fence)
        case True, False:
            return FencedValidates(actuator, fence)
        case False, True:
            return FencedCompensates(actuator, fence)
        case _:
            return FencedActuator(actuator, fence)


def _shows(state: Mapping[str, object], action: ActionSpec) -> bool:
    """Whether the tool shows what was wanted, as its state or among the things made."""
    wanted, shown = action.model_dump(mode="json")["value"], state.get(action.kind)
    return shown == wanted or (isinstance(shown, list) and wanted in cast("list[object]", shown))
