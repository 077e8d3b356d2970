"""What a case is: which vendors do what, what is asked, what a caller must get, and the judgement of what it got."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from tests.peer.answers import TEXT, Call, Finish
from tests.peer.faults import Fault
from tests.peer.wires import Wire

Mode = Literal["plain", "stream"]
Asks = Literal["text", "tool", "schema"]
Window = Literal["usual", "small", "large"]

# The deadlines every caller is given. Far above what a healthy call takes on a busy machine, far below a play's pauses.
FIRST_TOKEN_S = 1.0
INTER_CHUNK_S = 1.0
TOTAL_S = 8.0
COOLDOWN_S = 1.0
SLACK_S = 3.0

OUT_OF_ORDER = frozenset({"rate_limited", "overloaded", "timeout", "connection", "malformed", "cut"})


@dataclass(frozen=True, slots=True)
class Route:
    """One vendor, in the order of preference. An empty script is a port that refuses; `most` bounds its calls."""

    wire: Wire
    script: tuple[Fault, ...]
    most: int
    window: Window = "usual"


@dataclass(frozen=True, slots=True)
class Right:
    """An answer that says `text`, or one of `errors`, whichever is set; both mean either.

    `by` is the place of the route that must have answered; None lets any.
    """

    text: str | None = TEXT
    calls: tuple[Call, ...] = ()
    value: Any = None
    finish: Finish = "stop"
    errors: frozenset[str] = frozenset()
    answered: bool = True
    by: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the catalogue. `waits` is how many deadlines of a second a caller may have to sit through, `rounds`
    how often the call is made, `pause_s` the time between rounds, `source` where the shape comes from.
    """

    name: str
    mode: Mode
    routes: tuple[Route, ...]
    right: Right
    asks: Asks = "text"
    waits: int = 0
    rounds: int = 1
    pause_s: float = 0.0
    last: Right | None = None
    source: str = ""

    @property
    def id(self) -> str:
        return f"{self.routes[0].wire}.{self.mode}.{self.name}"

    @property
    def within_s(self) -> float:
        """Seconds one call may take: the waits it has to sit through, and a generous slack."""
        return self.waits * FIRST_TOKEN_S + SLACK_S


@dataclass(frozen=True, slots=True)
class Got:
    """What one call brought. `delivered` is the text of all deltas, `error` the kind of an explicit error."""

    delivered: str = ""
    text: str | None = None
    calls: tuple[tuple[str, Any], ...] = ()
    value: Any = None
    finish: str | None = None
    error: str | None = None
    by: int | None = None
    took_s: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether the caller was told that this is the whole answer."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`lied`: something else than a whole answer was given as complete. `conduct`: calls and seconds spent."""

    case: str
    wrong: tuple[str, ...] = ()
    conduct: tuple[str, ...] = ()
    lied: bool = False
    rescued: bool = False

    @property
    def passed(self) -> bool:
        return not self.wrong and not self.conduct

    def __str__(self) -> str:
        return f"{self.case}: {'; '.join((*self.wrong, *self.conduct)) or 'right'}"


def judge(case: Case, got: list[Got], visits: list[int], *, kinds: bool = True) -> Judgement:
    """Every round against what is right, and the vendors' logs against what was allowed.

    Without `kinds` any explicit error counts where one may come, for callers whose errors have other names.
    """
    wrong: list[str] = []
    lied = False
    for number, one in enumerate(got):
        right = case.last if case.last and number == len(got) - 1 else case.right
        found = _wrong(right, one, kinds=kinds)
        wrong += found
        lied = lied or (bool(found) and one.complete and not _whole(right, one))
    conduct = [
        f"p{place} was called {seen} times, {route.most} allowed"
        for place, (route, seen) in enumerate(zip(case.routes, visits, strict=True))
        if seen > route.most
    ]
    conduct += [f"took {one.took_s:.1f} s of {case.within_s:.1f}" for one in got if one.took_s > case.within_s]
    rescued = not wrong and all(one.complete for one in got)
    return Judgement(case.id, tuple(wrong), tuple(conduct), lied=lied, rescued=rescued)


def _whole(right: Right, got: Got) -> bool:
    """Whether what was given as complete is a whole answer, be it one that should not have been asked for."""
    return not _answer_wrong(right, got) and (right.answered or right.text is not None)


def _wrong(right: Right, got: Got, *, kinds: bool) -> list[str]:
    if got.error is not None:
        if not right.errors:
            return [f"error {got.error!r} instead of an answer"]
        if kinds and got.error not in right.errors:
            return [f"error {got.error!r}, not {'|'.join(sorted(right.errors))}"]
        return [] if _begins(right, got.delivered) else [f"delivered {got.delivered[-60:]!r} before the error"]
    if not right.answered:
        return [f"an answer {(got.text or '')[:60]!r} instead of an error"]
    wrong = _answer_wrong(right, got)
    if kinds and right.by is not None and got.by != right.by:
        wrong.append(f"answered by p{got.by}, not p{right.by}")
    return wrong


def _answer_wrong(right: Right, got: Got) -> list[str]:
    wrong: list[str] = []
    if right.text is not None and got.delivered != right.text:
        wrong.append(f"delivered {len(got.delivered)} of {len(right.text)} letters, ending {got.delivered[-40:]!r}")
    if right.text is not None and got.text not in {None, right.text}:
        wrong.append(f"the answer says {(got.text or '')[-40:]!r}")
    calls = tuple((call.name, call.arguments) for call in right.calls)
    if [name for name, _ in got.calls] != [name for name, _ in calls] or not _same_arguments(calls, got.calls):
        wrong.append(f"calls {got.calls!r}")
    if right.value is not None and got.value != right.value:
        wrong.append(f"value {got.value!r}")
    if got.finish != right.finish and got.finish is not None:
        wrong.append(f"finish {got.finish!r}, not {right.finish!r}")
    return wrong


def _same_arguments(wanted: tuple[tuple[str, Any], ...], got: tuple[tuple[str, Any], ...]) -> bool:
    try:
        return all(json.loads(a) == json.loads(b) for (_, a), (_, b) in zip(wanted, got, strict=True))
    except ValueError:
        return False


def _begins(right: Right, delivered: str) -> bool:
    """Before an error only the beginning of the one right answer may have been delivered."""
    return right.text is None or right.text.startswith(delivered) or not delivered
