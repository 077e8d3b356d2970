"""Buying groups: several people of one account at work on a purchase, told apart from one who reads a lot."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from agents.detectors.panel import moment
from agents.guidance import fold
from analysis.groups import Engagement, Group, buying_groups
from domain.entities import Entity, EntityTree, kind_of
from domain.money import money_text, to_minor
from domain.ports import Told, View
from domain.prose import counted, listed, term
from domain.signals import ContentEngaged, DealChanged
from domain.situations import Evidence, Finding, Hypothesis, SituationKind

WINDOW_S = 14 * 86_400.0
"""A committee reads within two weeks; over a month the readers of any large account add up to three."""


class AccountsDetector:
    """Built-in detector `accounts`."""

    name = "accounts"

    def find(self, view: View) -> Iterable[Finding]:
        since = view.as_of - timedelta(seconds=4 * WINDOW_S)
        told = view.engagements(since)
        if not told:
            return
        stages = {asset.data.asset: asset.data.stage for asset in view.assets()}
        records = [_record(one, view.tree, stages) for one in told]
        names = {fold(account.name): account.id for account in view.tree.of_kind("account")}
        for group in buying_groups(records, view.as_of.timestamp(), window_s=WINDOW_S):
            account = group.account if group.account in view.tree else names.get(fold(group.account))
            if group.is_group and account is not None:
                yield _finding(view, account, group, records)


def _record(told: Told[ContentEngaged], tree: EntityTree, stages: dict[str, str]) -> Engagement:
    """One visit; what the CRM knows of the person fills what the platform left out."""
    data = told.data
    known = tree.get(data.person)
    return Engagement(
        person=known.name if known else data.person,
        asset=data.asset,
        platform=data.platform,
        at_s=told.at.timestamp(),
        email=data.email or _attr(known, "email"),
        account=data.account or (known.parent if known and kind_of(known.parent or "") == "account" else None),
        role=data.role or _attr(known, "role"),
        stage=stages.get(data.asset),
        seconds=data.seconds or 0.0,
    )


def _attr(entity: Entity | None, name: str) -> str | None:
    value = entity.attrs.get(name) if entity else None
    return str(value) if value else None


def _finding(view: View, account: str, group: Group, records: list[Engagement]) -> Finding:
    name = view.tree.name(account)
    deals = open_deals(view, account)
    mine = [record for record in records if record.account == group.account]
    onset = min((record.at_s for record in mine if record.at_s > group.last_s - WINDOW_S), default=group.last_s)
    worth = sum(to_minor(deal.data.amount or 0, deal.data.currency or "EUR") for deal in deals)
    title = f"A buying group forms at {name}: {len(group.people)} people in {len(group.roles)} roles"
    sole = min(0.9, 0.1 + group.top_person_rate / 2)
    return Finding(
        kind=SituationKind.BUYING_GROUP,
        key=f"group@{account}@{moment(group.last_s):%Y}-{_quarter(group.last_s)}",
        entities=(account, *(deal.data.deal for deal in deals if deal.data.deal in view.tree)),
        onset=moment(onset),
        seen=view.as_of,
        title=title,
        summary=f"A buying group forms at {name}: {group.reason}",
        evidence=(
            Evidence(
                text=f"{counted(len(group.people), 'person')} ({listed([term(role) for role in group.roles])}) used "
                f"{counted(len(group.assets), 'asset')} on {counted(len(group.platforms), 'platform')} within 14 days; "
                f"the busiest made {group.top_person_rate:.0%} of the visits.",
                figures={"people": len(group.people), "roles": len(group.roles), "assets": len(group.assets),
                         "platforms": len(group.platforms), "top_person_rate": round(group.top_person_rate, 4)},
                source=f"engagements:{account}",
            ),
            *(
                Evidence(
                    text=f"The deal {deal_text(view.tree, deal.data)} is open, in {deal.data.stage}.",
                    figures={"amount": float(deal.data.amount or 0)},
                    source=deal.signal,
                    trust=deal.trust,
                )
                for deal in deals
            ),
        ),
        hypotheses=(
            Hypothesis(name="buying group", odds=1 - sole / 2, because=group.reason),
            Hypothesis(name="independent readers", odds=sole / 2, because="people of one company may read apart"),
        ),
        worth_minor=worth,
        facts={"account": account, "people": len(group.people), "roles": list(group.roles),
               "assets": list(group.assets), "platforms": list(group.platforms),
               "deals": [deal.data.deal for deal in deals], "open_minor": worth},
        teams=("sales", "content"),
    )  # fmt: skip


def deal_text(tree: EntityTree, deal: DealChanged) -> str:
    """The deal's name and, where it is known, what it is worth."""
    name = tree.name(deal.deal).removeprefix("deal:")
    if not deal.amount:
        return name
    currency = deal.currency or "EUR"
    return f"{name} over {money_text(to_minor(deal.amount, currency), currency)}"


def _quarter(at_s: float) -> str:
    return f"q{(moment(at_s).month + 2) // 3}"


def open_deals(view: View, account: str | None = None) -> list[Told[DealChanged]]:
    """The newest state of every deal (of `account`) that is still open."""
    newest = {told.data.deal: told for told in view.deals()}
    return [
        told
        for _, told in sorted(newest.items())
        if told.data.status == "open" and (account is None or _account_of(told, view.tree) == account)
    ]


def _account_of(told: Told[DealChanged], tree: EntityTree) -> str | None:
    if told.data.account is not None:
        return told.data.account
    return next((step for step in tree.chain(told.data.deal) if kind_of(step) == "account"), None)
