"""Small words of rule-made sentences: counts, lists, days and terms as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PLURALS = {"person": "people", "has": "have", "stays": "stay", "waits": "wait"}
_TERMS = {
    "ctr": "click rate", "impression_share": "share of impressions", "roi_proof": "ROI proof",
    "it manager": "IT manager",
    **{short: short.upper() for short in ("ceo", "cfo", "cio", "ciso", "cmo", "coo", "cto", "grp")},
}  # fmt: skip


def counted(number: int, noun: str) -> str:
    """`1 budget`, `2 budgets`; thousands with commas."""
    return f"{number:,} {plural(number, noun)}"


def plural(number: int, word: str) -> str:
    """`word` as it stands behind `number`."""
    if number == 1:
        return word
    if word in _PLURALS:
        return _PLURALS[word]
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """`A, B and C`; of more than `most` the first ones and how many others."""
    shown = [*names] if len(names) <= most else [*names[: most - 1], counted(len(names) - most + 1, "other")]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def day_text(at: datetime, *, year: bool = True) -> str:
    """`1 Feb 2026`, or `1 Feb`, in UTC."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]}" + (f" {utc.year}" if year else "")


def term(name: str) -> str:
    """A metric, topic, role or other id of ours in words: `ctr` is `click rate`, `case_study` is `case study`."""
    return _TERMS.get(name, name.replace("_", " "))


_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*)://")
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,})")


def unlinked(text: str) -> str:
    """Words of others with every address broken, so that no mail program or chat makes a link of it.

    `https://evil.example/a` becomes `https[:]//evil[.]example/a`; figures such as 1.5 stay.
    """
    return _DOMAIN.sub("[.]", _ADDRESS.sub(r"\1[:]//", text))


def capital(text: str) -> str:
    """`text` as the start of a sentence."""
    return text[:1].upper() + text[1:]
