from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal

import pytest

from domain.errors import TransientError
from providers.deadlines import Deadlines
from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog, Ledger
from providers.parts import Parts
from providers.registry import Provider, Registry
from providers.types import ModelRequest, Piece, Reply

Ask = Callable[..., ModelRequest]


class Late:
    """Never comes to the point that is `stuck`."""

    def __init__(self, stuck: str) -> None:
        self._stuck = stuck

    async def prepare(self, provider: Provider) -> None:
        if self._stuck == "prepare":
            await asyncio.Event().wait()

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        await asyncio.Event().wait()
        yield Reply(text="never", finish="stop")


@pytest.mark.parametrize(
    ("stuck", "deadlines", "deadline_s", "trips"),
    [
        ("stream", Deadlines(first_token_s=0.01), 120.0, 1),
        ("stream", Deadlines(), 0.01, 0),
        ("prepare", Deadlines(total_s=0.01), 120.0, 0),
    ],
)
def test_only_a_vendors_own_silence_shuts_it(
    stuck: str,
    deadlines: Deadlines,
    deadline_s: float,
    trips: int,
    provider: Callable[..., Provider],
    request_for: Ask,
) -> None:
    parts = Parts(
        registry=Registry((provider("one"),)),
        adapters={"one": Late(stuck)},
        ledger=Ledger(InMemoryCallLog(), currency="EUR", fx={"USD": Decimal(1)}),
        deadlines=deadlines,
    )
    with pytest.raises(TransientError):
        asyncio.run(Gateway(parts).acomplete(request_for(deadline_s=deadline_s)))
    assert parts.health.breaker("one").trips == trips
