"""What all wire shapes share: documented fields, sample ids, and the shape of lists."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

T = TypeVar("T")


class Wire(BaseModel):
    """A value that leaves or enters over HTTP. Every field says what it means."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class Listed(Wire, Generic[T]):
    """One page of a list."""

    items: list[T]
    """The items of this page, newest first."""
    next: str | None
    """Cursor of the next page for `?cursor=`; null at the end."""


def _sample(example: Any) -> Any:
    return Field(examples=[example])


SituationId = Annotated[str, _sample("sit_5b1f0a9c2d7e4f31")]
ProposalId = Annotated[str, _sample("prop_9c2d7e4f315b1f0a")]
ActionId = Annotated[str, _sample("act_2d7e4f315b1f0a9c")]
DecisionId = Annotated[str, _sample("dec_7e4f315b1f0a9c2d")]
EffectId = Annotated[str, _sample("eff_4f315b1f0a9c2d7e")]
OutcomeId = Annotated[str, _sample("out_315b1f0a9c2d7e4f")]
LessonId = Annotated[str, _sample("les_1f0a9c2d7e4f315b")]
KeyId = Annotated[str, _sample("key_0a9c2d7e4f315b1f")]
PersonId = Annotated[str, _sample("ana")]
EntityName = Annotated[str, _sample("budget:search-brand")]
Currency = Annotated[str, _sample("EUR")]
Minor = Annotated[int, _sample(120000)]
Time = Annotated[AwareDatetime, _sample("2026-03-04T09:00:00Z")]
Digest = Annotated[str, _sample("a9c2d7e4f315b1f0a9c2d7e4f315b1f0a9c2d7e4f315b1f0a9c2d7e4f315b1f0")]
