"""What one answer says, piece by piece or at once, and whether it is whole: shared by the wire formats.

An answer without the vendor's own end marker is cut, whatever else it holds.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Finish, Piece, Reply, TextDelta, Tokens, ToolCall, ToolDelta, Working
from providers.wire.events import Event
from providers.wire.refusals import excerpt_of, in_band

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "STOP": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "MAX_TOKENS": "length",
    "tool_calls": "tool",
    "function_call": "tool",
    "tool_use": "tool",
}
REFUSALS = frozenset(
    {"content_filter", "refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
    | {"guardrail_intervened", "content_filtered"}
)
_NONSENSE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)

Body = dict[str, Any]


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list[str])


class Reading(ABC):
    """One answer of `provider` being read. `json_tool` names a tool call whose arguments are the answer's text.

    `marker` is the vendor's end marker once it came; `ended` that nothing more is to come after it.
    """

    continues = False
    """Whether the answer goes on from a beginning that is there already, and may so have nothing to add."""

    def __init__(self, provider: str, *, secret: str | None = None, json_tool: str | None = None) -> None:
        self.marker: str | None = None
        self.ended = False
        self._provider = provider
        self._secret = secret
        self._json_tool = json_tool
        self._new: list[Piece] = []
        self._said: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._text_calls: set[int] = set()
        self._places: dict[int, int] = {}
        self._refusal: list[str] = []
        self._usage: Body = {}

    def event(self, event: Event) -> list[Piece]:
        """The pieces that `event` brings. Raises the fault of an error event, or of one that makes no sense."""
        body = _parse(event.data)
        error = _error_in(body) if body else None
        if error or event.name == "error":
            said = error or body or event.data.decode("utf-8", "replace")
            raise in_band(said, self._provider, self._secret)
        if body is None:
            raise self._malformed(event.data)
        self._new = []
        try:
            self._delta(body)
        except _NONSENSE as error:
            if self.marker in REFUSALS:
                return []  # whatever follows a refusal, it stays one
            raise self._malformed(event.data) from error
        return self._new

    def whole(self, body: bytes) -> list[Piece]:
        """The pieces of an answer that came at once. Raises as `event`."""
        try:
            parsed: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            detail = f"{self._provider!r} sent {len(body)} bytes that are no whole JSON. Try again."
            raise failure(Fault.CUT, detail) from error
        parts = cast("list[object]", parsed) if isinstance(parsed, list) else [parsed]
        self._new = []
        for part in parts:
            if not isinstance(part, dict):
                raise self._malformed(body)
            answer = cast("Body", part)
            if _error_in(answer):
                raise in_band(_error_in(answer), self._provider, self._secret)
            try:
                self._message(answer)
            except _NONSENSE as error:
                raise self._malformed(body) from error
        self.ended = True
        return self._new

    def complete(self) -> list[Piece]:
        """What closes the answer, the `Reply` last. Raises CUT, EMPTY, MALFORMED or REFUSED when it is not whole."""
        finish = self._finish()
        pieces: list[Piece] = []
        for index, call in self._calls.items():
            if not "".join(call.arguments).strip():
                call.arguments.append("{}")
                pieces.append(ToolDelta(index=index, arguments="{}"))
        calls = tuple(ToolCall(id=c.id, name=c.name, arguments="".join(c.arguments)) for c in self._calls.values())
        for call in calls:
            self._check_arguments(call, finish)
        text = "".join(self._said)
        if finish == "tool" and not calls:
            if not self._json_tool:
                raise self._lost("announced a tool call and sent none")
            finish = "stop"
        if finish == "stop" and calls:
            finish = "tool"
        if finish == "stop" and not text.strip() and not self.continues:
            detail = f"{self._provider!r} finished without saying anything. Try again, or ask differently."
            raise failure(Fault.EMPTY, detail, usage=self.usage)
        return [*pieces, Reply(text=text, tool_calls=calls, finish=finish, usage=self.usage)]

    @property
    def over(self) -> bool:
        """Whether the end marker came and nothing but usage can follow it."""
        return self.ended

    @property
    def usage(self) -> Tokens | None:
        """The tokens billed, as far as the vendor has told."""
        try:
            return self._tokens(self._usage) if self._usage else None
        except (*_NONSENSE, ValidationError):
            return None

    @abstractmethod
    def _delta(self, body: Body) -> None:
        """Reads one event of a stream: `_text`, `_tool` and `_work` take its pieces."""

    @abstractmethod
    def _message(self, body: Body) -> None:
        """Reads an answer that came at once, the same way."""

    @abstractmethod
    def _tokens(self, usage: Body) -> Tokens:
        """The vendor's usage in our terms."""

    def _is_answer(self, index: int, name: str | None) -> bool:
        """Whether the tool call at `index` is the one whose arguments are the text."""
        if self._json_tool is None or (name != self._json_tool and index not in self._text_calls):
            return False
        self._text_calls.add(index)
        return True

    def _place(self, index: int) -> int:
        """The number of a call among calls, where the vendor counts blocks of text too."""
        return self._places.setdefault(index, len(self._places))

    def _text(self, text: object) -> None:
        if text is None or text == "":
            return
        if not isinstance(text, str):
            raise TypeError(text)
        self._said.append(text)
        self._new.append(TextDelta(text=text))

    def _mark(self, marker: object) -> None:
        """Notes the vendor's end marker, when there is one."""
        if marker:
            self.marker = str(marker)

    def _work(self) -> None:
        self._new.append(Working())

    def _tool(self, index: int, id_: str | None, name: str | None, arguments: str) -> None:
        """A piece of the call at `index`; its first piece names it. Raises ValueError when it does not."""
        call = self._calls.get(index)
        if call is None:
            if not name or not id_:
                raise ValueError("A tool call without a name")
            call = self._calls[index] = _Call(id_, name)
            call.arguments.append(arguments)
            self._new.append(ToolDelta(index=index, id=call.id, name=name, arguments=arguments))
        elif arguments:
            call.arguments.append(arguments)
            self._new.append(ToolDelta(index=index, arguments=arguments))

    def _finish(self) -> Finish:
        if self.marker in REFUSALS or self._refusal:
            said = excerpt_of("".join(self._refusal), self._secret) or self.marker
            detail = f"{self._provider!r} refused with {said!r}. Change the content of the request."
            raise failure(Fault.REFUSED, detail, usage=self.usage)
        finish = _FINISH.get(self.marker) if self.marker else None
        if finish is None:
            raise self._lost(f"sent no known end marker ({self.marker!r})")
        return finish

    def _check_arguments(self, call: ToolCall, finish: Finish) -> None:
        try:
            if isinstance(json.loads(call.arguments), dict):
                return
        except (ValueError, RecursionError):
            pass
        if finish == "length":
            detail = f"The tool call of {self._provider!r} was cut at `max_tokens`. Allow more of them."
            raise failure(Fault.BAD_ANSWER, detail, usage=self.usage)
        detail = f"{self._provider!r} calls {call.name!r} with arguments that are no JSON object. Try again."
        raise failure(Fault.MALFORMED, detail, usage=self.usage)

    def _lost(self, how: str) -> AccordError:
        return failure(Fault.CUT, f"{self._provider!r} {how}. Try again.", usage=self.usage)

    def _malformed(self, data: bytes) -> AccordError:
        said = excerpt_of(data[:400].decode("utf-8", "replace"), self._secret)
        return failure(
            Fault.MALFORMED, f"{self._provider!r} sent what makes no sense: {said!r}. Try again.", usage=self.usage
        )


def _parse(data: bytes) -> Body | None:
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError):
        return None
    return cast("Body", value) if isinstance(value, dict) else None


def _error_in(body: Body) -> object:
    """The error object of `body`, if it is one."""
    if body.get("error"):
        return body["error"]
    return body if body.get("object") == "error" else None
