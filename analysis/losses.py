"""Why deals were lost, as their notes tell it, and whether a reason truly became more frequent.

Reading is a transparent phrase list that quotes its evidence and abstains when nothing is said. A rise is judged
against the reason's own history with a Beta prior, never by a count of three.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from analysis.lexicon import PHRASES, Reason
from analysis.special import beta_above, beta_quantile
from domain.errors import InputError

MOST_CHARS = 20_000  # of one note that are read
LEAST_WEIGHT = 2
LATE_REASONS = frozenset[Reason]({"security", "compliance"})

_CRM_FIELD_WEIGHT = 2  # a reason chosen in the CRM's own field: often filled in haste, so no more than one phrase
_PRIOR_STRENGTH = 10.0  # deals the prior counts for; a base rate of few deals is pulled to an even share
_NEGATION = re.compile(r"\b(?:not|no|never|nor|pas|aucun\w*|ni|rather than|plutot que)(?: \w+){0,2} $")


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason a note gives: its weight, and the words that say so with their place in the note."""

    reason: Reason
    weight: int
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A lost deal. `amount_minor` in minor units of one currency; `late` when it fell after the proposal stage."""

    deal: str
    at_s: float
    amount_minor: int
    note: str = ""
    reason_field: str | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Rise:
    """Whether the share of `reason` among losses rose lately.

    `rise_probability` is that the recent rate exceeds the base rate, given both counts; `low` and `high` bound the
    recent rate (90 %). `money_minor` is lost with the reason recently, `late` of those `recent` deals fell late.
    """

    reason: Reason
    rose: bool
    rise_probability: float
    recent: int
    recent_of: int
    base_rate: float
    low: float
    high: float
    money_minor: int
    late: int
    late_collapse: bool
    quotes: tuple[tuple[str, str], ...]


def causes(note: str, reason_field: str | None = None) -> list[Cause]:
    """Reasons `note` and the CRM's own field give, heaviest first; one `unknown` without quote when they give none."""
    text, places = _fold(note[:MOST_CHARS])
    found: list[Cause] = []
    given = _field_reason(reason_field)
    for reason in PHRASES:
        hits = _hits(reason, text)
        weight = _weight(hits) + (_CRM_FIELD_WEIGHT if reason == given else 0)
        if weight < LEAST_WEIGHT:
            continue
        _, start, end = max(hits, default=(0, 0, 0), key=lambda hit: (hit[0], -hit[1]))
        left, right = (places[start], places[end - 1] + 1) if end else (0, 0)
        found.append(Cause(reason, weight, note[left:right], left, right))
    found.sort(key=lambda cause: (-cause.weight, cause.reason))
    return found or [Cause("unknown", 0, "", 0, 0)]


def _hits(reason: Reason, text: str) -> list[tuple[int, int, int]]:
    """Weight and span of each phrase of `reason` that stands in `text` unnegated."""
    return [
        (weight, match.start(), match.end())
        for weight, pattern in _patterns(reason)
        for match in pattern.finditer(text)
        if not _NEGATION.search(text, max(0, match.start() - 60), match.start())
    ]


def _weight(hits: Sequence[tuple[int, int, int]]) -> int:
    """Sum over phrases, where repeats of one kind add nothing beyond the second."""
    by_weight: dict[int, int] = defaultdict(int)
    for weight, _, _ in hits:
        by_weight[weight] += 1
    strong = sum(weight * min(count, 2) for weight, count in by_weight.items() if weight > 1)
    return strong + (1 if by_weight[1] else 0)


@cache
def _patterns(reason: Reason) -> list[tuple[int, re.Pattern[str]]]:
    return [(weight, re.compile(pattern)) for weight, pattern in PHRASES[reason]]


def _fold(note: str) -> tuple[str, list[int]]:
    """`note` in lower case without accents, apostrophes as spaces, and the place each folded letter came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(note):
        for plain in unicodedata.normalize("NFKD", char).lower():
            if not unicodedata.combining(plain):
                letters.append(" " if plain in "'’`_\n\t\r" else plain)
                places.append(place)
    return "".join(letters), places


def _field_reason(field: str | None) -> Reason | None:
    """The reason a CRM's own field names, by its own words or by ours."""
    text, _ = _fold((field or "")[:200])
    named = text.strip().replace(" ", "_").replace("-", "_")
    best, most = None, 0
    for reason in PHRASES:
        weight = 4 if named == reason else max((hit[0] for hit in _hits(reason, text)), default=0)
        if weight > most:
            best, most = reason, weight
    return best


def rises(
    losses: Iterable[Loss], now_s: float, *, window_s: float = 30 * 86_400.0, certainty: float = 0.95
) -> list[Rise]:
    """Each reason met in the last `window_s` seconds against all earlier losses, the surest rise first.

    A reason rose when its probability of a higher rate passes `certainty`, shared out over the reasons tested (Šidák).
    Losses whose note says nothing count in the totals and for no reason. Raises InputError for a window that is not
    positive.
    """
    if not window_s > 0:
        raise InputError(f"`window_s` is {window_s!r}. Give a positive number of seconds.")
    past = [loss for loss in losses if loss.at_s <= now_s]
    recent = [loss for loss in past if loss.at_s > now_s - window_s]
    base = [loss for loss in past if loss.at_s <= now_s - window_s]
    recent_by, base_by = _by_reason(recent), _by_reason(base)
    needed = certainty ** (1.0 / max(len(recent_by), 1))
    found = [
        _rise(reason, recent_by[reason], len(recent), len(base_by.get(reason, ())), len(base), needed)
        for reason in recent_by
    ]
    return sorted(found, key=lambda rise: (-rise.rise_probability, -rise.money_minor, rise.reason))


def _by_reason(losses: Iterable[Loss]) -> dict[Reason, list[tuple[Loss, Cause]]]:
    grouped: dict[Reason, list[tuple[Loss, Cause]]] = defaultdict(list)
    for loss in losses:
        for cause in causes(loss.note, loss.reason_field):
            if cause.reason != "unknown":
                grouped[cause.reason].append((loss, cause))
    return grouped


def _rise(reason: Reason, mine: Sequence[tuple[Loss, Cause]], of: int, base: int, base_of: int, needed: float) -> Rise:
    even = 1.0 / len(PHRASES)
    rate = (base + _PRIOR_STRENGTH * even) / (base_of + _PRIOR_STRENGTH)
    a, b = len(mine) + _PRIOR_STRENGTH * rate, of - len(mine) + _PRIOR_STRENGTH * (1.0 - rate)
    probability = _exceeds(len(mine), of, base + _PRIOR_STRENGTH * even, base_of + _PRIOR_STRENGTH)
    rose = probability >= needed
    late = sum(loss.late for loss, _ in mine)
    return Rise(
        reason=reason,
        rose=rose,
        rise_probability=probability,
        recent=len(mine),
        recent_of=of,
        base_rate=rate,
        low=beta_quantile(0.05, a, b),
        high=beta_quantile(0.95, a, b),
        money_minor=sum(loss.amount_minor for loss, _ in mine),
        late=late,
        late_collapse=rose and reason in LATE_REASONS and 2 * late > len(mine),
        quotes=tuple((loss.deal, cause.quote) for loss, cause in mine if cause.quote)[:5],
    )


def _exceeds(hits: int, of: int, base: float, base_of: float, steps: int = 200) -> float:
    """Probability that a rate seen as `hits` in `of` exceeds one of posterior `base` in `base_of`.

    The recent rate takes the cautious, exact-binomial (Clopper-Pearson) side, so chance clusters stay rare.
    """
    quantiles = [(step + 0.5) / steps for step in range(steps)]
    return sum(
        beta_above(beta_quantile(share, base, base_of - base), hits, of - hits + 1) for share in quantiles
    ) / len(quantiles)
