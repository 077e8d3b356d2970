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
from contextlib import aclosing, suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import httpx

from domain.errors import AccordError
from providers.deadlines import Deadlines
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.transport import Letter, Pool
from providers.types import Message, ModelRequest, Piece
from providers.wire.anthropic import AnthropicReading
from providers.wire.asking import messages_of, parameters_of, pictures_in, with_schema_told
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
# Vendors whose requests need all of litellm, and the format they answer in.
CAPTURED: dict[str, type[Reading]] = {"azure": OpenAIReading, "bedrock": BedrockReading}
_BASES = {"openai": "https://api.openai.com/v1", "openrouter": "https://openrouter.ai/api/v1"}
# These take a last assistant message for the beginning of the answer only when it says so.
_PREFIX_FLAG = frozenset({"mistral", "codestral", "deepseek"})
_USAGE_UNASKED = frozenset({"anthropic", "gemini", "bedrock"})  # they tell the usage of a stream by themselves
_JSON_TOOL = "json_tool_call"  # litellm's name for the tool that stands in for a schema
_SCHEMA_AT = ("response_format", "output_format", "output_config", "outputConfig", "generationConfig")
_ITS_OWN = ("fake_stream", "json_mode")  # what litellm tells itself, and vendors refuse
_CLIENT_HEADERS = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})
_NO_KEY = "none"  # some mappings insist on a key, also for servers that ask for none
_QUIET = {"telemetry": False, "suppress_debug_info": True, "num_retries": 0}
# Read while it is imported: no price table and no list of headers from the network, no picture fetched by this machine.
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0",
}
_TRIAL = ModelRequest(task="trial", messages=(Message(role="user", content="?"),), answer_schema={"type": "object"})
_import_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Written:
    """A request in the vendor's words, and the format of its answer."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    kind: type[Reading]


class LitellmAdapter:
    """Usable from many event loops, each with connections of its own."""

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool or Pool()
        self._ready: set[str] = set()

    async def prepare(self, provider: Provider) -> None:
        """Imports litellm and what it needs for the model, which takes seconds."""
        if provider.spec.model not in self._ready:
            await asyncio.to_thread(_warmed, provider)
            self._ready.add(provider.spec.model)

    async def stream(
        self, provider: Provider, request: ModelRequest, limits: Deadlines, prefix: str = ""
    ) -> AsyncGenerator[Piece]:
        written = await _written(provider, request, prefix)
        if request.answer_schema is not None and not _carries_schema(written.body):
            written = await _written(provider, with_schema_told(request), prefix)
        body = json.dumps(written.body)
        _must_be_whole(provider, request, written, body)
        headers = {**written.headers, "content-type": "application/json"}
        letter = Letter(provider.name, written.url, headers, body.encode(), provider.api_key)
        json_tool = _JSON_TOOL if request.answer_schema is not None and _schema_as_tool(written.body) else None
        reading = written.kind(provider.name, secret=provider.api_key, json_tool=json_tool)
        reading.continues = bool(prefix)
        async with aclosing(self._pool.answer(letter, reading)) as pieces:
            async for piece in pieces:
                yield piece

    async def aclose(self) -> None:
        """Closes the connections of the running loop."""
        await self._pool.aclose()


def _litellm() -> ModuleType:
    with _import_lock:
        os.environ.update(_ENVIRONMENT)
        os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
        litellm = importlib.import_module("litellm")
        for setting, value in _QUIET.items():
            setattr(litellm, setting, value)
        for hooks in (litellm.callbacks, litellm.success_callback, litellm.failure_callback):
            hooks.clear()
    return litellm


def _warmed(provider: Provider) -> None:
    """Writes a request that goes nowhere; what is wrong with the provider is told by the call itself."""
    _litellm()
    with suppress(AccordError):
        asyncio.run(_written(provider, _TRIAL, ""))


async def _written(provider: Provider, request: ModelRequest, prefix: str) -> _Written:
    """Raises UNSUPPORTED where litellm cannot write it, UNAVAILABLE where the answer could not be judged."""
    vendor = provider.spec.vendor
    messages = messages_of(request, prefix, flagged=vendor in _PREFIX_FLAG)
    asked = parameters_of(request)
    if vendor not in _USAGE_UNASKED:
        asked["stream_options"] = {"include_usage": True}
    try:
        if vendor in CAPTURED:
            return await _captured(provider, messages, asked)
        return _mapped(provider, messages, asked)
    except AccordError:
        raise
    except Exception as error:  # edge: litellm raises its own, the SDKs' and plain Python errors alike
        advice = "Check `model` and `api_base`."
        if any("://" in picture for picture in pictures_in(request)):
            advice = "Give pictures as `data:` URLs: they are not fetched for a vendor that does not do it."
        detail = f"litellm cannot write to {provider.name!r}: {str(error)[:200]!r}. {advice}"
        raise failure(Fault.UNSUPPORTED, detail) from error


def _mapped(provider: Provider, messages: list[dict[str, Any]], asked: dict[str, Any]) -> _Written:
    vendor, model = provider.spec.vendor, provider.spec.model_name
    if vendor not in OPENAI_WIRE | {"anthropic", "gemini"}:
        raise failure(
            Fault.UNAVAILABLE,
            f"No way to {vendor!r} is known whose answers can be judged. "
            "Use its OpenAI-compatible address: `model: openai/…` with `api_base`.",
        )
    parameters = deepcopy(_parameters(vendor, model, json.dumps(asked)))
    match vendor:
        case "anthropic":
            return _to_anthropic(provider, messages, parameters)
        case "gemini":
            return _to_gemini(provider, messages, parameters)
        case _:
            return _to_openai(provider, messages, parameters)


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


def _to_openai(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> _Written:
    vendor, model = provider.spec.vendor, provider.spec.model_name
    config, key = _config(vendor, model), provider.api_key or _NO_KEY
    base = provider.spec.api_base or _base(vendor, model)
    given = {"model": model, "optional_params": parameters, "litellm_params": {}}
    headers = config.validate_environment(headers={}, messages=messages, api_key=key, api_base=base, **given)
    url = config.get_complete_url(api_base=base, api_key=key, stream=True, **given)
    body = config.transform_request(messages=messages, headers=headers, **given)
    body |= body.pop("extra_body", None) or {}
    return _Written(url, headers, {k: v for k, v in body.items() if k not in _ITS_OWN}, OpenAIReading)


def _to_anthropic(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> _Written:
    model, key = provider.spec.model_name, provider.api_key or _NO_KEY
    base = (provider.spec.api_base or "https://api.anthropic.com").rstrip("/")
    url = base if base.endswith("/v1/messages") else f"{base.removesuffix('/v1')}/v1/messages"
    config = _config("anthropic", model)
    for its_own in ("stream", *_ITS_OWN):
        parameters.pop(its_own, None)
    given = {"model": model, "messages": messages, "optional_params": parameters, "litellm_params": {}}
    headers = config.validate_environment(headers={}, api_key=key, api_base=url, **given)
    body = config.transform_request(headers=headers, **given)
    betas = importlib.import_module("litellm.anthropic_beta_headers_manager")
    headers, body = betas.update_request_with_filtered_beta(headers=headers, request_data=body, provider="anthropic")
    return _Written(url, headers, body | {"stream": True}, AnthropicReading)


def _to_gemini(provider: Provider, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> _Written:
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
    return _Written(url, headers, dict(body), GeminiReading)


class _Kept(httpx.AsyncBaseTransport):
    """Keeps the request that litellm would send, and ends the call there."""

    request: httpx.Request | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        raise httpx.ConnectError("The request is kept, not sent", request=request)


async def _captured(provider: Provider, messages: list[dict[str, Any]], asked: dict[str, Any]) -> _Written:
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
                **asked,
            )
        except Exception:  # edge: the kept request ends the call with whatever litellm makes of that
            if kept.request is None:
                raise
    if kept.request is None:
        raise _unwitnessed(provider)
    headers = {name: value for name, value in kept.request.headers.items() if name not in _CLIENT_HEADERS}
    body = json.loads(kept.request.content)
    url = str(kept.request.url)
    if url.endswith("/converse"):  # litellm does not stream what has a schema; the request is the same
        url += "-stream"
    return _Written(url, headers, body, CAPTURED[provider.spec.vendor])


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


def _must_be_whole(provider: Provider, request: ModelRequest, written: _Written, body: str) -> None:
    """Raises UNSUPPORTED where litellm left something out, as it does with what it thinks a model cannot take."""
    left_out = "tools" if request.tools and not _tools_in(written.body) else None
    if any(json.dumps(picture)[1:-1] not in body for picture in pictures_in(request)):
        left_out = "pictures"
    if left_out:
        detail = f"{provider.name!r} ({provider.spec.model!r}) takes no {left_out}. Use another model, or none."
        raise failure(Fault.UNSUPPORTED, detail)


def _carries_schema(body: dict[str, Any]) -> bool:
    """Whether litellm wrote the schema down, in one of the places vendors have for it."""
    return _schema_as_tool(body) or any("schema" in json.dumps(body.get(place, "")).lower() for place in _SCHEMA_AT)


def _schema_as_tool(body: dict[str, Any]) -> bool:
    """Whether a tool stands in for the schema: its arguments are then the answer."""
    forms = [form for tool in _tools_in(body) for form in (tool, tool.get("function"), tool.get("toolSpec")) if form]
    return any(form.get("name") == _JSON_TOOL for form in forms)


def _tools_in(body: dict[str, Any]) -> list[dict[str, Any]]:
    # Bedrock keeps them within `toolConfig`, which Gemini has beside them for the choice among them.
    within: dict[str, Any] = body.get("toolConfig") or {}
    return body.get("tools") or within.get("tools") or []
