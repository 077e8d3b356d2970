"""Every vendor's request as litellm writes it, posted by us: it goes to the vendor's own address, with its own key."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import httpx
import pytest

from domain.errors import AccordError, TerminalError
from providers.deadlines import Deadlines
from providers.faults import Fault, fault_of
from providers.litellm_adapter import CAPTURED, OPENAI_WIRE, LitellmAdapter
from providers.registry import Provider
from providers.transport import Pool
from providers.types import ImagePart, Message, ModelRequest, Piece, ProviderSpec, Reply, TextPart, Tokens, Tool

pytestmark = pytest.mark.filterwarnings("ignore:Item 'summary' on TypedDict class")  # litellm's types, for pydantic

ASKED = ModelRequest(task="t", messages=(Message(role="system", content="s"), Message(role="user", content="u")))
HOMELESS = {"custom_openai", "hosted_vllm", "litellm_proxy", "lm_studio", "azure_ai"}
CHUNKS = (
    {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
    {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
)
CONVERSE = (
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hi"}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 1}}),
)
SCHEMA = {"type": "object", "properties": {"zork": {"type": "string"}}, "required": ["zork"]}
NO_ADDRESSES, NO_PICTURES = {"anthropic", "gemini", "bedrock"}, {"deepseek", "sambanova"}
NO_SCHEMA = {"zai", "volcengine", "featherless_ai"}


class Vendor:
    """Answers every request, and keeps the last one."""

    def __init__(self) -> None:
        self.seen: httpx.Request | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen = request
        if request.url.path.endswith("/converse-stream"):
            frames = b"".join(frame(kind, body) for kind, body in CONVERSE)
            return answered(frames, "application/vnd.amazon.eventstream")
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS) + "data: [DONE]\n\n"
        return answered(lines.encode(), "text/event-stream")


def answered(body: bytes, kind: str) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(body), headers={"content-type": kind})


def frame(kind: str, body: object) -> bytes:
    """One event as AWS frames it: lengths, their checksum, headers, payload, checksum of all."""
    said = {":message-type": "event", ":event-type": kind}
    headers = b"".join(
        struct.pack(f">B{len(name)}sBH{len(value)}s", len(name), name.encode(), 7, len(value), value.encode())
        for name, value in said.items()
    )
    payload = json.dumps(body).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def asked(vendor: str, request: ModelRequest = ASKED, base: str | None = None) -> tuple[list[Piece], httpx.Request]:
    """What `vendor` is sent, and what becomes of its answer."""
    answers = Vendor()
    model = "converse/some-model" if vendor == "bedrock" else "some-model"
    spec = ProviderSpec(name="p", model=f"{vendor}/{model}", api_base=base)
    provider = Provider(spec, rates=None, context_tokens=None, takes_schema=True, api_key="the-key")

    pieces: list[Piece] = []

    async def call() -> None:
        adapter = LitellmAdapter(Pool(httpx.MockTransport(answers)))
        await adapter.prepare(provider)
        try:
            pieces.extend([piece async for piece in adapter.stream(provider, request, Deadlines())])
        except AccordError:
            if answers.seen is None:
                raise
        finally:
            await adapter.aclose()

    asyncio.run(call())
    assert answers.seen is not None
    return pieces, answers.seen


def sent(vendor: str, request: ModelRequest) -> dict[str, Any]:
    """The body of what `vendor` is sent; what it answers does not matter."""
    return json.loads(asked(vendor, request, base="http://somewhere.test/v1")[1].content)


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


@pytest.mark.parametrize("vendor", sorted(OPENAI_WIRE | CAPTURED.keys()))
def test_a_schema_goes_along_in_the_vendors_words_or_in_the_systems(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    body = sent(vendor, ASKED.model_copy(update={"answer_schema": SCHEMA}))
    assert "zork" in json.dumps(body)
    assert ("zork" in json.dumps(body.get("messages"))) is (vendor in NO_SCHEMA)
    assert not {"fake_stream", "json_mode"} & body.keys()
    if vendor in NO_SCHEMA:
        assert [turn["role"] for turn in body["messages"]] == ["system", "user"]
        assert body["messages"][0]["content"].startswith("s\n\nAnswer with one JSON value")


@pytest.fixture(scope="module")
def picture() -> Iterator[tuple[str, list[str]]]:
    """The address of a picture on this machine, and who has asked for it."""
    seen: list[str] = []

    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Quiet: the test looks at `seen`."""

    with HTTPServer(("127.0.0.1", 0), Pictures) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/secret.png", seen
        server.shutdown()
        thread.join()


def showing(url: str) -> ModelRequest:
    content = (TextPart(text="what is it?"), ImagePart(url=url))
    return ASKED.model_copy(update={"messages": (Message(role="user", content=content),)})


@pytest.mark.parametrize("vendor", sorted({*OPENAI_WIRE, *CAPTURED, "anthropic", "gemini"}))
def test_no_picture_is_fetched_by_this_machine(
    vendor: str, picture: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor fetches it from its address, or is not asked."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    url, seen = picture
    if vendor in NO_ADDRESSES | NO_PICTURES:
        with pytest.raises(TerminalError, match="data:" if vendor in NO_ADDRESSES else "no pictures") as caught:
            sent(vendor, showing(url))
        assert fault_of(caught.value) is Fault.UNSUPPORTED
    else:
        assert url in json.dumps(sent(vendor, showing(url)))
    assert seen == []


@pytest.mark.parametrize("vendor", ["openai", *sorted(NO_ADDRESSES)])
def test_a_picture_within_the_request_is_sent(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    assert pixel in json.dumps(sent(vendor, showing(f"data:image/png;base64,{pixel}")))


def test_the_first_calls_of_a_process_connect_to_the_vendor_alone() -> None:
    """What litellm would fetch, it fetches once a process."""
    found = subprocess.run(
        [sys.executable, "-c", _FIRST_CALLS], capture_output=True, text=True, check=False, timeout=300
    )
    assert found.stdout.split() == ["127.0.0.1"], found.stderr


_FIRST_CALLS = """
import asyncio, sys
from domain.errors import AccordError
from providers.deadlines import Deadlines
from providers.litellm_adapter import LitellmAdapter
from providers.registry import Provider
from providers.types import Message, ModelRequest, ProviderSpec

asked = set()
sys.addaudithook(lambda name, args: asked.add(args[1][0] if name == "socket.connect" else args[0])
                 if name in {"socket.connect", "socket.getaddrinfo"} else None)
request = ModelRequest(task="t", messages=(Message(role="user", content="u"),))

async def call(model):
    spec = ProviderSpec(name="p", model=model, api_base="http://127.0.0.1:9")
    provider = Provider(spec, rates=None, context_tokens=None, takes_schema=True, api_key="k")
    adapter = LitellmAdapter()
    await adapter.prepare(provider)
    try:
        [piece async for piece in adapter.stream(provider, request, Deadlines())]
    except AccordError:
        pass
    await adapter.aclose()

for model in ("anthropic/claude-haiku-4-5", "openai/gpt-5-mini", "gemini/gemini-3.8-flash"):
    asyncio.run(call(model))
print(*asked)
"""
