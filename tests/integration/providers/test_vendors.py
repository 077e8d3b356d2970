"""Every vendor's request as litellm writes it, posted by us: it goes to the vendor's own address, with its own key."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest

from domain.errors import TerminalError
from providers.deadlines import Deadlines
from providers.faults import Fault, fault_of
from providers.litellm_adapter import CAPTURED, OPENAI_WIRE, LitellmAdapter
from providers.registry import Provider
from providers.transport import Pool
from providers.types import Message, ModelRequest, Piece, ProviderSpec, Reply, Tokens, Tool

ASKED = ModelRequest(task="t", messages=(Message(role="system", content="s"), Message(role="user", content="u")))
HOMELESS = {"custom_openai", "hosted_vllm", "litellm_proxy", "lm_studio", "azure_ai"}
CHUNKS = (
    {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
    {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
)
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 1},
}


class Vendor:
    """Answers every request, and keeps the last one."""

    def __init__(self) -> None:
        self.seen: httpx.Request | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen = request
        if request.url.path.endswith("/converse"):
            return answered(json.dumps(CONVERSE), "application/json")
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS) + "data: [DONE]\n\n"
        return answered(lines, "text/event-stream")


def answered(body: str, kind: str) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(body.encode()), headers={"content-type": kind})


def asked(vendor: str, request: ModelRequest = ASKED, base: str | None = None) -> tuple[list[Piece], httpx.Request]:
    """What `vendor` is sent, and what becomes of its answer."""
    answers = Vendor()
    model = "converse/some-model" if vendor == "bedrock" else "some-model"
    spec = ProviderSpec(name="p", model=f"{vendor}/{model}", api_base=base)
    provider = Provider(spec, rates=None, context_tokens=None, takes_schema=True, api_key="the-key")

    async def call() -> list[Piece]:
        adapter = LitellmAdapter(Pool(httpx.MockTransport(answers)))
        await adapter.prepare(provider)
        pieces = [piece async for piece in adapter.stream(provider, request, Deadlines())]
        await adapter.aclose()
        return pieces

    pieces = asyncio.run(call())
    assert answers.seen is not None
    return pieces, answers.seen


@pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict class")  # litellm's own types, for pydantic
@pytest.mark.parametrize("vendor", sorted(OPENAI_WIRE | CAPTURED.keys()))
def test_a_vendor_is_asked_at_the_given_address_with_its_key_and_read_to_the_end(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    pieces, seen = asked(vendor, base="http://somewhere.test/v1")
    assert seen.url.host == "somewhere.test"
    assert "the-key" in (seen.headers.get("authorization", "") + seen.headers.get("api-key", ""))
    assert pieces[-1] == Reply(text="hi", finish="stop", usage=Tokens(input=3, output=1))


@pytest.mark.parametrize("vendor", sorted(OPENAI_WIRE - HOMELESS))
def test_no_key_goes_to_another_vendors_address(vendor: str) -> None:
    host = urlsplit(str(asked(vendor)[1].url)).hostname or ""
    assert host.endswith("api.openai.com") is (vendor == "openai"), host


@pytest.mark.parametrize("vendor", sorted(HOMELESS))
def test_a_vendor_without_an_address_of_its_own_needs_one(vendor: str) -> None:
    with pytest.raises(TerminalError, match="api_base"):
        asked(vendor)


def test_tools_that_litellm_leaves_out_are_no_call_without_tools() -> None:
    with pytest.raises(TerminalError, match="takes no tools") as caught:
        asked("featherless_ai", ASKED.model_copy(update={"tools": (Tool(name="f"),)}))
    assert fault_of(caught.value) is Fault.UNSUPPORTED
