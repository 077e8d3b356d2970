"""What really goes over the wire: classes stay behind their wall, names behind their placeholders, whatever fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog, Ledger
from providers.names import Name, NameIndex
from providers.opening import open_gateway
from providers.types import Message, ModelRequest, ProviderSpec

WIRES = ("openai", "anthropic", "gemini")
MODELS = {"openai": "openai/gpt-5-mini", "anthropic": "anthropic/claude-haiku-4-5", "gemini": "gemini/gemini-3.8-flash"}
PATHS = {"openai": "/v1", "anthropic": "", "gemini": ""}
INDEX = NameIndex([Name("person", "Anaïs Dupré"), Name("account", "Acme Retail")])
SECRET = "canary-of-confidential-data"


@pytest.fixture
def opened() -> Iterator[Callable[..., Gateway]]:
    with ExitStack() as stack:

        def build(*found: tuple[Any, dict[str, Any]]) -> Gateway:
            keys = {f"{vendor.upper()}_API_KEY": "test-key" for vendor in MODELS}
            specs = [
                ProviderSpec(name=f"p{n}", model=MODELS[one.wire], api_base=one.address + PATHS[one.wire], **spec)
                for n, (one, spec) in enumerate(found)
            ]
            ledger = Ledger(InMemoryCallLog(), currency="USD", fx={})
            return stack.enter_context(open_gateway(specs, ledger, keys, names=lambda: INDEX))

        yield build


def sent(one: Any) -> str:
    """All bodies that a peer received, with their escapes undone."""
    return json.dumps(one.seen, ensure_ascii=False)


@pytest.mark.parametrize("fault", ["503", "drop", "no_finish"])
def test_a_class_reaches_only_those_who_may_see_it_over_every_fallback(
    fault: str, peer: Callable[..., Any], opened: Callable[..., Gateway]
) -> None:
    trusted = {"data_classes": ("public", "internal", "confidential")}
    blind = [peer(wire) for wire in WIRES]
    failing, good = [peer(wire, fault) for wire in WIRES], peer("openai")
    gateway = opened(*((one, {}) for one in blind), *((one, trusted) for one in failing), (good, trusted))
    request = ModelRequest(task="t", messages=(Message(role="user", content=SECRET),), data_class="confidential")
    assert gateway.complete(request).provider == "p6"
    assert [one.seen for one in blind] == [[]] * 3
    assert all(SECRET in sent(one) for one in (*failing, good))


@pytest.mark.parametrize("wire", WIRES)
def test_names_stay_here_and_come_back(wire: str, peer: Callable[..., Any], opened: Callable[..., Gateway]) -> None:
    one = peer(wire)
    gateway = opened((one, {"pseudonyms": True}))
    text = "Write to Anaïs Dupré (anais@acme.example, ANAIS DUPRE) of Acme Retail."
    schema: dict[str, Any] = {"type": "string", "enum": ["Acme Retail", "nobody"]}
    gateway.complete(ModelRequest(task="t", messages=(Message(role="user", content=text),)))
    plain = sent(one)
    assert "person_" in plain
    assert "account_" in plain
    assert not any(name in plain.lower() for name in ("dupr", "anais", "anaïs", "acme"))
    with pytest.raises(Exception, match=r"schema|JSON"):
        gateway.complete(
            ModelRequest(task="t", messages=(Message(role="user", content="Which?"),), answer_schema=schema)
        )
    assert "acme" not in sent(one).lower()
