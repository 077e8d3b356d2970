"""What Accord tells besides an answer: who gave it, after how many attempts, at what cost, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from api.schemas.openai import AccordNote
from domain.errors import AccordError
from providers.pricing import decimal_text
from providers.types import Attempt, ModelAnswer, Outcome


def sent_by(attempts: Iterable[Attempt]) -> int:
    """How many providers were called; a skipped one was not."""
    return sum(attempt.outcome is not Outcome.SKIPPED for attempt in attempts)


def note(answer: ModelAnswer) -> AccordNote:
    cost = None if answer.cost_nano is None else decimal_text(answer.cost_nano)
    return AccordNote(
        provider=answer.provider,
        attempts=sent_by(answer.attempts),
        cost=cost,
        currency=answer.currency if cost is not None else None,
        why=answer.why,
        cached=answer.cached,
    )


def headers_of(told: AccordNote) -> dict[str, str]:
    """The headers of a plain answer; a cost that is unknown has none."""
    headers = {"x-accord-provider": told.provider, "x-accord-attempts": str(told.attempts)}
    if told.cost is not None:
        headers |= {"x-accord-cost": told.cost, "x-accord-currency": told.currency or ""}
    return headers


def headers_of_failure(error: AccordError) -> dict[str, str]:
    """How many providers were called in vain, where that is known."""
    attempts = error.facts.get("attempts")
    if not isinstance(attempts, tuple):
        return {}
    return {"x-accord-attempts": str(sent_by(cast("tuple[Attempt, ...]", attempts)))}
