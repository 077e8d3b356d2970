"""An answer of the gateway as a response: whole, or as the events of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from api.openai.chat_answer import encode
from api.openai.errors import told
from api.openai.notes import note
from api.schemas.responses import ResponseRequest, ResponseUsage
from domain.errors import AccordError
from providers.types import ModelAnswer, Tokens, ToolDelta

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays the same in every state of one response. `digits` make the names of it and its items."""

    asked: ResponseRequest
    digits: str
    created: int

    @property
    def name(self) -> str:
        return f"resp_{self.digits}"

    def shown(self, status: str, model: str, output: list[Item], **more: Any) -> dict[str, Any]:
        """OpenAI's `response` in `status`; `more` fills what is known only at its end."""
        asked = self.asked
        return {
            "id": self.name,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": model,
            "output": output,
            "error": None,
            "incomplete_details": None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": asked.metadata or {},
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "previous_response_id": None,
            "store": False,
            "temperature": asked.temperature,
            "text": {"format": _format(asked)},
            "tool_choice": asked.tool_choice or "auto",
            "tools": [{"strict": None, **tool.model_dump()} for tool in asked.tools or ()],
            "top_p": asked.top_p,
            "truncation": "disabled",
            "usage": None,
            "accord": None,
            **more,
        }

    def ended(self, answer: ModelAnswer, output: list[Item]) -> dict[str, Any]:
        """The whole response: completed, or incomplete when it was cut at its bound."""
        cut = answer.finish == "length"
        return self.shown(
            "incomplete" if cut else "completed",
            answer.model,
            output,
            incomplete_details={"reason": "max_output_tokens"} if cut else None,
            usage=usage_of(answer.usage),
            accord=note(answer).model_dump(),
        )


def whole(answer: ModelAnswer, frame: Frame) -> dict[str, Any]:
    """`answer` as one response."""
    output: list[Item] = []
    status = "incomplete" if answer.finish == "length" else "completed"
    if answer.text:
        output.append(_message(f"msg_{frame.digits}_0", answer.text, status))
    for call in answer.tool_calls:
        name = f"fc_{frame.digits}_{len(output)}"
        output.append(_call(name, call.id, call.name, call.arguments, status))
    return frame.ended(answer, output)


def usage_of(tokens: Tokens | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return ResponseUsage(
        input_tokens=tokens.input,
        input_tokens_details={"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        output_tokens=tokens.output,
        output_tokens_details={"reasoning_tokens": 0},
        total_tokens=tokens.input + tokens.output,
    ).model_dump()


@dataclass(slots=True)
class _Open:
    """An item that is being written. `call_id` and `function` are of a call; `tool` is its index, None for text."""

    name: str
    place: int
    tool: int | None = None
    call_id: str = ""
    function: str = ""
    pieces: list[str] = field(default_factory=list[str])

    def item(self, status: str, text: str | None = None) -> Item:
        said = "".join(self.pieces) if text is None else text
        if self.tool is None:
            return _message(self.name, said, status)
        return _call(self.name, self.call_id, self.function, said, status)


class ResponseWriter:
    """Events in OpenAI's order: an item is added, its parts grow, it is done; at last the whole response."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._model = ""
        self._number = 0
        self._done: list[Item] = []
        self._open: list[_Open] = []
        self._delta = ""

    def started(self, model: str) -> bytes:
        self._model = model
        shown = self._frame.shown("in_progress", model, [])
        return self._event("response.created", response=shown) + self._event("response.in_progress", response=shown)

    def text(self, delta: str) -> bytes:
        current = self._open[0] if self._open and self._open[0].tool is None else None
        written = b""
        if current is None:
            written = self._close()
            current = self._new("msg", None)
            written += self._begin_text(current)
        current.pieces.append(delta)
        self._number += 1
        frame = f'{self._delta}{encode(delta)},"sequence_number":{self._number - 1}}}\n\n'
        return written + frame.encode()

    def tool(self, delta: ToolDelta) -> bytes:
        current = next((one for one in self._open if one.tool == delta.index), None)
        written = b""
        if current is None:
            if self._open and self._open[0].tool is None:
                written = self._close()
            current = self._new("fc", delta.index)
            current.call_id, current.function = delta.id or "", delta.name or ""
            item = current.item("in_progress", "")
            written += self._event("response.output_item.added", output_index=current.place, item=item)
        if not delta.arguments:
            return written
        current.pieces.append(delta.arguments)
        return written + self._event(
            "response.function_call_arguments.delta",
            item_id=current.name,
            output_index=current.place,
            delta=delta.arguments,
        )

    def ended(self, answer: ModelAnswer) -> bytes:
        begun = b"" if self._model else self.started(answer.model)
        cut = answer.finish == "length"
        closed = self._close("incomplete" if cut else "completed")
        response = self._frame.ended(answer, self._done)
        return begun + closed + self._event("response.incomplete" if cut else "response.completed", response=response)

    def failed(self, error: AccordError) -> bytes:
        """The last event of a stream that broke: what was said so far stays incomplete."""
        said = [one.item("incomplete") for one in self._open]
        shown = self._frame.shown(
            "failed",
            self._model,
            [*self._done, *said],
            error={"code": told(error).code or "server_error", "message": error.detail},
        )
        return self._event("response.failed", response=shown)

    def _new(self, prefix: str, tool: int | None) -> _Open:
        place = len(self._done) + len(self._open)
        made = _Open(f"{prefix}_{self._frame.digits}_{place}", place, tool)
        self._open.append(made)
        return made

    def _begin_text(self, current: _Open) -> bytes:
        at = {"item_id": current.name, "output_index": current.place, "content_index": 0}
        # A delta differs from the next in its text and number alone.
        head = encode({"type": "response.output_text.delta", **at, "logprobs": []})[:-1]
        self._delta = f'event: response.output_text.delta\ndata: {head},"delta":'
        item: Item = {**current.item("in_progress", ""), "content": list[Item]()}
        added = self._event("response.output_item.added", output_index=current.place, item=item)
        return added + self._event("response.content_part.added", **at, part=_part(""))

    def _close(self, status: str = "completed") -> bytes:
        """Ends every open item; one that was cut is only the last."""
        written = b""
        for current in self._open:
            text, at = "".join(current.pieces), {"item_id": current.name, "output_index": current.place}
            if current.tool is None:
                place = {**at, "content_index": 0}
                written += self._event("response.output_text.done", **place, text=text, logprobs=[])
                written += self._event("response.content_part.done", **place, part=_part(text))
            else:
                called = {"name": current.function, "arguments": text}
                written += self._event("response.function_call_arguments.done", **at, **called)
            item = current.item(status)
            written += self._event("response.output_item.done", output_index=current.place, item=item)
            self._done.append(item)
        self._open.clear()
        return written

    def _event(self, kind: str, **told: Any) -> bytes:
        data = encode({"type": kind, "sequence_number": self._number, **told})
        self._number += 1
        return f"event: {kind}\ndata: {data}\n\n".encode()


def _format(asked: ResponseRequest) -> dict[str, Any]:
    form = asked.text.format if asked.text else None
    if form is None or form.type != "json_schema":
        return {"type": form.type if form else "text"}
    return {"type": form.type, "name": form.name or "answer", "schema": form.schema_, "strict": form.strict}


def _part(text: str) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(name: str, text: str, status: str) -> Item:
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": [_part(text)]}


def _call(name: str, call_id: str, function: str, arguments: str, status: str) -> Item:
    return {
        "id": name,
        "type": "function_call",
        "call_id": call_id,
        "name": function,
        "arguments": arguments,
        "status": status,
    }
