"""Names what went wrong in a model call, and what may be done about it: the one vocabulary of all adapters.

The fault stands in `facts["fault"]` of an error of the tree in `domain/errors.py`.
"""

from __future__ import annotations

from enum import StrEnum

from domain.errors import AccordError, BadAnswer, TerminalError, TransientError


class Fault(StrEnum):
    """What went wrong, as told by status, code, bytes and clock; the sets below say what follows from it."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    BUSY = "busy"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    MALFORMED = "malformed"
    CUT = "cut"
    EMPTY = "empty"
    BAD_ANSWER = "bad_answer"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not_found"
    NO_CREDIT = "no_credit"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"


TRANSIENT = frozenset(
    {Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.BUSY, Fault.TIMEOUT, Fault.CONNECTION}
    | {Fault.MALFORMED, Fault.CUT, Fault.EMPTY}
)
# Nobody mends these within a minute: the breaker opens for long.
LASTING = frozenset({Fault.UNAUTHORISED, Fault.NOT_FOUND, Fault.NO_CREDIT, Fault.UNAVAILABLE})
# The provider itself is out of order: one of these opens its breaker. A local model with a queue is well.
UNHEALTHY = (TRANSIENT - {Fault.EMPTY, Fault.BUSY}) | LASTING
# Worth another try at the same provider when no other is left. A silence is not: it has cost its time already.
WORTH_A_RETRY = TRANSIENT - {Fault.TIMEOUT}
# The caller's own doing or a refusal: another vendor would be asked the same wrong thing, or asked to look away.
FINAL = frozenset({Fault.BAD_REQUEST, Fault.REFUSED})
# The request may have been worked on, and billed, although no usage came back.
MAYBE_BILLED = frozenset(
    {Fault.TIMEOUT, Fault.CONNECTION, Fault.MALFORMED, Fault.CUT, Fault.EMPTY, Fault.BAD_ANSWER, Fault.REFUSED}
)


class NoProvider(TerminalError):
    """No provider may or can answer; callers take their deterministic way."""

    code, status = "no_provider", 503


def failure(fault: Fault, detail: str, **facts: object) -> TransientError | TerminalError:
    """The error of our tree for `fault`, to be raised by the adapter that saw it."""
    if fault is Fault.BAD_ANSWER:
        return BadAnswer(detail, fault=fault, **facts)
    kind = TransientError if fault in TRANSIENT else TerminalError
    return kind(detail, fault=fault, **facts)


def fault_of(error: AccordError) -> Fault:
    """The fault an adapter gave `error`, else the one its place in the tree implies."""
    fault = error.facts.get("fault")
    if isinstance(fault, Fault):
        return fault
    if isinstance(error, BadAnswer):
        return Fault.BAD_ANSWER
    return Fault.OVERLOADED if isinstance(error, TransientError) else Fault.UNAVAILABLE


def retry_after_s(error: AccordError) -> float | None:
    """Seconds the vendor asked us to wait, if it did."""
    seconds = error.facts.get("retry_after_s")
    return seconds if isinstance(seconds, float) else None
