"""Measures the gateway beside LiteLLM's Router and bare httpx, in one run against one peer in a process of its own.

Run it by hand: `python evals/bench/gateway.py [--quick] [PART …]`, parts catalogue, outage, overhead, memory, budget,
door. Prints one table a part, with the load of the machine beside it. Deadlines are those of the catalogue.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from itertools import product
from pathlib import Path

import httpx
import psutil
import yaml

from providers.deadlines import Deadlines
from providers.ledger import InMemoryCallLog, Ledger
from providers.opening import open_gateway
from providers.pricing import NANO
from providers.types import Budget, Message, ModelRequest
from tests.peer.cases import Got
from tests.peer.catalogue import BY_ID, CASES
from tests.peer.drive import Caller, Place, Session, twice_judged, warmed_up
from tests.peer.ours import KEYS, Asking, our_gateway, specs_of
from tests.peer.remote import Remote, elsewhere
from tests.peer.rivals import DEFAULTS, TUNED, bare_httpx, litellm_router

OURS, BARE = "accord", "httpx alone"
CALLERS: Mapping[str, Caller] = {
    OURS: our_gateway(),
    "LiteLLM Router": litellm_router(DEFAULTS),
    "LiteLLM Router, tuned": litellm_router(TUNED),
    BARE: bare_httpx(),
}
# Where nothing fails, a busy machine must not look like a vendor that does.
_CALM_S = 60.0
CALM: Mapping[str, Caller] = {
    OURS: our_gateway(Deadlines(_CALM_S, _CALM_S, 2 * _CALM_S)),
    "LiteLLM Router": litellm_router(DEFAULTS, _CALM_S),
    BARE: bare_httpx(_CALM_S),
}
ADMIN_KEY = "bench-key-" + "0" * 32
# As its documentation advises, in real time where the catalogue scales every time down.
_OUTAGE_SETTINGS = {"allowed_fails": 1, "cooldown_time": 30}
OUTAGES = ("openai.plain.http-503", "openai.plain.http-429", "openai.stream.http-503", "openai.plain.silent")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    every: int  # each so-manieth case of the catalogue
    rounds: int
    calls: int  # of a round
    growth: int  # calls over which memory is watched


WIDTHS = (1, 8, 32)
FULL, QUICK = Scale(1, 7, 256, 5000), Scale(6, 3, 64, 500)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints one part's figures."""
    load = os.getloadavg()[0]
    print(f"\n## {title} (load {load:.1f})\n")
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")


async def catalogue(place: Place, remote: Remote, scale: Scale) -> None:
    """How many cases each caller gets right, and how often it gave something else as the whole answer."""
    rows: list[list[object]] = []
    cases = CASES[:: scale.every]
    for name, caller in CALLERS.items():
        await remote.forget()
        found = await twice_judged(cases, caller, place, kinds=name == OURS)
        right, passed = sum(not one.wrong for one in found), sum(one.passed for one in found)
        lied = sum(one.lied for one in found)
        rows.append([name, len(found), passed, f"{passed / len(found):.1%}", f"{right / len(found):.1%}", lied])
    head = ("caller", "cases", "passed", "passed rate", "right, any calls and time", "wrong given as complete")
    table("Catalogue", head, rows)


async def outage(place: Place, remote: Remote, _: Scale) -> None:
    """The first vendor down for eleven calls, the second in order."""
    rows: list[list[object]] = []
    callers = {name: caller for name, caller in CALLERS.items() if name != BARE}
    callers["LiteLLM Router, tuned"] = litellm_router({**TUNED, **_OUTAGE_SETTINGS})
    for name, caller in callers.items():
        for case in OUTAGES:
            await remote.forget()
            bases = tuple(f"{place.url}/o/{case}/p{number}" for number in range(2))
            async with caller(BY_ID[case], bases) as session:
                found = [await _watched(session) for _ in range(11)]
            took, answered = [seconds for seconds, _ in found], sum(got.complete for _, got in found)
            wasted = await remote.count(f"o/{case}/p0")
            rows.append([name, case, f"{took[0]:.3f}", f"{statistics.median(took[1:]):.4f}", wasted, answered])
    head = ("caller", "outage", "first call, s", "later calls, median s", "calls wasted", "answered of 11")
    table("First vendor down", head, rows)


async def overhead(place: Place, remote: Remote, scale: Scale) -> None:
    """Wall and CPU of one call over bare httpx, rounds interleaved so that all meet the same machine."""
    rows: list[list[object]] = []
    for mode in ("plain", "stream"):
        case = BY_ID[f"openai.{mode}.ok"]
        for width in WIDTHS:
            await remote.forget()
            async with AsyncExitStack() as stack:
                bases = tuple(f"{place.url}/l/{case.id}/p{number}" for number in range(2))
                sessions = {name: await stack.enter_async_context(caller(case, bases)) for name, caller in CALM.items()}
                rows += [[mode, width, *row] for row in await _rounds(sessions, width, scale)]
    head = ("mode", "at once", "caller", "p50 ms", "added p50 ms", "CPU ms a call", "added CPU ms", "CPU over httpx")
    table("Cost of a call", head, rows)


async def _rounds(sessions: Mapping[str, Session], width: int, scale: Scale) -> list[list[object]]:
    walls: dict[str, list[float]] = {name: [] for name in sessions}
    cpus: dict[str, list[float]] = {name: [] for name in sessions}
    for session in sessions.values():
        await _many(session, width, 2 * width)
    for _ in range(scale.rounds):
        for name, session in sessions.items():
            before = time.process_time()
            walls[name].append(statistics.median(await _many(session, width, scale.calls)) * 1e3)
            cpus[name].append((time.process_time() - before) / scale.calls * 1e3)
    wall = {name: statistics.median(found) for name, found in walls.items()}
    cpu = {name: statistics.median(found) for name, found in cpus.items()}
    return [
        [
            name,
            f"{wall[name]:.2f}",
            f"{wall[name] - wall[BARE]:+.2f}",
            f"{cpu[name]:.2f}",
            f"{cpu[name] - cpu[BARE]:+.2f}",
            f"{cpu[name] / cpu[BARE]:.1f}x",
        ]
        for name in sessions
    ]


async def _many(session: Session, width: int, calls: int) -> list[float]:
    """Seconds of each of `calls`, `width` at a time. Raises when one does not answer."""
    gate = asyncio.Semaphore(width)

    async def one() -> float:
        async with gate:
            return await _seconds(session)

    return await asyncio.gather(*(one() for _ in range(calls)))


async def _watched(session: Session) -> tuple[float, Got]:
    began = time.perf_counter()
    got = await session.call()
    return time.perf_counter() - began, got


async def _seconds(session: Session) -> float:
    seconds, got = await _watched(session)
    if not got.complete:
        raise RuntimeError(got)
    return seconds


async def memory(place: Place, remote: Remote, scale: Scale) -> None:
    """Growth of this process over many streams and plain calls; each caller warms up before it is weighed."""
    rows: list[list[object]] = []
    for name in (OURS, "LiteLLM Router"):
        await remote.forget()
        base = psutil.Process().memory_info().rss
        async with AsyncExitStack() as stack:
            sessions = [
                await stack.enter_async_context(
                    CALM[name](BY_ID[case], tuple(f"{place.url}/m/{case}/p{number}" for number in range(2)))
                )
                for case in ("openai.plain.ok", "openai.stream.ok")
            ]
            for session in sessions:
                await _many(session, 32, 400)
            warm = psutil.Process().memory_info().rss
            for session in sessions:
                await _many(session, 32, scale.growth // 2)
            grown = psutil.Process().memory_info().rss - warm
        rows.append([name, scale.growth, f"{(warm - base) / 2**20:.0f}", f"{grown / 2**20:+.1f}"])
    table("Memory", ("caller", "calls", "first use and 800 calls, MB", "growth after, MB"), rows)


async def budget(place: Place, remote: Remote, _: Scale) -> None:
    """Streams, 128 at once, until nothing is left of a hard budget; the bill is summed from what the vendor sent."""
    case = BY_ID["openai.stream.ok"]
    limit_nano = 3_000_000
    await remote.forget()
    ledger = Ledger(
        InMemoryCallLog(), currency="USD", fx={}, budgets=[Budget(scope="all", month=Decimal(limit_nano) / NANO)]
    )
    answered = refused = 0
    with open_gateway(specs_of(case, (f"{place.url}/b/{case.id}/p0",)), ledger, KEYS) as gateway:
        message = Message(role="user", content="Que faire du budget de la région Nord ? " * 10)
        asking = Asking(gateway, ModelRequest(task="explain", messages=(message,), max_tokens=20), stream=True)
        for _round in range(40):
            found = await asyncio.gather(*(asking.call() for _ in range(128)))
            answered += sum(one.complete for one in found)
            refused += sum(one.error == "over_budget" for one in found)
    billed = await remote.count(f"b/{case.id}") * _BILL_NANO
    rows = [[answered, refused, f"{billed / limit_nano:.2%}", f"{max(0, billed - limit_nano) / limit_nano:.2%}"]]
    table("Hard budget, 128 streams at once", ("answered", "refused", "budget used", "overshoot"), rows)


# 40 fresh, 60 cached and 20 output tokens of gpt-5-mini at 0.25, 0.025 and 2 dollars a million.
_BILL_NANO = 40 * 250 + 60 * 25 + 20 * 2000


async def door(place: Place, remote: Remote, scale: Scale) -> None:
    """A call through `/v1/chat/completions` of a served Accord over bare httpx to the vendor, and the server's CPU."""
    rows: list[list[object]] = []
    await remote.forget()
    bases = tuple(f"{place.url}/d/openai.plain.ok/p{number}" for number in range(2))
    with served(bases) as (url, process):
        for mode, width in product(("plain", "stream"), WIDTHS):
            rows += [[mode, width, *(await _through(url, process, bases[0], mode, width, scale))]]
    head = ("mode", "at once", "p50 ms", "added p50 ms", "server CPU ms a call", "server RSS, MB")
    table("Through the HTTP door", head, rows)


async def _through(url: str, process: psutil.Process, base: str, mode: str, width: int, scale: Scale) -> list[object]:
    walls: list[float] = []
    bare: list[float] = []
    cpus: list[float] = []
    limits = httpx.Limits(max_connections=width)
    async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits) as client:
        through = Posting(client, f"{url}/v1/chat/completions", stream=mode == "stream")
        direct = Posting(client, f"{base}/v1/chat/completions", stream=mode == "stream")
        await _many(through, width, 2 * width)
        for _ in range(scale.rounds):
            bare.append(statistics.median(await _many(direct, width, scale.calls)))
            before = _cpu_s(process)
            walls.append(statistics.median(await _many(through, width, scale.calls)))
            cpus.append((_cpu_s(process) - before) / scale.calls)
    wall, added = statistics.median(walls), statistics.median(walls) - statistics.median(bare)
    grown = process.memory_info().rss / 2**20
    return [f"{wall * 1e3:.1f}", f"{added * 1e3:+.1f}", f"{statistics.median(cpus) * 1e3:.1f}", f"{grown:.0f}"]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@dataclass(frozen=True, slots=True)
class Posting:
    """One chat completion over httpx; a stream counts when it ends with its marker."""

    client: httpx.AsyncClient
    url: str
    stream: bool

    async def call(self) -> Got:
        messages = [{"role": "user", "content": "Que faire du budget ?"}]
        body = {"model": "auto", "messages": messages, "stream": self.stream}
        response = await self.client.post(self.url, json=body, headers={"authorization": f"Bearer {ADMIN_KEY}"})
        whole = response.status_code == HTTPStatus.OK and (not self.stream or b"[DONE]" in response.content)
        return Got(error=None if whole else f"{response.status_code} {response.text[:200]}")


@contextmanager
def served(bases: Sequence[str]) -> Generator[tuple[str, psutil.Process]]:
    """`accord serve` over two vendors of the peer, in a home of its own."""
    providers = [
        {"name": f"p{number}", "model": "openai/gpt-5-mini", "api_base": f"{base}/v1", "api_key_env": "PEER_KEY"}
        for number, base in enumerate(bases)
    ]
    settings = {
        "providers": providers,
        "sandbox": {"world": "empty"},
        "memory": {"url": "off"},
        "routing": {"cache": "off"},
    }
    with tempfile.TemporaryDirectory() as home:
        config = Path(home, "accord.yaml")
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        extra = {"ACCORD_HOME": home, "ACCORD_BOOTSTRAP_KEY": ADMIN_KEY, "PEER_KEY": "test-key"}
        command = [str(Path(sys.executable).with_name("accord")), "serve", "--config", str(config), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | extra) as process:  # noqa: S603 - ours
            line = next(line for line in process.stdout or () if line.startswith("ready "))
            try:
                yield line.split()[1], psutil.Process(process.pid)
            finally:
                process.terminate()


PARTS: Mapping[str, Callable[[Place, Remote, Scale], Awaitable[None]]] = {
    "catalogue": catalogue,
    "outage": outage,
    "overhead": overhead,
    "memory": memory,
    "budget": budget,
    "door": door,
}


async def main(arguments: Sequence[str]) -> None:
    """Runs the parts named, or all."""
    scale = QUICK if "--quick" in arguments else FULL
    chosen = [part for part in PARTS if part in arguments] or list(PARTS)
    async with elsewhere() as (place, remote):
        for caller in CALLERS.values():
            await warmed_up(caller, place)
        for part in chosen:
            await PARTS[part](place, remote, scale)


asyncio.run(main(sys.argv[1:]))
