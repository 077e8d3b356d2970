"""What a deal or an asset brings into being, and what it must not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.implied import implied_entities
from domain.signals import Signal, Trust, parse_event

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def heard(type_: str, trust: Trust = "internal", **data: Any) -> Signal:
    event = {"specversion": "1.0", "id": "1", "source": "crm", "type": type_, "time": NOW.isoformat(), "data": data}
    return parse_event(event, received_at=NOW, trust=trust)


def deal(trust: Trust) -> Signal:
    return heard(
        "accord.deal.changed", trust, deal="deal:7", account="account:nordbank", stage="proposal", status="open"
    )


def test_a_deal_brings_its_account_and_lies_below_it() -> None:
    account, found = implied_entities(deal("internal"))
    assert (account.id, found.id, found.parent) == ("account:nordbank", "deal:7", "account:nordbank")


def test_an_asset_brings_its_title_and_priority() -> None:
    (asset,) = implied_entities(
        heard(
            "accord.asset.changed", asset="asset:soc2", title="SOC 2 report", kind="compliance", stage="verify",
            status="queued", priority=20,
        )
    )  # fmt: skip
    assert (asset.id, asset.name, asset.attrs["priority"]) == ("asset:soc2", "SOC 2 report", 20)


def test_outsiders_bring_nothing_into_being() -> None:
    assert implied_entities(deal("external")) == ()
