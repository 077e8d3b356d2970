"""What the author of a package checks before anybody installs it: the conformance kit, and a rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from accord_webinars.connector import build
from accord_webinars.detector import EMPTY, WebinarDetector
from accord_webinars.tool import WebinarTool

from agents.rehearsal import rehearse
from connectors.conformance import Trial, check_connector, table
from domain.actions import ActionSpec

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def spec(webinar: str, expect: int = 0) -> ActionSpec:
    return ActionSpec(kind="webinar.reminder.set", entity=webinar, value=48, expect=expect)


# --8<-- conformance
def test_the_connector_conforms(tmp_path: Path) -> None:
    tool = WebinarTool(tmp_path / "webinars.db")
    webinars = [f"asset:webinar-{number}" for number in range(20)]
    for webinar in webinars:
        tool.announce(webinar, "How to", NOW + timedelta(days=3), 100, NOW)
    connector = build("events", {"path": tmp_path / "webinars.db"})
    actuator, fresh = connector.actuator, iter(webinars)
    assert actuator is not None

    def trial() -> Trial:
        webinar = next(fresh)
        return Trial(actuator, spec(webinar), drifted=spec(webinar, expect=1), writes=tool.writes)

    rows = check_connector(connector, trial)
    assert all(row.status == "pass" for row in rows), table(rows)


# --8<-- end


# --8<-- rehearsal
def test_an_empty_webinar_is_found_and_a_full_one_is_not(tmp_path: Path) -> None:
    tool = WebinarTool(tmp_path / "webinars.db")
    for webinar, seats in (("asset:empty", 10), ("asset:full", 2)):
        tool.announce(webinar, "How to", NOW + timedelta(days=3), seats, NOW)
        tool.register(webinar, "person:ana", None, NOW)
    source = build("events", {"path": tmp_path / "webinars.db"}).source
    assert source is not None
    view = rehearse(source.read(None).events, NOW)
    assert [(f.kind, f.entities) for f in WebinarDetector().find(view)] == [(EMPTY, ("asset:empty",))]


# --8<-- end
