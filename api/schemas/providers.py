"""Wire shapes of model providers, of how they stand, and of the calls made to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.wire import Currency, Time, Wire

_Decimal = Annotated[str, Field(examples=["0.01742"])]


class Tail(Wire):
    """Seconds that a share of the attempts stayed within."""

    p50_s: Annotated[float, Field(examples=[0.42])]
    """Half of them."""
    p95_s: Annotated[float, Field(examples=[1.8])]
    """95 %."""
    p99_s: Annotated[float, Field(examples=[4.1])]
    """99 %."""


class Health(Wire):
    """Whether it is called at the moment."""

    breaker: Annotated[Literal["closed", "open", "half_open"], Field(examples=["closed"])]
    """`open`: not called; `half_open`: one call at a time looks whether it is back."""
    until: Time | None
    """When an open breaker lets the next call look."""
    failures: Annotated[int, Field(examples=[0])]
    """That still weigh: openings of the breaker not yet forgiven, and failures in a row since."""


class Pricing(Wire):
    """Decimal major units per million tokens."""

    currency: Currency
    """ISO 4217."""
    input: _Decimal
    """Of the prompt."""
    output: _Decimal
    """Of the answer."""
    cached_input: str | None
    """Of the part of the prompt that the vendor had; null: as the rest."""
    source: Annotated[str, Field(examples=["table of 2026-11-22"])]
    """`configured`, `free`, or the built-in table with its date."""


class Provider(Wire):
    """A configured model provider, and how it stands. Figures are of the newest attempts within `window_d` days."""

    name: Annotated[str, Field(examples=["local"])]
    """Its name in the configuration."""
    model: Annotated[str, Field(examples=["local/qwen2.5-coder-1.5b"])]
    """Vendor and model."""
    region: str | None
    """Where it computes, as configured."""
    data_classes: Annotated[list[str], Field(examples=[["public", "internal"]])]
    """What it may see."""
    called: bool
    """Whether it was ever called."""
    missing: str | None
    """What it lacks to be called; null when nothing."""
    price: Pricing | None
    """Null when unknown: then no budget can cover it."""
    health: Health | None
    """Null where only the server's process could tell."""
    attempts: Annotated[int, Field(examples=[120])]
    """Attempts made, 1,000 at most."""
    answered: Annotated[int, Field(examples=[118])]
    """Those that answered."""
    failures: Annotated[dict[str, int], Field(examples=[{"timeout": 2}])]
    """Those that failed, by kind."""
    latency: Tail | None
    """Until the whole answer; null without any."""
    first_token: Tail | None
    """Until the first content; null without any."""
    spent: _Decimal
    """Charged this month, decimal, in the currency of the list, with what is reserved."""
    budget_left: str | None
    """Left this month of the tightest budget that covers all its calls; null when none does."""
    quality: dict[str, float] | None
    """By task, 0..1, as evals and people judged it within 90 days; null when nobody did."""
    drift: str | None
    """How its answers to the same questions have changed; null when they have not, or nobody asks them."""


class Routed(Wire):
    """Where a call went, and why."""

    at: Time
    """When it ended."""
    task: Annotated[str, Field(examples=["explain"])]
    """Family of the call."""
    provider: str | None
    """Who answered; null when nobody did."""
    why: Annotated[str, Field(examples=["local is the only provider that may see confidential data."])]
    """In a sentence."""
    attempts: Annotated[list[str], Field(examples=[["openai-main: timeout", "local: answered"]])]
    """Each attempt and how it ended."""


class BudgetLeft(Wire):
    """A budget of this month."""

    scope: Annotated[str, Field(examples=["provider:openai-main"])]
    """What it covers."""
    month: _Decimal
    """Its limit."""
    left: _Decimal
    """What is left of it."""


class Providers(Wire):
    """Model providers, and what they have cost together."""

    items: list[Provider]
    """In the order of the configuration; routing decides, not the order."""
    next: str | None
    """Always null: there is one page."""
    calls: int
    """Attempts made so far."""
    cost: _Decimal
    """Decimal, in `currency`."""
    currency: Currency
    """ISO 4217."""
    window_d: Annotated[int, Field(examples=[7])]
    """Days that the figures of a provider look back."""
    budgets: list[BudgetLeft]
    """Every configured budget."""
    recent: list[Routed]
    """Where the last calls of this process went, newest first."""
    live: bool
    """False when no server runs: health and recent calls are not known then."""


class ModelCall(Wire):
    """One attempt of a model call."""

    id: Annotated[str, Field(examples=["call_5b1f0a9c2d7e4f31"])]
    """Name of the attempt."""
    task: Annotated[str, Field(examples=["explain"])]
    """Family of the call."""
    key: str | None
    """API key that it was charged to."""
    provider: Annotated[str, Field(examples=["local"])]
    """Who was called."""
    model: str
    """Which model."""
    data_class: Annotated[str, Field(examples=["internal"])]
    """What it saw."""
    at: Time
    """When."""
    outcome: Annotated[str, Field(examples=["answered"])]
    """answered or failed."""
    error_code: str | None
    """Why it failed."""
    usage: dict[str, int] | None
    """Tokens billed."""
    cost_nano: int | None
    """Cost in billionths of `currency`; null when unknown."""
    currency: str | None
    """ISO 4217, of the price."""
    charged_nano: int
    """What budgets count, in billionths of the objective's currency."""
    estimated: bool = False
    """Whether the charge is the most it can have cost, since no usage came back."""
    latency_s: float
    """Seconds until the answer or the fault."""
    first_token_s: float | None = None
    """Seconds until the first content; null when unknown."""
    streamed: bool = False
    """Whether it was streamed."""
