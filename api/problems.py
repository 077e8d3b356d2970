"""Errors as problem+json (RFC 9457), or as a page for a browser; never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from agents.clock import WallClock
from api.openai import errors as openai_errors
from domain.errors import AccordError

MEDIA_TYPE = "application/problem+json"
PageWriter = Callable[[Request, "Problem"], Awaitable[Response]]

_TITLES: dict[int, tuple[str, str]] = {
    400: ("malformed", "The request could not be read"),
    401: ("unauthorised", "No valid key or session"),
    403: ("forbidden", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    409: ("conflict", "It is no longer so"),
    413: ("too_large", "Too large"),
    415: ("unsupported_media_type", "Unsupported content type"),
    422: ("invalid_input", "The request is not valid"),
    408: ("too_slow", "Too slow"),
    429: ("over_budget", "A limit would be passed"),
    500: ("internal", "Accord failed"),
    502: ("external", "A connected tool or model failed"),
    503: ("external_transient", "Not available at the moment"),
}

_WALL = WallClock()
_log = logging.getLogger("accord.api")


class Fault(BaseModel):
    """One field that is wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    field: str
    """Where it is: `fingerprint`, `query.limit`, `actions.0.value`."""
    message: str
    """What is wrong with it."""


class Problem(BaseModel):
    """What every error answer holds (`application/problem+json`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """`urn:accord:problem:<code>`."""
    title: str
    """The kind of problem in words."""
    status: int
    """The HTTP status, repeated."""
    code: str
    """Stable name of the problem, for programs."""
    detail: str
    """What happened, for people; its last sentence says what to do."""
    instance: str
    """Path of the request."""
    errors: list[Fault] = []
    """The fields that are wrong, where fields are."""


def problem(
    request_path: str, status: int, detail: str, *, code: str | None = None, errors: Sequence[Fault] = ()
) -> Problem:
    """The problem of `status`; its code is that of the status unless a finer one is given."""
    usual, title = _TITLES.get(status, ("error", "The request failed"))
    name = code or usual
    return Problem(
        type=f"urn:accord:problem:{name}",
        title=title,
        status=status,
        code=name,
        detail=detail,
        instance=request_path,
        errors=list(errors),
    )


def answer(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`found` as an HTTP answer, in OpenAI's shape on OpenAI's paths; a 401 names the scheme that helps."""
    extra = dict(headers or {})
    if found.status == 401:
        extra.setdefault("www-authenticate", 'Bearer realm="accord"')
    if openai_errors.covers(found.instance):
        return openai_errors.plain(found.status, found.detail, extra)
    return JSONResponse(found.model_dump(), found.status, headers=extra, media_type=MEDIA_TYPE)


def is_page(path: str) -> bool:
    """Whether `path` belongs to the browser: everything outside the API and the machines' endpoints."""
    return not path.startswith(("/v1/", "/openapi.json", "/metrics", "/healthz", "/readyz")) and path != "/v1"


def register(app: FastAPI, write_page: PageWriter) -> None:
    """Turn every error of `app` into an answer: a page where a browser asks for one, else problem+json."""

    async def reply(request: Request, found: Problem, headers: Mapping[str, str] | None = None) -> Response:
        if is_page(request.url.path) and "text/html" in request.headers.get("accept", ""):
            return await write_page(request, found)
        return answer(found, headers)

    async def on_accord(request: Request, error: Exception) -> Response:
        assert isinstance(error, AccordError)  # noqa: S101 — Starlette's handlers are typed for any Exception
        found = problem(request.url.path, error.status, error.detail, code=error.code, errors=_faults(error))
        if error.status >= 500:
            _log.error("%s %r: %r", request.method, request.url.path, error.detail)
        if openai_errors.covers(request.url.path):
            return openai_errors.answer(error, _WALL.now())
        return await reply(request, found, retry_after(error))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 — as above
        return await reply(
            request, problem(request.url.path, error.status_code, _http_detail(request, error)), error.headers
        )

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 — as above
        if openai_errors.covers(request.url.path):
            return openai_errors.answer(openai_errors.misread(error.errors()), _WALL.now())
        return await reply(request, invalid(request.url.path, error.errors()))

    async def on_crash(request: Request, error: Exception) -> Response:
        _log.error("%s %r failed", request.method, request.url.path, exc_info=error)
        detail = "Something went wrong inside Accord; the server's log tells what. Try again, then report it."
        return await reply(request, problem(request.url.path, 500, detail))

    app.add_exception_handler(AccordError, on_accord)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_crash)


def invalid(path: str, faults: Sequence[Mapping[str, Any]]) -> Problem:
    """FastAPI's validation errors as one problem: 400 when the body is no JSON, else 422 naming each field."""
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem(path, 400, "The body is no valid JSON. Send UTF-8 JSON.")
    errors = [Fault(field=_field(fault["loc"]), message=str(fault["msg"])) for fault in faults[:20]]
    told = " ".join(f"`{fault.field}`: {fault.message}." for fault in errors[:5])
    return problem(path, 422, f"{told} Mend the request and send it again.", errors=errors)


def _field(location: Sequence[object]) -> str:
    parts = [str(part) for part in location]
    if parts[:1] == ["body"]:
        parts = parts[1:] or ["body"]
    return ".".join(parts)


def _http_detail(request: Request, error: HTTPException) -> str:
    if error.status_code == 404 and error.detail == "Not Found":
        where = "Go back to the first page" if is_page(request.url.path) else "See /openapi.json for what there is"
        return f"There is nothing at {request.url.path!r}. {where}."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"{request.method} is not possible at {request.url.path!r}. Use {allowed}."
    return str(error.detail)


def _faults(error: AccordError) -> list[Fault]:
    """The parts of a request that were refused, where the error names them as (field, message)."""
    named = cast("list[tuple[str, str]]", error.facts.get("errors") or [])
    return [Fault(field=field, message=message) for field, message in named]


def retry_after(error: AccordError) -> dict[str, str]:
    """The header that says when to try again, where the error knows."""
    seconds = error.facts.get("retry_after_s")
    return {"retry-after": str(max(1, round(seconds)))} if isinstance(seconds, int | float) else {}
