"""Named places where a process may be made to die, so that every crash window can be tried on purpose.

Nothing happens there unless `ACCORD_CRASH_AT` names one (`effect.started.committed`, or `tool.called:3` for the
third time it is reached), or a test or simulation listens.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

CRASH_AT = "ACCORD_CRASH_AT"

TRANSACTIONS = (
    "round",
    "decision",
    "proposal.expired",
    "proposal.pending",
    "proposal.void",
    "due",
    "claim",
    "effect.started",
    "effect.confirmed",
    "effect.failed",
    "effect.postponed",
    "effect.unknown",
    "action.denied",
    "action.drifted",
    "undo",
    "settled",
    "outcome",
    "notice.queued",
    "notice.claimed",
    "notice.settled",
)
"""Writes on the way from a round to an outcome, and to people told of it; each may be cut right before and right after
it is durable."""
STEPS = (
    "decision.received",
    "decision.answered",
    "action.looked",
    "action.validated",
    "tool.called",
    "tool.answered",
    "silence.met",
    "measure.begun",
    "notice.sending",
    "notice.taken",
)
"""Places between two writes."""
POINTS = (*STEPS, *(f"{name}.{edge}" for name in TRANSACTIONS for edge in ("committing", "committed")))
"""Every named place. A test dies at each of them, and fails when one is never reached."""

_listener: Callable[[str], None] | None = None


def reached(point: str) -> None:
    """Says that the process stands at `point`."""
    if _listener is not None:
        _listener(point)


def listen(listener: Callable[[str], None] | None) -> None:
    """Calls `listener` at every point; None for silence."""
    global _listener  # noqa: PLW0603 — one process dies as a whole
    _listener = listener


def dying_at(place: str) -> Callable[[str], None]:
    """A listener that ends the process by SIGKILL at `place`: a point, or `point:n` for the n-th time."""
    point, _, number = place.partition(":")
    left = int(number or 1)

    def arrive(at: str) -> None:
        nonlocal left
        left -= at == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return arrive


if CRASH_AT in os.environ:
    listen(dying_at(os.environ[CRASH_AT]))
