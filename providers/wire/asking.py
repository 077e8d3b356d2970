"""Our request in OpenAI's words, from which litellm writes every vendor's."""

from __future__ import annotations

import json
from typing import Any

from providers.types import ImagePart, Message, ModelRequest, Tool, ToolName


def parameters_of(request: ModelRequest) -> dict[str, Any]:
    """What is asked for beside the messages; what is not asked for is left out."""
    asked: dict[str, Any] = {
        "stream": True,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
    }
    if request.tools:
        asked["tools"] = [_tool(tool) for tool in request.tools]
        asked["tool_choice"] = _choice(request.tool_choice)
        asked["parallel_tool_calls"] = request.parallel_tool_calls
    if request.answer_schema is not None:
        schema = {"name": _identifier(request.task), "schema": dict(request.answer_schema), "strict": False}
        asked["response_format"] = {"type": "json_schema", "json_schema": schema}
    return {name: value for name, value in asked.items() if value is not None}


def messages_of(request: ModelRequest, prefix: str = "", *, flagged: bool = False) -> list[dict[str, Any]]:
    """The turns, the last of them the beginning of the answer if it has a `prefix`; `flagged` where it must say so."""
    turns = [_message(message) for message in request.messages]
    if prefix:
        turns.append({"role": "assistant", "content": prefix} | ({"prefix": True} if flagged else {}))
    return turns


def with_schema_told(request: ModelRequest) -> ModelRequest:
    """`request` with its schema in the system's words, for vendors that take none."""
    schema = json.dumps(dict(request.answer_schema or {}))
    text = f"Answer with one JSON value that fits this JSON Schema, and with nothing else: {schema}"
    first, *rest = request.messages
    if first.role == "system":  # one system turn: many models take no second
        turns = (Message(role="system", content=f"{first.text}\n\n{text}"), *rest)
    else:
        turns = (Message(role="system", content=text), first, *rest)
    return request.model_copy(update={"messages": turns})


def pictures_in(request: ModelRequest) -> list[str]:
    """The address of each picture, or its base64 where it comes along: what a vendor must find in its request."""
    return [
        part.url.rpartition(";base64,")[2]
        for message in request.messages
        if not isinstance(message.content, str)
        for part in message.content
        if isinstance(part, ImagePart)
    ]


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": dict(tool.parameters) or {"type": "object"}}
    if tool.description:
        function["description"] = tool.description
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: str | ToolName) -> object:
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, ToolName) else choice


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if not isinstance(message.content, str):
        written["content"] = [
            {"type": "image_url", "image_url": {"url": part.url}}
            if isinstance(part, ImagePart)
            else {"type": "text", "text": part.text}
            for part in message.content
        ]
    if message.tool_calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


def _identifier(task: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in task)[:64]
