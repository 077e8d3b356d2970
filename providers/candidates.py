"""Which providers may answer a request, in which order, and which may follow after a failure: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from providers.faults import FINAL, Fault
from providers.registry import Provider
from providers.types import ModelRequest


@dataclass(frozen=True, slots=True)
class Ranked:
    """Providers in the order in which they are to be tried, and one sentence that says why."""

    providers: tuple[Provider, ...]
    why: str


class Router(Protocol):
    """Puts the providers that may answer `request` in order; one it leaves out is not tried."""

    def rank(self, request: ModelRequest, candidates: Sequence[Provider], now: datetime) -> Ranked: ...


class AsListed:
    """The order of the configuration."""

    def rank(self, request: ModelRequest, candidates: Sequence[Provider], now: datetime) -> Ranked:
        return Ranked(tuple(candidates), "It stands first in the configuration of those that may answer.")


def barred(provider: Provider, request: ModelRequest) -> str | None:
    """Why `provider` may not answer `request` at all; None when it may. The data class is a hard wall."""
    if request.provider not in {None, provider.name}:
        return f"{request.provider!r} is asked for"
    if request.data_class not in provider.spec.data_classes:
        return f"may not see {request.data_class} data"
    if request.answer_schema is not None and not provider.takes_schema:
        return "takes no schema"
    return None


def may_answer(providers: Iterable[Provider], request: ModelRequest) -> tuple[Provider, ...]:
    """The providers that are not barred."""
    return tuple(provider for provider in providers if barred(provider, request) is None)


def ends_the_call(fault: Fault) -> bool:
    """Whether no other provider may be asked: the caller's error and a refusal do not cross vendors."""
    return fault in FINAL


def too_small(provider: Provider, overflowed: Iterable[Provider]) -> bool:
    """After windows have overflowed only a larger one is worth a try, or one whose size is not known."""
    window = provider.context_tokens
    return window is not None and any(other.context_tokens and window <= other.context_tokens for other in overflowed)
