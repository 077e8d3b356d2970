"""Run as a process by test_budgets: many calls at once against one store, each reserved, worked on and settled.

Arguments: address of the store, number of calls, then `settle` or `die` (SIGKILL once all are reserved). Prints, as one
JSON object, how many calls were let through, how many refused, and what the vendor would bill, in nano-units.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from datetime import UTC, datetime
from decimal import Decimal

from domain.errors import OverBudget
from memory.store import Store
from providers.journal import Journal
from providers.ledger import Ledger
from providers.pricing import Tariff, cost_nano
from providers.registry import Provider
from providers.types import Attempt, Budget, Message, ModelRequest, Outcome, Price, ProviderSpec, Tokens

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
RATES = Tariff(Price(currency="EUR", input=Decimal(1), output=Decimal(10)))
PROVIDER = Provider(ProviderSpec(name="one", model="one/m"), rates=RATES, context_tokens=None, takes_schema=True)
REQUEST = ModelRequest(task="explain", messages=(Message(role="user", content="hello" * 20),), key="k1")
BUDGETS = (Budget(scope="all", month=Decimal("0.3")), Budget(scope="task:explain", month=Decimal("0.25")))


async def call(ledger: Ledger, dice: random.Random, then: str) -> int | None:
    """What the vendor bills for one call; None when no budget let it through."""
    try:
        hold = await ledger.areserve(PROVIDER, REQUEST, NOW)
    except OverBudget:
        return None
    if then == "die":
        return 0
    await asyncio.sleep(dice.random() / 50)
    usage = Tokens(input=dice.randint(20, 100), output=dice.randint(1, 512))
    cost = cost_nano(RATES, usage)
    attempt = Attempt(
        provider="one", outcome=Outcome.ANSWERED, started_at=NOW, usage=usage, cost_nano=cost, currency="EUR"
    )
    ledger.settle(hold, attempt, maybe_billed=True)
    return cost


async def many(ledger: Ledger, calls: int, then: str) -> list[int | None]:
    dice = random.Random(os.getpid())  # noqa: S311 — a simulation
    waiting = [call(ledger, dice, then) for _ in range(calls)]
    return list(await asyncio.gather(*waiting))


def main(url: str, calls: int, then: str) -> None:
    with Store.open(url) as store:
        journal = Journal(store.calls)
        billed = asyncio.run(many(Ledger(journal, currency="EUR", fx={}, budgets=BUDGETS), calls, then))
        through = [cost for cost in billed if cost is not None]
        told = {"through": len(through), "refused": calls - len(through), "billed": sum(through)}
        sys.stdout.write(json.dumps(told))
        sys.stdout.flush()
        if then == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        journal.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
