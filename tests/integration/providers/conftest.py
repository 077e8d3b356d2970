"""Peers and gateways over them, for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.types import ProviderSpec

MODELS = {"openai": "openai/gpt-5-mini", "anthropic": "anthropic/claude-haiku-4-5", "gemini": "gemini/gemini-3.8-flash"}
PATHS = {"openai": "/v1", "anthropic": "", "gemini": ""}
KEYS = {f"{vendor.upper()}_API_KEY": "test-key" for vendor in MODELS}


class Listening(Protocol):
    """A started peer."""

    wire: str

    @property
    def address(self) -> str: ...


def _load_peer() -> ModuleType:
    """Test folders are no packages, so the module beside this one is loaded by its path."""
    spec = importlib.util.spec_from_file_location("provider_peer", Path(__file__).with_name("peer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def peers() -> ModuleType:
    return _load_peer()


@pytest.fixture
def peer(peers: ModuleType) -> Iterator[Callable[..., Any]]:
    """Starts a peer: `peer(wire, fault, text)`."""
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(peers.running(*args))


@pytest.fixture
def log() -> InMemoryCallLog:
    return InMemoryCallLog()


@pytest.fixture
def gateway(log: InMemoryCallLog) -> Iterator[Callable[..., Gateway]]:
    """A gateway over peers, named p0, p1, … in their order."""
    with ExitStack() as stack:

        def build(*found: Listening) -> Gateway:
            specs = [
                ProviderSpec(
                    name=f"p{n}",
                    model=MODELS[one.wire],
                    api_base=one.address + PATHS[one.wire],
                    api_key_env=f"{one.wire.upper()}_API_KEY",
                )
                for n, one in enumerate(found)
            ]
            ledger = Ledger(log, currency="USD", fx={"EUR": Decimal(1)})
            return stack.enter_context(open_gateway(specs, ledger, KEYS))

        yield build
