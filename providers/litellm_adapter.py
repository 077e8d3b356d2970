"""The only module that knows litellm, which maps requests and answers for the vendors; all judging is done by `wire`.

litellm is imported at the first call. Its retries, callbacks, telemetry, price download and `.env` reading are off.
"""

from __future__ import annotations

import importlib
import os
import threading
from types import ModuleType

import httpx

from domain.errors import AccordError
from providers.faults import Fault, failure
from providers.registry import Provider
from providers.transport import Witness
from providers.types import ModelRequest, Reply
from providers.wire import judge

# Vendors for which litellm 1.106.2 takes an OpenAI client; the others take its own HTTP handler. Given the wrong one it
# fails, or goes its own way, which `_unwitnessed` refuses.
_OPENAI_CLIENT = frozenset(
    {"openai", "cerebras", "github", "lm_studio", "litellm_proxy", "llamafile"}
    | {"moonshot", "nebius", "nvidia_nim", "perplexity", "scaleway", "zai"}
)
_NO_KEY = "none"  # the OpenAI client insists on some key, also for servers that ask for none
_QUIET = {"telemetry": False, "suppress_debug_info": True, "num_retries": 0}
_import_lock = threading.Lock()


class LitellmAdapter:
    """Sync calls over one connection pool, usable from many threads."""

    def __init__(self) -> None:
        self._pool = httpx.Client(timeout=None)  # noqa: S113 - the witness sets each request's timeouts from its deadline

    def complete(self, provider: Provider, request: ModelRequest, *, deadline_s: float) -> Reply:
        litellm = _litellm()
        witness = Witness(self._pool, provider.name, deadline_s)
        with httpx.Client(transport=witness, trust_env=False) as http:
            arguments = _arguments(provider, request)
            try:
                response = litellm.completion(**arguments, client=_client(provider, http), timeout=deadline_s)
                text: str = response.choices[0].message.content or ""
            except Exception as error:  # edge: litellm raises its own, the SDKs' and plain Python errors alike
                raise _translated(witness, provider, error) from error
        if witness.exchange is None:
            raise _unwitnessed(provider)
        verdict = judge(witness.exchange, provider.name)
        return Reply(text=text, finish=verdict.finish, usage=verdict.usage)

    def close(self) -> None:
        self._pool.close()


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


def _client(provider: Provider, http: httpx.Client) -> object:
    if provider.spec.vendor in _OPENAI_CLIENT:
        from openai import OpenAI

        return OpenAI(
            api_key=provider.api_key or _NO_KEY, base_url=provider.spec.api_base, http_client=http, max_retries=0
        )
    from litellm.llms.custom_httpx.http_handler import HTTPHandler

    return HTTPHandler(client=http)


def _arguments(provider: Provider, request: ModelRequest) -> dict[str, object]:
    arguments: dict[str, object] = {
        "model": provider.spec.model,
        "messages": [message.model_dump() for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "api_key": provider.api_key or _NO_KEY,
        "api_base": provider.spec.api_base,
        "max_retries": 0,
        "num_retries": 0,
        "drop_params": True,
    }
    if request.answer_schema is not None:
        schema = {"name": _identifier(request.task), "schema": dict(request.answer_schema), "strict": False}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
    return arguments


def _identifier(task: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in task)[:64]


def _translated(witness: Witness, provider: Provider, error: Exception) -> AccordError:
    """What the wire showed decides; only when nothing was sent, or all was well, is it about litellm itself."""
    if witness.error is not None:
        return witness.error
    if witness.exchange is None:
        return failure(
            Fault.UNAVAILABLE,
            f"litellm could not send to {provider.name!r}: {str(error)[:200]!r}. Check `model` and `api_base`.",
        )
    try:
        judge(witness.exchange, provider.name)
    except AccordError as judged:
        return judged
    return failure(
        Fault.MALFORMED, f"litellm cannot read the answer of {provider.name!r}: {str(error)[:200]!r}. Try again."
    )


def _unwitnessed(provider: Provider) -> AccordError:
    return failure(
        Fault.UNAVAILABLE,
        f"litellm reached {provider.spec.vendor!r} past our transport, so its answer cannot be trusted. "
        "Use the vendor's OpenAI-compatible address: `model: openai/…` with `api_base`.",
    )
