"""Which word of finance stands: the newest of one source, never a less trusted one over a more trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.ports import Told
from domain.signals import FinanceLimit, Trust
from memory.limits import Word, standing

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def cap(name: str, days: int, amount: int, *, source: str = "erp", trust: Trust = "internal", **more: Any) -> Word:
    """A cap on everything from `days` after now."""
    fields = {"scope": "*", "kind": "cap", "amount": amount, "currency": "EUR", "from": NOW + timedelta(days=days)}
    return source, Told(NOW, f"signal:{source}#{name}", trust, FinanceLimit.model_validate({**fields, **more}))


def names(*told: Word, now: datetime = NOW) -> list[str]:
    return [limit.signal.partition("#")[2] for limit in standing(told, now)]


def test_the_newest_word_in_force_replaces_the_older() -> None:
    assert names(cap("old", -9, 100), cap("new", -1, 200)) == ["new"]


def test_a_word_about_the_future_waits_beside_the_one_in_force() -> None:
    words = cap("old", -9, 100), cap("future", 5, 200)
    assert names(*words) == ["old", "future"]
    assert names(*words, now=NOW + timedelta(days=6)) == ["future"]


def test_the_same_start_told_again_corrects_even_to_an_end() -> None:
    assert names(cap("open", -9, 100), cap("ended", -9, 100, until=NOW - timedelta(days=1))) == ["ended"]


def test_an_exception_in_time_gives_way_to_what_was_before() -> None:
    words = cap("long", -9, 100), cap("short", -2, 50, until=NOW + timedelta(days=1))
    assert names(*words) == ["short"]
    assert names(*words, now=NOW + timedelta(days=2)) == ["long", "short"]


def test_another_source_or_a_stranger_replaces_nothing() -> None:
    assert names(cap("erp", -9, 100), cap("mail", -1, 900, source="mail")) == ["erp", "mail"]
    assert names(cap("own", -9, 100), cap("forged", -1, 900, trust="external")) == ["own", "forged"]
