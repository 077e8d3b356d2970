"""The HTTP way out of every vendor call: one request per call, whole answer read, deadline kept, bytes kept.

A mapping library is given an `httpx.Client` over `Witness`; what the vendor sent is then judged from the witness,
not from what the library says about it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.wire import Exchange

_CONNECT_S = 5.0
_MAX_BODY = 32 * 1024 * 1024
# The body arrives decoded and whole: these headers of the wire no longer describe it.
_HOP_HEADERS = {"content-encoding", "content-length", "transfer-encoding"}


class Witness(httpx.BaseTransport):
    """Carries one request of one call over the shared `pool` and remembers how it went."""

    def __init__(
        self, pool: httpx.Client, provider: str, deadline_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._provider = provider
        self._clock = clock
        self._ends = clock() + deadline_s
        self.exchange: Exchange | None = None
        self.error: AccordError | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.exchange is not None or self.error is not None:
            # A silent retry inside a library would be paid for and not accounted.
            raise httpx.TransportError("Only one request may be sent per attempt")
        try:
            self.exchange = self._carry(request)
        except httpx.TimeoutException as error:
            self.error = failure(Fault.TIMEOUT, f"{self._provider!r} did not answer in time. Try again later.")
            raise httpx.ReadTimeout(str(error), request=request) from error
        except httpx.TransportError as error:
            self.error = self._unreachable(error)
            raise
        kept = {name: value for name, value in self.exchange.headers.items() if name not in _HOP_HEADERS}
        return httpx.Response(self.exchange.status, headers=kept, content=self.exchange.body, request=request)

    def _carry(self, request: httpx.Request) -> Exchange:
        left = self._left()
        request.extensions["timeout"] = {"connect": min(_CONNECT_S, left), "read": left, "write": left, "pool": left}
        response = self._pool.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MAX_BODY:
                    raise httpx.RemoteProtocolError(f"The answer exceeds {_MAX_BODY} bytes")
                self._left()
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Exchange(response.status_code, headers, bytes(body))

    def _left(self) -> float:
        left = self._ends - self._clock()
        if left <= 0:
            raise httpx.ReadTimeout("The deadline of the call has passed")
        return left

    def _unreachable(self, error: httpx.TransportError) -> AccordError:
        return failure(
            Fault.CUT if isinstance(error, httpx.RemoteProtocolError) else Fault.CONNECTION,
            f"The connection to {self._provider!r} failed: {str(error)!r}. Check the network and its `api_base`.",
        )
