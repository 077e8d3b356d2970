"""Reads the webinar tool: webinars become assets, registrations become signals of this package's type."""

from __future__ import annotations

from typing import Any

from accord_webinars.signals import TYPE
from accord_webinars.tool import WebinarTool
from connectors.contract import Batch


# --8<-- source
class WebinarSource:
    """A cursor is the number of the last log entry read, so the same cursor always gives the same events."""

    def __init__(self, name: str, tool: WebinarTool, page: int) -> None:
        self._name, self._tool, self._page = name, tool, page

    def read(self, cursor: str | None) -> Batch:
        after = int(cursor or 0)
        entries = self._tool.log(after, self._page)
        events = [self._event(seq, at, what, data) for seq, at, what, data in entries]
        return Batch(events, str(entries[-1][0] if entries else after))

    # --8<-- end

    def _event(self, seq: int, at: str, what: str, data: dict[str, Any]) -> dict[str, Any]:
        announced = what == "announced"
        return {
            "specversion": "1.0",
            "id": f"log-{seq}",
            "source": f"webinars/{self._name}",
            "type": "accord.entity.declared" if announced else TYPE,
            "time": at,
            "subject": data["webinar"],
            "data": _declared(data) if announced else data,
        }


def _declared(data: dict[str, Any]) -> dict[str, Any]:
    """An action may only change an entity that was declared."""
    attrs = {"starts": data["starts"], "seats": data["seats"]}
    return {"id": data["webinar"], "name": data["title"], "attrs": attrs}
