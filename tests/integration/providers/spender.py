"""Run as a process by test_budgets: many streams at once over one store, each reserved, answered and settled.

Arguments: address of the store, number of streams, then `settle` or `die` (SIGKILL once all are under way). Prints, as
one JSON object, how many were let through, how many refused, and what the vendor would bill, in nano-units.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal

from domain.errors import OverBudget
from memory.store import Store
from providers.gateway import Gateway
from providers.journal import Journal
from providers.ledger import Ledger
from providers.parts import Clock, Parts
from providers.pricing import Tariff, cost_nano
from providers.registry import Provider, Registry
from providers.scripted import Hang, Line, ScriptedAdapter
from providers.types import Budget, Message, ModelRequest, Price, ProviderSpec, Reply, Tokens

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
RATES = Tariff(Price(currency="EUR", input=Decimal(1), output=Decimal(10)))
PROVIDER = Provider(ProviderSpec(name="one", model="one/m"), rates=RATES, context_tokens=None, takes_schema=True)
REQUEST = ModelRequest(task="explain", messages=(Message(role="user", content="hello" * 20),), key="k1")
BUDGETS = (Budget(scope="all", month=Decimal("0.3")), Budget(scope="task:explain", month=Decimal("0.25")))


class Vendor:
    """Answers after a moment, with a usage of its own, which it bills; `silent` it never answers."""

    def __init__(self, *, silent: bool) -> None:
        self.billed = 0
        self._silent = silent
        self._dice = random.Random(os.getpid())  # noqa: S311 — a simulation

    def __call__(self, _: ModelRequest) -> Line:
        if self._silent:
            return Hang(1_000)
        usage = Tokens(input=self._dice.randint(20, 100), output=self._dice.randint(1, 512))
        self.billed += cost_nano(RATES, usage)
        return Hang(self._dice.random() / 50, Reply(text="Hold.", finish="stop", usage=usage))


async def through(gateway: Gateway) -> bool:
    """One stream to its end; False when no budget let it begin."""
    try:
        async with aclosing(gateway.stream(REQUEST)) as events:
            return [event.kind async for event in events][-1] == "answer"
    except OverBudget:
        return False


async def many(gateway: Gateway, adapter: ScriptedAdapter, streams: int, *, silent: bool) -> int:
    """How many of `streams` were let through; those of a silent vendor are left under way."""
    tasks = [asyncio.create_task(through(gateway)) for _ in range(streams)]
    if not silent:
        return sum(await asyncio.gather(*tasks))
    while len(adapter.requests) + sum(task.done() for task in tasks) < streams:  # noqa: ASYNC110 — nobody tells
        await asyncio.sleep(0.01)
    tell(len(adapter.requests), streams, 0)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def tell(let_through: int, streams: int, billed: int) -> None:
    sys.stdout.write(json.dumps({"through": let_through, "refused": streams - let_through, "billed": billed}))
    sys.stdout.flush()


def main(url: str, streams: int, then: str) -> None:
    vendor = Vendor(silent=then == "die")
    adapter = ScriptedAdapter(vendor)
    with Store.open(url) as store:
        journal = Journal(store.calls)
        ledger = Ledger(journal, currency="EUR", fx={}, budgets=BUDGETS)
        clock = Clock(now=lambda: NOW)
        gateway = Gateway(Parts(Registry((PROVIDER,)), {"one": adapter}, ledger, clock=clock))
        tell(asyncio.run(many(gateway, adapter, streams, silent=then == "die")), streams, vendor.billed)
        gateway.close()
        journal.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
