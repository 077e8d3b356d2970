"""Reads free-text notes into guidance by phrases, French and English; entities come from declared ones only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from agents.note_dates import until
from domain.entities import EntityTree
from domain.guidance import Guidance, Stance
from domain.ports import Told
from domain.signals import Note

NAMED_KINDS = ("product", "region", "channel", "campaign", "budget", "account", "asset")

_PHRASES: tuple[tuple[Stance, str], ...] = (
    ("avoid", r"recall(?:s|ed)?\b(?! that| the (?:meeting|call))|rappel(?:s|e|ee)?\b|retrait du marche"),
    (
        "avoid",
        r"no (?:more )?promotions?|(?:do not|don't|never|stop|halt|pause) (?:any |all )?(?:promot|advertis|push|sell)",
    ),
    ("avoid", r"(?:pas de|aucune|plus de|sans) promotion|ne (?:pas|plus) (?:promouvoir|pousser|vendre|communiquer)"),
    ("avoid", r"(?:arreter|arretez|stopper|stoppez|suspendre|suspendez|cesser|cessez)"),
    ("avoid", r"out of stock|stock[- ]?out|sold out|rupture de stock|en rupture|\bstop\b"),
    ("hold", r"(?:on )?hold\b|freeze|(?:do not|don't) (?:touch|change|react)|no changes?|leave .{1,40} as (?:it )?is"),
    ("hold", r"\bgel(?:er|ez|e)?\b|ne (?:rien changer|pas (?:toucher|changer|modifier|reagir))|en attente|statu quo"),
    ("favour", r"launch(?:es|ing|ed)?\b|(?:top |high )?priority|focus on|prioriti[sz]e|favou?r\b"),
    ("favour", r"lancement|lanc(?:er|ons|ez)\b|priorite|priorit(?:aire|iser)|mettre en avant|favoris(?:er|ez|ons)"),
)
_OVER = re.compile(
    r"\b(?:is|are) over\b|\blifted\b|no longer|has ended|resolved|\bresume\b|back in stock"
    r"|termine|\bleve[es]?\b|\bn'est plus\b|\breprendre\b|de nouveau disponible"
)
_WHOLE_COMPANY = re.compile(
    r"\b(?:all (?:campaigns|budgets|channels)|everything|whole company|toutes les campagnes|tous les budgets"
    r"|toute l'entreprise|no promotions?|pas de promotion|aucune promotion)\b"
)
_SOME_THING = re.compile(r"\b(?:product|produit|campaign|campagne|region|account|compte)\b")
_CLAUSE = re.compile(r"[.;!?\n]+(?:\s|$)|\n+")

_FRENCH_KINDS = {"product": "produit", "channel": "canal", "campaign": "campagne", "account": "compte"}


def fold(text: str) -> str:
    """Lower case without accents, typographic apostrophes made plain: what phrases are matched against."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()
    return plain.lower()


def stance_of(text: str) -> Stance | None:
    """The stance the phrases of `text` take, avoid before hold before favour; None when they take none."""
    folded = fold(text)
    for stance, pattern in _PHRASES:
        if re.search(rf"(?:^|\W)(?:{pattern})", folded):
            return stance
    return None


@lru_cache(maxsize=4096)
def named_entities(text: str, tree: EntityTree) -> tuple[str, ...]:
    """Declared entities whose name or id stands in `text` as whole words.

    When entities of several kinds are named (a product and a region), the campaigns that belong to one
    of each are meant, if there are any.
    """
    padded = f" {_words(text)} "
    by_kind: dict[str, list[str]] = {}
    for kind in NAMED_KINDS:
        for entity in tree.of_kind(kind):
            names = {_words(entity.name), _words(entity.id.partition(":")[2])}
            told = (f" {name} " if len(name) >= 3 else f" {_word_of(kind, padded)} {name} " for name in names if name)
            if entity.id in text or any(words in padded for words in told):
                by_kind.setdefault(kind, []).append(entity.id)
    if len(by_kind) > 1:
        shared = [
            campaign.id
            for campaign in tree.of_kind("campaign")
            if all(any(tree.covers(scope, campaign.id) for scope in scopes) for scopes in by_kind.values())
        ]
        if shared:
            return tuple(shared)
    return tuple(dict.fromkeys(entity for entities in by_kind.values() for entity in entities))


def _word_of(kind: str, padded: str) -> str:
    """The word for `kind` that the text uses: names of one or two letters only count right behind it."""
    french = _FRENCH_KINDS.get(kind, kind)
    return french if f" {french} " in padded else kind


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def read_note(told: Told[Note], tree: EntityTree) -> tuple[Guidance, ...]:
    """What one note asks, clause by clause; nothing when no phrase or no declared entity is found.

    A note from outside never favours anything: what it asks for can only make a person look.
    """
    found: list[Guidance] = []
    for clause in (part.strip() for part in _CLAUSE.split(told.data.text) if part and part.strip()):
        stance = stance_of(clause)
        if stance is None or _OVER.search(fold(clause)) or (stance == "favour" and told.trust == "external"):
            continue
        entities = _entities_meant(clause, told.data, tree)
        if entities:
            found.append(
                Guidance(
                    note=told.signal,
                    stance=stance,
                    entities=entities,
                    quote=clause[:300],
                    since=told.at,
                    until=until(fold(told.data.text), told.at),
                    trust=told.trust,
                )
            )
    return tuple(found)


def _entities_meant(clause: str, note: Note, tree: EntityTree) -> tuple[str, ...]:
    declared = tuple(entity for entity in note.about if entity in tree)
    found = named_entities(clause, tree) or declared or named_entities(note.text, tree)
    # "Recall on product X, no promotion": a thing we do not know is meant, not everything we have.
    unknown = _SOME_THING.search(fold(note.text))
    return ("*",) if not found and not unknown and _WHOLE_COMPANY.search(fold(clause)) else found


def read_notes(notes: Iterable[Told[Note]], tree: EntityTree) -> tuple[Guidance, ...]:
    """Guidance of all notes in order of time; "the recall is over" ends what earlier notes asked."""
    found: list[Guidance] = []
    for told in notes:
        if told.trust == "internal" and _OVER.search(fold(told.data.text)):
            ended = _entities_meant(told.data.text, told.data, tree) or ("*",)
            found = [_end(guidance, ended, told.at) for guidance in found]
        found.extend(read_note(told, tree))
    return tuple(guidance for guidance in found if guidance.until > guidance.since)


def _end(guidance: Guidance, entities: tuple[str, ...], at: datetime) -> Guidance:
    if guidance.until <= at or not ("*" in entities or set(entities) & set(guidance.entities)):
        return guidance
    return guidance.model_copy(update={"until": at.astimezone(UTC)})


def recent_since(now: datetime) -> datetime:
    """How far back notes are read: no reading lasts longer."""
    return now - timedelta(days=120)
