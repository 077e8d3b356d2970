"""Ways to spoil an answer on its way to the socket: each turns what would be said into the steps that are played.

A step is bytes to send, a pause, or the end of the connection; a play without such an end keeps the connection.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal

from tests.peer.answers import Answer, pieces
from tests.peer.wires import FORMATS, Event, Format, Wire, rendered

FOR_EVER_S = 60.0
HUGE = 48 * 1024 * 1024
_JSON, _SSE, _HTML = "application/json", "text/event-stream", "text/html"
_PAGE = b"<!doctype html><html><body><h1>Sign in to continue</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence, shorter when the client goes away."""

    seconds: float


class End(Enum):
    """How the connection ends: as a program closes it, or as a machine does that has lost it."""

    CLOSED = "closed"
    RESET = "reset"


Step = bytes | Pause | End


class Place(Enum):
    """Where in a stream something happens, told by the content already sent."""

    OPENED = "opened"  # before the first content
    FIRST = "first"  # after the first piece of it
    MID = "mid"
    LAST = "last"  # after all of it, before the end marker
    FINISHED = "finished"  # after the end marker, before what follows it


@dataclass(frozen=True, slots=True)
class Telling:
    """An answer about to be said on a wire."""

    wire: Wire
    stream: bool
    answer: Answer

    @property
    def format(self) -> Format:
        return FORMATS[self.wire]

    def body(self) -> bytes:
        return json.dumps(self.format.body(self.answer), ensure_ascii=False).encode()

    def events(self) -> list[Event]:
        return list(self.format.events(self.answer))

    def split(self, place: Place) -> tuple[list[Event], list[Event]]:
        """The events sent before `place` and those after it."""
        events = self.events()
        content = [index for index, event in enumerate(events) if event.part == "content"]
        finish = next(index for index, event in enumerate(events) if event.part == "finish")
        at = {
            Place.OPENED: content[0] if content else finish,
            Place.FIRST: content[0] + 1 if content else finish,
            Place.MID: content[len(content) // 2] if content else finish,
            Place.LAST: content[-1] + 1 if content else finish,
            Place.FINISHED: finish + 1,
        }[place]
        return events[:at], events[at:]


Play = Callable[[Telling], Iterable[Step]]
Resumes = Literal["continues", "goes straight on", "restarts", "other", "rejects"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A play with the name it has in the log. `says` replaces what the vendor would answer; `resumes` is what it makes
    of a request to go on from what was delivered: continues as it is told to, goes straight on though told to repeat
    the last words, restarts, gives an other answer of its own, or rejects the prefill.
    """

    name: str
    play: Play
    says: Answer | None = None
    resumes: Resumes = "continues"

    def saying(self, answer: Answer) -> Fault:
        return replace(self, says=answer)

    def resuming(self, how: Resumes) -> Fault:
        return replace(self, name=f"{self.name} {how}", resumes=how)


def head(status: int, kind: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A status line and headers; framing is among `headers`."""
    fields = {"content-type": kind, "server": "peer", "x-request-id": "req_1"} | dict(headers or {})
    lines = [f"HTTP/1.1 {status} Peer", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answered(body: bytes, status: int = 200, kind: str = _JSON, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response of known length."""
    return head(status, kind, {"content-length": str(len(body))} | dict(headers or {})) + body


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def streamed(parts: Iterable[bytes | Pause | End], kind: str = _SSE) -> Iterator[Step]:
    """A chunked response of `parts`, ended properly unless one of them ends the connection."""
    yield head(200, kind, {"transfer-encoding": "chunked", "cache-control": "no-cache"})
    for part in parts:
        yield chunk(part) if isinstance(part, bytes) else part
        if isinstance(part, End):
            return
    yield b"0\r\n\r\n"


def _sse(telling: Telling, events: Iterable[Event]) -> Iterator[bytes]:
    return (rendered(event, telling.format.newline) for event in events)


def _whole(telling: Telling) -> Iterator[Step]:
    if telling.stream:
        yield from streamed(_sse(telling, telling.events()))
    else:
        yield answered(telling.body())


def _raw(*steps: Step) -> Play:
    return lambda _: steps


OK = Fault("ok", _whole)


# Before any answer: the connection and the status line.

RESET = Fault("reset before headers", _raw(End.RESET))
CLOSED = Fault("closed before headers", _raw(End.CLOSED))
GARBAGE = Fault("garbage for HTTP", _raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", End.CLOSED))
SILENT = Fault("no response at all", _raw(Pause(FOR_EVER_S), End.CLOSED))


def _headers_then(*steps: Step) -> Play:
    def play(telling: Telling) -> Iterator[Step]:
        framing = {"transfer-encoding": "chunked"} if telling.stream else {"content-length": "900"}
        yield head(200, _SSE if telling.stream else _JSON, framing)
        yield from steps

    return play


RESET_AFTER_HEADERS = Fault("reset after headers", _headers_then(End.RESET))
SILENT_AFTER_HEADERS = Fault("headers, then silence", _headers_then(Pause(FOR_EVER_S), End.CLOSED))


def _early_hints(telling: Telling) -> Iterator[Step]:
    yield b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n"
    yield from _whole(telling)


EARLY_HINTS = Fault("103 before the answer", _early_hints)


def slow_start(seconds: float) -> Fault:
    """Headers at once, the first event after `seconds`."""

    def play(telling: Telling) -> Iterator[Step]:
        steps = iter(list(_whole(telling)))
        if telling.stream:
            yield next(steps)
        yield Pause(seconds)
        yield from steps

    return Fault("slow first token", play)


def status(
    code: int,
    message: str = "Out of order.",
    headers: Mapping[str, str] | None = None,
    *,
    error_code: str | None = None,
) -> Fault:
    """An error in the vendor's own words."""

    def play(telling: Telling) -> Iterator[Step]:
        yield answered(_bytes(telling.format.error(code, message, error_code)), code, headers=headers)

    return Fault(f"HTTP {code}", play)


def page(code: int, body: bytes = _PAGE, kind: str = _HTML, headers: Mapping[str, str] | None = None) -> Fault:
    """Something that no vendor said: a proxy's page, an empty body, a redirect."""
    return Fault(f"HTTP {code} {kind}", lambda _: [answered(body, code, kind, headers)])


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# A plain answer that is not what it seems.


def told(name: str, spoil: Callable[[bytes], bytes], kind: str = _JSON) -> Fault:
    """A whole HTTP answer whose bytes `spoil` has changed."""
    return Fault(name, lambda telling: [answered(spoil(telling.body()), kind=kind)])


def reshaped(name: str, spoil: Callable[[Wire, dict[str, Any]], Any]) -> Fault:
    """A whole HTTP answer whose JSON `spoil` has changed."""

    def play(telling: Telling) -> Iterator[Step]:
        yield answered(_bytes(spoil(telling.wire, telling.format.body(telling.answer))))

    return Fault(name, play)


def _promising_more(telling: Telling) -> Iterator[Step]:
    body = telling.body()
    yield head(200, _JSON, {"content-length": str(len(body) + 400)}) + body
    yield End.CLOSED


def _gzip_cut(telling: Telling) -> Iterator[Step]:
    squeezed = gzip.compress(telling.body())
    yield answered(squeezed[: len(squeezed) // 2], headers={"content-encoding": "gzip"})


def _gzip(telling: Telling) -> Iterator[Step]:
    yield answered(gzip.compress(telling.body()), headers={"content-encoding": "gzip"})


def _chunked_cut(end: End) -> Play:
    def play(telling: Telling) -> Iterator[Step]:
        body = telling.body()
        half = len(body) // 2
        yield head(200, _JSON, {"transfer-encoding": "chunked"}) + chunk(body[:half])
        # A chunk that promises the rest and brings a part of it.
        yield f"{len(body) - half:x}\r\n".encode() + body[half : half + 20]
        yield end

    return play


def _chunked_unended(telling: Telling) -> Iterator[Step]:
    yield head(200, _JSON, {"transfer-encoding": "chunked"}) + chunk(telling.body())
    yield End.CLOSED


def _until_closed(telling: Telling) -> Iterator[Step]:
    """A body without a length, ended by the connection as HTTP/1.0 did; cut, it looks the same."""
    body = telling.body()
    yield head(200, _JSON, {"connection": "close"}) + body[: len(body) * 2 // 3]
    yield End.CLOSED


def _stalling(telling: Telling) -> Iterator[Step]:
    body = telling.body()
    yield head(200, _JSON, {"content-length": str(len(body))}) + body[: len(body) // 2]
    yield Pause(FOR_EVER_S)
    yield End.CLOSED


def _huge(telling: Telling) -> Iterator[Step]:
    yield head(200, _SSE if telling.stream else _JSON, {"content-length": str(HUGE)})
    block = b"data: " + b"x" * 65_530
    yield from itertools.repeat(block, HUGE // len(block))
    yield End.CLOSED


PROMISING_MORE = Fault("content-length too long", _promising_more)
PROMISING_LESS = Fault(
    "content-length too short",
    lambda telling: [head(200, _JSON, {"content-length": str(len(telling.body()) // 2)}) + telling.body(), End.CLOSED],
)
GZIP, GZIP_CUT = Fault("gzip", _gzip), Fault("gzip cut", _gzip_cut)
CHUNKED_CUT, CHUNKED_RESET = Fault("chunk cut", _chunked_cut(End.CLOSED)), Fault("chunk reset", _chunked_cut(End.RESET))
CHUNKED_UNENDED = Fault("last chunk missing", _chunked_unended)
UNTIL_CLOSED = Fault("body cut without a length", _until_closed)
STALLING = Fault("silence within the body", _stalling)
HUGE_BODY = Fault("48 MB of nothing", _huge)


# A stream that does not end as it should.


def broken(place: Place, *after: bytes | Pause | End, name: str) -> Fault:
    """What stands before `place`, then `after`; the stream ends there."""

    def play(telling: Telling) -> Iterator[Step]:
        return streamed(itertools.chain(_sse(telling, telling.split(place)[0]), after))

    return Fault(f"{name} {place.value}", play)


def cut(place: Place, end: End | None) -> Fault:
    """The connection ends at `place`, or (None) the response does, cleanly."""
    return broken(place, *([end] if end else []), name=f"cut ({end.value if end else 'clean'})")


def half_chunk(place: Place) -> Fault:
    """The connection closes within a chunk."""

    def play(telling: Telling) -> Iterator[Step]:
        before, after = telling.split(place)
        steps = list(streamed(_sse(telling, before)))[:-1]
        data = rendered(after[0], telling.format.newline)
        yield from steps
        yield f"{len(data):x}\r\n".encode() + data[: len(data) // 2]
        yield End.CLOSED

    return Fault(f"half a chunk {place.value}", play)


def stalled(place: Place) -> Fault:
    return broken(place, Pause(FOR_EVER_S), End.CLOSED, name="stall")


def dripping(place: Place, data: bytes, every_s: float) -> Fault:
    """From `place` on only `data`, every `every_s` seconds, for as long as anybody listens."""
    beats = itertools.chain.from_iterable(itertools.repeat((data, Pause(every_s)), int(FOR_EVER_S / every_s)))
    drops = tuple(beats)
    return broken(place, *drops, End.CLOSED, name="keep-alive for ever")


def empty_for_ever(place: Place, every_s: float) -> Fault:
    """From `place` on well-formed events that say nothing: empty deltas, or the vendor's own pings."""

    def play(telling: Telling) -> Iterable[Step]:
        nothing = rendered(_empty(telling), telling.format.newline)
        return dripping(place, nothing, every_s).play(telling)

    return Fault(f"empty events for ever {place.value}", play)


def _empty(telling: Telling) -> Event:
    match telling.wire:
        case Wire.OPENAI:
            return next(event for event in telling.events() if event.part == "open")
        case Wire.ANTHROPIC:
            return Event("ping", {"type": "ping"}, "ping")
        case Wire.GEMINI:
            content = {"parts": [{"text": ""}], "role": "model"}
            return Event("ping", {"candidates": [{"content": content, "index": 0}]})


def between(place: Place, data: bytes, *, name: str, instead: bool = False) -> Fault:
    """`data` put in at `place`; with `instead` the next event is lost."""

    def play(telling: Telling) -> Iterator[Step]:
        before, after = telling.split(place)
        rest = after[1:] if instead else after
        return streamed(itertools.chain(_sse(telling, before), [data], _sse(telling, rest)))

    return Fault(f"{name} {place.value}", play)


def error_event(place: Place, code: int, message: str = "Overloaded") -> Fault:
    """The vendor's error event inside a 200; then the stream ends cleanly."""

    def play(telling: Telling) -> Iterator[Step]:
        event = telling.format.error_event(code, message)
        return streamed(_sse(telling, [*telling.split(place)[0], event]))

    return Fault(f"error event {code} {place.value}", play)


def refusing(place: Place) -> Fault:
    """The vendor's content filter ends the answer at `place`, with its own marker."""

    def play(telling: Telling) -> Iterator[Step]:
        refused = replace(telling, answer=replace(telling.answer, finish="refused"))
        ending = [event for event in refused.events() if event.part in {"close", "finish", "usage", "end"}]
        return streamed(_sse(telling, [*telling.split(place)[0], *ending]))

    return Fault(f"refusal {place.value}", play)


def without(*parts: str) -> Fault:
    """A whole stream in which the events of `parts` are missing, ended cleanly."""

    def play(telling: Telling) -> Iterator[Step]:
        return streamed(_sse(telling, (event for event in telling.events() if event.part not in parts)))

    return Fault(f"no {' and '.join(parts)} event", play)


def arranged(name: str, arrange: Callable[[Telling], Iterable[Event]]) -> Fault:
    """A whole stream of other events than usual."""
    return Fault(name, lambda telling: streamed(_sse(telling, arrange(telling))))


def spelt(name: str, spell: Callable[[bytes], bytes]) -> Fault:
    """A whole stream whose events are written otherwise, within what the format allows."""

    def play(telling: Telling) -> Iterator[Step]:
        return streamed(spell(rendered(event, "\n")) for event in telling.events())

    return Fault(name, play)


def torn(size: int, every_s: float = 0.0) -> Fault:
    """A whole stream in chunks of `size` bytes, which split events and letters anywhere."""

    def play(telling: Telling) -> Iterator[Step]:
        whole = b"".join(_sse(telling, telling.events()))
        parts = (whole[start : start + size] for start in range(0, len(whole), size))
        return streamed(itertools.chain.from_iterable((part, Pause(every_s)) for part in parts))

    return Fault(f"torn into {size} bytes", play)


def paced(every_s: float) -> Fault:
    """A whole stream, one event every `every_s` seconds."""

    def play(telling: Telling) -> Iterator[Step]:
        events = _sse(telling, telling.events())
        return streamed(itertools.chain.from_iterable((event, Pause(every_s)) for event in events))

    return Fault("slow drip", play)


LINES = Fault(
    "data over several lines",
    lambda telling: streamed(rendered(event, "\n", lines=event.data != "[DONE]") for event in telling.events()),
)
PLAIN_FOR_STREAM = Fault("plain JSON for a stream", lambda telling: [answered(telling.body())])


def _shortened(telling: Telling) -> Telling:
    kept = "".join(pieces(telling.answer.text)[:9])
    return replace(telling, answer=replace(telling.answer, text=kept, finish="length"))


LENGTH = Fault("stopped by max_tokens", lambda telling: _whole(_shortened(telling)))
