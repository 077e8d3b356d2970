"""Which providers may answer a request, in which order, and which may follow after a failure: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from providers.faults import FINAL, Fault
from providers.registry import Provider
from providers.types import ModelRequest


class Order(Protocol):
    """Puts the providers that may answer `request` in the order in which they are tried."""

    def __call__(self, request: ModelRequest, providers: Sequence[Provider], /) -> Sequence[Provider]: ...


def as_listed(_request: ModelRequest, providers: Sequence[Provider]) -> Sequence[Provider]:
    """The order of the configuration."""
    return providers


def barred(provider: Provider, request: ModelRequest) -> str | None:
    """Why `provider` may not answer `request` at all; None when it may. The data class is a hard wall."""
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


def too_small(provider: Provider, overflowed: Provider | None) -> bool:
    """After an overflow of `overflowed`'s window only a larger window is worth a try; an unknown one is not larger."""
    if overflowed is None:
        return False
    if provider.context_tokens is None or overflowed.context_tokens is None:
        return True
    return provider.context_tokens <= overflowed.context_tokens
