"""Finds webinars that stay empty, and accounts that send many people at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from accord_webinars.signals import TYPE
from domain.ports import Told, View
from domain.situations import Evidence, Finding

EMPTY = "webinars.seats_empty"
SURGE = "webinars.account_surge"
SOON = timedelta(days=7)
WANTED_RATE = 0.5
"""Share of the seats that should be taken a week before the start."""
SURGE_PEOPLE = 3

Registration = Told[Mapping[str, Any]]


# --8<-- detector
class WebinarDetector:
    """Looks at `view` alone, so the same company always gives the same findings."""

    name = "webinars"

    def find(self, view: View) -> Iterable[Finding]:
        yield from _empty(view, view.signals(TYPE))
        yield from _surges(view.signals(TYPE, since=view.now - SOON))


# --8<-- end


def _empty(view: View, registrations: Sequence[Registration]) -> Iterator[Finding]:
    for asset in view.tree.of_kind("asset"):
        if "starts" not in asset.attrs or "seats" not in asset.attrs:
            continue
        starts, seats = datetime.fromisoformat(asset.attrs["starts"]), int(asset.attrs["seats"])
        taken = len({told.data["person"] for told in registrations if told.data["webinar"] == asset.id})
        if view.now <= starts <= view.now + SOON and taken < WANTED_RATE * seats:
            text = f"{taken} of {seats} seats of {asset.name} are taken; it starts on {starts:%Y-%m-%d}."
            yield Finding(
                kind=EMPTY,
                key=asset.id,
                entities=(asset.id,),
                onset=starts - SOON,
                seen=view.as_of,
                title=f"{asset.name} stays empty",
                summary=text,
                evidence=(Evidence(text=text, figures={"taken": taken, "seats": seats}, source=f"entity:{asset.id}"),),
                facts={"starts": asset.attrs["starts"]},
                teams=("marketing",),
            )


def _surges(registrations: Sequence[Registration]) -> Iterator[Finding]:
    by_account: dict[str, list[Registration]] = defaultdict(list)
    for told in registrations:
        if told.data.get("account"):
            by_account[str(told.data["account"])].append(told)
    for account, told in sorted(by_account.items()):
        people = sorted({str(each.data["person"]) for each in told})
        if len(people) >= SURGE_PEOPLE:
            yield Finding(
                kind=SURGE,
                key=f"{account}@{told[0].at:%Y-%m-%d}",
                entities=(account,),
                onset=told[0].at,
                seen=told[-1].at,
                title=f"{len(people)} people of {account} registered",
                summary=f"Within a week {len(people)} people of {account} registered for webinars.",
                evidence=tuple(
                    Evidence(text=f"{each.data['person']} registered", source=each.signal, trust=each.trust)
                    for each in told
                ),
                facts={"people": people},
                # A person decides whenever anything of it came from outside.
                trust="external" if any(each.trust == "external" for each in told) else "internal",
                teams=("sales",),
            )
