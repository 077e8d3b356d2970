"""Sums recorded calls into the lines of a bill, so that finance can hold a vendor's invoice beside them: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, PlainSerializer

from providers.ledger import CallRecord
from providers.pricing import decimal_text
from providers.types import Outcome

Column = Literal["provider", "model", "task", "key"]
COLUMNS: tuple[Column, ...] = get_args(Column)

Nano = Annotated[int, PlainSerializer(decimal_text, return_type=str, when_used="json")]
"""Nano-units, written as a decimal string of major units."""


class CostLine(BaseModel):
    """Calls that share a month, a currency and the values in `of`. Tokens are those that vendors reported.

    `cost` is what they bill in `currency`, as far as usage and price are known. `charged` is what budgets count, in the
    objective's currency; `estimated` is the part of it that was charged as reserved, since no usage came.
    """

    model_config = ConfigDict(frozen=True)

    month: str
    of: Mapping[str, str | None]
    currency: str | None
    calls: int = 0
    answered: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost: Nano = 0
    charged: Nano = 0
    estimated: Nano = 0
    wasted: Nano = 0
    """The part of `charged` that failed attempts had."""

    def row(self) -> dict[str, Any]:
        """The line flat, for a table."""
        values = self.model_dump(mode="json")
        return {"month": values.pop("month"), **values.pop("of"), **values}


def bill(month: str, calls: Iterable[Mapping[str, Any]], by: Iterable[Column] = COLUMNS) -> list[CostLine]:
    """The lines of `month` from its recorded `calls`, one for each different `by` and currency, in their order."""
    names = tuple(by)
    sums: dict[tuple[str | None, ...], dict[str, int]] = {}
    for body in calls:
        call = CallRecord.model_validate(body)
        place = (*(getattr(call, name) for name in names), call.currency)
        line = sums.setdefault(place, {})
        for column, amount in _amounts(call).items():
            line[column] = line.get(column, 0) + amount
    ordered = sorted(sums.items(), key=lambda pair: tuple(part or "" for part in pair[0]))
    return [
        CostLine(month=month, of=dict(zip(names, place, strict=False)), currency=place[-1], **line)
        for place, line in ordered
    ]


def _amounts(call: CallRecord) -> dict[str, int]:
    used = call.usage
    return {
        "calls": 1,
        "answered": int(call.outcome is Outcome.ANSWERED),
        "failed": int(call.outcome is Outcome.FAILED),
        "input_tokens": used.input if used else 0,
        "cached_tokens": used.cached if used else 0,
        "cache_write_tokens": used.cache_write if used else 0,
        "output_tokens": used.output if used else 0,
        "cost": call.cost_nano or 0,
        "charged": call.charged_nano,
        "estimated": call.charged_nano if call.estimated else 0,
        "wasted": call.charged_nano if call.outcome is Outcome.FAILED else 0,
    }
