"""The HTTP way out of every vendor call: one request posted, its answer read as it comes, its failure named.

What a vendor said is read from its bytes by `providers.wire`; nothing in between can call a cut answer whole.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ssl import SSLContext
from weakref import WeakKeyDictionary

import httpx

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.types import Piece
from providers.wire.bedrock import Frames
from providers.wire.events import Event, EventStream
from providers.wire.reading import Reading
from providers.wire.refusals import Refusal, refused

_CONNECT_S = 3.0
_MAX_BODY = 32 * 1024 * 1024
_MAX_ERROR = 64 * 1024
# How long the text of an error is waited for: it tells much about the caller's, little about the vendor's.
_WORDS_S, _WORDLESS_S = 0.5, 0.2
# httpcore looks at every connection of a pool for every call, so that many small pools cost less than a large one.
_LANE = 16
_LIMITS = httpx.Limits(max_connections=1024, max_keepalive_connections=_LANE, keepalive_expiry=30.0)
# Reading is bounded by the deadlines around an attempt, which know a keep-alive from content.
_TIMEOUT = httpx.Timeout(None, connect=_CONNECT_S)
# Once the end marker is there the answer is whole: its usage is waited for a little, the end of the bytes less.
_USAGE_S = 2.0
_END_S = 0.1


@dataclass(frozen=True, slots=True)
class Letter:
    """One request as it goes out; `secret` is cut out of whatever the vendor says about it."""

    provider: str
    url: str
    headers: dict[str, str]
    body: bytes
    secret: str | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """A client and how many calls are under way on it."""

    client: httpx.AsyncClient
    calls: int = 0


class Pool:
    """Connections that are used again, in lanes for each event loop that calls; closed when its loop ends."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Lane]] = WeakKeyDictionary()
        self._holders: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[None]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @asynccontextmanager
    async def lane(self) -> AsyncGenerator[httpx.AsyncClient]:
        """A client of the running loop: the first with room, so that few calls share few connections."""
        lanes = await self._of_loop()
        lane = next((lane for lane in lanes if lane.calls < _LANE), None)
        if lane is None:
            lane = Lane(self._opened())
            lanes.append(lane)
        lane.calls += 1
        try:
            yield lane.client
        finally:
            lane.calls -= 1

    async def _of_loop(self) -> list[Lane]:
        loop = asyncio.get_running_loop()
        if (known := self._lanes.get(loop)) is not None:
            return known
        lanes: list[Lane] = []
        holder = _held_open(lanes)
        with self._lock:
            self._lanes[loop], self._holders[loop] = lanes, holder
        await anext(holder)
        return lanes

    def _opened(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=_TIMEOUT, limits=_LIMITS, verify=_trusted(), transport=self._transport, follow_redirects=False
        )

    async def aclose(self) -> None:
        """Closes the connections of the running loop; a later call opens new ones."""
        with self._lock:
            self._lanes.pop(asyncio.get_running_loop(), None)
            holder = self._holders.pop(asyncio.get_running_loop(), None)
        if holder is not None:
            await holder.aclose()

    async def answer(self, letter: Letter, reading: Reading) -> AsyncGenerator[Piece]:
        """Posts `letter` and yields what comes back, the `Reply` last. Raises the fault as an error of our tree."""
        async with self.lane() as client, aclosing(_read(client, letter, reading)) as pieces:
            async for piece in pieces:
                yield piece
        for piece in reading.complete():
            yield piece


async def _read(client: httpx.AsyncClient, letter: Letter, reading: Reading) -> AsyncGenerator[Piece]:
    try:
        request = client.build_request("POST", letter.url, headers=letter.headers, content=letter.body)
        response = await client.send(request, stream=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _broken(letter, error, begun=False) from error
    try:
        await _accepted(response, letter)
        body, size = _body_of(response, letter, reading), 0
        coded = "content-encoding" in response.headers
        chunks = response.aiter_bytes() if coded else response.aiter_raw()
        while (chunk := await _next(chunks, reading)) is not None:
            size += len(chunk)
            if size > _MAX_BODY:
                raise httpx.RemoteProtocolError(f"The answer exceeds {_MAX_BODY} bytes")
            for piece in body.feed(chunk):
                yield piece
        for piece in body.close():
            yield piece
    except httpx.HTTPError as error:
        raise _broken(letter, error, begun=True) from error
    finally:
        await response.aclose()


async def _held_open(lanes: list[Lane]) -> AsyncGenerator[None]:
    """Closes `lanes` with their loop: a loop that ends closes the generators begun in it."""
    try:
        yield
    finally:
        for lane in lanes:
            await lane.client.aclose()


@cache
def _trusted() -> SSLContext:
    return httpx.create_ssl_context()


async def _accepted(response: httpx.Response, letter: Letter) -> None:
    """Raises the fault unless the vendor answered 200."""
    if response.status_code == 200:
        return
    body = bytearray()
    # The status is known: a body that stalls or breaks must not make it another fault.
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_WORDLESS_S if response.status_code >= 500 else _WORDS_S):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ERROR:
                    break
    headers = {name.lower(): value for name, value in response.headers.items()}
    raise refused(
        Refusal(response.status_code, headers, bytes(body), datetime.now(UTC)), letter.provider, letter.secret
    )


class _Events:
    """A body of events: its bytes in, pieces out."""

    def __init__(self, reading: Reading, events: EventStream | Frames) -> None:
        self._reading = reading
        self._events = events

    def feed(self, chunk: bytes) -> list[Piece]:
        try:
            events = self._events.feed(chunk)
        except ValueError as error:
            raise httpx.DecodingError(str(error)) from error
        return self._read(events)

    def close(self) -> list[Piece]:
        return [] if self._reading.over else self._read(self._events.close())

    def _read(self, events: list[Event]) -> list[Piece]:
        return [piece for event in events if not self._reading.ended for piece in self._reading.event(event)]


class _Whole:
    """A body that is one JSON value."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._body = bytearray()

    def feed(self, chunk: bytes) -> list[Piece]:
        self._body += chunk
        return []

    def close(self) -> list[Piece]:
        return self._reading.whole(bytes(self._body))


def _body_of(response: httpx.Response, letter: Letter, reading: Reading) -> _Events | _Whole:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return _Events(reading, EventStream())
    if kind == "application/vnd.amazon.eventstream":
        return _Events(reading, Frames())
    if kind == "application/json" or kind.endswith("+json"):
        return _Whole(reading)
    detail = f"{letter.provider!r} answered {kind!r} instead of JSON or events. Check its `api_base`."
    raise failure(Fault.MALFORMED, detail)


async def _next(chunks: AsyncIterator[bytes], reading: Reading) -> bytes | None:
    """The next bytes, None at their end. After the end marker neither a silence nor a broken connection counts."""
    if not reading.over:
        return await anext(chunks, None)
    try:
        async with asyncio.timeout(_END_S if reading.ended else _USAGE_S):
            return await anext(chunks, None)
    except (TimeoutError, httpx.TransportError):
        return None


def _broken(letter: Letter, error: httpx.HTTPError | httpx.InvalidURL, *, begun: bool) -> AccordError:
    match error:
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            fault, advice = Fault.UNAVAILABLE, "Check its `api_base`."
        case httpx.DecodingError():
            fault, advice = Fault.MALFORMED, "Try again."
        case httpx.RemoteProtocolError():
            fault, advice = Fault.CUT, "Try again."
        case _:
            fault, advice = Fault.CUT if begun else Fault.CONNECTION, "Check the network and its `api_base`."
    return failure(fault, f"The connection to {letter.provider!r} failed: {_told(error)!r}. {advice}")


def _told(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
