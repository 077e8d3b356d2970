"""`/v1/responses`: OpenAI's responses over every provider, without keeping any."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.openai import response_answer
from api.openai.door import DataClassHeader, asker_of, created, describing, extra_headers, failed, runtime_of
from api.openai.models import lead_of
from api.openai.notes import headers_of, note
from api.openai.response_answer import Frame
from api.openai.response_request import ignored, response_request
from api.openai.sse import EventStream, Whole, json_answer
from api.schemas.responses import ResponseAnswer, ResponseRequest
from domain.errors import AccordError

router = APIRouter(prefix="/v1", tags=["models"])
_STREAM = (
    'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "item_id": "msg_5b1f_0", '
    '"output_index": 0, "content_index": 0, "logprobs": [], "delta": "41,200", "sequence_number": 4}\n\n'
)


@router.post(
    "/responses",
    summary="Create a response",
    response_model=ResponseAnswer,
    **describing(400, 404, 413, 429, 502, 503, 504, stream=_STREAM),
)
async def create_response(body: ResponseRequest, request: Request, data_class: DataClassHeader = None) -> Response:
    """What OpenAI's clients call for Responses; `model`, charging and privacy are those of chat completions.

    Nothing is stored: every answer states `store: false`, and `previous_response_id` is refused. A stream that fails
    after its first content ends with `response.failed`.
    """
    gateway = runtime_of(request).gateway
    lead = lead_of(body.model, gateway.registry.providers)
    asked = response_request(body, lead, asker_of(request, data_class))
    frame = Frame(body, secrets.token_hex(12), created())
    extra = extra_headers(frame.name, ignored(body))
    if body.stream:
        return EventStream(gateway.stream(asked), response_answer.ResponseWriter(frame), failed, extra)

    async def answer() -> Response:
        try:
            found = await gateway.acomplete(asked)
        except AccordError as error:
            return failed(error)
        return json_answer(response_answer.whole(found, frame), {**extra, **headers_of(note(found))})

    return Whole(answer())
