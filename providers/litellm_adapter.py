"""The only module that knows litellm, which writes the requests for the vendors; posting and reading are ours.

litellm is imported at the first call. Its retries, callbacks, telemetry, price download and `.env` reading are off.
Where its mapping stands alone it is called directly; the other vendors' requests are written by its whole machinery,
over a transport that keeps the request instead of sending it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import threading
from collections.abc import AsyncGenerator
from copy import deepcopy
from functools import lru_cache
from types import ModuleType
from typing import Any

import httpx

from domain.errors import AccordError
from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.transport import Letter, Pool
from providers.types import ImagePart, Message, ModelRequest, Piece, Tool, ToolName
from providers.wire.anthropic import AnthropicReading
from providers.wire.bedrock import BedrockReading
from providers.wire.gemini import GeminiReading
from providers.wire.openai import OpenAIReading
from providers.wire.reading import Reading

# Vendors that speak OpenAI's format and whose mapping in litellm 1.106.2 stands alone (tried: docs/decisions/0003).
OPENAI_WIRE = frozenset(
    {
        "openai",
        "custom_openai",
        "hosted_vllm",
        "litellm_proxy",
        "llamafile",
        "lm_studio",
        "openrouter",
        "vercel_ai_gateway",
    }
    | {"mistral", "codestral", "deepseek", "groq", "together_ai", "xai", "perplexity", "fireworks_ai", "cerebras"}
    | {"nvidia_nim", "moonshot", "sambanova", "github", "deepinfra", "novita", "nebius", "scaleway", "zai", "dashscope"}
    | {"volcengine", "hyperbolic", "featherless_ai", "nscale", "meta_llama", "azure_ai", "ai21_chat"}
)
# Vendors whose requests need all of litellm: the format they answer in, and whether they are asked to stream.
CAPTURED: dict[str, tuple[type[Reading], bool]] = {"azure": (OpenAIReading, True), "bedrock": (BedrockReading, False)}
_BASES = {"openai": "https://api.openai.com/v1", "openrouter": "https://openrouter.ai/api/v1"}
# These take a last assistant message for the beginning of the answer only when it says so.
_PREFIX_FLAG = frozenset({"mistral", "codestral", "deepseek"})
_JSON_TOOL = "json_tool_call"  # litellm's name for the tool that stands in for a schema
_NO_KEY = "none"  # some mappings insist on a key, also for servers that ask for none
_QUIET = {"telemetry": False, "suppress_debug_info": True, "num_retries": 0}
_import_lock = threading.Lock()


class LitellmAdapter:
    """Usable from many event loops, each with connections of its own."""

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool or Pool()
        self._ready = False

    async def prepare(self, provider: Provider) -> None:
        """Imports litellm, which takes seconds."""
        if not self._ready:
            await asyncio.to_thread(_litellm)
            self._ready = True

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        letter, reading = await self._written(provider, request, prefix)
        reading.continues = bool(prefix)
        pieces = self._pool.answer(letter, reading)
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()

    async def aclose(self) -> None:
        """Closes the connections of the running loop."""
        await self._pool.aclose()

    async def _written(self, provider: Provider, request: ModelRequest, prefix: str) -> tuple[Letter, Reading]:
        messages = _messages(provider, request, prefix)
        try:
            if provider.spec.vendor in CAPTURED:
                return await _captured(provider, request, messages)
            if _has_images(request):  # litellm may fetch them
                return await asyncio.to_thread(_mapped, provider, request, messages)
            return _mapped(provider, request, messages)
        except AccordError:
            raise
        except Exception as error:  # edge: litellm raises its own, the SDKs' and plain Python errors alike
            raise failure(
                Fault.UNSUPPORTED,
                f"litellm cannot write to {provider.name!r}: {str(error)[:200]!r}. Check `model` and `api_base`.",
            ) from error


def _litellm() -> ModuleType:
    # The environment is read while litellm is imported, so it is set here and nowhere else.
    with _import_lock:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
        litellm = importlib.import_module("litellm")
        for setting, value in _QUIET.items():
            setattr(litellm, setting, value)
        for hooks in (litellm.callbacks, litellm.success_callback, litellm.failure_callback):
            hooks.clear()
    return litellm


def _mapped(provider: Provider, request: ModelRequest, messages: list[dict[str, Any]]) -> tuple[Letter, Reading]:
    vendor, model = provider.spec.vendor, provider.spec.model_name
    parameters = deepcopy(_parameters(vendor, model, json.dumps(_asked(request, vendor))))
    match vendor:
        case "anthropic":
            url, headers, body = _to_anthropic(provider, messages, parameters)
            kind: type[Reading] = AnthropicReading
        case "gemini":
            url, headers, body = _to_gemini(provider, messages, parameters)
            kind = GeminiReading
        case _ if vendor in OPENAI_WIRE:
            url, headers, body = _to_openai(provider, messages, parameters)
            kind = OpenAIReading
        case _:
            raise failure(
                Fault.UNAVAILABLE,
                f"No way to {vendor!r} is known whose answers can be judged. "
                "Use its OpenAI-compatible address: `model: openai/…` with `api_base`.",
            )
    _must_offer_tools(provider, request, body)
    letter = Letter(
        provider=provider.name,
        url=url,
        headers={**headers, "content-type": "application/json"},
        body=json.dumps(body).encode(),
        secret=provider.api_key,
    )
    return letter, kind(provider.name, secret=provider.api_key, json_tool=_stands_for_schema(request, body))


@lru_cache(maxsize=256)
def _config(vendor: str, model: str) -> Any:
    """Litellm's mapping of a model; it holds nothing of a call."""
    utils = importlib.import_module("litellm.utils")
    vendors = importlib.import_module("litellm.types.utils").LlmProviders
    return utils.ProviderConfigManager.get_provider_chat_config(model, vendors(vendor))


@lru_cache(maxsize=256)
def _parameters(vendor: str, model: str, asked: str) -> dict[str, Any]:
    """The vendor's parameters for ours, in JSON; kept, since tasks ask for the same again and again."""
    utils = importlib.import_module("litellm.utils")
    return utils.get_optional_params(model=model, custom_llm_provider=vendor, drop_params=True, **json.loads(asked))


@lru_cache(maxsize=256)
def _base(vendor: str, model: str) -> str:
    """The vendor's own address. Raises UNAVAILABLE when it has none, so that no key goes to somebody else's."""
    base = _BASES.get(vendor) or _litellm().get_llm_provider(model=f"{vendor}/{model}")[3]
    if not base:
        raise failure(Fault.UNAVAILABLE, f"The address of {vendor!r} is not known. Set `api_base`.")
    return str(base)


def _to_openai(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> Any:
    vendor, model = provider.spec.vendor, provider.spec.model_name
    config, key = _config(vendor, model), provider.api_key or _NO_KEY
    base = provider.spec.api_base or _base(vendor, model)
    given = {"model": model, "optional_params": parameters, "litellm_params": {}}
    headers = config.validate_environment(headers={}, messages=messages, api_key=key, api_base=base, **given)
    url = config.get_complete_url(api_base=base, api_key=key, stream=True, **given)
    body = config.transform_request(messages=messages, headers=headers, **given)
    return url, headers, body | (body.pop("extra_body", None) or {})


def _to_anthropic(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> Any:
    model, key = provider.spec.model_name, provider.api_key or _NO_KEY
    base = (provider.spec.api_base or "https://api.anthropic.com").rstrip("/")
    url = base if base.endswith("/v1/messages") else f"{base.removesuffix('/v1')}/v1/messages"
    config = _config("anthropic", model)
    for ours in ("stream", "json_mode"):
        parameters.pop(ours, None)
    given = {"model": model, "messages": messages, "optional_params": parameters, "litellm_params": {}}
    headers = config.validate_environment(headers={}, api_key=key, api_base=url, **given)
    body = config.transform_request(headers=headers, **given)
    betas = importlib.import_module("litellm.anthropic_beta_headers_manager")
    headers, body = betas.update_request_with_filtered_beta(headers=headers, request_data=body, provider="anthropic")
    return url, headers, body | {"stream": True}


def _to_gemini(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> Any:
    model, key = provider.spec.model_name, provider.api_key or _NO_KEY
    vertex = importlib.import_module("litellm.llms.vertex_ai.vertex_llm_base").VertexBase()
    headers, url = vertex.get_token_and_url(
        model=model,
        auth_header=None,
        gemini_api_key=key,
        vertex_project=None,
        vertex_location=None,
        vertex_credentials=None,
        stream=True,
        custom_llm_provider="gemini",
        api_base=provider.spec.api_base,
    )
    parameters.pop("stream", None)
    mapping = importlib.import_module("litellm.llms.vertex_ai.gemini.transformation")
    body = mapping.transform_request_body(
        messages=messages,
        model=model,
        optional_params=parameters,
        custom_llm_provider="gemini",
        litellm_params={},
        cached_content=None,
    )
    return url, headers, body


class _Kept(httpx.AsyncBaseTransport):
    """Keeps the request that litellm would send, and ends the call there."""

    request: httpx.Request | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        raise httpx.ConnectError("The request is kept, not sent", request=request)


async def _captured(
    provider: Provider, request: ModelRequest, messages: list[dict[str, Any]]
) -> tuple[Letter, Reading]:
    kept = _Kept()
    async with httpx.AsyncClient(transport=kept, trust_env=False) as http:
        try:
            await _litellm().acompletion(
                model=provider.spec.model,
                messages=messages,
                api_key=provider.api_key or _NO_KEY,
                api_base=provider.spec.api_base,
                client=_client_for(provider, http),
                max_retries=0,
                num_retries=0,
                drop_params=True,
                **_asked(request, provider.spec.vendor),
            )
        except Exception as error:  # edge: the kept request ends the call with whatever litellm makes of that
            if kept.request is None:
                raise failure(
                    Fault.UNAVAILABLE,
                    f"litellm cannot write to {provider.name!r}: {str(error)[:200]!r}. Check `model` and `api_base`.",
                ) from error
    if kept.request is None:
        raise _unwitnessed(provider)
    headers = {name: value for name, value in kept.request.headers.items() if name not in _CLIENT_HEADERS}
    letter = Letter(provider.name, str(kept.request.url), headers, kept.request.content, provider.api_key)
    body = json.loads(letter.body)
    _must_offer_tools(provider, request, body.get("toolConfig") or body)
    kind = CAPTURED[provider.spec.vendor][0]
    return letter, kind(provider.name, secret=provider.api_key, json_tool=_stands_for_schema(request, body))


_CLIENT_HEADERS = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})


def _client_for(provider: Provider, http: httpx.AsyncClient) -> object:
    """What litellm takes as `client` for the vendor, over our transport."""
    if provider.spec.vendor == "azure":
        from openai import AsyncAzureOpenAI

        return AsyncAzureOpenAI(
            api_key=provider.api_key or _NO_KEY,
            azure_endpoint=provider.spec.api_base or "",
            api_version="2024-10-21",
            http_client=http,
            max_retries=0,
        )
    handler = importlib.import_module("litellm.llms.custom_httpx.http_handler").AsyncHTTPHandler()
    handler.client = http
    return handler


def _unwitnessed(provider: Provider) -> AccordError:
    return failure(
        Fault.UNAVAILABLE,
        f"litellm reached {provider.spec.vendor!r} past our transport, so its answer cannot be trusted. "
        "Use the vendor's OpenAI-compatible address: `model: openai/…` with `api_base`.",
    )


def _asked(request: ModelRequest, vendor: str) -> dict[str, Any]:
    """What is asked for beside the messages, in OpenAI's words; what is not asked for is left out."""
    streams = vendor not in CAPTURED or CAPTURED[vendor][1]
    asked: dict[str, Any] = {
        "stream": streams,
        "stream_options": {"include_usage": True} if streams and vendor not in {"anthropic", "gemini"} else None,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
    }
    if request.tools:
        asked["tools"] = [_tool(tool) for tool in request.tools]
        asked["tool_choice"] = _choice(request.tool_choice)
        asked["parallel_tool_calls"] = request.parallel_tool_calls
    if request.answer_schema is not None:
        schema = {"name": _identifier(request.task), "schema": dict(request.answer_schema), "strict": False}
        asked["response_format"] = {"type": "json_schema", "json_schema": schema}
    return {name: value for name, value in asked.items() if value is not None}


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": dict(tool.parameters) or {"type": "object"}}
    if tool.description:
        function["description"] = tool.description
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: str | ToolName) -> object:
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, ToolName) else choice


def _messages(provider: Provider, request: ModelRequest, prefix: str) -> list[dict[str, Any]]:
    messages = [_message(message) for message in request.messages]
    if prefix:
        begun: dict[str, Any] = {"role": "assistant", "content": prefix}
        messages.append(begun | ({"prefix": True} if provider.spec.vendor in _PREFIX_FLAG else {}))
    return messages


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if not isinstance(message.content, str):
        written["content"] = [
            {"type": "image_url", "image_url": {"url": part.url}}
            if isinstance(part, ImagePart)
            else {"type": "text", "text": part.text}
            for part in message.content
        ]
    if message.tool_calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


def _has_images(request: ModelRequest) -> bool:
    return any(
        isinstance(part, ImagePart)
        for message in request.messages
        if not isinstance(message.content, str)
        for part in message.content
    )


def _must_offer_tools(provider: Provider, request: ModelRequest, body: dict[str, Any]) -> None:
    """Raises UNSUPPORTED where litellm left the tools out, as it does with what it thinks a model cannot do."""
    if request.tools and not body.get("tools"):
        raise failure(
            Fault.UNSUPPORTED,
            f"{provider.name!r} ({provider.spec.model!r}) takes no tools. Use another model, or none.",
        )


def _stands_for_schema(request: ModelRequest, body: dict[str, Any]) -> str | None:
    """The tool whose arguments are the answer, where litellm writes a schema as a tool."""
    if request.answer_schema is None:
        return None
    tools: list[dict[str, Any]] = (body.get("toolConfig") or body).get("tools") or []
    forms: list[dict[str, Any]] = [
        form for tool in tools for form in (tool, tool.get("function"), tool.get("toolSpec")) if form
    ]
    named = any(form.get("name") == _JSON_TOOL for form in forms)
    return _JSON_TOOL if named else None


def _identifier(task: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in task)[:64]
