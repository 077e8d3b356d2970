"""A small real HTTP server that speaks three vendors' wire formats and fails on demand, at the level of bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

PARAGRAPH = "Hold the budget until the region test ends."


def openai(text: str = PARAGRAPH, finish: str | None = "stop") -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60},
        },
    }


def anthropic(text: str = PARAGRAPH, finish: str | None = "end_turn") -> dict[str, Any]:
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": finish,
        "stop_sequence": None,
        "usage": {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 20},
    }


def gemini(text: str = PARAGRAPH, finish: str | None = "STOP") -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
    return {
        "candidates": [candidate | ({"finishReason": finish} if finish else {})],
        "usageMetadata": {
            "promptTokenCount": 100,
            "candidatesTokenCount": 20,
            "cachedContentTokenCount": 60,
            "totalTokenCount": 120,
        },
    }


WHOLE = {"openai": openai, "anthropic": anthropic, "gemini": gemini}


class Peer(ThreadingHTTPServer):
    """Answers every POST with `fault` applied to the whole answer of `wire`. `seen` counts the requests."""

    daemon_threads = True

    def __init__(self, wire: str, fault: str, text: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wire, self.fault, self.text = wire, fault, text
        self.seen: list[dict[str, Any]] = []
        self.release = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def _hollow(self, whole: dict[str, Any]) -> dict[str, Any]:
        """An end marker with nothing in front of it."""
        match self.wire:
            case "openai":
                return whole | {"choices": [{"index": 0, "finish_reason": "stop"}]}
            case "anthropic":
                return whole | {"content": []}
            case _:
                return whole | {"candidates": [{"finishReason": "STOP"}]}

    def body(self) -> bytes:
        whole = WHOLE[self.wire]
        match self.fault:
            case "no_finish":
                return json.dumps(whole(self.text, None)).encode()
            case "length":
                marker = {"openai": "length", "anthropic": "max_tokens", "gemini": "MAX_TOKENS"}[self.wire]
                return json.dumps(whole(self.text, marker)).encode()
            case "empty":
                part = {"openai": "choices", "anthropic": "content", "gemini": "candidates"}[self.wire]
                return json.dumps(whole(self.text) | {part: []}).encode()
            case "hollow":
                return json.dumps(self._hollow(whole(self.text))).encode()
            case "cut_json":
                return json.dumps(whole(self.text)).encode()[:-25]
            case _:
                return json.dumps(whole(self.text)).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def peer(self) -> Peer:
        return cast("Peer", self.server)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.peer.seen.append(json.loads(self.rfile.read(length)))
        match self.peer.fault:
            case "500" | "503" | "529" | "401" | "404" | "400":
                self._say(int(self.peer.fault), b'{"error": {"message": "no"}}')
            case "429":
                self._say(429, b'{"error": {"message": "slow down"}}', retry_after="7")
            case "html":
                self._say(200, b"<html>captive portal</html>", kind="text/html")
            case "silence":
                self.peer.release.wait(30)
                self.close_connection = True
            case "drop":
                self.close_connection = True
            case "short_body":
                self._say(200, self.peer.body(), promised=10_000)
                self.close_connection = True
            case _:
                self._say(200, self.peer.body())

    def _say(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        retry_after: str | None = None,
        promised: int | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(promised or len(body)))
        if retry_after:
            self.send_header("retry-after", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Quiet: the tests look at `seen`."""


@contextmanager
def running(wire: str = "openai", fault: str = "", text: str = PARAGRAPH) -> Generator[Peer]:
    """A peer on a free port of this machine, for as long as the block lasts."""
    peer = Peer(wire, fault, text)
    thread = threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        peer.release.set()
        peer.shutdown()
        peer.server_close()
        thread.join()
