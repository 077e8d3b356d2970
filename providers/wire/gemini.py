"""Gemini's generateContent: `candidates`, `finishReason`, `promptFeedback`; a stream is a row of such answers."""

from __future__ import annotations

import json

from domain.ids import derive_id
from providers.types import Tokens
from providers.wire.reading import REFUSALS, Body, Reading

# A signature that Gemini wants back with the call travels in its id, the way litellm reads it from there.
_SIGNATURE = "__thought__"


class GeminiReading(Reading):
    """One answer of generateContent, streamed or plain."""

    @property
    def over(self) -> bool:
        """The end marker, with the usage that only newer versions send, which mark nothing but the end."""
        return self.ended or (self.marker is not None and bool(self._usage))

    def _delta(self, body: Body) -> None:
        if not {"candidates", "promptFeedback", "usageMetadata"} & body.keys():
            raise KeyError("candidates")
        if (body.get("promptFeedback") or {}).get("blockReason"):
            self.marker = "SAFETY"
        for candidate in body.get("candidates") or ():
            if candidate.get("index", 0) == 0:
                self._candidate(body, candidate)
        if usage := body.get("usageMetadata"):
            self._usage = usage

    def _message(self, body: Body) -> None:
        self._delta(body)

    def _candidate(self, body: Body, candidate: Body) -> None:
        if self.marker in REFUSALS:
            return
        content: Body = candidate.get("content") or {}
        found: list[Body] = content.get("parts") or []
        parts = [part for part in found if part != {"text": ""}]
        if parts and self.over:
            raise ValueError("More content after the end marker")
        if parts:
            self.marker = None  # older versions mark every part of a stream as the last: the last one's word counts
        for part in parts:
            self._part(part, str(body.get("responseId", "")))
        self._mark(candidate.get("finishReason"))

    def _part(self, part: Body, answer: str) -> None:
        if call := part.get("functionCall"):
            index = len(self._calls)
            arguments = json.dumps(call.get("args") or {})
            id_ = call.get("id") or derive_id("call", self._provider, answer, index, call["name"], arguments)
            signature = part.get("thoughtSignature")
            self._tool(index, f"{id_}{_SIGNATURE}{signature}" if signature else id_, call["name"], arguments)
        elif "text" in part and not part.get("thought"):
            self._text(part["text"])
        else:
            self._work()

    def _tokens(self, usage: Body) -> Tokens:
        """Gemini bills thoughts as output and counts them beside the candidates."""
        return Tokens(
            input=usage["promptTokenCount"],
            output=(usage.get("candidatesTokenCount") or 0) + (usage.get("thoughtsTokenCount") or 0),
            cached=usage.get("cachedContentTokenCount") or 0,
        )
