"""Errors in OpenAI's shape, with the status and code that its clients act on; never problem+json on these paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from starlette.responses import JSONResponse

from api.schemas.openai import OpenAIError, OpenAIErrorBody
from domain.errors import AccordError, ConfigError, ExternalError, InputError, NotFound, OverBudget
from providers.faults import Fault, NoProvider, fault_of

_PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/models")
_INVALID = "invalid_request_error"
_SERVER = "server_error"
_BODY_FAULTS = frozenset({"json_invalid", "model_attributes_type"})
_NAME = re.compile(r"[a-z_]+")


@dataclass(frozen=True, slots=True)
class Told:
    """How an error is told: `type` and `code` as OpenAI names them. Its clients try again unless `retry` is False."""

    status: int
    type: str
    code: str | None
    retry: bool = False


_BY_STATUS: Mapping[int, Told] = {
    401: Told(401, _INVALID, "invalid_api_key"),
    403: Told(403, _INVALID, "missing_scope"),
    404: Told(404, _INVALID, "not_found"),
    405: Told(405, _INVALID, "method_not_allowed"),
    413: Told(413, _INVALID, "request_too_large"),
}
_BY_FAULT: Mapping[Fault, Told] = {
    Fault.BAD_REQUEST: Told(400, _INVALID, "bad_request"),
    Fault.CONTEXT_OVERFLOW: Told(400, _INVALID, "context_length_exceeded"),
    Fault.REFUSED: Told(400, _INVALID, "content_policy_violation"),
    Fault.RATE_LIMITED: Told(429, "rate_limit_error", "rate_limit_exceeded", retry=True),
    Fault.TIMEOUT: Told(504, _SERVER, "timeout", retry=True),
    Fault.BAD_ANSWER: Told(502, _SERVER, "bad_answer", retry=True),
    Fault.OVERLOADED: Told(503, _SERVER, "overloaded", retry=True),
    Fault.BUSY: Told(503, _SERVER, "busy", retry=True),
    Fault.CONNECTION: Told(502, _SERVER, "connection", retry=True),
    Fault.MALFORMED: Told(502, _SERVER, "malformed", retry=True),
    Fault.CUT: Told(502, _SERVER, "cut", retry=True),
    Fault.EMPTY: Told(502, _SERVER, "empty", retry=True),
}


class BadParameter(InputError):
    """A parameter that cannot be taken as it is; `param` names it as the client wrote it."""

    code, status = "invalid_value", 400

    def __init__(self, param: str | None, detail: str, code: str = "invalid_value") -> None:
        super().__init__(detail, param=param)
        self.code = code


class UnknownModel(NotFound):
    """`model` names nothing that exists."""

    code = "model_not_found"


def covers(path: str) -> bool:
    """Whether `path` belongs to OpenAI's protocol."""
    return path in _PATHS or path.startswith(("/v1/models/", "/v1/responses/"))


def body(message: str, kind: str, code: str | None, param: str | None = None) -> OpenAIError:
    return OpenAIError(error=OpenAIErrorBody(message=message, type=kind, param=param, code=code))


def plain(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error that is told by its status alone: who calls, how large, where to."""
    told = _BY_STATUS.get(status) or Told(status, _SERVER if status >= 500 else _INVALID, None)
    return JSONResponse(body(message, told.type, told.code).model_dump(), status, headers=dict(headers or {}))


def misread(faults: Sequence[Mapping[str, Any]]) -> BadParameter:
    """The validation fault that says most, in OpenAI's words: of a union's faults the one deepest in the request."""
    fault = max(faults, key=lambda one: (one["type"] in _BODY_FAULTS, len(_path(one["loc"]))))
    param = _param(fault["loc"])
    match fault["type"]:
        case kind if kind in _BODY_FAULTS or not param:
            return BadParameter(
                None, "The body is no JSON object. Send one, with `content-type: application/json`.", "invalid_json"
            )
        case "extra_forbidden":
            unknown = f"Unrecognized request argument supplied: {param}. Leave it out."
            return BadParameter(param, unknown, "unknown_parameter")
        case "missing":
            return BadParameter(param, f"Missing required parameter: {param!r}. Add it.", "missing_required_parameter")
        case _:
            return BadParameter(param, f"`{param}` is wrong: {fault['msg']}. Mend it and send the request again.")


def _path(location: Sequence[object]) -> list[str | int]:
    """`location` without the body and without pydantic's names of the members of unions."""
    parts = [part for part in location if isinstance(part, int) or _NAME.fullmatch(str(part))]
    return cast("list[str | int]", parts[1:] if parts[:1] == ["body"] else parts)


def _param(location: Sequence[object]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in _path(location) if part != "str")
    return "".join(parts).lstrip(".")


def told(error: AccordError) -> Told:
    """Status, type and code of `error`: budgets and providers in words that clients know."""
    match error:
        case BadParameter():
            return Told(400, _INVALID, error.code)
        case UnknownModel():
            return Told(404, _INVALID, error.code)
        case OverBudget():
            return Told(429, "insufficient_quota", "insufficient_quota")
        case NoProvider():
            return Told(503, _SERVER, error.code)
        case ExternalError():
            return _BY_FAULT.get(fault_of(error)) or Told(502, _SERVER, fault_of(error))
        case ConfigError():
            return Told(500, _SERVER, error.code)
        case InputError():
            return Told(400, _INVALID, error.code)
        case _:
            return _BY_STATUS.get(error.status) or Told(error.status, _SERVER, error.code)


def as_body(error: AccordError) -> OpenAIError:
    found, param = told(error), error.facts.get("param")
    return body(error.detail, found.type, found.code, param if isinstance(param, str) else None)


def answer(error: AccordError, now: datetime, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """`error` as an HTTP answer. `x-should-retry` tells OpenAI's clients whether another try can help."""
    found = told(error)
    extra = {**(headers or {}), **_retry(error, found, now)}
    return JSONResponse(as_body(error).model_dump(), found.status, headers=extra)


def _retry(error: AccordError, found: Told, now: datetime) -> dict[str, str]:
    headers = (
        {"x-should-retry": "true" if found.retry else "false"} if found.status == 429 or found.status >= 500 else {}
    )
    wait_s = error.facts.get("retry_after_s")
    if isinstance(error, OverBudget):
        wait_s = _until_next_month_s(now)
    if isinstance(wait_s, int | float):
        headers["retry-after"] = str(max(1, round(wait_s)))
    return headers


def _until_next_month_s(now: datetime) -> float:
    """Budgets are of calendar months in UTC."""
    today = now.astimezone(UTC)
    first = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    return (first - today).total_seconds()
