"""Words, money and dates of the pages in French and English, from two small catalogues."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from domain.actions import MONEY_KINDS
from domain.money import exponent, to_major

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
COOKIE = "accord_language"
_TEXTS = Path(__file__).with_name("texts")
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_NARROW = "\u202f"
_NO_BREAK = "\u00a0"
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Text by dotted key: `[today] title = …` is `today.title`."""
    tables: dict[str, Any] = tomllib.loads((_TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{key}": str(text) for table, texts in tables.items() for key, text in texts.items()}


def choose(asked: str | None, cookie: str | None, accepted: str, default: Language) -> Language:
    """The language of a page: what the address asks, else the cookie, else the first we have of `Accept-Language`."""
    for wish in (asked, cookie, *(part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))):
        if wish in LANGUAGES:
            return wish
    return default


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. `now` is what "in 3 hours" counts from."""

    language: Language
    now: datetime

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with `{values}` filled in. Raises KeyError for a key that no catalogue has."""
        text = catalogue(self.language)[key]
        return text.format(**values) if values else text

    def label(self, group: str, name: object) -> str:
        """The word for one of our terms; a term of an extension stands for itself."""
        key = str(name).replace(".", "_")
        return catalogue(self.language).get(f"{group}.{key}", str(name))

    def count(self, key: str, number: int) -> str:
        """`key.one` or `key.many`; French counts 0 as one."""
        single = number < 2 if self.language == "fr" else number == 1
        return self(f"{key}_{'one' if single else 'many'}", n=self.number(number))

    def number(self, value: float, digits: int = 0) -> str:
        text = f"{value:,.{digits}f}"
        if self.language == "en":
            return text
        return text.replace(",", _NARROW).replace(".", ",")

    def money(self, minor: int, currency: str, *, whole: bool = False) -> str:
        """`€1,234.50` or `1 234,50 €`; cents only where there are some and `whole` does not hide them."""
        major = to_major(minor, currency)
        digits = 0 if whole or major == major.to_integral_value() else exponent(currency)
        symbol = _SYMBOLS.get(currency)
        sign, amount = ("−" if major < 0 else ""), self.number(abs(float(major)), digits)
        if self.language == "fr":
            return f"{sign}{amount}{_NO_BREAK}{symbol or currency}"
        return f"{sign}{symbol}{amount}" if symbol else f"{sign}{currency}{_NO_BREAK}{amount}"

    def cost(self, decimal: str, currency: str) -> str:
        """A decimal string of major units, such as the cost of models: small amounts keep four digits."""
        amount = Decimal(decimal)
        return f"{self.number(float(amount), 2 if amount == 0 or amount >= 1 else 4)}{_NO_BREAK}{currency}"

    def rate(self, value: float, digits: int = 0) -> str:
        """A rate of 0..1 as per cent."""
        return self.number(value * 100, digits).replace("-", "−") + (f"{_NO_BREAK}%" if self.language == "fr" else "%")

    def moment(self, at: datetime) -> str:
        """`4 Mar 2026, 09:00 UTC`."""
        utc = at.astimezone(UTC)
        return f"{self.day(at)}{_NO_BREAK}{utc:%H:%M}{_NO_BREAK}UTC"

    def day(self, at: datetime) -> str:
        utc = at.astimezone(UTC)
        return f"{utc.day}{_NO_BREAK}{_MONTHS[self.language][utc.month - 1]}{_NO_BREAK}{utc.year}"

    def left(self, until: datetime) -> str:
        """How long until a moment, in its largest unit."""
        seconds = (until - self.now).total_seconds()
        return self("time.over") if seconds <= 0 else self.span(seconds)

    def span(self, seconds: float) -> str:
        """A length of time in its largest unit."""
        for unit, size in (("days", 86400), ("hours", 3600)):
            if seconds >= 2 * size or (unit == "hours" and seconds >= size):
                return self.count(f"time.{unit}", round(seconds / size))
        return self.count("time.minutes", max(1, round(seconds / 60)))

    def state(self, kind: str, value: Any, currency: str | None) -> str:
        """The value of an action of `kind` in words."""
        if value is None:
            return "—"
        if kind in MONEY_KINDS and isinstance(value, int):
            told = self.money(value, currency or "EUR")
            return self("action.per_day", amount=told) if kind == "ads.budget.set" else told
        if isinstance(value, dict):
            parts = cast("dict[str, Any]", value)
            return " · ".join(self.state("", part, None) for part in parts.values() if part not in (None, "", [], ()))
        if isinstance(value, list | tuple):
            return ", ".join(str(part) for part in cast("list[Any]", value))
        return self.label("state", value)
