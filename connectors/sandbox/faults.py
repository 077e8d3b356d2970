"""Faults of real tools on order: wraps an actuator so that chosen calls go wrong the way vendors do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from connectors.contract import Actuator, Compensates, Compensation, Diff
from domain.actions import ActionSpec, Receipt
from domain.errors import TerminalError, TransientError


class Fault(StrEnum):
    """What happens to one call of `apply`; `STALE_READ` happens to the next `read_back`."""

    TIMEOUT_AFTER_WRITE = "timeout_after_write"
    TIMEOUT_BEFORE_WRITE = "timeout_before_write"
    TOO_MANY_REQUESTS = "too_many_requests"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    DUPLICATE = "duplicate"
    STALE_READ = "stale_read"
    NONE = "none"


class FaultyActuator:
    """`inner` with `faults` on its coming calls of `apply`, in order; afterwards it is sound."""

    def __init__(self, inner: Actuator, faults: Iterable[Fault], retry_after_s: float = 1.0) -> None:
        self._inner, self._retry_after_s = inner, retry_after_s
        self._faults = deque(faults)
        self._stale: dict[str, Any] | None = None

    def preview(self, action: ActionSpec) -> Diff:
        return self._inner.preview(action)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        """Raises TransientError (facts `retry_after_s`, or `outcome="unknown"`) or TerminalError, as ordered."""
        match self._faults.popleft() if self._faults else Fault.NONE:
            case Fault.TOO_MANY_REQUESTS:
                raise TransientError("429: too many requests. Wait as told.", retry_after_s=self._retry_after_s)
            case Fault.TIMEOUT_BEFORE_WRITE:
                raise _timeout()
            case Fault.TIMEOUT_AFTER_WRITE:
                self._inner.apply(action, idempotency_key)
                raise _timeout()
            case Fault.EXPIRED_TOKEN:
                raise TerminalError("401: the token has expired. Renew the credentials.")
            case Fault.DUPLICATE:
                self._inner.apply(action, idempotency_key)
            case Fault.STALE_READ:
                self._stale = self._inner.read_back(action)
            case Fault.NONE:
                pass
        return self._inner.apply(action, idempotency_key)

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        stale, self._stale = self._stale, None
        return self._inner.read_back(action) if stale is None else stale


class FaultyUndoActuator(FaultyActuator):
    """The same over an actuator that can undo."""

    def __init__(self, inner: Actuator, faults: Iterable[Fault], undo: Callable[[Receipt], Compensation]) -> None:
        super().__init__(inner, faults)
        self._undo = undo

    def compensate(self, receipt: Receipt) -> Compensation:
        return self._undo(receipt)


def with_faults(inner: Actuator, *faults: Fault) -> Actuator:
    """`inner` with `faults` on its next writes; it can undo exactly if `inner` can."""
    if isinstance(inner, Compensates):
        return FaultyUndoActuator(inner, faults, inner.compensate)
    return FaultyActuator(inner, faults)


def _timeout() -> TransientError:
    return TransientError("No answer in time; the write may have happened. Read back first.", outcome="unknown")
