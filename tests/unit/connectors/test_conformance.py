"""The conformance kit passes sound tools and catches those that act twice, ignore drift or lie about undo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.conformance import Check, Trial, check_connector
from connectors.contract import Actuator, Batch, Connector, Diff
from connectors.manifest import Manifest
from connectors.sandbox.empty import EmptyCompany
from connectors.sandbox.factory import sandbox_factory
from connectors.sandbox.faults import Fault, with_faults
from connectors.sandbox.host import Host
from domain.actions import ActionSpec, Receipt
from domain.errors import TransientError


def spec(entity: str, value: int = 13_000, expect: int = 12_050) -> ActionSpec:
    return ActionSpec(kind="ads.budget.set", entity=entity, value=value, expect=expect, currency="EUR")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path / "world.db", EmptyCompany())
    for number in range(30):
        attrs = {"daily_budget": 120.5, "currency": "EUR", "connector": "ads"}
        host.adopt({"id": f"budget:b{number}", "name": "b", "attrs": attrs})
    yield host
    host.close()


def statuses(rows: list[Check]) -> dict[str, str]:
    return {row.name: row.status for row in rows}


def trials(host: Host, actuator: Actuator) -> Iterator[Trial]:
    for number in count():
        entity = f"budget:b{number}"
        yield Trial(actuator, spec(entity), spec(entity, expect=1), writes=lambda: host.calls(acted=True))


def test_the_sandbox_conforms(host: Host) -> None:
    ads = sandbox_factory(host)("ads", {})
    assert ads.actuator is not None
    feed = trials(host, ads.actuator)
    rows = check_connector(ads, lambda: next(feed))
    assert {row.name: row.detail for row in rows if row.status != "pass"} == {}
    assert len(rows) == 14


def test_what_makes_something_conforms_without_drift_or_undo(host: Host) -> None:
    crm = sandbox_factory(host)("crm", {})
    assert crm.actuator is not None
    for number in range(12):
        host.adopt({"id": f"deal:d{number}", "name": "d"})
    feed = iter(
        ActionSpec(
            kind="task.create",
            entity=f"deal:d{number}",
            value={"title": "Send the annex", "assignee": "ana", "due": "2026-02-01T09:00:00Z", "body": ""},
        )
        for number in range(12)
    )
    actuator = crm.actuator
    rows = check_connector(crm, lambda: Trial(actuator, next(feed), None, writes=lambda: host.calls(acted=True)))
    assert {row.name for row in rows if row.status == "fail"} == set()
    assert {row.name for row in rows if row.status == "absent"} == {
        "drift is refused",
        "undo restores",
        "undo spares later changes",
    }


def test_a_part_that_is_not_there_is_absent_not_failed(host: Host) -> None:
    finance = sandbox_factory(host)("finance", {})
    assert finance.actuator is None
    assert statuses(check_connector(finance, None))["actuator"] == "absent"


class Forgetful:
    """A tool without idempotency, drift check or undo, whose manifest promises undo."""

    def __init__(self) -> None:
        self.state, self.writes = 12_050, 0

    def preview(self, action: ActionSpec) -> Diff:
        return Diff(action.kind, action.entity, self.state, action.value, "EUR", drifted=self.state != action.expect)

    def apply(self, action: ActionSpec, idempotency_key: str) -> Receipt:
        self.state, self.writes = action.value, self.writes + 1
        return Receipt(idempotency_key=idempotency_key, at=EmptyCompany().now(), vendor_id=str(self.writes))

    def read_back(self, action: ActionSpec) -> dict[str, Any]:
        return {action.kind: self.state}


def test_a_tool_that_acts_twice_ignores_drift_and_lies_about_undo_is_caught() -> None:
    def make() -> Trial:
        tool = Forgetful()
        return Trial(tool, spec("budget:b"), spec("budget:b", expect=1), writes=lambda: tool.writes)

    manifest = Manifest(name="bad", owner="test", kinds=("ads.budget.set",), undo=("ads.budget.set",))
    found = statuses(check_connector(Connector("bad", manifest, None, Forgetful()), make))
    assert {name for name, status in found.items() if status == "fail"} == {
        "same key acts once",
        "duplicate delivery acts once",
        "timeout after the write",
        "drift is refused",
        "undo as stated",
    }
    assert found["undo restores"] == "absent"


class Endless:
    """A source that repeats its last page for ever."""

    def read(self, cursor: str | None) -> Batch:
        return Batch([{"id": "1"}], "same")


def test_a_source_that_repeats_itself_or_speaks_no_cloud_events_is_caught() -> None:
    connector = Connector("bad", Manifest(name="bad", owner="test"), Endless())
    found = statuses(check_connector(connector, None))
    assert found["comes to an end, then empty"] == "fail"
    assert found["speaks CloudEvents"] == "fail"


def test_ordered_faults_happen_in_order_and_then_stop(host: Host) -> None:
    ads = sandbox_factory(host)("ads", {})
    assert ads.actuator is not None
    faulty = with_faults(ads.actuator, Fault.TOO_MANY_REQUESTS, Fault.TIMEOUT_AFTER_WRITE, Fault.STALE_READ)
    with pytest.raises(TransientError) as busy:
        faulty.apply(spec("budget:b1"), "k")
    assert busy.value.facts == {"retry_after_s": 1.0}
    with pytest.raises(TransientError) as lost:
        faulty.apply(spec("budget:b1"), "k")
    assert lost.value.facts == {"outcome": "unknown"}
    assert host.calls("k") == 1, "written, though no answer came"
    faulty.apply(spec("budget:b2"), "k2")
    assert faulty.read_back(spec("budget:b2"))["ads.budget.set"] == 12_050, "the first read is stale"
    assert faulty.read_back(spec("budget:b2"))["ads.budget.set"] == 13_000
