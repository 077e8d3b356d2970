"""The peer's listening side: a raw HTTP/1.1 server, since a framework cannot cut, reset or lie about a length.

An address is `/RUN/CASE/NAME/…`: the script of (case, name) says what each call in turn meets, its last line for ever
after, and RUN keeps several callers of one peer apart. What was asked and how far the answer got stands in `visits`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from tests.peer.answers import CALLED, OTHER_TEXT, SPOKEN, VALUED, Answer, Call
from tests.peer.faults import End, Fault, Pause, Step, Telling, answered, status
from tests.peer.wires import FORMATS, Asked, Wire, wire_of

Script = Callable[[str, str], Sequence[Fault]]
_QUOTED = 12  # so many letters of the answer, found in a request, were delivered before
_PREFILL = (
    "This model does not support assistant message prefill. The conversation must end with a user message.",
    "messages: final assistant content cannot end with trailing whitespace",
)


@dataclass(slots=True)
class Visit:
    """A request as the vendor saw it; `sent` counts bytes, `ended` is whole, spoilt (by us) or left (by the client)."""

    at: float
    address: str
    route: str
    stream: bool
    body: dict[str, Any]
    fault: str
    sent: int = 0
    ended: str = "going"


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes


class Peer:
    """Serves scripts on a free port of this machine until closed."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._met: Counter[str] = Counter()
        self.visits: list[Visit] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def visits_to(self, address: str) -> list[Visit]:
        """Visits whose `RUN/CASE/NAME` begins with `address`, in order of arrival."""
        return [visit for visit in self.visits if f"{visit.address}/".startswith(f"{address}/")]

    async def count(self, address: str) -> int:
        """How many visits an address has had."""
        return len(self.visits_to(address))

    async def serve(self, started: Callable[[], None]) -> None:
        """Runs until cancelled."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        started()
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = True
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while kept and (request := await _read(reader)) is not None:
                kept = await self._answer(request, reader, writer)
        writer.close()

    async def _answer(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may serve another request."""
        if request.path.startswith("/-/"):
            writer.write(answered(self._control(request)))
            return True
        wire, address = wire_of(request.path), "/".join(request.path.split("/")[1:4])
        if wire is None:
            self.visits.append(Visit(time.monotonic(), address, request.path, stream=False, body={}, fault="no route"))
            writer.write(answered(b'{"error": {"message": "no such route"}}', 404))
            return True
        fault = self._next(address)
        body: dict[str, Any] = json.loads(request.body)
        asked = FORMATS[wire].asked(request.path, body)
        visit = Visit(time.monotonic(), address, request.path, asked.stream, body, fault.name)
        self.visits.append(visit)
        return await self._play(_steps(wire, asked, fault), visit, reader, writer)

    async def _play(
        self, steps: Iterator[Step], visit: Visit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        for step in steps:
            match step:
                case bytes():
                    writer.write(step)
                    visit.sent += len(step)
                    try:
                        await writer.drain()
                    except ConnectionError:
                        visit.ended = "left"
                        return False
                case Pause(seconds):
                    if seconds and await _left(reader, seconds):
                        visit.ended = "left"
                        return False
                case End():
                    visit.ended = "spoilt"
                    _hang_up(writer, step)
                    return False
        visit.ended = "whole"
        return True

    def _next(self, address: str) -> Fault:
        _, case, name = address.split("/")
        script = self._script(case, name)
        place = min(self._met[address], len(script) - 1)
        self._met[address] += 1
        return script[place]

    def _control(self, request: _Request) -> bytes:
        """`GET /-/visits/RUN/CASE` tells what was seen there; `POST /-/forget` empties the log and restarts scripts."""
        if request.path == "/-/forget":
            self.visits.clear()
            self._met.clear()
            return b"{}"
        seen = self.visits_to(request.path.removeprefix("/-/visits/")) if request.path.startswith("/-/visits/") else []
        return json.dumps([asdict(visit) for visit in seen]).encode()


def _steps(wire: Wire, asked: Asked, fault: Fault) -> Iterator[Step]:
    answer = _answer_to(wire, asked, fault)
    if isinstance(answer, Fault):
        return iter(answer.play(Telling(wire, asked.stream, SPOKEN)))
    return iter(fault.play(Telling(wire, asked.stream, answer)))


def _answer_to(wire: Wire, asked: Asked, fault: Fault) -> Answer | Fault:
    """What the vendor would say were it in order, or the error it would give instead."""
    answer = fault.says or (VALUED if asked.schema else CALLED if asked.tools else SPOKEN)
    if asked.forced_tool and not answer.calls:
        return Answer(text="", calls=(Call(asked.forced_tool, answer.text),), finish="tool", usage=answer.usage)
    prefilled = asked.turns[-1][0] == "assistant"
    if prefilled and fault.resumes == "rejects":
        return status(400, _PREFILL[0])
    if prefilled and wire is Wire.ANTHROPIC and asked.turns[-1][1] != asked.turns[-1][1].rstrip():
        return status(400, _PREFILL[1])
    delivered = _delivered(asked, answer.text)
    if not delivered:
        return answer
    match fault.resumes:
        case "continues":
            return _replaced(answer, _repeated(asked, delivered) + answer.text[len(delivered) :])
        case "goes straight on":
            return _replaced(answer, answer.text[len(delivered) :])
        case "other":
            return _replaced(answer, OTHER_TEXT)
        case "restarts" | "rejects":
            return answer


def _replaced(answer: Answer, text: str) -> Answer:
    return Answer(text=text, calls=answer.calls, finish=answer.finish, usage=answer.usage)


def _delivered(asked: Asked, text: str) -> str:
    """The longest beginning of `text` that the request brings back, as a prefill or quoted; else empty."""
    role, last = asked.turns[-1]
    if role == "assistant" and last.strip() and text.startswith(last.rstrip()):
        return last.rstrip()
    start = text[:_QUOTED]
    turn = next((said for _, said in reversed(asked.turns) if start and start in said), None)
    if turn is None:
        return ""
    quoted = turn[turn.rindex(start) :]
    same = next((n for n, (a, b) in enumerate(zip(quoted, text, strict=False)) if a != b), min(len(quoted), len(text)))
    return text[:same].rstrip()


def _repeated(asked: Asked, delivered: str) -> str:
    """The last words of `delivered` where the last turn asks, by ending with them, that they be repeated."""
    role, last = asked.turns[-1]
    if role != "user":
        return ""
    starts = range(len(delivered) - _QUOTED + 1)
    return next((delivered[start:] for start in starts if last.rstrip().endswith(delivered[start:])), "")


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = lines[0].split(" ", 2)
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "content-length" in fields:
        return _Request(method, path, await reader.readexactly(int(fields["content-length"])))
    parts: list[bytes] = []
    while "chunked" in fields.get("transfer-encoding", ""):
        size = int(await reader.readline(), 16)
        parts.append(await reader.readexactly(size))
        await reader.readline()
        if not size:
            break
    return _Request(method, path, b"".join(parts))


async def _left(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Waits, and tells whether the client went away meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def _hang_up(writer: asyncio.StreamWriter, end: End) -> None:
    if end is End.RESET:
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()


@contextmanager
def running(script: Script) -> Generator[Peer]:
    """A peer on a thread of its own, for as long as the block lasts."""
    peer = Peer(script)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    task = loop.create_task(peer.serve(started.set))

    def run() -> None:
        asyncio.set_event_loop(loop)
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        left = asyncio.all_tasks(loop)
        for one in left:
            one.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0.01))  # connections closed just now are over a turn later
        loop.close()

    thread = threading.Thread(target=run, name="peer", daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield peer
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


@contextmanager
def closed_port() -> Generator[int]:
    """A port of this machine that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
