"""Speaks to providers that must not learn names: hides them in what goes out, puts them back into what comes in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import cast

from pydantic import JsonValue

from providers.adapter import Adapter
from providers.deadlines import Deadlines
from providers.names import NameIndex
from providers.pseudonyms import Restorer, Veil, strings_in, with_strings
from providers.registry import Provider
from providers.types import (
    Message,
    ModelRequest,
    Piece,
    Reply,
    Schema,
    TextDelta,
    TextPart,
    Tool,
    ToolDelta,
    Working,
)

Names = Callable[[], NameIndex]
"""The names that are known now."""


class VeiledAdapter:
    """`inner`, with placeholders for the providers that ask for `pseudonyms`; for the others as it is.

    Each attempt has a map of its own, from a new salt, that is gone with it.
    """

    def __init__(self, inner: Adapter, names: Names) -> None:
        self._inner = inner
        self._names = names

    async def prepare(self, provider: Provider) -> None:
        await self._inner.prepare(provider)

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        if not provider.spec.pseudonyms:
            async with aclosing(self._inner.stream(provider, request, limits, prefix)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        # A long prompt takes a while to look through, and others wait on this loop.
        veil = await asyncio.to_thread(_veil, request, prefix, self._names)
        answer = _Unveiled(veil, in_json=request.answer_schema is not None)
        hidden = self._inner.stream(provider, veiled(request, veil), limits, veil.hide(prefix))
        async with aclosing(hidden) as pieces:
            async for piece in pieces:
                for restored in answer.of(piece):
                    yield restored


class _Unveiled:
    """The pieces of one answer as they are given on."""

    def __init__(self, veil: Veil, *, in_json: bool) -> None:
        self._veil, self._in_json = veil, in_json
        self._text = veil.restorer(in_json=in_json)
        self._calls: dict[int, Restorer] = {}

    def of(self, piece: Piece) -> Iterator[Piece]:
        match piece:
            case TextDelta():
                yield from self._told(TextDelta(text=self._text.feed(piece.text)))
            case ToolDelta():
                call = self._calls.setdefault(piece.index, self._veil.restorer(in_json=True))
                yield piece.model_copy(update={"arguments": call.feed(piece.arguments)})
            case Reply():
                if rest := self._text.flush():
                    yield TextDelta(text=rest)
                for index, call in self._calls.items():
                    if rest := call.flush():
                        yield ToolDelta(index=index, arguments=rest)
                yield self._whole(piece)
            case Working():
                yield piece

    def _told(self, piece: TextDelta) -> Iterator[Piece]:
        """What is held back for a moment is still a sign of life."""
        yield piece if piece.text else Working()

    def _whole(self, reply: Reply) -> Reply:
        restore = self._veil.restore
        calls = tuple(
            call.model_copy(update={"arguments": restore(call.arguments, in_json=True)}) for call in reply.tool_calls
        )
        return reply.model_copy(update={"text": restore(reply.text, in_json=self._in_json), "tool_calls": calls})


def veiled(request: ModelRequest, veil: Veil) -> ModelRequest:
    """`request` with every text hidden that `veil` was made for."""
    schema = request.answer_schema
    return request.model_copy(
        update={
            "messages": tuple(_message(message, veil.hide) for message in request.messages),
            "answer_schema": None if schema is None else _schema(schema, veil.hide),
            "tools": tuple(_tool(tool, veil.hide) for tool in request.tools),
            "stop": tuple(veil.hide(text) for text in request.stop),
        }
    )


def _veil(request: ModelRequest, prefix: str, names: Names) -> Veil:
    texts: list[str] = []

    def collect(text: str) -> str:
        texts.append(text)
        return text

    for message in request.messages:
        _message(message, collect)
    for tool in request.tools:
        _tool(tool, collect)
    texts += [*strings_in(_json(request.answer_schema or {})), *request.stop, prefix]
    return Veil(texts, names(), secrets.token_hex(8))


def _message(message: Message, change: Callable[[str], str]) -> Message:
    content = message.content
    if isinstance(content, str):
        changed = change(content)
    else:
        changed = tuple(
            part.model_copy(update={"text": change(part.text)}) if isinstance(part, TextPart) else part
            for part in content
        )
    calls = tuple(call.model_copy(update={"arguments": change(call.arguments)}) for call in message.tool_calls)
    return message.model_copy(update={"content": changed, "tool_calls": calls})


def _tool(tool: Tool, change: Callable[[str], str]) -> Tool:
    told = {"description": change(tool.description), "parameters": _schema(tool.parameters, change)}
    return tool.model_copy(update=told)


def _schema(schema: Schema, change: Callable[[str], str]) -> Mapping[str, JsonValue]:
    return cast("dict[str, JsonValue]", with_strings(_json(schema), change))


def _json(schema: Schema) -> JsonValue:
    return dict(schema)
