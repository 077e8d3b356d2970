"""Types of what models answer in the reasoning graph; each is validated again against what was computed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Reading(_Answer):
    """Task `interpret`."""

    odds: dict[str, float] = Field(max_length=12)
    summary: str = Field(default="", max_length=400)


class Move(_Answer):
    option: int
    rate: float
    reason: str = Field(default="", max_length=200)


class Ranking(_Answer):
    """Task `rank`."""

    moves: list[Move] = Field(default_factory=list[Move], max_length=20)


class NoteReading(_Answer):
    """Task `read_note`."""

    stance: Literal["avoid", "hold", "favour", "none"]
    entities: list[str] = Field(default_factory=list[str], max_length=20)
    quote: str = Field(default="", max_length=300)


class Words(_Answer):
    """Task `write`."""

    title: str = Field(min_length=3, max_length=160)
    why: str = Field(default="", max_length=800)
