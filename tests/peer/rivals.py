"""Callers that are not ours: a careful HTTP client without a gateway, and LiteLLM's Router. For comparison alone."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.peer.answers import SCHEMA, TOOL_PARAMETERS
from tests.peer.cases import COOLDOWN_S, FIRST_TOKEN_S, Case, Finish, Got
from tests.peer.drive import Caller, Session
from tests.peer.wires import Wire

PROMPT = [{"role": "user", "content": "Que faire du budget ?"}]
TOOLS = [{"type": "function", "function": {"name": "set_budget", "parameters": TOOL_PARAMETERS}}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "choice", "schema": SCHEMA}}
MODELS: Mapping[Wire, str] = {
    Wire.OPENAI: "openai/gpt-5-mini",
    Wire.ANTHROPIC: "anthropic/claude-haiku-4-5",
    Wire.GEMINI: "gemini/gemini-3.8-flash",
}
DEFAULTS: Mapping[str, Any] = {"num_retries": 2}
TUNED: Mapping[str, Any] = {"num_retries": 1, "allowed_fails": 1, "cooldown_time": COOLDOWN_S}
_FINISH: Mapping[str, Finish] = {"tool_calls": "tool", "length": "length"}


def litellm_router(settings: Mapping[str, Any], timeout_s: float = FIRST_TOKEN_S) -> Caller:
    """LiteLLM's Router in process, every vendor a group of its own with the later ones as its fallbacks."""

    @asynccontextmanager
    async def opened(case: Case, bases: tuple[str, ...]) -> AsyncGenerator[Session]:
        router = _litellm().Router(
            model_list=[
                _deployment(n, route.wire, base) for n, (route, base) in enumerate(zip(case.routes, bases, strict=True))
            ],
            timeout=timeout_s,
            stream_timeout=timeout_s,
            **_fallbacks(len(bases)),
            **settings,
        )
        yield _Routed(router, case)
        router.discard()

    return opened


def _deployment(number: int, wire: Wire, base: str) -> dict[str, Any]:
    path = "/v1" if wire is Wire.OPENAI else ""
    settings = {"model": MODELS[wire], "api_base": base + path, "api_key": "test-key"}
    return {"model_name": f"p{number}", "litellm_params": settings}


def _fallbacks(count: int) -> dict[str, Any]:
    if count == 1:
        return {}
    others = [{"p0": [f"p{number}" for number in range(1, count)]}]
    return {"fallbacks": others, "context_window_fallbacks": others}


def _litellm() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    return litellm


@dataclass(frozen=True, slots=True)
class _Routed:
    router: Any
    case: Case

    async def call(self) -> Got:
        try:
            return await (self._stream() if self.case.mode == "stream" else self._plain())
        except Exception as error:  # edge: litellm raises its own, the SDKs' and plain Python errors alike
            return Got(error=type(error).__name__)

    def _asked(self) -> dict[str, Any]:
        extra = {"text": {}, "tool": {"tools": TOOLS}, "schema": {"response_format": FORMAT}}[self.case.asks]
        return {"model": "p0", "messages": PROMPT, "max_tokens": 512, **extra}

    async def _plain(self) -> Got:
        response = await self.router.acompletion(**self._asked())
        choice = response.choices[0]
        calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
        return _said(self.case, choice.message.content or "", calls, choice.finish_reason)

    async def _stream(self) -> Got:
        text, finish = "", None
        calls: dict[int, list[str]] = {}
        try:
            async for part in await self.router.acompletion(**self._asked(), stream=True):
                for choice in part.choices:
                    text += choice.delta.content or ""
                    finish = choice.finish_reason or finish
                    for call in choice.delta.tool_calls or []:
                        name, arguments = calls.setdefault(call.index, ["", ""])
                        calls[call.index] = [
                            name or call.function.name or "",
                            arguments + (call.function.arguments or ""),
                        ]
        except Exception as error:  # edge: as in `call`, with what was delivered before
            return Got(delivered=text, error=type(error).__name__)
        return _said(self.case, text, [(name, arguments) for name, arguments in calls.values()], finish)


def _said(case: Case, text: str, calls: list[tuple[str, str]], finish: str | None) -> Got:
    """Neither rival checks a schema, so the one who asked would parse the text itself, and sees when that fails. A
    finish that says the vendor refused is as good as an error.
    """
    value = None
    if finish == "content_filter":
        return Got(delivered=text, error="refused")
    if case.asks == "schema":
        try:
            value = json.loads(text)
        except ValueError:
            return Got(delivered=text, error="JSONDecodeError")
    known = _FINISH.get(finish or "", "stop") if finish else None
    return Got(text, text, tuple(calls), value, "tool" if calls else known)


def bare_httpx(timeout_s: float = FIRST_TOKEN_S) -> Caller:
    """The first vendor alone, over httpx as its reference shows: status checked, JSON read, events joined."""

    @asynccontextmanager
    async def opened(case: Case, bases: tuple[str, ...]) -> AsyncGenerator[Session]:
        # Nothing here is encrypted, and to load the certificates anew for every case would cost more than the case.
        async with httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=False) as client:  # noqa: S501
            yield _Bare(client, case, bases[0])

    return opened


_ROUTES: Mapping[Wire, tuple[str, str]] = {
    Wire.OPENAI: ("/v1/chat/completions", "/v1/chat/completions"),
    Wire.ANTHROPIC: ("/v1/messages", "/v1/messages"),
    Wire.GEMINI: ("/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent?alt=sse"),
}


def bare_request(case: Case) -> tuple[str, dict[str, Any]]:
    """Route and body of a request for `case`, as its first vendor's reference writes it."""
    wire, stream = case.routes[0].wire, case.mode == "stream"
    text = PROMPT[0]["content"]
    if wire is Wire.GEMINI:
        body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    else:
        body = {"model": "m", "max_tokens": 512, "stream": stream, "messages": PROMPT}
    if case.asks == "tool":
        body["tools"] = TOOLS
    if case.asks == "schema":
        keys = {Wire.OPENAI: "response_format", Wire.ANTHROPIC: "output_format", Wire.GEMINI: "generationConfig"}
        body[keys[wire]] = {"responseJsonSchema": SCHEMA}
    return _ROUTES[wire][stream], body


@dataclass(frozen=True, slots=True)
class _Bare:
    client: httpx.AsyncClient
    case: Case
    base: str

    async def call(self) -> Got:
        route, body = bare_request(self.case)
        text = ""
        calls: dict[int, list[str]] = {}
        try:
            if self.case.mode == "plain":
                response = await self.client.post(self.base + route, json=body)
                response.raise_for_status()
                text, calls = _read(self.case.routes[0].wire, response.json())
            else:
                async with self.client.stream("POST", self.base + route, json=body) as response:
                    response.raise_for_status()
                    async for line in response.aiter_lines():
                        if line.startswith("data:") and line[5:].strip() != "[DONE]":
                            text += _delta(self.case.routes[0].wire, json.loads(line[5:]), calls)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError) as error:
            return Got(delivered=text, error=type(error).__name__)
        return _said(self.case, text, [(name, arguments) for name, arguments in calls.values()], None)


def _read(wire: Wire, body: dict[str, Any]) -> tuple[str, dict[int, list[str]]]:
    calls: dict[int, list[str]] = {}
    match wire:
        case Wire.OPENAI:
            message = body["choices"][0]["message"]
            for number, call in enumerate(message.get("tool_calls") or []):
                calls[number] = [call["function"]["name"], call["function"]["arguments"]]
            return "".join(message["content"] or ""), calls
        case Wire.ANTHROPIC:
            for block in body["content"]:
                if block["type"] == "tool_use":
                    calls[len(calls)] = [block["name"], json.dumps(block["input"])]
            return "".join(block["text"] for block in body["content"] if block["type"] == "text"), calls
        case Wire.GEMINI:
            return _parts(body["candidates"][0]["content"]["parts"], calls), calls


def _parts(parts: list[dict[str, Any]], calls: dict[int, list[str]]) -> str:
    for part in parts:
        if "functionCall" in part:
            calls[len(calls)] = [part["functionCall"]["name"], json.dumps(part["functionCall"]["args"])]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _delta(wire: Wire, event: dict[str, Any], calls: dict[int, list[str]]) -> str:
    match wire:
        case Wire.OPENAI:
            delta = event["choices"][0]["delta"] if event["choices"] else {}
            for call in delta.get("tool_calls") or []:
                held = calls.setdefault(call["index"], [call["function"].get("name", ""), ""])
                held[1] += call["function"]["arguments"]
            return delta.get("content") or ""
        case Wire.ANTHROPIC:
            block = event.get("content_block", {})
            if block.get("type") == "tool_use":
                calls[event["index"]] = [block["name"], ""]
            delta = event.get("delta", {})
            if "partial_json" in delta:
                calls[event["index"]][1] += delta["partial_json"]
            return delta.get("text", "")
        case Wire.GEMINI:
            return _parts(event["candidates"][0]["content"]["parts"], calls)
