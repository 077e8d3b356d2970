from __future__ import annotations

from agents.told_names import ToldNames, names_of
from domain.entities import Entity, EntityTree


def test_people_and_accounts_are_named_with_their_ids_and_sites_and_nothing_else_is() -> None:
    account = Entity(
        id="account:acme", name="Acme Retail", attrs={"domains": ["acme.com", 3], "website": "https://www.acme.fr/x"}
    )
    person = Entity(id="person:p-17", name="Anaïs Dupré", attrs={"domain": None, "site": 5})
    campaign = Entity(id="campaign:ctv", name="CTV Nordics", attrs={"domain": "ours.com"})
    found = [(name.kind, name.text) for entity in (account, person, campaign) for name in names_of(entity)]
    assert found == [
        ("account", "Acme Retail"),
        ("account", "acme"),
        ("site", "acme.com"),
        ("site", "acme.fr"),
        ("person", "Anaïs Dupré"),
        ("person", "p-17"),
    ]


def test_the_index_follows_what_is_declared() -> None:
    trees = [EntityTree(()), EntityTree([Entity(id="account:acme", name="Acme Retail")])]
    told = ToldNames(lambda: trees[0])
    before = told()
    assert told() is before
    trees.pop(0)
    assert (before.find("Acme Retail"), len(told().find("Acme Retail"))) == ([], 1)
