"""What every door of OpenAI's protocol does with a request: who may, under which limits, and how it is described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request
from starlette.responses import Response

from agents.clock import WallClock
from agents.parts import Runtime
from api.auth import caller_of
from api.openai import errors
from api.openai.asking import DATA_CLASS, Asker, data_class_of
from api.openai.notes import headers_of_failure
from api.schemas.openai import OpenAIError
from domain.errors import AccordError, Forbidden

SCOPE = "models"
_EXAMPLES: Mapping[int, tuple[str, str, str | None, str | None]] = {
    400: ("`n` is 2, and a call gives one answer here. Send the request again for more.", "invalid_request_error",
          "unsupported_parameter", "n"),
    401: ("No key was given. Send `Authorization: Bearer <key>`, or sign in at /login.", "invalid_request_error",
          "invalid_api_key", None),
    403: ("This needs the scope `models`. Use a key that has it.", "invalid_request_error", "missing_scope", None),
    404: ("There is no model 'gpt-4o'. Use 'auto', 'auto:<task>', or a provider: 'local'.", "invalid_request_error",
          "model_not_found", "model"),
    413: ("The body is larger than 20 MB, the most one request may hold. Send smaller parts.", "invalid_request_error",
          "request_too_large", None),
    429: ("The budget 'key:key_0a9c2d7e4f315b1f' has 0.00 EUR left. Raise it, or wait for the next month.",
          "insufficient_quota", "insufficient_quota", None),
    502: ("No provider gave a whole answer. Try again later.", "server_error", "cut", None),
    503: ("No provider can answer: 'openai-main': No key. Set OPENAI_API_KEY.", "server_error", "no_provider", None),
    504: ("No provider answered in time. Try again later.", "server_error", "timeout", None),
}  # fmt: skip
_TITLES = {
    400: "The request is wrong, or was refused for its content.",
    401: "No valid key or session.",
    403: "Not allowed.",
    404: "There is no such model.",
    413: "Too large.",
    429: "A budget or a rate is used up.",
    502: "No provider gave a whole answer.",
    503: "No provider can answer now.",
    504: "No provider answered in time.",
}
_WALL = WallClock()


async def may_call(request: Request) -> None:
    """Raises Forbidden without the scope. Async, so that no thread is taken for it."""
    if not caller_of(request).may(SCOPE):
        raise Forbidden(f"This needs the scope `{SCOPE}`. Use a key that has it (`accord keys create --scopes`).")


DataClassHeader = Annotated[
    str | None,
    Header(
        alias=DATA_CLASS,
        description="Class of what the request holds: public, internal, confidential or personal. Without it, "
        "`routing.default_data_class`. Only providers that may see it are called.",
        examples=["internal"],
    ),
]


def runtime_of(request: Request) -> Runtime:
    return cast("Runtime", request.app.state.runtime)


def asker_of(request: Request, data_class: str | None) -> Asker:
    """Who asks. Raises BadParameter for a data class that is none."""
    routing = runtime_of(request).settings.routing
    asked = request.headers.get("cache-control", "").lower()
    fresh = "no-cache" in asked or "no-store" in asked
    seen = data_class_of(data_class, routing.default_data_class)
    return Asker(caller_of(request).key, seen, routing.total_s, cache=not fresh)


def created() -> int:
    """Seconds since 1970, in wall time whatever day a simulated company has."""
    return int(_WALL.now().timestamp())


def failed(error: AccordError) -> Response:
    """The answer to an error before any content."""
    return errors.answer(error, _WALL.now(), headers_of_failure(error))


def extra_headers(name: str, ignored: Iterable[str]) -> dict[str, str]:
    """The name of the answer, and the parameters that changed nothing."""
    named = ", ".join(ignored)
    return {"x-request-id": name} | ({"x-accord-ignored": named} if named else {})


def describing(*statuses: int, stream: str | None = None) -> dict[str, Any]:
    """Keyword arguments of a route: scope, errors with examples, and what a `stream` looks like."""
    responses: dict[int | str, dict[str, Any]] = {
        status: {
            "description": _TITLES[status],
            "model": OpenAIError,
            "content": {"application/json": {"example": errors.body(*_EXAMPLES[status]).model_dump()}},
        }
        for status in (*statuses, 401, 403)
    }
    if stream is not None:
        event_stream = {"schema": {"type": "string"}, "example": stream}
        responses[200] = {"content": {"text/event-stream": event_stream}, "headers": _HEADERS}
    return {
        "dependencies": [Depends(may_call)],
        "responses": responses,
        "openapi_extra": {"x-accord-scope": SCOPE},
    }


_HEADERS = {
    name: {"description": told, "schema": {"type": "string"}}
    for name, told in (
        ("x-accord-provider", "Who answered; of a stream, who began to."),
        ("x-accord-attempts", "Providers that were called; of a stream, until it began."),
        ("x-accord-cost", "Decimal, of all attempts; absent when unknown, and for streams (see their last chunk)."),
        ("x-accord-currency", "ISO 4217 of the cost."),
        ("x-accord-ignored", "Parameters that were given and changed nothing."),
    )
}
