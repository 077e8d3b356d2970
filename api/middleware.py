"""What every request passes: a bound on its size, who calls, and headers that keep browsers safe."""

from __future__ import annotations

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
from api.problems import answer, is_page, problem
from domain.errors import AccordError, Unauthorised

_OPEN = frozenset({"/healthz", "/readyz", "/login", "/answer"})
_OPEN_BELOW = ("/static/", "/v1/webhooks/", "/v1/slack/")
"""Webhooks and Slack prove themselves by signature, links in mails by their token."""
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
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise HTTPException(413, told)
            return message

        await self._app(scope, counting, send)


class Guarded:
    """Finds the caller before anything of the request is read; without one only open paths are reached."""

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
            await answer(problem(scope["path"], error.status, error.detail, code=error.code))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(_OPEN_BELOW)

    def _admit(self, scope: MutableMapping[str, Any]) -> None:
        request = Request(scope)
        caller = self._gate.caller(request.headers, request.cookies)
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
