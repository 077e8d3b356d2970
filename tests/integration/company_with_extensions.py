"""A company run with other packages installed, in a process of its own: prints what happened as one JSON object."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from accord_webinars.tool import WebinarTool

from agents.approve import decide
from agents.clock import ManualClock
from agents.drivers.event_time import EventTimeDriver
from agents.health import checks
from agents.intake import accept, pull
from agents.judgement import judge_now
from agents.parts import Runtime
from agents.reason import run_round
from agents.runtime import build_event_time
from agents.settings import ConnectorSettings, ExtensionSettings, SandboxSettings, Settings
from agents.undo import undo
from domain.actions import ActionSpec
from domain.decisions import DecisionKind, DecisionRequest, Person
from domain.errors import ExternalError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEBINAR, MOVED, ACCOUNT = "asset:webinar-gdpr", "asset:webinar-roi", "account:acme"
ANA = Person(id="ana", roles=frozenset({"admin"}))


def settings(home: Path) -> Settings:
    broken = {name: ConnectorSettings(kind=f"broken-{name}") for name in ("explodes", "raises", "nothing", "lies")}
    return Settings(
        home=home,
        sandbox=SandboxSettings(world="empty"),
        extensions=ExtensionSettings(limit_s=2, connector_limit_s=5),
        connectors={
            **broken,
            "crm": ConnectorSettings(kind="sandbox"),
            "events": ConnectorSettings(kind="webinars", options={"path": str(home / "webinars.db")}),
        },
    )


def event(id_: str, type_: str, /, **data: object) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "test", "type": type_, "time": NOW.isoformat(), "data": data}


def fill(tool: WebinarTool) -> None:
    tool.announce(WEBINAR, "GDPR in practice", NOW + timedelta(days=4), 100, NOW - timedelta(days=20))
    tool.announce(MOVED, "ROI in an hour", NOW + timedelta(days=5), 100, NOW - timedelta(days=20))
    for number in range(4):
        tool.register(WEBINAR, f"person:p{number}", ACCOUNT, NOW - timedelta(days=1))


def hear(runtime: Runtime) -> dict[str, Any]:
    """What was taken in, from the tool and by the door; one event fits its foreign type, others do not."""
    accepted = accept(
        runtime,
        [
            event("a", "accord.entity.declared", id=ACCOUNT, name="Acme"),
            event("b", "webinars.registration.received", webinar="no id", person="person:x"),
            event("c", "broken.trips", text="x"),
            event("d", "accord.note", team="sales", text="The built-in type of this name still reads."),
        ],
        trust="internal",
    )
    pulled = pull(runtime)
    return {"accepted": accepted.model_dump(), "pulled": pulled.model_dump()}


def act(runtime: Runtime, driver: EventTimeDriver, tool: WebinarTool) -> dict[str, Any]:
    """One round, approval of everything, a change by hand of one webinar, execution, and an undo of the other."""
    run_round(runtime)
    proposals = runtime.store.proposals.pending()
    for proposal in proposals:
        request = DecisionRequest(decision=DecisionKind.APPROVE, fingerprint=proposal.fingerprint)
        decide(runtime, proposal.id, request, ANA)
    tool.set_reminder(MOVED, 12, None, "by hand")
    driver.run_due()
    actions = {a.spec.entity or "": runtime.store.actions.get(a.id) for p in proposals for a in p.actions}
    reminded = tool.reminder(WEBINAR)
    restored = undo(runtime, actions[WEBINAR].id, ANA, "sent by mistake")
    driver.run_due()
    return {
        "proposals": {p.actions[0].spec.entity: [p.actions[0].spec.kind, p.verdict.kind] for p in proposals},
        "actions": {entity: action.status for entity, action in actions.items()},
        "reminders": {"set": reminded, "undone": tool.reminder(WEBINAR), "by hand": tool.reminder(MOVED)},
        "undo": runtime.store.actions.get(restored.id).status,
    }


def believe(runtime: Runtime) -> str:
    """What becomes of a tool's claim to have acted when it shows otherwise."""
    lie = ActionSpec(kind="broken.thing.set", entity=ACCOUNT, value=1, expect=0)
    liar = next(each for each in runtime.tools.connectors.values() if lie.kind in each.manifest.kinds)
    assert liar.actuator is not None
    try:
        liar.actuator.apply(lie, "key")
    except ExternalError as error:
        return f"{error.facts.get('outcome')}: {error.detail}"
    return "believed"


def main(home: Path) -> None:
    tool = WebinarTool(home / "webinars.db")
    fill(tool)
    runtime = build_event_time(settings(home), ManualClock(NOW))
    try:
        assert isinstance(runtime.driver, EventTimeDriver)
        told = {"heard": hear(runtime), **act(runtime, runtime.driver, tool), "believed": believe(runtime)}
        unknown = ActionSpec(kind="nobody.does.this", entity=ACCOUNT, value=1)
        told["unknown_kind"] = judge_now(runtime, [unknown], tainted=False).kind
        told["faults"] = {f"{s.group}/{s.name}": s.fault for s in runtime.extensions}
        told["broken_connectors"] = dict(runtime.tools.broken)
        told["health"] = {check.name: check.ok for check in checks(runtime) if check.name.startswith("extension ")}
        json.dump(told, sys.stdout)
    finally:
        runtime.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
