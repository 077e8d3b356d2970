"""`/v1/webhooks/{name}`: any sender that signs by Standard Webhooks; the raw body is verified before it is parsed."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from agents.settings import secret
from api.events import read_json, sift
from api.given import Counts, Guard, Used, problems
from api.routes.signals import EXAMPLE, take
from api.schemas.access import Accepted
from api.webhook_signature import secret_name, verify
from domain.errors import NotFound

router = APIRouter(tags=["signals"])

_SIGNED = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": told,
        "example": sample,
    }
    for name, told, sample in (
        ("webhook-id", "Name of the call; a repeat is a duplicate.", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
        ("webhook-timestamp", "Seconds since 1970, within 5 minutes of our clock.", "1772614800"),
        (
            "webhook-signature",
            "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        ),
    )
]
_PAYLOAD = {"type": "deal.lost", "timestamp": "2026-03-04T09:00:00Z", "data": {"deal": "d-17", "reason": "no SOC 2"}}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": ["object", "array"], "items": {"type": "object"}},
            "examples": {"webhook": {"value": _PAYLOAD}, "cloudevent": {"value": EXAMPLE}},
        }
    },
}


@router.post(
    "/v1/webhooks/{name}",
    summary="Receive a signed webhook",
    responses=problems(400, 404, 413, 422),
    openapi_extra={"parameters": _SIGNED, "requestBody": _BODY, "security": []},
)
async def receive_webhook(
    request: Request,
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,60}$", description="Name of the sender.", examples=["crm"])],
    runtime: Used,
    meters: Counts,
    gate: Guard,
) -> Accepted:
    """Signed by Standard Webhooks with the secret in `ACCORD_WEBHOOK_<NAME>_SECRET`; needs no key.

    CloudEvents are taken as they are; any other payload `{type, timestamp, data}` becomes the signal
    `webhook-id` of the source `webhook/<name>`. Its text counts as external.
    """
    secrets = await run_in_threadpool(secret, secret_name(name))
    if not secrets:
        raise NotFound(f"No webhook is called {name!r}. Set {secret_name(name)} to its secret.")
    body = await request.body()
    number = verify(secrets, request.headers, body, gate.now())
    batch = sift(_events(read_json(body), name, number))
    return await run_in_threadpool(take, runtime, meters, batch, "external")


def _events(value: Any, name: str, number: str) -> list[Any]:
    """The CloudEvents in a payload, or one made of it."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    payload = cast("dict[str, Any]", value) if isinstance(value, dict) else {"data": {"value": value}}
    if "specversion" in payload:
        return [payload]
    data = payload.get("data")
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": number,
        "source": f"webhook/{name}",
        "type": str(payload.get("type") or f"webhook.{name}")[:200],
        "data": data if isinstance(data, dict) else payload,
    }
    return [event | {"time": payload["timestamp"]} if isinstance(payload.get("timestamp"), str) else event]
