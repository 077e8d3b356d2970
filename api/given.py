"""What routes are given: the runtime, the gate, and the page of a list that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Protocol, TypeVar, cast

from fastapi import Depends, Query, Request

from agents.parts import Runtime
from api.auth import Gate, Scope, needs
from api.metrics import Meters
from api.problems import MEDIA_TYPE, Problem, problem
from api.schemas.wire import Listed

S_co = TypeVar("S_co", covariant=True)
D = TypeVar("D")
W = TypeVar("W")


class _Page(Protocol[S_co]):
    @property
    def items(self) -> Iterable[S_co]: ...
    @property
    def next(self) -> str | None: ...


def _runtime(request: Request) -> Runtime:
    return cast("Runtime", request.app.state.runtime)


def _gate(request: Request) -> Gate:
    return cast("Gate", request.app.state.gate)


def _meters(request: Request) -> Meters:
    return cast("Meters", request.app.state.meters)


Used = Annotated[Runtime, Depends(_runtime)]
Guard = Annotated[Gate, Depends(_gate)]
Counts = Annotated[Meters, Depends(_meters)]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.", examples=[50])]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before.", examples=[None])]


def listed(page: _Page[D], shape: Callable[[D], W]) -> Listed[W]:
    """A page of the store in wire shape."""
    return Listed(items=[shape(item) for item in page.items], next=page.next)


_REASONS: dict[int, str] = {
    400: "The body is no valid JSON. Send UTF-8 JSON.",
    401: "No key was given. Send `Authorization: Bearer <key>`, or sign in at /login.",
    403: "This needs the scope `read`. Use a key that has it.",
    404: "There is no such thing here. Look at the list for what there is.",
    409: "It changed since you saw it. Reload it and decide on what it says now.",
    413: "The body is larger than 20 MB, the most one request may hold. Send smaller parts.",
    415: "Content type 'text/plain' is not read here. Send application/cloudevents+json.",
    422: "`limit`: Input should be less than or equal to 200. Mend the request and send it again.",
    503: "The store does not answer. Look at /v1/health.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of error answers, each with an example."""
    return {
        status: {
            "description": problem("", status, "").title + ".",
            "model": Problem,
            "content": {MEDIA_TYPE: {"example": problem("/v1/…", status, _REASONS[status]).model_dump()}},
        }
        for status in (*statuses, 401, 403)
    }


def asking(scope: Scope, *statuses: int) -> dict[str, Any]:
    """Keyword arguments of a route that needs `scope` and may answer with problems of `statuses` (besides 401, 403)."""
    scopes: tuple[Scope, ...] = ("signals", "signals-external") if scope == "signals" else (scope,)
    return {
        "dependencies": [needs(*scopes)],
        "responses": problems(*statuses),
        "openapi_extra": {"x-accord-scope": scope},
    }
