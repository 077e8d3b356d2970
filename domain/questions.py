"""Questions about a proposal and their answers: people talk before they decide. Nothing here decides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from domain.decisions import Channel
from domain.ids import derive_id
from domain.record import Moment, Record

LONGEST = 4000
"""Characters of a remark."""


class Question(Record):
    """One remark in the thread of a proposal: a question, or the answer to one."""

    id: str
    proposal: str
    kind: Literal["question", "answer"] = "question"
    by: str
    to: str | None = None
    """The person or role that is asked; anybody when not named."""
    text: str = Field(min_length=1, max_length=LONGEST)
    answers: str | None = None
    """Id of the question that this answers."""
    at: Moment
    channel: Channel = "api"


def question_id(proposal: str, by: str, text: str, answers: str | None) -> str:
    """The same words of the same person at the same place are said once."""
    return derive_id("que", proposal, by, text, answers)
