"""What a call costs, exactly: integer nano-units (1e-9) of a currency, from tokens and a tariff.

A price of 2.5 per million tokens is 2,500 nano-units per token, so prices down to 0.001 per million stay exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from unicodedata import normalize

from domain.errors import ConfigError
from providers.facts import ModelFacts
from providers.types import ImagePart, Message, ModelRequest, Price, Tokens

NANO = 1_000_000_000
_NANO_PER_MILLIONTH = 1_000  # one major unit per million tokens, in nano-units per token
_MESSAGE_TOKENS = 16  # role markers and separators of a chat template, per message
_INSTRUCTION_TOKENS = 1_000  # what vendors put before the prompt to make a model use tools or keep to a schema
_IMAGE_TOKENS = 50_000  # beyond the dearest known: eight tiles of 5,667 and a base of 2,833
_PLACEHOLDER_GROWTH = 7  # a name of two letters becomes a placeholder of thirteen


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices of one model; `long` holds for calls whose prompt exceeds `long_from_tokens`."""

    price: Price
    long_from_tokens: int | None = None
    long: Price | None = None

    @property
    def currency(self) -> str:
        return self.price.currency

    @property
    def free(self) -> bool:
        return not self.price.input and not self.price.output


def tariff(configured: Price | None, facts: ModelFacts | None) -> Tariff | None:
    """The configured price, else the known one, else None: an unknown price is never taken for zero."""
    if configured is not None:
        return Tariff(configured)
    if facts is None:
        return None
    return Tariff(facts.price, facts.long_from_tokens, facts.long_price)


def cost_nano(rates: Tariff, usage: Tokens) -> int:
    """Cost of `usage` in nano-units of the tariff's currency, rounded up to a whole nano-unit.

    Cached and cache-write tokens without a price of their own are charged as plain input.
    """
    is_long = rates.long_from_tokens is not None and usage.input > rates.long_from_tokens
    price = rates.long if is_long and rates.long is not None else rates.price
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    fresh = usage.input - usage.cached - usage.cache_write
    total = fresh * price.input + usage.cached * cached + usage.cache_write * written + usage.output * price.output
    return _whole(total * _NANO_PER_MILLIONTH)


def ceiling_nano(rates: Tariff, request: ModelRequest, *, prefix: str = "", veiled: bool = False) -> int:
    """An amount the call cannot exceed: a token is at least one byte, an answer with its thoughts at most `max_tokens`,
    and every prompt token may be of the dearest kind. `prefix` is a begun answer to go on from; `veiled` prompts hold
    placeholders longer than the names.
    """
    prompt = prompt_tokens_at_most(request) + (_text_tokens(prefix) + _MESSAGE_TOKENS if prefix else 0)
    prompt *= _PLACEHOLDER_GROWTH if veiled else 1
    plain = Tokens(input=prompt, output=request.max_tokens)
    cached, written = plain.model_copy(update={"cached": prompt}), plain.model_copy(update={"cache_write": prompt})
    return max(cost_nano(rates, usage) for usage in (plain, cached, written))


def prompt_tokens_at_most(request: ModelRequest) -> int:
    """More tokens than any vendor counts for the prompt, whatever its tokeniser and chat template."""
    formal = [request.answer_schema] if request.answer_schema else []
    formal += [tool.model_dump(mode="json") for tool in request.tools]
    described = sum(len(json.dumps(part)) for part in formal) + (_INSTRUCTION_TOKENS if formal else 0)
    return described + sum(_message_tokens(message) for message in request.messages)


def _message_tokens(message: Message) -> int:
    called = sum(_text_tokens(call.name + call.arguments) + _MESSAGE_TOKENS for call in message.tool_calls)
    parts = () if isinstance(message.content, str) else message.content
    images = sum(_IMAGE_TOKENS for part in parts if isinstance(part, ImagePart))
    return _text_tokens(message.text) + called + images + _MESSAGE_TOKENS


def _text_tokens(text: str) -> int:
    """Bytes of UTF-8, also after the normalisation that some tokenisers begin with, which can make a text longer."""
    if text.isascii():
        return len(text)
    return max(len(text.encode()), len(normalize("NFKC", text).encode()))


STATED_RATES: Mapping[str, Mapping[str, Decimal]] = {"EUR": {"USD": Decimal("0.92")}}
"""By objective currency: rates assumed on 2026-01-01 for what models cost, where `fx` states none. Vendors bill in USD,
and Accord has to start on nothing but a vendor's key; a company's own rate in `fx` wins. Money of tools is never
converted with these.
"""


def convert_nano(amount: int, currency: str, objective: str, fx: Mapping[str, Decimal]) -> int:
    """`amount` in nano-units of `objective`. `fx` holds units of the objective per unit of currency.

    Raises ConfigError naming the missing rate; nothing converts to nothing without one.
    """
    if currency == objective or amount == 0:
        return amount
    rate = fx.get(currency)
    if rate is None:
        raise ConfigError(
            f"No exchange rate from {currency!r} to {objective!r}. Add `fx: {{{currency}: …}}` to the configuration."
        )
    return _whole(amount * rate)


def decimal_text(amount: int) -> str:
    """Nano-units as a decimal string of major units, the way costs are shown."""
    return f"{Decimal(amount).scaleb(-9):f}"


def _whole(amount: Decimal | int) -> int:
    return int(Decimal(amount).to_integral_value(rounding=ROUND_CEILING))
