"""Answers in OpenAI's shapes: whole ones, and streams told event by event."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from api.openai import chat_answer, response_answer
from api.openai.chat_answer import ChatWriter
from api.openai.response_answer import Frame, ResponseWriter
from api.schemas.completions import ChatCompletion
from api.schemas.responses import ResponseAnswer, ResponseRequest
from providers.faults import Fault, failure
from providers.types import Attempt, Finish, ModelAnswer, Outcome, Tokens, ToolCall, ToolDelta

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
FRAME = Frame(ResponseRequest(model="auto", input="Hello"), "5b1f", 1772614800)
CUT = failure(Fault.CUT, "The line broke. Try again.")


def answer(text: str = "", *calls: ToolCall, finish: Finish = "stop") -> ModelAnswer:
    tried = Attempt(provider="first", outcome=Outcome.FAILED, started_at=NOW)
    skipped = Attempt(provider="second", outcome=Outcome.SKIPPED, started_at=NOW)
    return ModelAnswer(
        text=text,
        tool_calls=calls,
        provider="third",
        model="openai/m",
        usage=Tokens(input=10, output=4, cached=6),
        cost_nano=420_000,
        currency="USD",
        attempts=(tried, skipped, tried.model_copy(update={"provider": "third", "outcome": Outcome.ANSWERED})),
        latency_s=0.2,
        finish=finish,
        why="The first one broke.",
    )


def events(data: bytes) -> list[dict[str, Any]]:
    frames = data.decode().strip().split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if not frame.endswith("[DONE]")]


CALL = ToolCall(id="call_1", name="spend_of", arguments='{"channel": "ctv"}')
ADDED = {
    "provider": "third",
    "attempts": 2,
    "cost": "0.000420000",
    "currency": "USD",
    "why": "The first one broke.",
    "cached": False,
}


def test_a_whole_completion() -> None:
    told = chat_answer.whole(answer("Hé"), name="chatcmpl-1", created=1)
    ChatCompletion.model_validate(told)
    assert told["choices"][0]["message"]["content"] == "Hé"
    assert told["usage"]["prompt_tokens_details"]["cached_tokens"] == 6
    assert told["accord"] == ADDED
    called = chat_answer.whole(answer("", CALL, finish="tool"), name="chatcmpl-1", created=1)["choices"][0]
    assert (called["message"]["content"], called["finish_reason"]) == (None, "tool_calls")
    assert called["message"]["tool_calls"][0]["function"] == {"name": CALL.name, "arguments": CALL.arguments}


def test_a_stream_of_chunks_has_openais_order() -> None:
    writer = ChatWriter("chatcmpl-1", 1, with_usage=True)
    data = writer.started("openai/m") + writer.text('H"é') + writer.text("\n") + writer.ended(answer('H"é\n'))
    assert data.endswith(b"data: [DONE]\n\n")
    role, first, second, finish, usage = events(data)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert first["choices"][0]["delta"]["content"] + second["choices"][0]["delta"]["content"] == 'H"é\n'
    assert (finish["choices"][0]["delta"], finish["choices"][0]["finish_reason"]) == ({}, "stop")
    assert {chunk["usage"] for chunk in (role, first, second, finish)} == {None}
    assert (usage["choices"], usage["usage"]["total_tokens"], usage["accord"]) == ([], 14, ADDED)
    assert {chunk["model"] for chunk in (role, first, usage)} == {"openai/m"}


def test_without_usage_the_finish_chunk_tells_where_it_came_from() -> None:
    writer = ChatWriter("chatcmpl-1", 1, with_usage=False)
    told = events(writer.started("openai/m") + writer.text("a") + writer.ended(answer("a")))
    assert "usage" not in told[0]
    assert told[-1]["accord"] == ADDED


def test_tool_calls_are_streamed_as_openai_does() -> None:
    writer = ChatWriter("chatcmpl-1", 1, with_usage=False)
    pieces = [ToolDelta(index=0, id="call_1", name="spend_of"), ToolDelta(index=0, arguments="{}")]
    role, first, second, finish = events(
        writer.started("openai/m") + b"".join(map(writer.tool, pieces)) + writer.ended(answer("", CALL, finish="tool"))
    )
    assert role["choices"][0]["delta"]["content"] is None
    assert first["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "spend_of", "arguments": ""}}
    ]
    assert second["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "function": {"arguments": "{}"}}]
    assert finish["choices"][0]["finish_reason"] == "tool_calls"


def test_a_broken_stream_says_so_and_never_finishes() -> None:
    writer = ChatWriter("chatcmpl-1", 1, with_usage=True)
    data = writer.started("openai/m") + writer.text("a") + writer.failed(CUT)
    assert events(data)[-1]["error"] == {
        "message": "The line broke. Try again.", "type": "server_error", "param": None, "code": "cut",
    }  # fmt: skip
    assert b"[DONE]" not in data
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in events(data)[:-1])


def test_a_whole_response() -> None:
    told = response_answer.whole(answer("I look.", CALL, finish="tool"), FRAME)
    ResponseAnswer.model_validate(told)
    assert [item["type"] for item in told["output"]] == ["message", "function_call"]
    assert (told["status"], told["store"], told["usage"]["total_tokens"]) == ("completed", False, 14)
    cut = response_answer.whole(answer("I", finish="length"), FRAME)
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert cut["output"][0]["status"] == "incomplete"


def test_a_stream_of_events_has_openais_order() -> None:
    writer = ResponseWriter(FRAME)
    data = writer.started("openai/m") + writer.text("I ") + writer.text("look.")
    data += writer.tool(ToolDelta(index=0, id="call_1", name="spend_of")) + writer.tool(
        ToolDelta(index=0, arguments=CALL.arguments)
    )
    data += writer.ended(answer("I look.", CALL, finish="tool"))
    told = events(data)
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    assert [one["type"].removeprefix("response.") for one in told] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "output_item.added",
        "function_call_arguments.delta", "function_call_arguments.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert "".join(one["delta"] for one in told if one["type"] == "response.output_text.delta") == "I look."
    whole = response_answer.whole(answer("I look.", CALL, finish="tool"), FRAME)
    assert told[-1]["response"] == whole


def test_a_broken_stream_of_events_fails_with_what_was_said() -> None:
    writer = ResponseWriter(FRAME)
    last = events(writer.started("openai/m") + writer.text("I ") + writer.failed(CUT))[-1]
    assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
    assert last["response"]["error"] == {"code": "cut", "message": "The line broke. Try again."}
    assert last["response"]["output"][0]["content"][0]["text"] == "I "
