"""A provider whose answers are written beforehand: for tests, for a demo without a model, for hostile models.

A line of the script is a text or JSON value (said completely), a `Reply` (any lie about usage or end), an error
(raised), `Hang` (silence until a deadline or `seconds`, whichever is first) or `Said` (pieces, then any of these).
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from domain.errors import AccordError
from providers.deadlines import Deadlines, late
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.types import ModelRequest, Piece, Reply, TextDelta, Tokens, ToolDelta

_PIECE = 8  # characters of a text that are said at once


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence for `seconds`, then `then`, if the deadline lets it come to that."""

    seconds: float
    then: Reply | str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """`pieces` of text one after the other, then `then`: the error that breaks it off, a silence, or its end."""

    pieces: tuple[str, ...]
    then: AccordError | Hang | None = None


Line = str | Reply | Hang | Said | AccordError | BaseModel | dict[str, JsonValue]
Script = Callable[[ModelRequest], Line]


class ScriptedAdapter:
    """Answers `scripted/…` providers from a list, one line a call, or from a function of the request.

    `requests` keeps what was asked, in order, and `prefixes` from where the answer was to go on. A list that is used up
    answers as a provider out of service.
    """

    def __init__(
        self, script: Script | Iterable[Line], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._next = script if callable(script) else _from_list(script)
        self._sleep = sleep
        self._lock = threading.Lock()
        self.requests: list[ModelRequest] = []
        self.prefixes: list[str] = []

    async def prepare(self, provider: Provider) -> None:
        """There is nothing to prepare."""

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        with self._lock:
            self.requests.append(request)
            self.prefixes.append(prefix)
            line = self._next(request)
        if isinstance(line, Said):
            for text in line.pieces:
                yield TextDelta(text=text)
            line = line.then or Reply(text="".join(line.pieces), finish="stop")
            limit_s = limits.inter_chunk_s
            if isinstance(line, Reply):
                yield line
                return
        else:
            limit_s = limits.first_token_s
        if isinstance(line, Hang):
            await self._sleep(min(line.seconds, limit_s))
            if line.seconds >= limit_s:
                raise late(provider.name, f"said nothing for {limit_s:g} s")
            line = line.then
        if isinstance(line, AccordError):
            raise line
        for piece in _pieces(line if isinstance(line, Reply) else _said(line, request)):
            yield piece


def _pieces(reply: Reply) -> Iterable[Piece]:
    for start in range(0, len(reply.text), _PIECE):
        yield TextDelta(text=reply.text[start : start + _PIECE])
    for index, call in enumerate(reply.tool_calls):
        yield ToolDelta(index=index, id=call.id, name=call.name, arguments=call.arguments)
    yield reply


def _from_list(lines: Iterable[Line]) -> Script:
    left = iter(lines)

    def following(_: ModelRequest) -> Line:
        return next(left, failure(Fault.OVERLOADED, "The script has no line left. Write a longer one."))

    return following


def _said(line: str | BaseModel | dict[str, JsonValue], request: ModelRequest) -> Reply:
    """A complete reply with plausible usage: four characters a token."""
    match line:
        case str():
            text = line
        case BaseModel():
            text = line.model_dump_json()
        case _:
            text = json.dumps(line)
    asked = sum(len(message.text) for message in request.messages)
    return Reply(text=text, finish="stop", usage=Tokens(input=asked // 4 + 1, output=len(text) // 4 + 1))
