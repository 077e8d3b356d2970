"""A provider whose answers are written beforehand: for tests, for a demo without a model, for hostile models.

A line of the script is a text or JSON value (said completely), a `Reply` (any lie about usage or end), an error
(raised) or `Hang` (silence until the deadline or `seconds`, whichever is first).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.types import ModelRequest, Reply, Tokens


@dataclass(frozen=True, slots=True)
class Hang:
    """Silence for `seconds`, then `then`, if the deadline lets it come to that."""

    seconds: float
    then: Reply | str = ""


Line = str | Reply | Hang | AccordError | BaseModel | dict[str, JsonValue]
Script = Callable[[ModelRequest], Line]


class ScriptedAdapter:
    """Answers `scripted/…` providers from a list, one line a call, or from a function of the request.

    `requests` keeps what was asked, in order. A list that is used up answers as a provider out of service.
    """

    def __init__(self, script: Script | Iterable[Line], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._next = script if callable(script) else _from_list(script)
        self._sleep = sleep
        self._lock = threading.Lock()
        self.requests: list[ModelRequest] = []

    def complete(self, provider: Provider, request: ModelRequest, *, deadline_s: float) -> Reply:
        with self._lock:
            self.requests.append(request)
            line = self._next(request)
        if isinstance(line, Hang):
            self._sleep(min(line.seconds, deadline_s))
            if line.seconds >= deadline_s:
                raise failure(Fault.TIMEOUT, f"{provider.name!r} said nothing for {deadline_s!r} s. Try again later.")
            line = line.then
        if isinstance(line, AccordError):
            raise line
        return line if isinstance(line, Reply) else _said(line, request)


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
    asked = sum(len(message.content) for message in request.messages)
    return Reply(text=text, finish="stop", usage=Tokens(input=asked // 4 + 1, output=len(text) // 4 + 1))
