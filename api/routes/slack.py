"""`/v1/slack/interactions`: clicks and forms from Slack, proven by their signature before anything is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from agents.settings import secret
from api.given import Guard, Used, problems
from domain.errors import InputError, NotFound

if TYPE_CHECKING:
    from api.notice_desk import NoticeDesk
    from api.slack_answers import SlackAnswers

router = APIRouter(tags=["proposals"])

_HEADERS = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": told,
        "example": sample,
    }
    for name, told, sample in (
        ("x-slack-request-timestamp", "Seconds since 1970, within 5 minutes of our clock.", "1772614800"),
        ("x-slack-signature", "`v0=` and HMAC-SHA256 over `v0:timestamp:body`.", f"v0={'a1b2c3d4' * 8}"),
    )
]
_BODY = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {"type": "object", "properties": {"payload": {"type": "string"}}, "required": ["payload"]},
            "example": {"payload": '{"type": "block_actions"}'},
        }
    },
}


@router.post(
    "/v1/slack/interactions",
    summary="Receive a click or a form from Slack",
    responses={200: {"description": "Taken.", "content": {"application/json": {"example": {}}}}, **problems(404, 422)},
    openapi_extra={"parameters": _HEADERS, "requestBody": _BODY, "security": []},
)
async def receive_interaction(request: Request, runtime: Used, gate: Guard) -> Response:
    """Signed by Slack with the app's signing secret; needs no key.

    A repeat, and what was signed more than 5 minutes ago, is refused.
    """
    desk = cast("NoticeDesk", request.app.state.desk)
    signing = await run_in_threadpool(secret, runtime.settings.slack.signing_secret_env)
    if desk.slack is None or not signing:
        raise NotFound("Slack is not set up here. Set `slack.channel` and the variable of `slack.signing_secret_env`.")
    body = await request.body()
    desk.signature.verify(signing, request.headers, body, gate.now())
    told = await run_in_threadpool(_handle, desk.slack, _payload(body))
    desk.poke()
    return Response(status_code=200) if told is None else JSONResponse(told)


def _handle(answers: SlackAnswers, payload: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return answers.handle(payload)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"This is no interaction that Accord knows ({error!r}). Check the app's version.") from error


def _payload(body: bytes) -> dict[str, Any]:
    try:
        read: object = json.loads(parse_qs(body.decode("utf-8")).get("payload", [""])[0])
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError("`payload` is no JSON. Send what Slack sends.") from error
    if not isinstance(read, dict):
        raise InputError("`payload` is no object. Send what Slack sends.")
    return cast("dict[str, Any]", read)
