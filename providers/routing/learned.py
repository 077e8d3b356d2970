"""Puts providers in order by expected quality less what their cost and slowness are worth, and says why in a sentence.

Order in the configuration is no priority. What is known of a task comes from evals, people's decisions and checks of
answers; a provider nobody has judged starts from its price. In a small share of calls a close contender that is known
less goes first, never for critical tasks.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.errors import AccordError, InputError
from providers.candidates import Ranked
from providers.faults import Fault
from providers.latency import Latencies
from providers.pricing import NANO, cost_nano, prompt_tokens_at_most
from providers.registry import Provider
from providers.routing.belief import Belief, before_any_observation
from providers.types import Attempt, ModelAnswer, ModelRequest, Outcome, Tokens

Preference = Literal["quality", "balanced", "cost"]
Source = Literal["eval", "human", "check"]

_CENTS_PER_UNIT = 100
_BYTES_PER_TOKEN = 4
_FIRST_GUESS_TOKENS = 200  # of an answer, before any was seen
_RECENT = 0.1  # share of the newest answer in the mean of answer lengths
_CHECK_WEIGHT = 0.2  # a valid shape says little about the content
_CLOSE = 0.05  # worth behind the first at which a provider still contends


@dataclass(frozen=True, slots=True)
class TradeOff:
    """Quality given up to save a cent of a call (`per_cent`) and a second of its slow tail (`per_second`)."""

    per_cent: float
    per_second: float


TRADE_OFFS: Mapping[Preference, TradeOff] = {
    "quality": TradeOff(per_cent=0.005, per_second=0.0005),
    "balanced": TradeOff(per_cent=0.1, per_second=0.002),
    "cost": TradeOff(per_cent=1.0, per_second=0.002),
}


@dataclass(frozen=True, slots=True)
class Observation:
    """How good an answer of a provider was on a task, 0..1; `weight` 1 is one judged answer.

    One with an `id` counts once, however often it is told.
    """

    task: str
    provider: str
    model: str
    quality: float
    weight: float
    source: Source
    at: datetime
    id: str | None = None


class Qualities(Protocol):
    """Where observations last; one whose id is known already is not kept again."""

    def add(self, observation: Observation, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What is expected of one provider for one request; `cost_cents` in its own currency, `tail_s` the slow tail."""

    provider: Provider
    quality: float
    spread: float
    weight: float
    cost_cents: float
    tail_s: float
    worth: float

    def __str__(self) -> str:
        seen = f" (n={self.weight:.0f})" if self.weight >= 0.5 else " (not judged yet)"
        cost = f"{self.cost_cents:.2g} cent" if self.cost_cents else "no cost"
        return f"{self.quality:.0%}{seen} at {cost}"


@dataclass(frozen=True, slots=True)
class Manner:
    """How to choose: the trade-off, how rarely to try a contender, and the tasks in which never to."""

    prefer: Preference = "balanced"
    explore_rate: float = 0.05
    critical: frozenset[str] = frozenset()
    seed: int = 0


class LearnedRouter:
    """A Router, and an Observer of the gateway it routes for. Safe under threads; ranking touches memory alone."""

    def __init__(
        self,
        manner: Manner | None = None,
        *,
        known: Iterable[Observation] = (),
        kept: Qualities | None = None,
    ) -> None:
        """`known` are observations from before, `kept` takes new ones."""
        self._manner = manner or Manner()
        self._kept = kept
        self._latencies = Latencies()
        self._lock = threading.Lock()
        self._by_task: dict[tuple[str, str], Belief] = {}
        self._overall: dict[str, Belief] = {}
        self._answer_tokens: dict[tuple[str, str], float] = {}
        self._asked: dict[str, int] = {}
        self._told = set[str]()
        for observation in known:
            self._learn(observation)

    def rank(self, request: ModelRequest, candidates: Sequence[Provider], now: datetime) -> Ranked:
        """Best worth first; now and then a close contender known less, as the seed and the count of calls say."""
        if len(candidates) < 2:
            return Ranked(tuple(candidates), "No other provider may answer.")
        with self._lock:
            count = self._asked[request.task] = self._asked.get(request.task, 0) + 1
            prompt = max(prompt_tokens_at_most(request) // _BYTES_PER_TOKEN, 1)
            standings = [self._standing(request, provider, prompt, now) for provider in candidates]
        standings.sort(key=lambda standing: (-standing.worth, standing.provider.name))
        tried = self._to_try(request.task, count, standings)
        if tried is None:
            return Ranked(tuple(s.provider for s in standings), _chosen(standings, self._manner.prefer))
        rest = [s.provider for s in standings if s is not tried]
        return Ranked((tried.provider, *rest), _tried(tried, standings[0]))

    def observe(  # noqa: PLR0913 - what an observation consists of
        self,
        task: str,
        provider: Provider,
        quality: float,
        *,
        weight: float = 1.0,
        source: Source,
        at: datetime,
        id: str | None = None,  # noqa: A002 — our word for it
    ) -> None:
        """Keeps a judged answer and learns from it, once for each `id`.

        Raises InputError for a quality or weight out of range.
        """
        if not 0 <= quality <= 1 or weight <= 0:
            raise InputError(f"A quality of {quality!r} with weight {weight!r} is none. Give 0 to 1, and above 0.")
        if id in self._told:
            return
        observation = Observation(task, provider.name, provider.spec.model, quality, weight, source, at, id)
        if self._kept is not None:
            self._kept.add(observation)
        with self._lock:
            self._learn(observation)

    def attempted(self, attempt: Attempt, request: ModelRequest, provider: Provider) -> None:
        """Learns how long answers and their waiting are, and whether they fit their schema; until the process ends."""
        if attempt.outcome is not Outcome.SKIPPED:
            self._latencies.note(provider.name, attempt.first_token_s, attempt.latency_s)
        with self._lock:
            if attempt.outcome is Outcome.ANSWERED and attempt.usage is not None:
                place = (request.task, provider.name)
                before = self._answer_tokens.get(place, float(attempt.usage.output))
                self._answer_tokens[place] = before + _RECENT * (attempt.usage.output - before)
            invalid = attempt.error_code == Fault.BAD_ANSWER
            if request.answer_schema is not None and (invalid or attempt.outcome is Outcome.ANSWERED):
                quality, weight = (0.0, 1.0) if invalid else (1.0, _CHECK_WEIGHT)
                at, model = attempt.started_at, provider.spec.model
                self._learn(Observation(request.task, provider.name, model, quality, weight, "check", at))

    def called(self, request: ModelRequest, ended: ModelAnswer | AccordError) -> None:
        """A whole call teaches nothing that its attempts do not."""

    def _learn(self, seen: Observation) -> None:
        if seen.id is not None:
            if seen.id in self._told:
                return
            self._told.add(seen.id)
        place = (seen.task, seen.provider)
        self._by_task[place] = self._by_task.get(place, Belief()).plus(seen.quality, seen.weight, seen.at)
        self._overall[seen.provider] = self._overall.get(seen.provider, Belief()).plus(
            seen.quality, seen.weight, seen.at
        )

    def _standing(self, request: ModelRequest, provider: Provider, prompt: int, now: datetime) -> Standing:
        belief = self._by_task.get((request.task, provider.name), Belief()).aged(now)
        elsewhere = self._overall.get(provider.name, Belief()).aged(now).without(belief)
        prior = elsewhere.mean(before_any_observation(provider))
        quality, cents, tail_s = belief.mean(prior), self._cost_cents(request, provider, prompt), self._tail_s(provider)
        trade_off = TRADE_OFFS[self._manner.prefer]
        worth = quality - trade_off.per_cent * cents - trade_off.per_second * tail_s
        return Standing(provider, quality, belief.spread(prior), belief.weight, cents, tail_s, worth)

    def _cost_cents(self, request: ModelRequest, provider: Provider, prompt: int) -> float:
        """By the prompt's length and by what answers to this task came to; an unknown price counts as nothing here,
        since budgets and not the router keep it in bounds.
        """
        if provider.rates is None or provider.rates.free:
            return 0.0
        guess = self._answer_tokens.get((request.task, provider.name), float(_FIRST_GUESS_TOKENS))
        output = min(round(guess), request.max_tokens)
        usage = Tokens(input=prompt, output=output)
        return cost_nano(provider.rates, usage) / NANO * _CENTS_PER_UNIT

    def _tail_s(self, provider: Provider) -> float:
        """95 % of calls ended sooner; failures count, since whoever called had to wait for them too."""
        latency = self._latencies.of(provider.name)
        return latency.total.p95 if latency else 0.0

    def _to_try(self, task: str, count: int, standings: Sequence[Standing]) -> Standing | None:
        """The least known of the close contenders, in a share `explore_rate` of the calls of a task."""
        if task in self._manner.critical:
            return None
        dice = zlib.crc32(f"{self._manner.seed}:{task}:{count}".encode()) / 2**32
        if dice >= self._manner.explore_rate:
            return None
        first = standings[0]
        close = [s for s in standings[1:] if s.worth + s.spread >= first.worth and first.worth - s.worth <= _CLOSE]
        return min(close, key=lambda s: (s.weight, s.provider.name)) if close else None


def _chosen(standings: Sequence[Standing], prefer: Preference) -> str:
    first, second = standings[0], standings[1]
    if second.quality > first.quality:
        reason = "which costs or waits more than that is worth"
    elif second.cost_cents < first.cost_cents:
        reason = "which saves less than that is worth"
    else:
        reason = "which has no advantage"
    return (
        f"{first.provider.name} is expected right {first}; next {second.provider.name} {second}, {reason} "
        f"where {prefer} is preferred."
    )


def _tried(tried: Standing, first: Standing) -> str:
    return (
        f"{tried.provider.name} is tried to know it better: expected right {tried}, close to "
        f"{first.provider.name} {first}."
    )
