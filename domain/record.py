"""The shape of every value that crosses a border of the product: frozen, typed, closed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value with no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _as_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the edges of the calendar have no UTC in some zones
        raise ValueError("lies outside the calendar in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_as_utc)]
"""An aware time, held in UTC."""
