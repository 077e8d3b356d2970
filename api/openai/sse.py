"""Answers to a client that may leave: nothing is paid for once nobody listens, and errors keep their HTTP status.

A stream's head waits for the first content, so that whatever fails before it is told by status. After a while
the head goes out all the same, with comments that keep proxies from cutting the line; later failures are events.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.openai.chat_answer import encode
from api.openai.notes import sent_by
from domain.errors import AccordError
from providers.types import ModelAnswer, Started, StreamEvent, TextDelta, ToolDelta

_COMMENT = b": keep-alive\n\n"
_HEAD = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}
_CRASH = "Something went wrong inside Accord; the server's log tells what. Try again, then report it."
_log = logging.getLogger("accord.api")

Failed = Callable[[AccordError], Response]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long the head waits for the first content, and how long a stream may be silent."""

    hold_s: float = 30.0
    silence_s: float = 10.0


class Writer(Protocol):
    """Writes one stream in the shape of one protocol; each method gives bytes of whole events."""

    def started(self, model: str) -> bytes: ...
    def text(self, delta: str) -> bytes: ...
    def tool(self, delta: ToolDelta) -> bytes: ...
    def ended(self, answer: ModelAnswer) -> bytes: ...
    def failed(self, error: AccordError) -> bytes: ...


class Whole(Response):
    """One answer, made while the client stays; `work` makes the response, also of its errors."""

    def __init__(self, work: Coroutine[Any, Any, Response]) -> None:
        super().__init__()
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer() -> None:
            response = await self._work
            await response(scope, receive, send)

        await while_connected(answer(), _gone(receive))


def json_answer(value: object, headers: Mapping[str, str]) -> Response:
    """`value` as a whole answer."""
    return Response(encode(value), headers=dict(headers), media_type="application/json")


class EventStream(Response):
    """Server-sent events written by `writer`; `failed` is the answer to an error before the first content."""

    def __init__(
        self,
        events: AsyncGenerator[StreamEvent],
        writer: Writer,
        failed: Failed,
        headers: Mapping[str, str],
        patience: Patience | None = None,
    ) -> None:
        super().__init__()
        self._patience = patience or Patience()
        self._events, self._writer, self._failed = events, writer, failed
        self._told = {**_HEAD, **headers}
        self._begun = False
        self._quiet = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await while_connected(self._run(scope, receive, send), self._listen(receive, send))

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async for event in self._events:
                await self._pass_on(event, send)
        except AccordError as error:
            if not self._begun:
                await self._failed(error)(scope, receive, send)
                return
            await _put(send, self._writer.failed(error))
        except Exception as error:  # edge: a stream that has begun must not end as if it were whole
            if not self._begun:
                raise
            _log.error("A stream failed", exc_info=error)
            await _put(send, self._writer.failed(AccordError(_CRASH)))
        finally:
            await self._events.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, event: StreamEvent, send: Send) -> None:
        self._quiet = False
        match event:
            case TextDelta():
                written = self._writer.text(event.text)
            case ToolDelta():
                written = self._writer.tool(event)
            case Started():
                # The attempt that begins to answer is not over, so it is not among those that were.
                sent = str(sent_by(event.attempts) + 1)
                await self._begin(send, {"x-accord-provider": event.provider, "x-accord-attempts": sent})
                written = self._writer.started(event.model)
            case ModelAnswer():
                await self._begin(send, {"x-accord-provider": event.provider})
                written = self._writer.ended(event)
        if written:
            await _put(send, written)

    async def _begin(self, send: Send, route: Mapping[str, str]) -> None:
        if self._begun:
            return
        self._begun = True
        headers = [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in {**self._told, **route}.items()
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _listen(self, receive: Receive, send: Send) -> None:
        """Returns when the client has gone; meanwhile fills long silences."""
        gone = asyncio.ensure_future(_gone(receive))
        waited_s = 0.0
        try:
            while not (await asyncio.wait({gone}, timeout=self._patience.silence_s))[0]:
                waited_s += self._patience.silence_s
                if waited_s >= self._patience.hold_s:
                    await self._begin(send, {})
                if self._begun and self._quiet:
                    await _put(send, _COMMENT)
                self._quiet = True
        finally:
            gone.cancel()


async def while_connected(work: Coroutine[Any, Any, None], gone: Coroutine[Any, Any, None]) -> None:
    """Runs `work` to its end, or cancels it when `gone` returns first. Raises what `work` raises."""
    running, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone)
    try:
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not running.done():
            running.cancel()
            _log.debug("The client left; its call was cancelled.")
        await asyncio.wait({running, leaving})
    if not running.cancelled():
        running.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _put(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})
