"""`/v1/chat/completions`: OpenAI's chat completions over every provider."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.openai import chat_answer
from api.openai.chat_request import chat_request, ignored
from api.openai.door import DataClassHeader, asker_of, created, describing, extra_headers, failed, runtime_of
from api.openai.models import lead_of
from api.openai.notes import headers_of, note
from api.openai.sse import EventStream, Whole, json_answer
from api.schemas.completions import ChatCompletion, ChatRequest
from domain.errors import AccordError

router = APIRouter(prefix="/v1", tags=["models"])
_STREAM = (
    'data: {"id": "chatcmpl-5b1f", "object": "chat.completion.chunk", "created": 1772614800, '
    '"model": "local/qwen2.5-coder-1.5b", "choices": [{"index": 0, "delta": {"content": "41,200"}, '
    '"logprobs": null, "finish_reason": null}]}\n\ndata: [DONE]\n\n'
)


@router.post(
    "/chat/completions",
    summary="Create a chat completion",
    response_model=ChatCompletion,
    **describing(400, 404, 413, 429, 502, 503, 504, stream=_STREAM),
)
async def create_chat_completion(body: ChatRequest, request: Request, data_class: DataClassHeader = None) -> Response:
    """What OpenAI's clients call: set their `base_url` to this server's `/v1`.

    `model` is `auto`, `auto:<task>` (the task that routing and budgets see) or a provider's name, which pins it. The
    call is charged to the API key. No content is kept. A stream that fails after its first content ends with an
    `error` event, without finish reason and without `[DONE]`.
    """
    gateway = runtime_of(request).gateway
    lead = lead_of(body.model, gateway.registry.providers)
    asked = chat_request(body, lead, asker_of(request, data_class))
    name, began = f"chatcmpl-{secrets.token_hex(12)}", created()
    extra = extra_headers(name, ignored(body))
    if body.stream:
        with_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        writer = chat_answer.ChatWriter(name, began, with_usage=with_usage)
        return EventStream(gateway.stream(asked), writer, failed, extra)

    async def answer() -> Response:
        try:
            found = await gateway.acomplete(asked)
        except AccordError as error:
            return failed(error)
        whole = chat_answer.whole(found, name=name, created=began)
        return json_answer(whole, {**extra, **headers_of(note(found))})

    return Whole(answer())
