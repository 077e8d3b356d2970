"""`/v1/segment/*`: Segment's calls as signals; the write key is a key of ours, as Bearer or as Basic user name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.auth import CurrentCaller
from api.events import Batch, read_json, sift
from api.given import Counts, Used, asking
from api.routes.signals import take
from api.schemas.access import Accepted
from api.segment import to_events

router = APIRouter(prefix="/v1/segment", tags=["signals"])

_MESSAGE: dict[str, Any] = {
    "messageId": "ajs-71f386523ee5dfa90c7d0fda28b6b5c6",
    "userId": "m.durand@acme.example",
    "timestamp": "2026-03-04T09:12:00Z",
    "context": {"groupId": "acme", "traits": {"email": "m.durand@acme.example", "title": "CISO"}},
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "track": {**_MESSAGE, "event": "Video Content Completed", "properties": {"asset_id": "soc2-tour", "seconds": 94}},
    "identify": {**_MESSAGE, "traits": {"name": "Mireille Durand", "company": {"id": "acme"}}},
    "group": {**_MESSAGE, "groupId": "acme", "traits": {"name": "Acme SA", "industry": "Energy"}},
    "page": {**_MESSAGE, "name": "Security", "properties": {"path": "/security/soc2"}},
    "batch": {"batch": [{**_MESSAGE, "type": "page", "properties": {"path": "/security/soc2"}}]},
}


def _route(call: str) -> dict[str, Any]:
    """Keyword arguments of the route of one call; its body is described by hand, since Segment's is open."""
    asked = asking("signals", 400, 413)
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLES[call]}},
    }
    return {**asked, "openapi_extra": {**asked["openapi_extra"], "requestBody": body}}


async def _take(
    request: Request, runtime: Used, meters: Counts, caller: CurrentCaller, call: str | None = None
) -> Accepted:
    """Read one message, or with `call` None a batch of messages that name their own call."""
    value = read_json(await request.body())
    if not isinstance(value, dict):
        raise HTTPException(400, "The body must be a JSON object. Send a call of Segment's spec.")
    body = cast("dict[str, Any]", value)
    messages: object = body.get("batch") if call is None else [body]
    if not isinstance(messages, list):
        raise HTTPException(400, '`batch` must be a list of calls. Send `{"batch": [...]}`.')
    source = f"segment/{caller.key_name}"
    checked = sift(cast("list[object]", messages))
    events = [event for message in checked.events for event in to_events(call or _call_of(message), message, source)]
    return await run_in_threadpool(take, runtime, meters, Batch(tuple(events), checked.rejected), caller.trust)


def _call_of(message: Mapping[str, Any]) -> str:
    return str(message.get("type") or "track")


@router.post("/track", summary="Segment track", **_route("track"))
async def segment_track(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """What somebody did. With an asset in `properties` it is engagement, else it is kept as `segment.track`."""
    return await _take(request, runtime, meters, caller, "track")


@router.post("/identify", summary="Segment identify", **_route("identify"))
async def segment_identify(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """Who somebody is: declares a person, below the account that `traits.company` or `groupId` names."""
    return await _take(request, runtime, meters, caller, "identify")


@router.post("/group", summary="Segment group", **_route("group"))
async def segment_group(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """Which account somebody belongs to: declares the account and the person below it."""
    return await _take(request, runtime, meters, caller, "group")


@router.post("/page", summary="Segment page", **_route("page"))
async def segment_page(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """Which page somebody saw: engagement with the asset that the path names."""
    return await _take(request, runtime, meters, caller, "page")


@router.post("/batch", summary="Segment batch", **_route("batch"))
async def segment_batch(request: Request, runtime: Used, meters: Counts, caller: CurrentCaller) -> Accepted:
    """Many calls at once, each with its `type`; at most 10,000."""
    return await _take(request, runtime, meters, caller)
