"""Streams to a client that may leave, wait long, or meet an error at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from api.openai.chat_answer import ChatWriter
from api.openai.sse import EventStream, Patience, Whole
from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import ModelAnswer, Started, StreamEvent, TextDelta, Tokens

STARTED = Started(provider="main", model="openai/m")
ENDED = ModelAnswer(
    text="ab", provider="main", model="openai/m", usage=Tokens(), cost_nano=0, currency="EUR", attempts=(),
    latency_s=0.1, finish="stop",
)  # fmt: skip
CUT = failure(Fault.CUT, "The line broke. Try again.")
Events = AsyncGenerator[StreamEvent]


class Client:
    """The two ends of an ASGI exchange: `left` makes the client go, `bored` is set by the third comment."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.bored = asyncio.Event()
        self.head: dict[str, Any] = {}
        self.body = b""
        self.ended = False

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert not self.head
            self.head = message
            return
        assert self.head
        self.body += message["body"]
        self.ended = not message.get("more_body", False)
        if self.body.count(b": keep-alive\n\n") == 3:
            self.bored.set()

    async def take(self, response: Response) -> Client:
        await response({"type": "http"}, self.receive, self.send)
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.head["headers"]}


def told(error: AccordError) -> Response:
    return PlainTextResponse(error.detail, 502)


def stream(events: Events, patience: Patience | None = None) -> EventStream:
    return EventStream(events, ChatWriter("chatcmpl-1", 1, with_usage=False), told, {"x-request-id": "r"}, patience)


def run(script: Callable[[Client], Any]) -> Client:
    async def inside() -> Client:
        client = Client()
        await script(client)
        return client

    return asyncio.run(inside())


def test_the_head_tells_the_route_and_the_body_is_whole() -> None:
    async def events() -> Events:
        for event in (STARTED, TextDelta(text="a"), TextDelta(text="b"), ENDED):
            yield event

    client = run(lambda client: client.take(stream(events())))
    assert client.head["status"] == 200
    assert (client.headers["x-accord-provider"], client.headers["x-accord-attempts"]) == ("main", "1")
    assert client.body.endswith(b"data: [DONE]\n\n")
    assert client.ended


def test_an_error_before_the_first_content_keeps_its_status() -> None:
    async def events() -> Events:
        raise CUT
        yield STARTED

    client = run(lambda client: client.take(stream(events())))
    assert (client.head["status"], client.body) == (502, CUT.detail.encode())


@pytest.mark.parametrize("error", [CUT, ZeroDivisionError()])
def test_an_error_after_it_is_an_event_and_the_last_one(error: Exception) -> None:
    async def events() -> Events:
        yield STARTED
        yield TextDelta(text="a")
        raise error

    client = run(lambda client: client.take(stream(events())))
    assert client.head["status"] == 200
    assert client.body.rpartition(b"data: ")[2].startswith(b'{"error":')
    assert b"[DONE]" not in client.body
    assert client.ended


def test_who_leaves_ends_the_call_at_the_vendor() -> None:
    ended: list[str] = []

    async def endless(client: Client) -> Events:
        try:
            yield STARTED
            yield TextDelta(text="a")
            client.left.set()
            await asyncio.sleep(60)
        finally:
            ended.append("stream")

    async def slow(client: Client) -> Response:
        client.left.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("plain")
        return PlainTextResponse("never")

    client = run(lambda client: client.take(stream(endless(client))))
    assert client.body
    assert not client.ended
    assert run(lambda client: client.take(Whole(slow(client)))).head == {}
    assert ended == ["stream", "plain"]


def test_silence_is_filled_with_comments_and_the_head_goes_out_at_last() -> None:
    async def late(waited: asyncio.Event) -> Events:
        await waited.wait()
        yield STARTED
        yield ENDED

    async def script(client: Client) -> None:
        await client.take(stream(late(client.bored), Patience(hold_s=0.02, silence_s=0.01)))

    client = run(script)
    assert "x-accord-provider" not in client.headers
    assert client.body.endswith(b"data: [DONE]\n\n")
