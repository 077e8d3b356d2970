"""Reads what one tool of the simulated company tells: its share of each day's signals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contract import Batch
from connectors.manifest import Manifest
from connectors.sandbox.host import Host
from domain.errors import InputError
from domain.ids import digest

_PAGE_DAYS = 7


class SandboxSource:
    """A cursor is the number of batches already read; the first read also declares the tool's entities."""

    def __init__(self, name: str, manifest: Manifest, host: Host) -> None:
        self._name, self._host = name, host
        self._streams = {f"sandbox/{stream}" for stream in manifest.reads}

    def read(self, cursor: str | None) -> Batch:
        """At most a week of events after `cursor`. Raises InputError for a cursor that is none of ours."""
        begin = _place(cursor)
        end = min(self._host.day + 1, begin + _PAGE_DAYS)
        events = list(self._declared()) if cursor is None else []
        for batch in range(begin, end):
            events += [event for event in self._host.signals(batch) if event["source"] in self._streams]
        return Batch(events, str(max(begin, end)))

    def _declared(self) -> Iterator[dict[str, Any]]:
        time = self._host.now().isoformat().replace("+00:00", "Z")
        for entity in self._host.entities():
            if self._owns(entity):
                yield {
                    "specversion": "1.0",
                    # The id follows the content: told again unchanged it is a repeat, changed it is news.
                    "id": f"declared:{entity['id']}:{digest(entity)[:12]}",
                    "source": f"sandbox/{self._name}",
                    "type": "accord.entity.declared",
                    "time": time,
                    "subject": entity["id"],
                    "datacontenttype": "application/json",
                    "data": entity,
                }

    def _owns(self, entity: Mapping[str, Any]) -> bool:
        """Entities that name no connector belong to the company's structure, which the ads tool tells."""
        attrs: Mapping[str, Any] = entity.get("attrs") or {}
        return bool(attrs.get("connector", "ads") == self._name)


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal():
        raise InputError(f"`cursor` {cursor!r} is no cursor of the sandbox. Use the one of the last batch.")
    return int(cursor)
