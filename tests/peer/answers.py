"""What the peer says when nothing is wrong: one text, one tool call, one JSON value, and their tokens."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

Finish = Literal["stop", "length", "tool", "refused"]

TEXT = (
    "Tenez le budget de la région Nord jusqu’à la fin du test : le gain mesuré est de 4 % ± 1, l’écart coûte "
    "1 200 € par jour, et la vidéo « Été » (🎬) reste en pause. Rien ne presse avant vendredi; ensuite, décidez."
)
OTHER_TEXT = (
    "Something else entirely: launch the autumn campaign today in all regions, double every bid at once, and tell "
    "nobody until the quarter has been closed and all of the invoices have been paid in full by somebody."
)
PROTOCOL_TEXT = "A stream ends with a line\n\ndata: [DONE]\n\nand an event: error\nis only text here.\r\nSo go on."

VALUE: dict[str, Any] = {"action": "hold", "share": 0.25, "why": "l’essai dure jusqu’à vendredi"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": ["hold", "shift"]},
        "share": {"type": "number"},
        "why": {"type": "string"},
    },
    "required": ["action", "share", "why"],
    "additionalProperties": False,
}
TOOL_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"campaign": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["campaign", "amount"],
}


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `arguments` is text since a broken vendor may send text that is no JSON."""

    name: str
    arguments: str
    id: str = "call_1"


@dataclass(frozen=True, slots=True)
class Usage:
    """`input` counts the whole prompt; each wire says its cached part in its own way."""

    input: int = 100
    cached: int = 60
    output: int = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """`thoughts` are said beside the text, as reasoning models do. `usage` None means the vendor does not say."""

    text: str = TEXT
    calls: tuple[Call, ...] = ()
    finish: Finish = "stop"
    usage: Usage | None = Usage()
    thoughts: str = ""


BUDGET_CALL = Call("set_budget", json.dumps({"campaign": "Été", "amount": 1200}, ensure_ascii=False))
SPOKEN = Answer()
CALLED = Answer(text="", calls=(BUDGET_CALL,), finish="tool")
VALUED = Answer(text=json.dumps(VALUE, ensure_ascii=False))


def pieces(text: str) -> list[str]:
    """The text in the pieces a stream brings: words with the space before them."""
    return re.findall(r"\s*\S+|\s+$", text)
