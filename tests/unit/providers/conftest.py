"""Providers and gateways of scripts, for the tests of this folder."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import AccordError
from providers.cache import ExactCache
from providers.candidates import AsListed, Router
from providers.deadlines import Deadlines
from providers.gateway import Gateway
from providers.health import Health
from providers.ledger import InMemoryCallLog, Ledger
from providers.parts import Clock, Parts
from providers.pricing import Tariff
from providers.registry import Provider, Registry
from providers.scripted import Line, Script, ScriptedAdapter
from providers.types import Budget, Message, ModelRequest, Price, ProviderSpec, StreamEvent

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass
class Time:
    """A clock moved by hand, and by whoever sleeps on it."""

    now: datetime = START
    passed: float = 0.0

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, elapsed=lambda: self.passed, sleep=self.sleep)


@dataclass
class House:
    """A gateway over one script per provider, and all that can be looked into afterwards."""

    scripts: dict[str, Script | Iterable[Line]]
    providers: dict[str, Provider] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()
    router: Router = field(default_factory=AsListed)
    deadlines: Deadlines = field(default_factory=Deadlines)
    time: Time = field(default_factory=Time)
    cache: ExactCache | None = None

    def __post_init__(self) -> None:
        self.said = {name: ScriptedAdapter(script, sleep=self.time.sleep) for name, script in self.scripts.items()}
        self.log = InMemoryCallLog()
        self.health = Health()
        chosen = tuple(self.providers.get(name) or make_provider(name) for name in self.scripts)
        self.gateway = Gateway(
            Parts(
                registry=Registry(chosen),
                adapters=self.said,
                ledger=Ledger(self.log, currency="EUR", fx={"USD": Decimal("0.5")}, budgets=self.budgets),
                router=self.router,
                deadlines=self.deadlines,
                health=self.health,
                clock=self.time.clock,
                cache=self.cache,
                chance=random.Random(1),  # noqa: S311 - spreads retries, the same each time
            )
        )

    def stream(self, request: ModelRequest) -> tuple[list[StreamEvent], AccordError | None]:
        """All events of a stream, and the error it ended with."""
        events: list[StreamEvent] = []

        async def read() -> AccordError | None:
            try:
                async with aclosing(self.gateway.stream(request)) as stream:
                    async for event in stream:
                        events.append(event)  # noqa: PERF401 - what came before an error is kept
            except AccordError as error:
                return error
            return None

        return events, asyncio.run(read())

    def calls(self, name: str) -> int:
        return len(self.said[name].requests)


def make_provider(
    name: str = "one", *, spec: dict[str, object] | None = None, price: Price | None = None, context: int | None = None
) -> Provider:
    """The vendor is the provider's own name, so that each has a script of its own."""
    given = {"name": name, "model": f"{name}/m", **(spec or {})}
    return Provider(
        ProviderSpec.model_validate(given),
        rates=Tariff(price) if price else None,
        context_tokens=context,
        takes_schema=True,
    )


@pytest.fixture
def provider() -> Callable[..., Provider]:
    return make_provider


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    built: list[House] = []

    def build(*args: Any, **changes: Any) -> House:
        built.append(House(*args, **changes))
        return built[-1]

    yield build
    for one in built:
        one.gateway.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def request_for() -> Callable[..., ModelRequest]:
    def build(text: str = "hello", **changes: object) -> ModelRequest:
        given = {"task": "explain", "messages": (Message(role="user", content=text),), **changes}
        return ModelRequest.model_validate(given)

    return build
