"""What every request passes: a bound on its size, who calls, and headers that keep browsers safe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import Gate, refuse_forged
from api.metrics import Meters
from api.problems import answer, is_page, problem, retry_after
from domain.errors import AccordError, Unauthorised

_OPEN = frozenset({"/healthz", "/readyz", "/login", "/login/oidc", "/login/oidc/callback", "/answer"})
_OPEN_BELOW = ("/static/", "/v1/webhooks/", "/v1/slack/")
"""Webhooks and Slack prove themselves by signature, links in mails by their token."""
_UNCOUNTED = frozenset({"/healthz", "/readyz"})
PART_S = 30.0
"""How long the next part of a body may take."""
_SAFETY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class SafeHeaders:
    """Adds the safety headers, and keeps answers for a caller out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SAFETY.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class Measured:
    """Counts requests by route, method and status, and their time."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._meters.request(scope["method"], route, status, time.perf_counter() - began)


class Bounded:
    """Refuses bodies over `most` bytes with 413, by the announced length or by what arrives."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = f"The body is larger than {self._most // 1024**2} MB, the most one request may hold. Send smaller parts."
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            await answer(problem(scope["path"], 413, told))(scope, receive, send)
            return
        seen, whole = 0, False

        async def counting() -> Message:
            nonlocal seen, whole
            # Once the body is here, the next message is the end of the connection, however late.
            message = await (receive() if whole else _in_time(receive))
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if seen > self._most:
                raise HTTPException(413, told)
            return message

        await self._app(scope, counting, send)


async def _in_time(receive: Receive) -> Message:
    """The next part of a body. Raises HTTPException 408 when it is sent too slowly to be honest."""
    try:
        return await asyncio.wait_for(receive(), PART_S)
    except TimeoutError:
        raise HTTPException(408, f"Nothing of the body came for {PART_S:.0f} s. Send it faster.") from None


class Guarded:
    """Finds the caller before anything of the request is read; without one only open paths are reached.

    Counts how often each key and each address without one calls.
    """

    def __init__(self, app: ASGIApp, gate: Gate, open_paths: Iterable[str] = _OPEN) -> None:
        self._app, self._gate, self._open = app, gate, frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await run_in_threadpool(self._admit, scope)
        except Unauthorised as error:
            if not self._is_open(scope["path"]):
                await self._refuse(scope, receive, send, error)
                return
        except AccordError as error:
            found = problem(scope["path"], error.status, error.detail, code=error.code)
            await answer(found, retry_after(error))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(_OPEN_BELOW)

    def _admit(self, scope: MutableMapping[str, Any]) -> None:
        request = Request(scope)
        self._gate.refuse_unknown_host(request.url.hostname)
        address = request.client.host if request.client else ""
        caller = self._gate.admit(request.headers, request.cookies, address, counted=request.url.path not in _UNCOUNTED)
        if not is_page(request.url.path):
            refuse_forged(request.method, request.headers, caller, self._gate.signer)
        scope["accord.caller"] = caller

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: Unauthorised) -> None:
        """A browser is sent to the login page; a program is told what to send."""
        request = Request(scope)
        if is_page(request.url.path) and "text/html" in request.headers.get("accept", ""):
            await RedirectResponse("/login", 303)(scope, receive, send)
            return
        await answer(problem(request.url.path, 401, error.detail))(scope, receive, send)
