"""Providers and gateways of scripts, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from providers.candidates import Order, as_listed
from providers.gateway import Clock, Gateway
from providers.health import BreakerRule, Health
from providers.ledger import InMemoryCallLog, Ledger
from providers.pricing import Tariff
from providers.registry import Provider, Registry
from providers.scripted import Line, Script, ScriptedAdapter
from providers.types import Budget, Message, ModelRequest, Price, ProviderSpec

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass
class Time:
    """A clock moved by hand, and by whoever sleeps on it."""

    now: datetime = START
    passed: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, elapsed=lambda: self.passed)


@dataclass
class House:
    """A gateway over one script per provider, and all that can be looked into afterwards."""

    scripts: dict[str, Script | Iterable[Line]]
    providers: dict[str, Provider] = field(default_factory=dict)
    budgets: tuple[Budget, ...] = ()
    order: Order = as_listed
    time: Time = field(default_factory=Time)

    def __post_init__(self) -> None:
        self.said = {name: ScriptedAdapter(script, sleep=self.time.sleep) for name, script in self.scripts.items()}
        self.log = InMemoryCallLog()
        self.health = Health(BreakerRule(threshold=2, cooldown_s=30))
        chosen = tuple(self.providers.get(name) or make_provider(name) for name in self.scripts)
        self.gateway = Gateway(
            Registry(chosen),
            self.said,
            Ledger(self.log, currency="EUR", fx={"USD": Decimal("0.5")}, budgets=self.budgets),
            health=self.health,
            order=self.order,
            clock=self.time.clock,
        )

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
def house() -> type[House]:
    return House


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def request_for() -> Callable[..., ModelRequest]:
    def build(text: str = "hello", **changes: object) -> ModelRequest:
        given = {"task": "explain", "messages": (Message(role="user", content=text),), **changes}
        return ModelRequest.model_validate(given)

    return build
