"""The caller under test: our gateway over the vendors of a case."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from domain.errors import AccordError
from providers.deadlines import Deadlines
from providers.faults import Fault
from providers.gateway import Gateway
from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.transport import Pool
from providers.types import (
    Message,
    ModelAnswer,
    ModelRequest,
    Outcome,
    ProviderSpec,
    TextDelta,
    Tool,
)
from tests.peer.answers import SCHEMA, TOOL_PARAMETERS
from tests.peer.cases import FIRST_TOKEN_S, INTER_CHUNK_S, TOTAL_S, Case, Got, Window
from tests.peer.drive import Caller, Session
from tests.peer.wires import Wire

MODELS: Mapping[tuple[Wire, Window], str] = {
    (Wire.OPENAI, "usual"): "openai/gpt-5-mini",
    (Wire.OPENAI, "small"): "openai/gpt-4o-mini",
    (Wire.OPENAI, "large"): "openai/gpt-6-sol",
    (Wire.ANTHROPIC, "usual"): "anthropic/claude-haiku-4-5",
    (Wire.ANTHROPIC, "small"): "anthropic/claude-haiku-4-5",
    (Wire.ANTHROPIC, "large"): "anthropic/claude-sonnet-5-5",
    (Wire.GEMINI, "small"): "gemini/gemini-3.8-flash",
    (Wire.GEMINI, "usual"): "gemini/gemini-3.8-flash",
    (Wire.GEMINI, "large"): "gemini/gemini-3.8-flash",
}
DEADLINES = Deadlines(first_token_s=FIRST_TOKEN_S, inter_chunk_s=INTER_CHUNK_S, total_s=TOTAL_S)
KEYS = {f"{wire.upper()}_API_KEY": "test-key" for wire in Wire}
_TOOL = Tool(name="set_budget", description="Set a budget.", parameters=TOOL_PARAMETERS)


def our_gateway(deadlines: Deadlines = DEADLINES) -> Caller:
    """A gateway of its own for every case, so that no breaker is shared."""

    @asynccontextmanager
    async def opened(case: Case, bases: tuple[str, ...]) -> AsyncGenerator[Session]:
        ledger = Ledger(InMemoryCallLog(), currency="USD", fx={"EUR": Decimal(1)})
        pool = Pool()
        with open_gateway(specs_of(case, bases), ledger, KEYS, deadlines=deadlines, pool=pool) as gateway:
            yield Asking(gateway, request_of(case, deadlines.total_s), stream=case.mode == "stream")
        await pool.aclose()

    return opened


def specs_of(case: Case, bases: tuple[str, ...]) -> list[ProviderSpec]:
    """The vendors of `case` as one would configure them."""
    return [
        ProviderSpec(
            name=f"p{number}",
            model=MODELS[route.wire, route.window],
            api_base=f"{base}/v1" if route.wire is Wire.OPENAI else base,
            api_key_env=f"{route.wire.upper()}_API_KEY",
        )
        for number, (route, base) in enumerate(zip(case.routes, bases, strict=False))
    ]


def request_of(case: Case, deadline_s: float) -> ModelRequest:
    """What is asked in `case`."""
    return ModelRequest(
        task="explain",
        messages=(Message(role="user", content="Que faire du budget ?"),),
        answer_schema=SCHEMA if case.asks == "schema" else None,
        tools=(_TOOL,) if case.asks == "tool" else (),
        deadline_s=deadline_s,
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """One request over a gateway, again and again."""

    gateway: Gateway
    request: ModelRequest
    stream: bool

    async def call(self) -> Got:
        delivered: list[str] = []
        try:
            answer = await (self._streamed(delivered) if self.stream else self.gateway.acomplete(self.request))
        except AccordError as error:
            return Got(delivered="".join(delivered), error=kind_of(error))
        text = "".join(delivered) if self.stream else answer.text
        calls = tuple((call.name, call.arguments) for call in answer.tool_calls)
        return Got(text, answer.text, calls, answer.parsed, answer.finish, by=int(answer.provider[1:]))

    async def _streamed(self, delivered: list[str]) -> ModelAnswer:
        """The last event is the whole answer; a stream that ends without one has told nobody that it failed."""
        last = None
        async for event in self.gateway.stream(self.request):
            if isinstance(event, TextDelta):
                delivered.append(event.text)
            last = event
        if not isinstance(last, ModelAnswer):
            raise TypeError(last)
        return last


def kind_of(error: AccordError) -> str:
    """The fault an error tells: its own, else that of the last attempt made, else its place in the tree."""
    fault = error.facts.get("fault")
    if isinstance(fault, Fault):
        return fault
    attempts = error.facts.get("attempts")
    made = [one for one in attempts if one.outcome is Outcome.FAILED] if isinstance(attempts, tuple) else []
    return made[-1].error_code if made else error.code
