"""A real model in this process, from the package registry to a typed answer: plumbing, not quality (93 MB)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import httpx
import pytest
from pydantic import BaseModel

from domain.errors import TerminalError, TransientError
from providers.ledger import InMemoryCallLog, Ledger
from providers.local_model import LocalServer, local_missing
from providers.opening import open_gateway
from providers.types import Message, ProviderSpec
from providers.weights import ProgressBar, models_dir, pull

NAME = "smollm2-135m"


class Mood(BaseModel):
    mood: Literal["good", "bad"]


@pytest.fixture(scope="module")
def weights() -> Path:
    """Fetched once into the user's cache by the product's own code, and found there by later runs."""
    try:
        return pull(NAME, models_dir(os.environ), progress=ProgressBar(NAME), warn=print)
    except TransientError as error:
        pytest.skip(error.detail)


@pytest.mark.usefixtures("weights")
def test_a_typed_answer_through_the_whole_gateway() -> None:
    spec = ProviderSpec(name="local", model=f"local/{NAME}", data_classes=("personal",))
    log = InMemoryCallLog()
    messages = [Message(role="user", content="The customer is happy. Which mood? Answer in JSON.")]
    with open_gateway([spec], Ledger(log, currency="EUR", fx={}), {**os.environ}) as gateway:
        first, answer = gateway.ask("mood", Mood, messages, data_class="personal", max_tokens=64)
        again, second = gateway.ask("mood", Mood, messages, data_class="personal", max_tokens=64)
    assert first == again
    assert (answer.finish, answer.cost_nano) == ("stop", 0)
    assert answer.usage is not None
    assert answer.usage.output > 0
    assert second.usage is not None
    assert second.usage.cached > 0, "the prompt's beginning is read once"
    assert [call.charged_nano for call in log.calls.values()] == [0, 0]


def test_the_server_is_closed_to_whoever_lacks_its_key(weights: Path) -> None:
    server = LocalServer(weights)
    endpoint = server.endpoint()
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    try:
        assert endpoint.api_base.startswith("http://127.0.0.1:")
        assert server.endpoint() == endpoint
        with httpx.Client(base_url=endpoint.api_base, timeout=60) as client:
            assert client.post("/chat/completions", json=body).status_code == 401
            key = {"authorization": f"Bearer {endpoint.api_key}"}
            assert client.post("/chat/completions", json=body, headers=key).status_code == 200
    finally:
        server.close()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    empty = {"XDG_CACHE_HOME": str(tmp_path)}
    assert "accord models pull" in str(local_missing(NAME, empty))
    assert "ACCORD_LOCAL_MODEL" in str(local_missing(NAME, empty | {"ACCORD_LOCAL_MODEL": "off"}))
    with pytest.raises(TerminalError, match="No model weights"):
        LocalServer(tmp_path / "none.gguf").endpoint()


def test_weights_that_are_none_are_a_fault_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(TerminalError, match="cannot be loaded"):
        LocalServer(tmp_path / "bad.gguf").endpoint()
