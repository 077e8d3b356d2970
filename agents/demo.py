"""The demo company: its weeks in event time with a scripted approver, through the product's own code.

Nothing here is staged: signals come from the simulated company's tools, and every decision and effect goes
the way it goes in wall time. Killed in the middle and started again, it goes on where it stood.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from agents.approver import answer_pending
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.intake import pull
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import audit_key, build, build_event_time
from agents.settings import AuthSettings, MemorySettings, SandboxSettings, Settings, StorageSettings
from domain.decisions import Person
from domain.record import Moment, Record
from domain.situations import Situation
from memory.store import Store

POLICY = Path(__file__).with_name("demo_policy.yaml")
APPROVAL_DELAY = timedelta(days=1)
WEEKS = 26
SERVED_WEEKS = 10
"""History of a served company: under a minute to live through at the first start."""
UNANSWERED_DAYS = 7
"""Last days of a served history in which nobody answers: those proposals are left for whoever starts it."""
AHEAD_WEEKS = 52
"""How long a served company can live on after its history."""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
ORIGIN = "demo.json"
"""Below the home of a served demo company: what it was made from."""
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
    # A world of one's own (`module:Class`) takes the built-in company's place.
    world = settings.sandbox.world if ":" in settings.sandbox.world else "demo"
    update: dict[str, object] = {
        "home": home,
        "storage": StorageSettings(),
        "sandbox": SandboxSettings(world=world, seed=seed, weeks=WEEKS),
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
    answered: int | None = None,
) -> None:
    """Live through the company's days up to `days` from its start; answers come `delay` after the question.

    With `answered` nobody answers after so many days.
    """
    host = runtime.tools.host()
    driver, clock = cast("EventTimeDriver", runtime.driver), cast("ManualClock", runtime.clock)
    while True:
        clock.set(host.now())
        pull(runtime)
        opened, proposed = _think(runtime, driver)
        alone = answered is not None and host.day > answered
        answers = 0 if alone else answer_pending(runtime, delay)
        driver.run_due()
        if watch is not None:
            watch(
                DemoProgress(
                    day=host.now(), done=host.day, days=days, opened=opened, proposed=proposed, answered=answers
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


def open_demo(settings: Settings, *, weeks: int = SERVED_WEEKS, watch: Watch | None = None) -> Runtime:
    """A company to be served whose history ends today: its weeks so far are lived through first, in event time.

    The proposals of its last days are left for people. Where the history is there already, it is opened as it is;
    where it was cut short, it goes on.
    """
    prepared = _prepared(settings, _origin(settings.home, settings.sandbox.seed, weeks), settings.sandbox.seed)
    if not _lived(prepared):
        past = build_event_time(prepared, ManualClock(BEFORE_ALL))
        try:
            play(past, weeks * 7, watch=watch, answered=weeks * 7 - UNANSWERED_DAYS)
            past.store.flags.set(_DONE, True, facts=[])
        finally:
            past.close()
    return build(prepared)


def _lived(prepared: Settings) -> bool:
    """Whether the history is there; asked of the store alone, since opening the company lives its days again."""
    with Store.open(prepared.storage_url, audit_key=audit_key(prepared)) as store:
        return bool(store.flags.get(_DONE, default=False))


def as_served(settings: Settings) -> Settings:
    """`settings` as the server has them where the home holds a served demo company; elsewhere as they are."""
    if not (settings.home / ORIGIN).exists():
        return settings
    origin = _origin(settings.home)
    return _prepared(settings, origin, origin["seed"])


def _prepared(settings: Settings, origin: Mapping[str, Any], seed: int) -> Settings:
    prepared = demo_settings(settings, seed, settings.home)
    lived = {"weeks": origin["weeks"], "start": date.fromisoformat(origin["start"])}
    return prepared.model_copy(update={"sandbox": prepared.sandbox.model_copy(update=lived)})


def _origin(home: Path, seed: int = 1, weeks: int = SERVED_WEEKS) -> dict[str, Any]:
    """What the company was made from, kept at the first start: its first day was chosen so that history ends then."""
    path = home / ORIGIN
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        first = datetime.now(UTC).date() - timedelta(weeks=weeks)
        made = {"start": first.isoformat(), "weeks": weeks + AHEAD_WEEKS, "seed": seed}
        path.write_text(json.dumps(made), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def next_day(runtime: Runtime) -> datetime:
    """One more day of the served company; everything that waits is looked at again. Returns its new now."""
    runtime.tools.host().advance()
    pull(runtime)
    runtime.driver.poke()
    runtime.driver.wake(runtime.store.actions.waiting())
    return runtime.clock.now()
