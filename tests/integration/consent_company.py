"""Run as a process: days in which everything happens that can happen to an action, and a death at a named place each.

Arguments: home, address of the store, `native` or `blind` (whether the tool recognises a repeated key), and how:
`points:K` (a death at each K-th place of `memory.crash`, and the tool's own), `random:SEED:KILLS` (SIGKILL by the
parent at random moments), or `never:DAYS`. Each life is a fork, so that the imports are paid once. What people were
told is recorded is appended to `told.jsonl`, the mails that reached them to `mails.jsonl`. Prints JSON: how many lives
it took, and the places never reached.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, cast

import agents.measure
import analysis.lift
from agents.approve import decide
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.graph import build_graph
from agents.intake import accept
from agents.notify.notifier import Notifier
from agents.notify.port import SlackCard, Ways
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import build_event_time
from agents.settings import AuthSettings, MemorySettings, Settings, StorageSettings
from agents.settle import settle_by_person
from agents.tools import Tools
from agents.undo import undo
from domain.actions import Action, ActionSpec, ActionStatus
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import Conflict
from domain.ports import Context, View
from domain.proposals import Candidate, Expected, Measurement, Proposal
from domain.situations import Finding, Situation
from memory.crash import POINTS, dying_at, listen
from tests.integration.ledger_tool import ACTED, KIND, LedgerTool

LOADED = (agents.measure, analysis.lift, build_graph(None, None, ()).compiled)
"""What is imported when it is first used, imported before the first fork."""
PLACES = (*POINTS, ACTED)
FIRST_DAYS = 4
"""Until the first effect is measured."""
DEATHS_A_DAY = 8
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(hours=26)
PEOPLE = {
    name: Person(id=name, email=f"{name}@example.org", roles=frozenset({role}))
    for name, role in (("ana", "search_owner"), ("ben", "finance"), ("emma", "admin"))
}
POLICY = """
rules:
  - {id: small, match: {kind: ads.budget.set, delta_abs_max: 20}, verdict: auto}
  - {id: large, match: {kind: ads.budget.set, delta_abs_max: 60}, verdict: ask, roles: [search_owner], expires_h: 24}
  - {id: two, match: {kind: ads.budget.set}, verdict: ask, roles: [search_owner, finance], quorum: 2,
     expires_h: 24, escalate_to: cmo}
"""
STEPS = {
    "auto": 10, "slow": 11, "mute": 12, "busy": 13, "shut": 14,
    "ask": 50, "no": 51, "late": 52, "drift": 53, "void": 54,
    "two": 100, "esc": 101,
}  # fmt: skip


class Cases:
    """Detector and specialist: one situation a case for the day that is."""

    name = "cases"

    def __init__(self, today: Callable[[], int]) -> None:
        self._today = today

    def find(self, view: View) -> Iterable[Finding]:
        for case in STEPS:
            entity = f"budget:d{self._today()}-{case}"
            if entity in view.tree:
                yield Finding(
                    kind="test.case",
                    key=entity,
                    entities=(entity,),
                    onset=view.now,
                    seen=view.now,
                    title=entity,
                    summary="It is due.",
                    evidence=(),
                    facts={"case": case},
                )

    def propose(self, situation: Situation, context: Context) -> Iterable[Candidate]:
        entity, case = situation.entities[0], str(situation.facts["case"])
        if not entity.startswith(f"budget:d{self._today()}-"):
            return
        spec = ActionSpec(kind=KIND, entity=entity, value=100_000 + STEPS[case] * 100, expect=100_000, currency="EUR")
        method = "before_after" if case == "auto" else "none"
        plan = Measurement(
            metric="revenue", method=method, treated=(entity,), start=context.view.now, days=0, stop="soon"
        )
        yield Candidate(
            key="case",
            situation=situation.id,
            specialist=self.name,
            specs=(spec,),
            title=entity,
            why="It is due.",
            expected=Expected(value=50_000, low=40_000, high=60_000, currency="EUR"),
            measurement=plan,
        )


class Post:
    """Writes mails that are a title, and carries them: taken is what stands in the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mail(self, notice: Any, person: Any, proposal: Any, question: Any) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = proposal.title
        return message

    def card(self, proposal: Any) -> SlackCard:
        raise AssertionError

    def send(self, message: EmailMessage) -> None:
        append(self._path, {"id": str(message["Message-ID"]).strip("<>").partition("@")[0], "to": str(message["To"])})


def append(path: Path, row: dict[str, str]) -> None:
    """Durable when it returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, (json.dumps(row) + "\n").encode())
    os.fsync(descriptor)
    os.close(descriptor)


class Company:
    """One life: takes up the days where the last one left them."""

    def __init__(self, home: Path, url: str, *, native: bool) -> None:
        self.home, self.tool = home, LedgerTool(home / "tool.db", native=native)
        policy = home / "policy.yaml"
        if not policy.exists():
            policy.write_text(POLICY, encoding="utf-8")
        self.clock = ManualClock(self._kept_time())
        settings = Settings(
            home=home,
            storage=StorageSettings(url=url),
            connectors={},
            memory=MemorySettings(url="off"),
            auth=AuthSettings(people=tuple(PEOPLE.values())),
            policy=policy,
        )
        wired = build_event_time(settings, self.clock)
        cases = Cases(lambda: self.day)
        tools = Tools({"ads": self.tool.connector()}, {}, None)
        graph = build_graph(None, None, (cases,))
        self.runtime: Runtime = replace(wired, tools=tools, detectors=(cases,), specialists=(cases,), graph=graph)
        self.runtime.start()
        post = Post(home / "mails.jsonl")
        self.notifier = Notifier(self.runtime, post, Ways(mail=post, sender="accord@example.org"), self.clock)

    @property
    def day(self) -> int:
        return (self.clock.now() - FIRST) // DAY

    def _kept_time(self) -> datetime:
        path = self.home / "clock"
        return datetime.fromisoformat(path.read_text()) if path.exists() else FIRST

    def at(self, hours: float) -> None:
        """It is that hour of the day now, and what is due is done."""
        moment = FIRST + self.day * DAY + timedelta(hours=hours)
        partial = self.home / "clock.partial"
        partial.write_text(max(moment, self.clock.now()).isoformat())
        partial.rename(self.home / "clock")
        self.clock.set(moment)
        self.work()

    def work(self) -> None:
        cast("EventTimeDriver", self.runtime.driver).run_due()
        # Each hour: what a dead sender claimed goes out before people answer, so that all are told.
        self.notifier.tell()

    def live_day(self) -> None:
        self.declare()
        run_round(self.runtime)
        self.work()
        self.at(1)
        self.answer("ask", "ana")
        self.answer("two", "ana")
        self.answer("two", "ben")
        self.answer("no", "ana", DecisionKind.REJECT)
        self.answer("drift", "ana")
        if self.action("drift").status is ActionStatus.PENDING:
            self.tool.set(self.entity("drift"), 90_000)
        self.tool.set(self.entity("void"), 90_000)
        self.answer("void", "ana")
        self.at(2)
        self.settle()
        self.take_back("ask")
        self.at(3)
        self.at(13)
        self.at(25)
        self.settle()
        self.at(26)

    def declare(self) -> None:
        sent: list[dict[str, Any]] = []
        for case in STEPS:
            entity = self.entity(case)
            if self.tool.show(entity) is None:
                self.tool.set(entity, 100_000)
            data = {"id": entity, "name": entity, "attrs": {"daily_budget": 1_000, "currency": "EUR"}}
            at = (FIRST + self.day * DAY).isoformat()
            kind = "accord.entity.declared"
            sent.append({"specversion": "1.0", "id": entity, "source": "tests", "type": kind, "time": at, "data": data})
        accept(self.runtime, sent, trust="internal")

    def entity(self, case: str) -> str:
        return f"budget:d{self.day}-{case}"

    def proposal(self, case: str) -> Proposal:
        action = self.runtime.store.actions.page(entity=self.entity(case), limit=10).items[-1]
        return self.runtime.store.proposals.get(action.proposal)

    def action(self, case: str) -> Action:
        return self.proposal(case).actions[0]

    def answer(self, case: str, who: str, kind: DecisionKind = DecisionKind.APPROVE) -> None:
        """As a person does: look, answer, and look again if no word came back."""
        proposal = self.proposal(case)
        if proposal.status == "pending" and all(d.by != who for d in proposal.decisions):
            request = DecisionRequest(decision=kind, fingerprint=proposal.fingerprint, reason="as agreed")
            try:
                after = decide(self.runtime, proposal.id, request, PEOPLE[who])
            except Conflict:
                return
            self.told(after.decisions[-1].id, proposal.id)

    def take_back(self, case: str) -> None:
        action = self.action(case)
        if action.status is ActionStatus.DONE:
            undoing = undo(self.runtime, action.id, PEOPLE["ana"], "as agreed")
            self.told(str(undoing.authorised_by), action.id)

    def settle(self) -> None:
        """Somebody looks into the tool, at whatever is unknown."""
        for action in self.runtime.store.actions.page(status="unknown", limit=100).items:
            happened = self.tool.show(str(action.spec.entity)) == action.spec.value
            settle_by_person(self.runtime, action.id, happened=happened, person=PEOPLE["emma"], reason="I looked")

    def told(self, decision: str, about: str) -> None:
        append(self.home / "told.jsonl", {"decision": decision, "about": about})


def live(home: Path, url: str, *, native: bool, days: int, listener: Callable[[str], None] | None = None) -> None:
    """Lives up to day `days`, with `listener` at every place."""
    company = Company(home, url, native=native)
    listen(listener)
    while company.day < days:
        company.live_day()
    company.runtime.close()


def fork(live_on: Callable[[], None], kill_after_s: float | None = None) -> bool:
    """One life; whether it reached the end."""
    child = os.fork()
    if child == 0:
        try:
            live_on()
        except Exception:  # edge: a fork must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise SystemExit("a life ended by an error")
    return True


def order_of_places(home: Path, url: str, *, native: bool) -> list[str]:
    """The places of ordinary days, in the order in which each is first reached."""
    path = home / "order"

    def note(place: str) -> None:
        with path.open("a") as file:
            file.write(place + "\n")

    fork(partial(live, home, url, native=native, days=FIRST_DAYS, listener=note))
    return list(dict.fromkeys(path.read_text().split()))


def die_everywhere(home: Path, url: str, *, native: bool, every: int) -> dict[str, Any]:
    """Each `every`-th place once: several a day, one life each; then the days that end what the others began."""
    order = order_of_places(home, url, native=native)
    chosen = order[::every]
    day = FIRST_DAYS

    def die_at(places: list[str]) -> list[str]:
        """Lives one day and dies at each of `places`; those that were not reached before it was over."""
        nonlocal day
        day += 1
        for number, place in enumerate(places):
            if fork(partial(live, home, url, native=native, days=day, listener=dying_at(place))):
                return places[number:]
        fork(partial(live, home, url, native=native, days=day))
        return []

    days_of_deaths = -(-len(chosen) // DEATHS_A_DAY)
    waves = [chosen[start::days_of_deaths] for start in range(days_of_deaths)]
    late = [place for wave in waves for place in die_at(wave)]
    never = [place for place in late if die_at([place])]
    fork(partial(live, home, url, native=native, days=day + 4))
    missed = [*(place for place in PLACES if place not in order), *never]
    return {"places": len(PLACES), "kills": len(chosen) - len(never), "days": day + 4, "missed": missed}


def die_at_random(home: Path, url: str, *, native: bool, seed: int, kills: int) -> dict[str, Any]:
    chance, done = random.Random(seed), 0  # noqa: S311 — a seed
    days = 1 + kills // 2
    while done < kills:
        wait_s = chance.uniform(0.15, 1.5)
        if fork(partial(live, home, url, native=native, days=days), kill_after_s=wait_s):
            days += 1 + kills // 4
            continue
        done += 1
    fork(partial(live, home, url, native=native, days=days + 4))
    return {"kills": done, "lives": done + 1, "days": days + 4, "seed": seed, "missed": []}


def main(home: Path, url: str, tool: str, how: str) -> dict[str, Any]:
    kind, *terms = how.split(":")
    native = tool == "native"
    match kind:
        case "points":
            return die_everywhere(home, url, native=native, every=int(terms[0]))
        case "random":
            return die_at_random(home, url, native=native, seed=int(terms[0]), kills=int(terms[1]))
        case _:
            live(home, url, native=native, days=int(terms[0]))
            return {"missed": []}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:5])))  # noqa: T201 — what the test reads
