"""Until when a note holds: simple dates and spans in French and English, a week when it says nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DEFAULT = timedelta(days=7)
LONGEST = timedelta(days=90)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier", "february feb fevrier", "march mar mars", "april apr avril", "may mai",
            "june jun juin", "july jul juillet", "august aug aout", "september sep septembre",
            "october oct octobre", "november nov novembre", "december dec decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MARK = r"(?:until|till|through|by|up to|jusqu'?\s?(?:au|a|en)|avant le)"
_ISO = re.compile(rf"{_MARK}\s+(?:le\s+)?(\d{{4}})-(\d{{2}})-(\d{{2}})")
_DAY_MONTH = re.compile(rf"{_MARK}\s+(?:the\s+|le\s+)?(\d{{1,2}})(?:st|nd|rd|th|er)?\s+(?:of\s+)?([a-z]+)")
_MONTH_DAY = re.compile(rf"{_MARK}\s+([a-z]+)\s+(\d{{1,2}})")
_SPAN = re.compile(r"(?:for|pendant|durant|pour)\s+(\d{1,3})\s+(day|jour|week|semaine|month|mois)")
_UNIT_DAYS = {"day": 1, "jour": 1, "week": 7, "semaine": 7, "month": 30, "mois": 30}


def until(folded: str, at: datetime) -> datetime:
    """End of what the lower-case, accent-free text `folded` asks from `at` on: at most 90 days, exclusive."""
    end = _dated(folded, at) or _spanned(folded, at) or _named_span(folded, at) or at + DEFAULT
    return min(max(end, at), at + LONGEST)


def _dated(folded: str, at: datetime) -> datetime | None:
    if found := _ISO.search(folded):
        return _day_after(int(found[1]), int(found[2]), int(found[3]))
    if (found := _DAY_MONTH.search(folded)) and found[2] in _MONTHS:
        return _next(at, _MONTHS[found[2]], int(found[1]))
    if (found := _MONTH_DAY.search(folded)) and found[1] in _MONTHS:
        return _next(at, _MONTHS[found[1]], int(found[2]))
    return None


def _next(at: datetime, month: int, day: int) -> datetime | None:
    """The first such day at or after `at`."""
    end = _day_after(at.year, month, day)
    return end if end is None or end > at else _day_after(at.year + 1, month, day)


def _day_after(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return None


def _spanned(folded: str, at: datetime) -> datetime | None:
    found = _SPAN.search(folded)
    return at + timedelta(days=int(found[1]) * _UNIT_DAYS[found[2]]) if found else None


def _named_span(folded: str, at: datetime) -> datetime | None:
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if re.search(r"this week|cette semaine", folded):
        return midnight + timedelta(days=7 - midnight.weekday())
    if re.search(r"next week|semaine prochaine", folded):
        return midnight + timedelta(days=14 - midnight.weekday())
    if re.search(r"this month|ce mois", folded):
        return (midnight.replace(day=28) + timedelta(days=4)).replace(day=1)
    if re.search(r"\btoday\b|aujourd'hui", folded):
        return midnight + timedelta(days=1)
    return None
