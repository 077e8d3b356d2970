"""The demo company: its weeks in event time with a scripted approver, through the product's own code.

Nothing here is staged: signals come from the simulated company's tools, and every decision and effect goes
the way it goes in wall time. Killed in the middle and started again, it goes on where it stood.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from agents.approver import answer_pending
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.intake import pull
from agents.reason import run_round
from agents.runtime import Runtime, build, build_event_time
from agents.settings import AuthSettings, MemorySettings, SandboxSettings, Settings, StorageSettings
from domain.decisions import Person
from domain.record import Moment, Record
from domain.situations import Situation

POLICY = Path(__file__).with_name("demo_policy.yaml")
APPROVAL_DELAY = timedelta(days=1)
WEEKS = 26
AHEAD_WEEKS = 52
"""How long a served company can live on after its history."""
UNANSWERED_DAYS = 3
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_DONE = "demo.done"
PEOPLE = (
    Person(id="ana", email="ana@example.org", roles=frozenset({"search_owner"})),
    Person(id="ben", email="ben@example.org", roles=frozenset({"finance"})),
    Person(id="chloe", email="chloe@example.org", roles=frozenset({"content_lead"})),
    Person(id="david", email="david@example.org", roles=frozenset({"sales_lead"})),
    Person(id="emma", email="emma@example.org", roles=frozenset({"cmo", "admin"})),
)


class DemoProgress(Record):
    """One day that has passed in the demo company."""

    day: Moment
    done: int
    days: int
    opened: tuple[Situation, ...]
    proposed: int
    answered: int


Watch = Callable[[DemoProgress], None]


def demo_settings(settings: Settings, seed: int, home: Path) -> Settings:
    """`settings` for the demo company of `seed`: own database below `home`, demo policy and people unless set."""
    update: dict[str, object] = {
        "home": home,
        "storage": StorageSettings(),
        "sandbox": SandboxSettings(world="demo", seed=seed, weeks=WEEKS),
        "policy": settings.policy or POLICY,
    }
    if not settings.auth.people:
        update["auth"] = AuthSettings(people=PEOPLE)
    return settings.model_copy(update=update)


def run_demo(
    settings: Settings,
    *,
    seed: int = 1,
    weeks: int = WEEKS,
    watch: Watch | None = None,
    delay: timedelta = APPROVAL_DELAY,
) -> Runtime:
    """The runtime after `weeks` of the company of `seed`; the caller reads it and closes it.

    A run that was killed is taken up; one that had ended is begun anew.
    """
    home = settings.home / f"demo-{seed}-{weeks}w"
    if (home / _DONE).exists():
        shutil.rmtree(home)
    prepared = demo_settings(settings, seed, home)
    sandbox = prepared.sandbox.model_copy(update={"weeks": weeks})
    prepared = prepared.model_copy(update={"memory": MemorySettings(url="off"), "sandbox": sandbox})
    runtime = build_event_time(prepared, ManualClock(BEFORE_ALL))
    play(runtime, weeks * 7, watch=watch, delay=delay)
    (home / _DONE).touch()
    return runtime


def play(
    runtime: Runtime,
    days: int,
    *,
    watch: Watch | None = None,
    delay: timedelta = APPROVAL_DELAY,
    unanswered: int = 0,
) -> None:
    """Live through the company's days up to `days` from its start; answers come `delay` after the question.

    In the last `unanswered` days nobody answers.
    """
    host = runtime.tools.host()
    driver, clock = cast("EventTimeDriver", runtime.driver), cast("ManualClock", runtime.clock)
    while True:
        clock.set(host.now())
        pull(runtime)
        opened, proposed = _think(runtime, driver)
        answered = answer_pending(runtime, delay) if host.day <= days - unanswered else 0
        driver.run_due()
        if watch is not None:
            watch(
                DemoProgress(
                    day=host.now(), done=host.day, days=days, opened=opened, proposed=proposed, answered=answered
                )
            )
        if host.day >= days or not host.advance():
            return


def _think(runtime: Runtime, driver: EventTimeDriver) -> tuple[tuple[Situation, ...], int]:
    """What is due and then one round a day.

    A day that was thought about before a kill goes on with its answers, so that all things keep their order.
    """
    last = runtime.store.rounds.last()
    if last is not None and last.at >= runtime.clock.now():
        return (), 0
    driver.run_due()
    report = run_round(runtime)
    opened = tuple(runtime.store.situations.get(name) for name in report.opened)
    return opened, len(report.proposed)


def open_demo(settings: Settings, *, weeks: int = WEEKS, watch: Watch | None = None) -> Runtime:
    """A company to be served whose history ends today: its weeks so far are lived through first, in event time.

    The proposals of its last days are left for people. Where the history is there already, it is opened as it is.
    """
    prepared = demo_settings(settings, settings.sandbox.seed, settings.home)
    sandbox = prepared.sandbox.model_copy(
        update={"weeks": weeks + AHEAD_WEEKS, "start": _first_day(settings.home, weeks)}
    )
    prepared = prepared.model_copy(update={"sandbox": sandbox})
    past = build_event_time(prepared, ManualClock(BEFORE_ALL))
    try:
        if not past.store.flags.get(_DONE, default=False):
            play(past, weeks * 7, watch=watch, unanswered=UNANSWERED_DAYS)
            past.store.flags.set(_DONE, True, facts=[])
    finally:
        past.close()
    return build(prepared)


def _first_day(home: Path, weeks: int) -> date:
    """The company's first day, chosen at the first start so that its history ends then, and kept."""
    path = home / "demo.json"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        first = datetime.now(UTC).date() - timedelta(weeks=weeks)
        path.write_text(json.dumps({"start": first.isoformat()}), encoding="utf-8")
    return date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["start"])


def next_day(runtime: Runtime) -> datetime:
    """One more day of the served company; everything that waits is looked at again. Returns its new now."""
    runtime.tools.host().advance()
    pull(runtime)
    runtime.driver.poke()
    runtime.driver.wake(runtime.store.actions.waiting())
    return runtime.clock.now()
