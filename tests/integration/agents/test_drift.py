"""The same questions on a schedule: a vendor that changes its model without a word is noticed and told of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.clock import ManualClock
from agents.drift import CanaryWatch, drift, in_words
from agents.health import checks
from agents.parts import Runtime
from agents.runtime import Overrides, build
from agents.settings import MemorySettings, RoutingSettings, Settings
from providers.drift import canaries
from providers.registry import Provider
from providers.scripted import ScriptedAdapter
from providers.types import ModelRequest, ProviderSpec

START = datetime(2026, 3, 4, 9, tzinfo=UTC)
RIGHT = {
    "en-sum": "391",
    "fr-rate": "25 %",
    "en-json": '{"change_pct": -8}',
    "fr-json": '{"change_pct": 12}',
    "en-reason": "security",
    "fr-reason": "prix",
    "en-date": "2026-04-02",
    "fr-order": "0,35, 3,05, 3,5, 35",
    "en-only": "READY",
    "fr-refuse": "INCONNU",
    "en-words": "They would have come anyway.",
    "fr-words": "Un groupe non exposé, pour comparer.",
}
ASKED = {canary.ask: canary.id for canary in canaries()}


class Vendor:
    """Answers rightly until it is worse; then the JSON and the dates are wrong."""

    worse = False
    asked = 0

    def __call__(self, request: ModelRequest) -> str:
        self.asked += 1
        name = ASKED[request.messages[0].text]
        return "I do not know." if self.worse and name.endswith(("json", "date", "sum")) else RIGHT[name]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def runtime(tmp_path: Path, vendor: Vendor, clock: ManualClock) -> Iterator[Runtime]:
    settings = Settings(
        home=tmp_path,
        memory=MemorySettings(url="off"),
        providers=(ProviderSpec(name="one", model="scripted/m"),),
        routing=RoutingSettings(canaries_h=6),
        connectors={},
    )
    made = build(settings, Overrides(clock=clock, scripted=ScriptedAdapter(vendor), in_memory=True))
    yield made
    made.close()


def test_a_vendor_that_grew_worse_is_told_of_once_and_again_when_it_is_well(
    runtime: Runtime, vendor: Vendor, clock: ManualClock
) -> None:
    told: list[tuple[str, str, float, str, datetime]] = []

    def observe(task: str, provider: Provider, quality: float, *, source: str, at: datetime) -> None:
        told.append((task, provider.name, quality, source, at))

    watch = CanaryWatch(runtime, observe)

    def days(number: int) -> list[str]:
        for _ in range(4 * number):
            watch()
            clock.set(clock.now() + timedelta(hours=6))
        return [row.verb for row in runtime.store.audit.page(limit=500).items if row.subject == "one"]

    watch()
    watch()
    assert vendor.asked == len(ASKED), "asked again before it was time"
    assert days(5) == []
    vendor.worse = True
    assert days(1) == ["provider.drifted"]
    state = drift(runtime)["one"]
    assert in_words(state) == "right answers 100% → 67%"
    failing = [check for check in checks(runtime) if not check.ok and check.name == "answers of one"]
    assert [check.needed for check in failing] == [False]
    assert "right answers 100% → 67%" in failing[0].detail
    assert days(3) == ["provider.drifted"], "an alarm that stands is told of again, or forgotten"
    vendor.worse = False
    assert days(3) == ["provider.drifted", "provider.steady"]
    vendor.worse = True
    assert days(10)[-2:] == ["provider.drifted", "provider.steady"], "the new level never became the measure"
    assert told[0] == ("canary", "one", 1.0, "check", START)
    assert min(quality for _, _, quality, _, _ in told) == pytest.approx(8 / 12)


def test_another_model_under_the_same_name_begins_anew(runtime: Runtime) -> None:
    runtime.store.flags.set("drift", {"one": {"model": "scripted/old", "runs": [], "shifts": [], "since": None}})
    CanaryWatch(runtime)()
    assert (drift(runtime)["one"].model, len(drift(runtime)["one"].runs)) == ("scripted/m", 1)


def test_nobody_is_asked_unless_it_is_wanted(runtime: Runtime, vendor: Vendor) -> None:
    never = runtime.settings.model_copy(update={"routing": RoutingSettings()})
    object.__setattr__(runtime, "settings", never)
    CanaryWatch(runtime)()
    assert vendor.asked == 0
