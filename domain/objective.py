"""The one objective of the company: contribution margin over a horizon, under limits."""

from __future__ import annotations

from pydantic import Field

from domain.record import Record


class Objective(Record):
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    horizon_days: int = Field(default=90, gt=0, le=1000)
    margin_rate: float = Field(default=0.6, gt=0, le=1)
    """Share of revenue that is contribution before the spend of marketing."""
