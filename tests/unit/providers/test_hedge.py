from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal

from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.gateway import Gateway
from providers.latency import Latencies
from providers.ledger import InMemoryCallLog, Ledger
from providers.parts import Parts
from providers.registry import Provider, Registry
from providers.types import ModelRequest, Piece, Reply, TextDelta

Ask = Callable[..., ModelRequest]


class Paced:
    """Answers once `ready` is set; `closed` tells that it was dropped before."""

    def __init__(self, text: str, *, ready: bool) -> None:
        self._text, self._ready = text, asyncio.Event()
        self.closed = False
        if ready:
            self.ready()

    def ready(self) -> None:
        self._ready.set()

    async def prepare(self, provider: Provider) -> None:
        """There is nothing to prepare."""

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            self.closed = True
            raise
        yield TextDelta(text=self._text)
        yield Reply(text=self._text, finish="stop")


def test_a_route_slower_than_usual_is_raced_and_the_loser_dropped_and_charged(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    slow, quick = Paced("slow", ready=False), Paced("quick", ready=True)
    log, latencies = InMemoryCallLog(), Latencies()
    latencies.note("one", 0.001, 0.001)
    parts = Parts(
        registry=Registry((provider("one"), provider("two"))),
        adapters={"one": slow, "two": quick},
        ledger=Ledger(log, currency="EUR", fx={"USD": Decimal(1)}),
        latencies=latencies,
        hedge=True,
    )
    answer = asyncio.run(Gateway(parts).acomplete(request_for()))
    assert (answer.text, answer.provider, slow.closed) == ("quick", "two", True)
    assert [(a.provider, a.error_code) for a in answer.attempts] == [("one", "cancelled"), ("two", None)]
    assert len(log.calls) == 2


def test_a_route_as_quick_as_usual_is_not(provider: Callable[..., Provider], request_for: Ask) -> None:
    first, second = Paced("first", ready=True), Paced("second", ready=True)
    parts = Parts(
        registry=Registry((provider("one"), provider("two"))),
        adapters={"one": first, "two": second},
        ledger=Ledger(InMemoryCallLog(), currency="EUR", fx={}),
        hedge=True,
    )
    answer = asyncio.run(Gateway(parts).acomplete(request_for()))
    assert (answer.text, len(answer.attempts)) == ("first", 1)


class Refusing(Paced):
    """Refuses the request, and lets `other` answer then."""

    def __init__(self, other: Paced) -> None:
        super().__init__("", ready=True)
        self._other = other

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        self._other.ready()
        raise failure(Fault.BAD_REQUEST, "No. Change it.")
        yield


def test_what_the_second_refuses_neither_ends_nor_loses_the_first(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    slow, log, latencies = Paced("slow", ready=False), InMemoryCallLog(), Latencies()
    latencies.note("one", 0.001, 0.001)
    parts = Parts(
        registry=Registry((provider("one"), provider("two"))),
        adapters={"one": slow, "two": Refusing(slow)},
        ledger=Ledger(log, currency="EUR", fx={"USD": Decimal(1)}),
        latencies=latencies,
        hedge=True,
    )
    answer = asyncio.run(Gateway(parts).acomplete(request_for()))
    assert answer.text == "slow"
    assert sorted(call.error_code or "" for call in log.calls.values()) == ["", "bad_request"]
