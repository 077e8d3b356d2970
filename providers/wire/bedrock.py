"""Amazon Bedrock's Converse, read as a plain answer: `output.message`, `stopReason`."""

from __future__ import annotations

import json

from providers.types import Tokens
from providers.wire.reading import Body, Reading


class BedrockReading(Reading):
    def _delta(self, body: Body) -> None:
        raise ValueError("Converse is asked for plain answers")

    def _message(self, body: Body) -> None:
        self._usage = body.get("usage") or {}
        calls = 0
        for part in body["output"]["message"]["content"]:
            if "text" in part:
                self._text(part["text"])
            elif call := part.get("toolUse"):
                text = json.dumps(call.get("input") or {})
                if self._is_answer(calls, call["name"]):
                    self._text(text)
                else:
                    self._tool(calls, call["toolUseId"], call["name"], text)
                calls += 1
            else:
                self._work()
        self.marker = body.get("stopReason")

    def _tokens(self, usage: Body) -> Tokens:
        """Bedrock counts cache reads and writes beside `inputTokens`, not within."""
        cached, written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
        return Tokens(
            input=usage["inputTokens"] + cached + written,
            output=usage.get("outputTokens") or 0,
            cached=cached,
            cache_write=written,
        )
