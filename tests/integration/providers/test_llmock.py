"""A second witness that is not ours: llmock's vendors, whose faults and verdicts were written by others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest
from llmock.pytest_plugin import LLMock
from llmock.scenarios import Fail, Match, Reply, StreamFault, ToolCall
from llmock.testing import LLMockServer

from domain.errors import AccordError
from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.types import Message, ModelAnswer, ModelRequest, ProviderSpec, TextDelta, Tool

TEXT = "Hold the budget of the region until the test ends, then decide with its result in hand."
# How each vendor is configured, and the path llmock serves it under.
VENDORS = {
    "openai": ("openai/gpt-4o-mini", "/v1"),
    "anthropic": ("anthropic/claude-haiku-4-5", "/anthropic"),
    "gemini": ("gemini/gemini-3.8-flash", "/gemini/v1beta"),
    "mistral": ("mistral/mistral-small-latest", "/mistral/v1"),
    "groq": ("groq/llama-3.1-8b-instant", "/groq/openai/v1"),
    "xai": ("xai/grok-3-mini", "/xai/v1"),
    "together": ("together_ai/meta-llama/Llama-3-70b-chat-hf", "/together/v1"),
}
SECOND = {vendor: "anthropic" if vendor == "openai" else "openai" for vendor in VENDORS}
KEYS = {f"{VENDORS[vendor][0].partition('/')[0].upper()}_API_KEY": "test-key" for vendor in VENDORS}
TOOL = Tool(name="set_budget", parameters={"type": "object", "properties": {"amount": {"type": "number"}}})

Open = Callable[..., Gateway]


@pytest.fixture(scope="module")
def server() -> Iterator[LLMockServer]:
    with LLMockServer() as started:
        yield started


@pytest.fixture
def llmock(server: LLMockServer) -> LLMock:
    return LLMock(server).reset()


@pytest.fixture
def gateway(llmock: LLMock) -> Iterator[Open]:
    """A gateway over llmock's vendors, in the order named."""
    with ExitStack() as stack:

        def build(*vendors: str) -> Gateway:
            specs = [
                ProviderSpec(name=vendor, model=VENDORS[vendor][0], api_base=llmock.url + VENDORS[vendor][1])
                for vendor in vendors
            ]
            ledger = Ledger(InMemoryCallLog(), currency="USD", fx={"EUR": Decimal(1)})
            return stack.enter_context(open_gateway(specs, ledger, KEYS))

        yield build


def request(*tools: Tool) -> ModelRequest:
    return ModelRequest(task="explain", messages=(Message(role="user", content="What now?"),), tools=tools)


def streamed(gateway: Gateway) -> tuple[str, ModelAnswer]:
    """The joined deltas and the whole answer."""

    async def run() -> tuple[str, ModelAnswer]:
        events = [event async for event in gateway.stream(request())]
        assert isinstance(events[-1], ModelAnswer)
        return "".join(event.text for event in events if isinstance(event, TextDelta)), events[-1]

    return asyncio.run(run())


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_answers_plain_and_as_a_stream(vendor: str, llmock: LLMock, gateway: Open) -> None:
    llmock.add(Reply(TEXT, times=None))
    alone = gateway(vendor)
    assert alone.complete(request()).text == TEXT
    assert streamed(alone)[0] == TEXT
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize("vendor", ["openai", "anthropic", "gemini", "mistral"])
def test_a_tool_call_comes_whole(vendor: str, llmock: LLMock, gateway: Open) -> None:
    llmock.add(Reply(tool_calls=(ToolCall("set_budget", {"amount": 3}),)))
    answer = gateway(vendor).complete(request(TOOL))
    assert [(call.name, call.arguments.replace(" ", "")) for call in answer.tool_calls] == [
        ("set_budget", '{"amount":3}')
    ]
    assert answer.finish == "tool"


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_vendor_out_of_order_is_asked_once(vendor: str, status: int, llmock: LLMock, gateway: Open) -> None:
    llmock.add(Fail(status, times=None, match=Match(provider=vendor)), Reply(TEXT, times=None))
    both = gateway(vendor, SECOND[vendor])
    assert (both.complete(request()).provider, streamed(both)[1].provider) == (SECOND[vendor], SECOND[vendor])
    asked = [record.provider for record in llmock.requests]
    assert asked == [vendor, SECOND[vendor], SECOND[vendor]]
    llmock.assert_resilient()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("kind", ["truncate", "disconnect", "malformed"])
def test_a_stream_that_breaks_is_never_given_as_whole(vendor: str, kind: str, llmock: LLMock, gateway: Open) -> None:
    fault = StreamFault(kind, after_chunks=4, match=Match(provider=vendor, stream=True))  # type: ignore[arg-type]
    llmock.add(fault, Reply(TEXT, times=None))
    try:
        delivered, answer = streamed(gateway(vendor, SECOND[vendor]))
    except AccordError:
        return
    # Its own verdict knows no second vendor: it takes a cut stream for accepted unless the same request comes again.
    assert (delivered, answer.text) == (TEXT, TEXT)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_prompt_too_long_is_not_sent_again(vendor: str, llmock: LLMock, gateway: Open) -> None:
    llmock.context_overflow(times=None)
    with pytest.raises(AccordError):
        gateway(vendor).complete(request())
    assert len(llmock.requests) == 1
    llmock.assert_resilient()
