"""A caller who goes away in mid-stream, over real sockets: nothing of the call is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest

from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.types import Message, ModelRequest, Outcome, ProviderSpec, TextDelta
from tests.peer.faults import Place, stalled
from tests.peer.server import Peer, running

PROVIDERS = {"openai/gpt-5-mini": "/v1", "anthropic/claude-haiku-4-5": "", "gemini/gemini-3.8-flash": ""}
REQUEST = ModelRequest(task="t", messages=(Message(role="user", content="?"),))


async def seen(what: Callable[[], bool]) -> None:
    """Waits a moment for `what` to become true. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110 - the peer is on another thread
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("model", PROVIDERS)
def test_the_vendor_is_hung_up_on_and_the_money_settled(model: str) -> None:
    log = InMemoryCallLog()

    async def call(peer: Peer) -> None:
        base = f"{peer.url}/run/any/p0{PROVIDERS[model]}"
        spec = ProviderSpec(name="one", model=model, api_base=base, api_key_env="KEY")
        ledger = Ledger(log, currency="USD", fx={"EUR": Decimal(1)})
        with open_gateway([spec], ledger, {"KEY": "k"}) as gateway:
            said = asyncio.Event()

            async def read() -> None:
                async for event in gateway.stream(REQUEST):
                    if isinstance(event, TextDelta):
                        said.set()

            stream = asyncio.ensure_future(read())
            await said.wait()
            stream.cancel()
            await asyncio.wait({stream})
            await seen(lambda: peer.visits[0].ended == "left")
            await seen(lambda: len(log.calls) == 1)
            attempt = gateway.recent[-1].attempts[0]
            assert (attempt.outcome, attempt.error_code) == (Outcome.FAILED, "cancelled")
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with running(lambda *_: (stalled(Place.MID),)) as peer:
        asyncio.run(call(peer))
