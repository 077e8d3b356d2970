from __future__ import annotations

import json
import struct
from zlib import crc32

import pytest

from domain.errors import AccordError
from providers.faults import Fault, fault_of
from providers.types import Reply, ToolCall
from providers.wire.bedrock import BedrockReading, Frames


def frame(body: object, **headers: str) -> bytes:
    """One event as AWS frames it: lengths, their checksum, headers, payload, checksum of all."""
    said = {f":{name.replace('_', '-')}": value for name, value in headers.items()}
    head = b"".join(
        struct.pack(f">B{len(name)}sBH{len(value)}s", len(name), name.encode(), 7, len(value), value.encode())
        for name, value in said.items()
    )
    payload = json.dumps(body).encode()
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return message + struct.pack(">I", crc32(message))


def event(kind: str, **body: object) -> bytes:
    return frame(body, message_type="event", event_type=kind)


STREAM = (
    event("messageStart", role="assistant")
    + event("contentBlockDelta", contentBlockIndex=0, delta={"text": "hé"})
    + event("contentBlockStart", contentBlockIndex=1, start={"toolUse": {"toolUseId": "1", "name": "f"}})
    + event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": '{"n": '}})
    + event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": "1}"}})
)
END = event("messageStop", stopReason="tool_use") + event("metadata", usage={"inputTokens": 3, "outputTokens": 1})


def read(data: bytes, size: int = 7) -> Reply:
    """The reply at the end of `data`, which comes in chunks of `size`."""
    frames, reading = Frames(), BedrockReading("p")
    for start in range(0, len(data), size):
        for one in frames.feed(data[start : start + size]):
            reading.event(one)
    reply = reading.complete()[-1]
    assert isinstance(reply, Reply)
    return reply


def test_text_and_calls_come_in_frames_of_any_cut() -> None:
    reply = read(STREAM + END)
    assert (reply.text, reply.tool_calls, reply.finish) == (
        "hé",
        (ToolCall(id="1", name="f", arguments='{"n": 1}'),),
        "tool",
    )
    assert reply.usage is not None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (STREAM, Fault.CUT),
        (STREAM + END[:40], Fault.CUT),
        (
            STREAM + frame({"message": "slow"}, message_type="exception", exception_type="throttlingException"),
            Fault.RATE_LIMITED,
        ),
        (
            STREAM + frame({"message": "?"}, message_type="exception", exception_type="internalServerException"),
            Fault.OVERLOADED,
        ),
    ],
)
def test_what_breaks_off_is_no_answer(data: bytes, fault: Fault) -> None:
    with pytest.raises(AccordError) as caught:
        read(data)
    assert fault_of(caught.value) is fault


def test_bytes_that_are_no_frames_are_told_apart() -> None:
    with pytest.raises(ValueError, match="hecksum"):
        read(STREAM[:20] + b"x" + STREAM[21:] + STREAM, size=1000)
