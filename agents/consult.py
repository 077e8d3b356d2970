"""Asks models for the four tasks of the reasoning graph and lets through only what computed facts allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Protocol, TypeVar

from pydantic import BaseModel

from agents import figures
from agents.answers import NoteReading, Ranking, Reading, Words
from agents.arbitrate import RANK_BOUND, Rank, label
from agents.guidance import fold, named_entities
from agents.note_dates import until
from domain.entities import EntityTree
from domain.errors import ExternalError, OverBudget
from domain.guidance import Guidance
from domain.ports import Told
from domain.proposals import Candidate
from domain.signals import Note
from domain.situations import Hypothesis, Situation
from providers.types import DataClass, Message, ModelAnswer

WRITE = "write"
"""The task of wording a proposal."""

T = TypeVar("T", bound=BaseModel)


class AskModel(Protocol):
    """The part of `providers.gateway.Gateway` that the graph uses."""

    def ask(
        self,
        task: str,
        model_type: type[T],
        messages: Sequence[Message],
        *,
        data_class: DataClass = "internal",
        max_tokens: int = 512,
        deadline_s: float = 120.0,
    ) -> tuple[T, ModelAnswer]: ...


@dataclass(frozen=True, slots=True)
class Written:
    """Words for people, and the provider whose model wrote them."""

    title: str
    why: str
    by: str


@cache
def _prompt(task: str) -> str:
    return files("agents").joinpath("prompts", f"{task}.md").read_text(encoding="utf-8")


@dataclass(slots=True)
class Consultant:
    """Model calls of one round. `None` answers mean: go on with the rules. `log` says in words what models did.

    Once a call finds no provider at all the rest of the round does without: the answer would be the same.
    """

    gateway: AskModel | None
    language: str = "en"
    deadline_s: float = 60.0
    log: list[str] = field(default_factory=list[str])

    def ask(self, task: str, answer: type[T], question: str, data_class: DataClass = "internal") -> T | None:
        answered = self._answered(task, answer, question, data_class)
        return answered[0] if answered else None

    def _answered(
        self, task: str, answer: type[T], question: str, data_class: DataClass = "internal"
    ) -> tuple[T, str] | None:
        """The answer with the provider it came from."""
        if self.gateway is None:
            return None
        messages = [Message(role="system", content=_prompt(task)), Message(role="user", content=question)]
        try:
            value, told = self.gateway.ask(
                task, answer, messages, data_class=data_class, max_tokens=300, deadline_s=self.deadline_s
            )
        except (ExternalError, OverBudget) as error:
            self.log.append(f"{task}: no answer ({error.code}), rules used")
            if error.code == "no_provider" or isinstance(error, OverBudget):
                self.gateway = None
            return None
        self.log.append(f"{task}: {told.provider}")
        return value, told.provider

    def interpret(self, situation: Situation, recalled: Sequence[str]) -> Situation:
        """`situation` with odds and summary of a model; unchanged without a usable answer."""
        if len(situation.hypotheses) < 2:
            return situation
        past = "".join(f'\nSeen before: "{text[:200]}"' for text in recalled[:3])
        facts = "".join(f'\n- "{fact.text[:200]}"' for fact in situation.evidence[:6])
        names = " | ".join(h.name for h in situation.hypotheses)
        question = (
            f"Situation: {situation.summary[:500]}{facts}{past}\nExplanations: {names}\nLanguage: {self.language}"
        )
        reading = self.ask("interpret", Reading, question)
        return situation if reading is None else read_into(situation, reading)

    def read_note(self, told: Told[Note], tree: EntityTree) -> Guidance | None:
        """A model's reading of a note that no phrase matched; its entities are those the note names or is about."""
        entities = [e for e in dict.fromkeys((*told.data.about, *named_entities(told.data.text, tree))) if e in tree]
        if not entities:
            return None
        question = f'Note: "{told.data.text[:1000]}"\nThings: {" | ".join(entities)}\nLanguage: {self.language}'
        reading = self.ask("read_note", NoteReading, question)
        if reading is None or reading.stance == "none" or (reading.stance == "favour" and told.trust == "external"):
            return None
        meant = tuple(entity for entity in entities if entity in reading.entities)
        quote = reading.quote if reading.quote and reading.quote in told.data.text else told.data.text[:200]
        if not meant:
            return None
        return Guidance(
            note=told.signal,
            stance=reading.stance,
            entities=meant,
            quote=quote,
            since=told.at,
            until=until(fold(told.data.text), told.at),
            trust=told.trust,
            origin="model",
        )

    def rank(self, candidates: Sequence[Candidate], notes: Sequence[Told[Note]]) -> Rank:
        """A model's moves within ±RANK_BOUND; an empty rank without an answer or a choice to make."""
        if len(candidates) < 2:
            return Rank()
        shown = list(candidates[:12])
        options = "\n".join(
            f"{n}. {c.title[:120]}: expected {c.expected.value}, low {c.expected.low}, high {c.expected.high}"
            for n, c in enumerate(shown, start=1)
        )
        said = "; ".join(f'"{told.data.text[:200]}"' for told in notes[-3:]) or "none"
        ranking = self.ask("rank", Ranking, f"Options:\n{options}\nNotes: {said}\nLanguage: {self.language}")
        if ranking is None:
            return Rank()
        moves = {
            label(shown[move.option - 1]): (max(-RANK_BOUND, min(RANK_BOUND, move.rate)), move.reason)
            for move in ranking.moves
            if 1 <= move.option <= len(shown) and move.rate
        }
        outside = any(told.trust == "external" for told in notes[-3:]) or any(c.tainted for c in shown)
        return Rank(moves, untrusted=outside)

    def words(self, title: str, why: str, known: set[float]) -> Written | None:
        """Title and reasons in the reader's language, without sentences whose numbers nobody computed."""
        answered = self._answered(WRITE, Words, f"Language: {self.language}\nTitle: {title}\nWhy: {why[:900]}")
        if answered is None:
            return None
        words, by = answered
        kept = Written(figures.honest(words.title, known), figures.honest(words.why, known), by)
        return kept if len(kept.title) >= 3 and kept.why else None


def read_into(situation: Situation, reading: Reading) -> Situation:
    """Odds for the known hypotheses only, made to sum to 1; a summary only if its numbers were computed."""
    odds = {h.name: min(1.0, max(0.0, reading.odds.get(h.name, 0.0))) for h in situation.hypotheses}
    total = sum(odds.values())
    if total <= 0:
        return situation
    hypotheses = tuple(
        Hypothesis(name=h.name, odds=odds[h.name] / total, because=h.because, origin="model")
        for h in situation.hypotheses
    )
    summary = figures.honest(reading.summary, figures.of_situation(situation)) or situation.summary
    return situation.model_copy(update={"hypotheses": hypotheses, "summary": summary, "origin": "model"})


def unread(notes: Sequence[Told[Note]], read: Sequence[Guidance], now: datetime) -> list[Told[Note]]:
    """Notes of the last week that phrases made nothing of, newest first."""
    known = {guidance.note for guidance in read}
    return [told for told in reversed(notes) if told.signal not in known and (now - told.at).days < 7]
