"""Vendors' bills recomputed: what each wire format says was used, times the price list, equals the invoice to the nano.

The invoices are written by hand from the vendors' rules: OpenAI and Gemini count cached tokens within the prompt,
Anthropic beside it; Gemini bills thoughts as output and counts them beside the answer, the others within it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.facts import known
from providers.pricing import Tariff, cost_nano, tariff
from providers.types import Reply, Tokens
from providers.wire.anthropic import AnthropicReading
from providers.wire.events import Event
from providers.wire.gemini import GeminiReading
from providers.wire.openai import OpenAIReading
from providers.wire.reading import Reading


def openai(**usage: Any) -> tuple[Reading, list[dict[str, Any]]]:
    said = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}
    return OpenAIReading("p"), [said, {"choices": [], "usage": usage}]


def anthropic(start: dict[str, Any], **end: Any) -> tuple[Reading, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"role": "assistant", "content": [], "usage": start}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        {"type": "message_stop"},
    ]
    return AnthropicReading("p"), events


def gemini(**usage: Any) -> tuple[Reading, list[dict[str, Any]]]:
    part = {"content": {"parts": [{"text": "hi"}]}}
    early = {"candidates": [part], "usageMetadata": {"promptTokenCount": usage["promptTokenCount"]}}
    return GeminiReading("p"), [early, {"candidates": [{**part, "finishReason": "STOP"}], "usageMetadata": usage}]


BILLS = {
    "openai, half of the prompt from the cache": (
        "openai/gpt-6-sol",
        openai(prompt_tokens=2_000, completion_tokens=300, prompt_tokens_details={"cached_tokens": 1_024}),
        976 * Decimal(2) + 1_024 * Decimal("0.2") + 300 * Decimal(10),
    ),
    "openai, thoughts are within the answer, the cache is written": (
        "openai/gpt-6-sol",
        openai(
            prompt_tokens=5_000,
            completion_tokens=2_100,
            prompt_tokens_details={"cached_tokens": 0, "cache_write_tokens": 4_096},
            completion_tokens_details={"reasoning_tokens": 2_000},
        ),
        904 * Decimal(2) + 4_096 * Decimal("2.5") + 2_100 * Decimal(10),
    ),
    "openai, a long prompt pays the long price for all of it": (
        "openai/gpt-6-sol",
        openai(prompt_tokens=300_000, completion_tokens=10, prompt_tokens_details={"cached_tokens": 100_000}),
        200_000 * Decimal(4) + 100_000 * Decimal("0.4") + 10 * Decimal(15),
    ),
    "anthropic, cache read and written beside the prompt": (
        "anthropic/claude-haiku-4-5",
        anthropic(
            {
                "input_tokens": 21,
                "cache_read_input_tokens": 188_086,
                "cache_creation_input_tokens": 1_500,
                "output_tokens": 1,
            },
            output_tokens=393,
        ),
        21 * Decimal(1) + 188_086 * Decimal("0.1") + 1_500 * Decimal("1.25") + 393 * Decimal(5),
    ),
    "anthropic, no cache told": (
        "anthropic/claude-sonnet-5-5",
        anthropic({"input_tokens": 1_234, "output_tokens": 2}, output_tokens=56),
        1_234 * Decimal(2) + 56 * Decimal(10),
    ),
    "gemini, thoughts beside the answer, cached within the prompt": (
        "gemini/gemini-3.8-flash",
        gemini(
            promptTokenCount=10_000,
            cachedContentTokenCount=8_000,
            candidatesTokenCount=120,
            thoughtsTokenCount=900,
            totalTokenCount=11_020,
        ),
        2_000 * Decimal("0.75") + 8_000 * Decimal("0.075") + 1_020 * Decimal("3.75"),
    ),
}


def usage_in(reading: Reading, events: list[dict[str, Any]]) -> Tokens:
    """What the whole stream says was used."""
    for event in events:
        reading.event(Event(name=str(event.get("type", "")), data=json.dumps(event).encode()))
    reply = reading.complete()[-1]
    assert isinstance(reply, Reply)
    assert reply.usage is not None
    return reply.usage


def rates_of(model: str) -> Tariff:
    rates = tariff(None, known().models[model])
    assert rates is not None
    return rates


@pytest.mark.parametrize("bill", BILLS)
def test_a_recorded_stream_costs_what_the_vendor_bills(bill: str) -> None:
    model, (reading, events), millionths = BILLS[bill]
    assert cost_nano(rates_of(model), usage_in(reading, events)) == millionths * 1_000


def test_no_known_price_needs_a_fraction_of_a_nano_unit() -> None:
    """Else the sum of calls, each rounded up, would pass the invoice."""
    prices = [price for facts in known().models.values() for price in (facts.price, facts.long_price) if price]
    amounts = [one for p in prices for one in (p.input, p.output, p.cached_input, p.cache_write) if one is not None]
    assert [amount for amount in amounts if amount * 1_000 % 1] == []
