"""Run as a process by test_kill: a company lives its days, and dies on order, until it has lived them all.

Arguments: where homes are made, the number of days (of a small company; `demo:WEEKS` for the one of the product), and
each way to die: `never`, `moments:SEED:TIMES` (SIGKILL by the parent at
random moments), `commits:SEED:TIMES` (right before or after a random commit), or `before`, `after` with `:native` or
`:blind` (inside the first call of the tool, which recognises a repeated key or not). Each life is a fork, so that
the imports are paid once. Prints how many lives each took.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event

import agents.measure
from agents.clock import ManualClock
from agents.demo import BEFORE_ALL, PEOPLE, play, run_demo
from agents.graph import build_graph
from agents.parts import Runtime
from agents.runtime import build_event_time
from agents.settings import AuthSettings, MemorySettings, SandboxSettings, Settings
from agents.tools import Tools
from connectors.contract import Actuator
from connectors.sandbox.empty import EmptyCompany
from domain.actions import ActionSpec, Receipt
from domain.ports import Context, View
from domain.proposals import Candidate, Expected, Measurement
from domain.situations import Finding, Situation

assert agents.measure  # loaded before the first fork
DAYS = 60
POLICY = """
limits: {daily_spend_moved: 500, per_entity_cooldown_h: 24, max_step_rate: 0.5}
rules:
  - {id: small, match: {kind: ads.budget.set, delta_abs_max: 20}, verdict: auto}
  - {id: large, match: {kind: ads.budget.set, delta_abs_max: 60}, verdict: ask, roles: [search_owner]}
  - {id: largest, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner, finance], quorum: 2}
"""


class SmallCompany(EmptyCompany):
    """Six budgets and nothing that happens."""

    def reset(self, seed: int) -> None:
        super().reset(seed)
        for number in range(6):
            attrs = {"daily_budget": 1_000, "currency": "EUR", "connector": "ads"}
            self.adopt({"id": f"budget:b{number}", "name": f"b{number}", "attrs": attrs})

    def advance(self) -> bool:
        super().advance()
        return self._day < DAYS


class Daily:
    """Detector and specialist: three budgets a day, by 20, 60 and 100."""

    name = "daily"

    def find(self, view: View) -> Iterator[Finding]:
        day = view.now.toordinal()
        for place, step in enumerate((20, 60, 100)):
            entity = f"budget:b{(day + 2 * place) % 6}"
            yield Finding(
                kind="test.day",
                key=f"{entity}@{day}",
                entities=(entity,),
                onset=view.now,
                seen=view.now,
                title=f"Day {day} of {entity}",
                summary="Another day.",
                evidence=(),
                facts={"entity": entity, "step": step * 100, "day": day},
            )

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        entity, now = str(situation.facts["entity"]), context.view.now
        if situation.facts["day"] != now.toordinal():
            return []
        known = int(context.state[entity]["ads.budget.set"])
        spec = ActionSpec(
            kind="ads.budget.set", entity=entity, value=known + situation.facts["step"], expect=known, currency="EUR"
        )
        plan = Measurement(metric="revenue", method="before_after", treated=(entity,), start=now, days=2, stop="soon")
        return [
            Candidate(
                key="day",
                situation=situation.id,
                specialist=self.name,
                specs=(spec,),
                title=situation.title,
                why="It is due.",
                expected=Expected(value=50_000, low=40_000, high=60_000, currency="EUR"),
                measurement=plan,
            )
        ]


class DyingActuator:
    """Dies inside the first write ever, before or after the tool has acted."""

    def __init__(self, inner: Actuator, place: str, died: Path) -> None:
        self._inner, self._place, self._died = inner, place, died

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        if self._died.exists():
            return self._inner.apply(action, idempotency_key)
        self._died.touch()
        if self._place == "after":
            self._inner.apply(action, idempotency_key)
        die()
        raise AssertionError


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def open_company(home: Path) -> Runtime:
    policy = home / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    settings = Settings(
        home=home,
        sandbox=SandboxSettings(world="mortal:SmallCompany"),
        memory=MemorySettings(url="off"),
        auth=AuthSettings(people=PEOPLE),
        policy=policy,
    )
    wired = build_event_time(settings, ManualClock(BEFORE_ALL))
    daily = Daily()
    graph = build_graph(None, None, (daily,))
    runtime = replace(wired, detectors=(daily,), specialists=(daily,), graph=graph)
    runtime.start()
    return runtime


def live(home: Path, days: str, prepare: Callable[[Runtime], Runtime]) -> None:
    if days.startswith("demo:"):
        run_demo(Settings(home=home), weeks=int(days.removeprefix("demo:"))).close()
        return
    runtime = prepare(open_company(home))
    play(runtime, int(days), delay=timedelta(days=1))
    runtime.close()


def dying_tool(runtime: Runtime, place: str, *, native: bool) -> Runtime:
    ads = runtime.tools.connectors["ads"]
    actuator = DyingActuator(cast("Actuator", ads.actuator), place, runtime.settings.home / "died")
    manifest = ads.manifest if native else ads.manifest.model_copy(update={"idempotency": "none"})
    mortal = replace(ads, actuator=cast("Actuator", actuator), manifest=manifest)
    changed = replace(runtime, tools=Tools({**runtime.tools.connectors, "ads": mortal}, {}, runtime.tools.host()))
    changed.start()
    return changed


def dying_commit(runtime: Runtime, number: int, *, after: bool) -> Runtime:
    """Dies at the `number`-th transaction: before it is durable, or right after it was (when the next one begins)."""
    seen = [0]

    def count(connection: Any) -> None:
        seen[0] += bool(connection.get_execution_options().get("accord_write"))
        if seen[0] == number:
            die()

    event.listen(runtime.store.engine, "commit", count)
    if after:
        event.listen(runtime.store.engine, "begin", lambda _: seen[0] == number - 1 and die())
    return runtime


def fork(home: Path, days: str, prepare: Callable[[Runtime], Runtime], kill_after_s: float | None = None) -> bool:
    """One life; whether it reached the end."""
    child = os.fork()
    if child == 0:
        live(home, days, prepare)
        os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "a life ended by an error"
    return True


def lives_of(home: Path, days: str, how: str) -> int:
    """How many lives it took to live all `days`."""
    kind, *terms = how.split(":")
    home.mkdir(parents=True)
    lives, over, slow = 0, False, 6 if days.startswith("demo:") else 1
    chance = random.Random(terms[0]) if kind in {"moments", "commits"} else random.Random(0)  # noqa: S311 — a seed
    while not over:
        lives += 1
        mortal = kind in {"moments", "commits"} and lives <= int(terms[1])
        if kind in {"before", "after"}:
            over = fork(home, days, lambda runtime: dying_tool(runtime, kind, native=terms[0] == "native"))
        elif mortal and kind == "commits":
            number, after = chance.randint(10, 40), chance.random() < 0.5
            over = fork(home, days, lambda runtime, n=number, a=after: dying_commit(runtime, n, after=a))
        elif mortal:
            over = fork(home, days, lambda runtime: runtime, kill_after_s=chance.uniform(0.2, 1.2) * slow)
        else:
            over = fork(home, days, lambda runtime: runtime)
    return lives


if __name__ == "__main__":
    for how in sys.argv[3:]:
        taken = lives_of(Path(sys.argv[1]) / how.replace(":", "-"), sys.argv[2], how)
        print(how, taken)  # noqa: T201 — what the test reads
