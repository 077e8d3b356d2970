"""The way to a model: one call in, one whole answer out, or an error that says why not.

A call is planned (who may answer, in which order), walked (`walk`), tried (`attempt`), checked (`answers`) and kept
(`recent`). Every attempt is in the answer, or in `facts["attempts"]` of the error, and in the ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue

from domain.errors import AccordError
from providers.answers import Check, any_text, by_schema, by_type
from providers.cache import replay
from providers.candidates import may_answer
from providers.health import Health
from providers.latency import Latencies
from providers.loop import LoopThread
from providers.parts import Observer, Parts
from providers.registry import Registry
from providers.types import Attempt, DataClass, Message, ModelAnswer, ModelRequest, Reply, StreamEvent
from providers.walk import Walk

V = TypeVar("V")
T = TypeVar("T", bound=BaseModel)
_RECENT = 200


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call of the last ones: `provider` answered, None when nobody did and `error_code` says how it ended."""

    at: datetime
    task: str
    provider: str | None
    why: str
    error_code: str | None
    attempts: tuple[Attempt, ...]
    latency_s: float


class Gateway:
    """Callable from any thread (`complete`, `ask`) and from any event loop (`acomplete`, `stream`)."""

    def __init__(self, parts: Parts) -> None:
        """Raises ConfigError when a price cannot be converted or a budget cannot be kept."""
        parts.ledger.check(parts.registry.usable)
        self._parts = parts
        self._loop = LoopThread()
        self._recent: deque[PastCall] = deque(maxlen=_RECENT)

    @property
    def registry(self) -> Registry:
        """Every configured provider, also those that lack something."""
        return self._parts.registry

    @property
    def health(self) -> Health:
        """The breaker of each provider."""
        return self._parts.health

    @property
    def latencies(self) -> Latencies:
        """How fast each provider answered lately."""
        return self._parts.latencies

    @property
    def recent(self) -> tuple[PastCall, ...]:
        """The last calls, the newest last."""
        return tuple(self._recent)

    def watch(self, observer: Observer) -> None:
        """`observer` is told of every call that begins from now on."""
        self._parts = replace(self._parts, observers=(*self._parts.observers, observer))

    def complete(self, request: ModelRequest) -> ModelAnswer:
        """`acomplete` for callers without an event loop."""
        return self._loop.run(self.acomplete(request))

    def ask(
        self,
        task: str,
        model_type: type[T],
        messages: Sequence[Message],
        *,
        data_class: DataClass = "internal",
        max_tokens: int = 512,
        deadline_s: float = 120.0,
    ) -> tuple[T, ModelAnswer]:
        """The answer as a `model_type`, whose own validators count too. Raises as `acomplete`."""
        request = ModelRequest(
            task=task,
            messages=tuple(messages),
            answer_schema=cast("dict[str, JsonValue]", model_type.model_json_schema()),
            max_tokens=max_tokens,
            data_class=data_class,
            deadline_s=deadline_s,
        )
        value, answer = self._loop.run(self._answered(request, by_type(model_type)))
        return value, answer.model_copy(update={"parsed": value.model_dump(mode="json")})

    async def acomplete(self, request: ModelRequest) -> ModelAnswer:
        """The first valid answer. Raises NoProvider when none may or can answer, OverBudget when no budget lets one,
        BadAnswer when the answer stayed invalid after one repair, else TransientError or TerminalError; callers with a
        deterministic fallback catch ExternalError and OverBudget.
        """
        value, answer = await self._answered(request, check_of(request))
        return answer.model_copy(update={"parsed": value}) if request.answer_schema is not None else answer

    def stream(self, request: ModelRequest) -> AsyncGenerator[StreamEvent]:
        """The answer as it comes: `Started` before the first content, deltas, and a `ModelAnswer` at its whole end.

        Raises as `acomplete`; an error after `Started` means that the answer broke off and nobody could continue it.
        """
        return self._begin(request, check_of(request), deliver=True).events()

    def close(self) -> None:
        """Ends the calls of `complete` and `ask` that are under way, and closes their connections."""
        self._loop.close()

    async def _answered(self, request: ModelRequest, check: Check[V]) -> tuple[V, ModelAnswer]:
        call = self._begin(request, check, deliver=False)
        async with aclosing(call.events()) as events:
            answers = [event async for event in events if isinstance(event, ModelAnswer)]
        return cast("V", call.walk.value), answers[-1]

    def _begin(self, request: ModelRequest, check: Check[V], *, deliver: bool) -> _Call[V]:
        return _Call(self._parts, Walk(self._parts, request, check, deliver=deliver), request, check, self._recent)


@dataclass(frozen=True, slots=True)
class _Call(Generic[V]):
    """One call under way; it is noted and observed however it ends."""

    parts: Parts
    walk: Walk[V]
    request: ModelRequest
    check: Check[V]
    recent: deque[PastCall]

    async def events(self) -> AsyncGenerator[StreamEvent]:
        at, began = self.parts.clock.now(), self.parts.clock.elapsed()
        ended: ModelAnswer | AccordError | None = None
        cache, key = self.parts.cache, self._cache_key()
        try:
            async with aclosing(self._again(key, at)) as events:
                async for event in events:
                    if isinstance(event, ModelAnswer):
                        ended = event.model_copy(update={"parsed": self.walk.value})
                        if cache is not None:
                            cache.put(key, ended, at)
                        yield ended
                    else:
                        yield event
        except AccordError as error:
            ended = error
            raise
        finally:
            self._note(at, ended, self.parts.clock.elapsed() - began)

    def _cache_key(self) -> str | None:
        cache, usable = self.parts.cache, self.parts.registry.usable
        return None if cache is None else cache.key(self.request, may_answer(usable, self.request))

    async def _again(self, key: str | None, at: datetime) -> AsyncGenerator[StreamEvent]:
        """The events of an answer that was given before, else those of a new one."""
        kept = self.parts.cache.get(key, at) if self.parts.cache is not None else None
        if kept is not None and self._valid(kept):
            for event in replay(kept):
                yield event
            return
        async with aclosing(self.walk.events()) as events:
            async for event in events:
                yield event

    def _valid(self, kept: ModelAnswer) -> bool:
        """Whether `kept` passes this caller's check, which may ask for more than the schema says."""
        try:
            self.walk.value = self.check(Reply(text=kept.text, tool_calls=kept.tool_calls, finish=kept.finish))
        except AccordError:
            return False
        return True

    def _note(self, at: datetime, ended: ModelAnswer | AccordError | None, latency_s: float) -> None:
        answer = ended if isinstance(ended, ModelAnswer) else None
        code = None if answer else ended.code if isinstance(ended, AccordError) else "cancelled"
        why = answer.why if answer else self.walk.why
        attempts = tuple(self.walk.attempts)
        name = answer.provider if answer else None
        self.recent.append(PastCall(at, self.request.task, name, why, code, attempts, latency_s))
        if ended is not None:
            for observer in self.parts.observers:
                observer.called(self.request, ended)


def check_of(request: ModelRequest) -> Check[JsonValue]:
    """What makes an answer valid: its schema when it has one, else that something was said."""
    return any_text if request.answer_schema is None else by_schema(request.answer_schema)
