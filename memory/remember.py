"""What is worth recalling is noted in the transaction that stores it: texts of notes, assets and situations."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from domain.signals import AssetChanged, Note, Signal, Trust
from domain.situations import Situation
from memory import tables

Collection = Literal["notes", "playbooks", "assets", "situations"]
COLLECTIONS: tuple[Collection, ...] = ("notes", "playbooks", "assets", "situations")
NEW, INDEXED, GONE = "new", "indexed", "gone"
"""States of a remembered text: waits for Chroma, is there, has to go from there."""
_TABLE = tables.recalled.c
_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Item:
    """A text to remember. `origin` says where to look it up, such as `signal:crm#n-1`."""

    id: str
    text: str
    origin: str
    trust: Trust = "internal"
    when: datetime | None = None


def content_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def remember(connection: Connection, collection: Collection, items: Sequence[Item]) -> int:
    """Adds `items`, replacing those of the same id; returns how many were new or changed."""
    newest = {item.id: item for item in items}
    names = list(newest)
    for start in range(0, len(names), _IDS_PER_QUERY):
        here = (_TABLE.collection == collection, _TABLE.id.in_(names[start : start + _IDS_PER_QUERY]))
        for row in connection.execute(select(_TABLE.id, _TABLE.hash).where(*here, _TABLE.state != GONE)).all():
            if row.hash == content_hash(newest[row.id].text):
                del newest[row.id]
    for name in newest:
        connection.execute(delete(tables.recalled).where(_TABLE.collection == collection, _TABLE.id == name))
    if newest:
        connection.execute(insert(tables.recalled), [_row(collection, item) for item in newest.values()])
    return len(newest)


def _row(collection: Collection, item: Item) -> dict[str, object]:
    return {
        "collection": collection,
        "id": item.id,
        "state": NEW,
        "origin": item.origin,
        "trust": item.trust,
        "at": item.when,
        "text": item.text,
        "hash": content_hash(item.text),
    }


def remember_signals(connection: Connection, signals: Sequence[Signal]) -> None:
    """Notes under their signal, assets under their own id."""
    notes: list[Item] = []
    assets: list[Item] = []
    for signal in signals:
        origin = f"signal:{signal.source}#{signal.id}"
        if isinstance(signal.data, Note):
            notes.append(Item(origin, signal.data.text, origin, signal.trust, signal.time))
        elif isinstance(signal.data, AssetChanged):
            asset = signal.data
            text = f"{asset.title}. {asset.kind}, {asset.stage}: {', '.join(asset.topics)}"
            assets.append(Item(asset.asset, text, origin, signal.trust, signal.time))
    remember(connection, "notes", notes)
    remember(connection, "assets", assets)


def remember_situations(connection: Connection, situations: Sequence[Situation]) -> None:
    items = [Item(each.id, f"{each.title}. {each.summary}", each.id, each.trust, each.onset) for each in situations]
    remember(connection, "situations", items)
