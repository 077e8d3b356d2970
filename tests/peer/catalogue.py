"""The catalogue: every way a vendor is known to fail, and what a caller must get, over three wires, plain and stream.

Shapes come from three places, named in `source`: Failover Bench (S01 to S16; github.com/failoverbench/failoverbench,
methodology v0.1, CC BY 4.0), vendors' error references, and reports of gateways that got them wrong (litellm 19077,
26015, 27967, 29808, 40404, 40405; Portkey 1797; Bifrost 7104). Where Failover Bench would wait and ask the same vendor
again (S01, S03), another healthy vendor is asked here at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import product

from tests.peer import faults as f
from tests.peer import shapes
from tests.peer.answers import (
    BUDGET_CALL,
    CALLED,
    OTHER_TEXT,
    PROTOCOL_TEXT,
    SPOKEN,
    TEXT,
    VALUE,
    VALUED,
    Answer,
    Call,
    Usage,
    pieces,
)
from tests.peer.cases import COOLDOWN_S, FIRST_TOKEN_S, INTER_CHUNK_S, OUT_OF_ORDER, TOTAL_S, Case, Mode, Right, Route
from tests.peer.faults import OK, End, Fault, Place
from tests.peer.wires import Event, Wire

WIRES = tuple(Wire)
_NEXT = {Wire.OPENAI: Wire.ANTHROPIC, Wire.ANTHROPIC: Wire.GEMINI, Wire.GEMINI: Wire.OPENAI}

CUT_TEXT = "".join(pieces(TEXT)[:9])
NO_ANSWER = Right(answered=False)
FAR_DATE = format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)
SHORTLY_MS = {"retry-after-ms": "60000"}


@dataclass(frozen=True, slots=True)
class Where:
    """The wires and modes a row is told over."""

    wires: tuple[Wire, ...] = WIRES
    modes: tuple[Mode, ...] = ("plain", "stream")

    def __iter__(self) -> Iterator[tuple[Wire, Mode]]:
        return product(self.wires, self.modes)


ALL, PLAIN, STREAM = Where(), Where(modes=("plain",)), Where(modes=("stream",))


def _on(*wires: Wire, where: Where = ALL) -> Where:
    return replace(where, wires=wires)


def _healthy(wire: Wire, most: int = 1) -> Route:
    return Route(wire, (OK,), most)


def rescued(name: str, fault: Fault | None, where: Where = ALL, *, waits: int = 0, source: str = "") -> Iterator[Case]:
    """The first vendor fails (None: refuses to connect) and is called once; the second gives the whole answer."""
    for wire, mode in where:
        routes = (Route(wire, (fault,) if fault else (), 1), _healthy(_NEXT[wire]))
        yield Case(name, mode, routes, Right(by=1), waits=waits, source=source)


def tolerated(name: str, fault: Fault, where: Where = STREAM, *, waits: int = 0, source: str = "") -> Iterator[Case]:
    """Who answers is a matter of taste; the whole text, said once, is not. So it is when another vendor goes on."""
    for wire, mode in where:
        routes = (Route(wire, (fault,), 1), _healthy(_NEXT[wire], 2))
        yield Case(name, mode, routes, Right(), waits=waits, source=source)


def kept(
    name: str, fault: Fault, where: Where = ALL, *, right: Right | None = None, source: str = ""
) -> Iterator[Case]:
    """Odd but whole: the first vendor's answer counts, and the second is not called."""
    for wire, mode in where:
        second = OK.saying(fault.says) if fault.says else OK
        routes = (Route(wire, (fault,), 1), Route(_NEXT[wire], (second,), 0))
        yield Case(name, mode, routes, right or Right(by=0), source=source)


def final(name: str, fault: Fault, kind: str, where: Where = ALL, *, source: str = "") -> Iterator[Case]:
    """The caller's own error, or a refusal: told at once, and no other vendor is asked."""
    for wire, mode in where:
        routes = (Route(wire, (fault,), 1), _healthy(_NEXT[wire], 0))
        yield Case(name, mode, routes, replace(NO_ANSWER, errors=frozenset({kind})), source=source)


def alone(
    name: str,
    script: tuple[Fault, ...],
    right: Right,
    where: Where = ALL,
    *,
    most: int,
    waits: int = 0,
    source: str = "",
) -> Iterator[Case]:
    """One vendor and nobody else."""
    for wire, mode in where:
        yield Case(name, mode, (Route(wire, script, most),), right, waits=waits, source=source)


def _connection() -> Iterator[Case]:
    yield from rescued("refused-connection", None)
    yield from rescued("reset-before-headers", f.RESET, source="S05")
    yield from rescued("closed-before-headers", f.CLOSED)
    yield from rescued("reset-after-headers", f.RESET_AFTER_HEADERS)
    yield from rescued("garbage-for-http", f.GARBAGE)
    yield from rescued("silent", f.SILENT, waits=2, source="S06")
    yield from rescued("silent-after-headers", f.SILENT_AFTER_HEADERS, waits=2, source="S06")
    yield from kept("early-hints", f.EARLY_HINTS)


def _status() -> Iterator[Case]:
    for code in (401, 403, 404, 408, 409, 500, 502, 503, 504, 529):
        yield from rescued(f"http-{code}", f.status(code, "Not now."), source="S04" if code == 503 else "vendors")
    yield from rescued("http-402", f.status(402, "Your credit balance is too low to access the API."), source="vendors")
    yield from rescued("http-429", f.status(429, "Slow down."), source="S02")
    for name, wait in (("seconds", {"retry-after": "30"}), ("date", {"retry-after": FAR_DATE}), ("ms", SHORTLY_MS)):
        yield from rescued(f"http-429-{name}", f.status(429, "Slow down.", wait), source="S01")
    quota = "You exceeded your current quota, please check your plan and billing details."
    yield from rescued("quota", f.status(429, quota, error_code="insufficient_quota"), _on(Wire.OPENAI))
    yield from rescued(
        "bad-key-400", f.status(400, "API key not valid. Please pass a valid API key."), _on(Wire.GEMINI)
    )
    yield from rescued("proxy-page-502", f.page(502))
    yield from rescued("empty-503", f.page(503, b"", "text/plain"))
    for code in (301, 302, 307):
        # Followed, it would be a second call with the key in it.
        yield from rescued(f"redirect-{code}", f.page(code, b"", "text/plain", {"location": "elsewhere"}))
    yield from rescued("no-content-204", f.page(204, b"", "text/plain"))


def _callers_own() -> Iterator[Case]:
    yield from final("http-400", f.status(400, "messages: at least one message is required"), "bad_request")
    yield from final("http-422", f.status(422, "Unprocessable: `messages` is malformed."), "bad_request")
    yield from final("http-405", f.status(405, "Method not allowed."), "bad_request")
    for wire, messages in shapes.OVERFLOWS.items():
        for number, (code, message) in enumerate(messages):
            fault = f.status(code, message, error_code="context_length_exceeded" if wire is Wire.OPENAI else None)
            yield from _overflowing(wire, number, fault)


def _overflowing(wire: Wire, number: int, fault: Fault) -> Iterator[Case]:
    """A window as small is no help; a larger one exists for the small ones of two vendors."""
    for mode in ALL.modes:
        same = (Route(wire, (fault,), 1, "small"), Route(wire, (OK,), 0, "small"))
        right = replace(NO_ANSWER, errors=frozenset({"context_overflow"}))
        yield Case(f"overflow-{number}-alone", mode, same, right, source="S12")
    larger = {Wire.OPENAI: Wire.ANTHROPIC, Wire.ANTHROPIC: Wire.GEMINI}.get(wire)
    if larger is None:
        return
    for mode in ALL.modes:
        routes = (Route(wire, (fault,), 1, "small"), Route(larger, (OK,), 1, "large"))
        yield Case(f"overflow-{number}", mode, routes, Right(by=1), source="S12")


def _refused() -> Iterator[Case]:
    policy = f.status(400, "Your request was rejected by our safety system.", error_code="content_policy_violation")
    azure = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    yield from final("filter-400", policy, "refused", _on(Wire.OPENAI), source="S13")
    yield from final("filter-azure", f.status(400, azure, error_code="content_filter"), "refused", _on(Wire.OPENAI))
    silent = Answer(text="", finish="refused")
    yield from final("refused", OK.saying(silent), "refused", source="S13")
    yield from final("refused-with-text", OK.saying(replace(SPOKEN, text=CUT_TEXT, finish="refused")), "refused")
    yield from final(
        "refused-in-words", f.reshaped("refusal", shapes.refusal), "refused", _on(Wire.OPENAI, where=PLAIN)
    )
    yield from final("prompt-blocked", f.reshaped("block", shapes.blocked), "refused", _on(Wire.GEMINI, where=PLAIN))
    blocked = f.arranged("prompt blocked", lambda telling: [Event("finish", shapes.blocked(telling.wire, {}))])
    yield from final("prompt-blocked", blocked, "refused", _on(Wire.GEMINI, where=STREAM))
    for place in (Place.OPENED, Place.FIRST, Place.MID, Place.LAST):
        yield from final(f"refusal-{place.value}", f.refusing(place), "refused", STREAM, source="S13")


def _bodies() -> Iterator[Case]:
    yield from rescued("html-200", f.page(200))
    yield from rescued("empty-200", f.page(200, b"", "application/json"))
    for name, body in (("null", b"null"), ("array", b"[]"), ("string", b'"ok"'), ("object", b"{}")):
        yield from rescued(f"json-{name}", f.page(200, body, "application/json"))
    yield from rescued("error-in-200", f.Fault("error in 200", shapes.error_in_200))
    yield from rescued("huge-body", f.HUGE_BODY, _on(Wire.OPENAI), waits=3)
    for name, fault in shapes.BROKEN_BODIES.items():
        yield from rescued(name, fault, PLAIN)
    yield from rescued("silence-within", f.STALLING, PLAIN, waits=2)
    yield from kept("gzip", f.GZIP, PLAIN)
    yield from tolerated("text-plain", f.told("wrong content type", lambda body: body, "text/plain"), PLAIN)
    yield from tolerated("byte-order-mark", f.told("BOM", lambda body: b"\xef\xbb\xbf" + body), PLAIN)
    yield from tolerated("two-blocks", f.reshaped("two blocks", shapes.two_blocks), PLAIN)


def _cut_streams() -> Iterator[Case]:
    places = (Place.OPENED, Place.FIRST, Place.MID, Place.LAST)
    for place in places:
        for end in (None, End.CLOSED, End.RESET):
            name = f"cut-{end.value if end else 'clean'}-{place.value}"
            fault = f.cut(place, end)
            if place is Place.OPENED:
                yield from rescued(name, fault, STREAM, source="litellm 40404")
            else:
                yield from tolerated(name, fault, source="S08")
        yield from tolerated(f"half-chunk-{place.value}", f.half_chunk(place))
        waits = 2
        yield from tolerated(f"stall-{place.value}", f.stalled(place), waits=waits, source="S09")
        yield from tolerated(f"comments-{place.value}", f.dripping(place, b": keep-alive\n\n", 0.2), waits=waits)
        yield from tolerated(f"empty-events-{place.value}", f.empty_for_ever(place, 0.2), waits=waits)
        yield from tolerated(f"error-event-{place.value}", f.error_event(place, 529), source="litellm 26015")
        yield from tolerated(f"rate-limit-event-{place.value}", f.error_event(place, 429, "Rate limit reached."))
        for kind, data in shapes.JUNK.items():
            yield from tolerated(f"{kind}-instead-{place.value}", f.between(place, data, name=kind, instead=True))
            yield from tolerated(f"{kind}-added-{place.value}", f.between(place, data, name=kind), source="S10")
    for wire in WIRES:
        yield from _every_pair(wire)


def _every_pair(wire: Wire) -> Iterator[Case]:
    """A cut in the middle with each vendor to go on, and one after blank space."""
    for second in WIRES:
        routes = (Route(wire, (f.cut(Place.MID, End.CLOSED),), 1), _healthy(second, 2))
        yield Case(f"cut-then-{second}", "stream", routes, Right(), source="S08")
    begun = "Gardez tout :  \n\n"
    spaced = Route(wire, (f.cut(Place.LAST, End.CLOSED).saying(Answer(begun)),), 1)
    second = Route(_NEXT[wire], (OK.saying(Answer(begun + TEXT)),), 2)
    # A capital after a blank line may as well begin another answer: to refuse it is honest.
    right = Right(text=begun + TEXT, errors=frozenset({"bad_answer"}))
    yield Case("cut-at-spaces", "stream", (spaced, second), right)


def _odd_streams() -> Iterator[Case]:
    yield from kept("crlf", f.spelt("CRLF", lambda data: data.replace(b"\n", b"\r\n")), STREAM)
    yield from kept("lf", f.spelt("LF", lambda data: data), STREAM)
    yield from kept("no-space", f.spelt("no space", lambda data: data.replace(b"data: ", b"data:")), STREAM)
    yield from kept("ids", f.spelt("ids", lambda data: b"id: 7\nretry: 10\n: note\n" + data), STREAM)
    yield from kept("data-lines", f.LINES, STREAM)
    short = "Été 🎬 : 4 %."
    yield from kept("torn-1", f.torn(1).saying(Answer(short)), STREAM, right=Right(text=short, by=0))
    yield from kept("torn-17", f.torn(17), STREAM)
    yield from kept("slow-drip", f.paced(INTER_CHUNK_S / 20), STREAM)
    yield from kept("slow-first-token", f.slow_start(FIRST_TOKEN_S / 3))
    yield from kept("comments-between", f.between(Place.MID, b": ping\n\n: ping\n\n", name="comments"), STREAM)
    yield from kept("thoughts", OK.saying(replace(SPOKEN, thoughts="D’abord, je réfléchis un peu.")))
    yield from kept("protocol-in-text", OK.saying(Answer(PROTOCOL_TEXT)), right=Right(text=PROTOCOL_TEXT))
    yield from kept("no-usage", OK.saying(replace(SPOKEN, usage=None)))
    yield from kept("usage", OK.saying(replace(SPOKEN, usage=Usage(100, 100, 20))))
    yield from kept("length", f.LENGTH, right=Right(text=CUT_TEXT, finish="length", by=0))
    yield from kept("duplicate-finish", f.arranged("finish twice", shapes.finish_twice), STREAM)
    yield from kept("no-done", f.without("end"), _on(Wire.OPENAI, where=STREAM), source="S11")
    yield from tolerated("no-done", f.without("end"), _on(Wire.ANTHROPIC, where=STREAM), source="S11")
    # A reset may take with it what was not read yet, so that another vendor has to go on.
    yield from tolerated("reset-after-finish", f.cut(Place.FINISHED, End.RESET))
    yield from tolerated("open-after-finish", f.stalled(Place.FINISHED), STREAM, waits=2, source="S11")
    yield from tolerated("content-after-finish", f.arranged("more after the end", shapes.more_after), STREAM)
    yield from tolerated("plain-for-stream", f.PLAIN_FOR_STREAM, STREAM)
    yield from tolerated(
        "done-without-finish", f.without("finish", "usage"), _on(Wire.OPENAI, Wire.ANTHROPIC, where=STREAM)
    )
    middle = f.arranged("[DONE] in the middle", shapes.done_in_the_middle)
    yield from tolerated(
        "done-in-the-middle", middle, _on(Wire.OPENAI, Wire.ANTHROPIC, where=STREAM), source="Portkey 1797"
    )
    yield from rescued("empty-stream", f.broken(Place.OPENED, name="opened and ended"), STREAM)
    yield from rescued("hollow-stream", OK.saying(Answer(text="")), STREAM)
    yield from rescued("slow-first-token-beyond", f.slow_start(6 * FIRST_TOKEN_S), waits=2, source="S07")
    yield from _beyond_the_total()


def _beyond_the_total() -> Iterator[Case]:
    """Every chunk in time, and still no end within the deadline of the whole call."""
    for wire in WIRES:
        routes = (Route(wire, (f.paced(TOTAL_S / 20),), 1), _healthy(_NEXT[wire], 2))
        right = Right(errors=frozenset({"timeout"}))
        yield Case("drip-beyond-total", "stream", routes, right, waits=int(TOTAL_S / FIRST_TOKEN_S))


def _tools() -> Iterator[Case]:
    right = Right(text="", calls=(BUDGET_CALL,), finish="tool")
    two = replace(CALLED, calls=(BUDGET_CALL, Call("set_budget", '{"campaign": "b", "amount": 2}', "call_2")))
    spoken = replace(CALLED, text="Je regarde.")
    for wire in WIRES:
        for mode in ALL.modes:
            healthy = Route(_NEXT[wire], (OK,), 0)
            yield Case("tool", mode, (Route(wire, (OK,), 1), healthy), replace(right, by=0), asks="tool")
            routes = (Route(wire, (OK.saying(two),), 1), healthy)
            yield Case("tool-two", mode, routes, replace(right, calls=two.calls), asks="tool")
            routes = (Route(wire, (OK.saying(spoken),), 1), healthy)
            yield Case("tool-after-text", mode, routes, replace(right, text="Je regarde."), asks="tool")
            yield from _broken_tools(wire, mode, right)
    yield from _named_tools()


def _broken_tools(wire: Wire, mode: Mode, right: Right) -> Iterator[Case]:
    either = replace(right, errors=OUT_OF_ORDER | {"bad_answer"})
    broken = replace(CALLED, calls=(Call("set_budget", '{"campaign": "Été", "amou'),))
    stranger = replace(CALLED, calls=(Call("delete_everything", "{}"),))
    shortened = replace(broken, finish="length")
    second = _healthy(_NEXT[wire], 2)
    for name, said in (("invalid-json", broken), ("never-offered", stranger), ("cut-by-length", shortened)):
        if name == "cut-by-length" and wire is Wire.GEMINI:
            continue
        yield Case(f"tool-{name}", mode, (Route(wire, (OK.saying(said),), 1), second), either, asks="tool")
    yield Case("tool-503", mode, (Route(wire, (f.status(503),), 1), second), replace(right, by=1), asks="tool")
    if mode == "stream":
        for end in (None, End.RESET):
            name = f"tool-cut-{end.value if end else 'clean'}"
            yield Case(name, mode, (Route(wire, (f.cut(Place.MID, end),), 1), second), either, asks="tool")


def _named_tools() -> Iterator[Case]:
    """A call of a tool without arguments is an empty object, however the vendor spells nothing."""
    bare = replace(CALLED, calls=(Call("set_budget", ""),))
    right = Right(text="", calls=(Call("set_budget", "{}"),), finish="tool", errors=frozenset({"bad_answer"}))
    for wire in (Wire.OPENAI, Wire.ANTHROPIC):
        routes = (Route(wire, (OK.saying(bare),), 2),)
        yield Case("tool-without-arguments", "stream", routes, right, asks="tool")


def _schemas() -> Iterator[Case]:
    right = Right(text=None, value=VALUE)
    fenced = replace(VALUED, text=f"```json\n{VALUED.text}\n```")
    liars = {
        "no-json": replace(VALUED, text="I would hold the budget."),
        "misfit": replace(VALUED, text='{"action": "burn", "share": 2, "why": ""}'),
        "cut": replace(VALUED, text=VALUED.text[:-9]),
        "cut-by-length": replace(VALUED, text=VALUED.text[:-9], finish="length"),
        "trailing": replace(VALUED, text=f"{VALUED.text} And then some."),
    }
    for wire in WIRES:
        for mode in ALL.modes:
            yield Case("schema", mode, (Route(wire, (OK,), 1), Route(_NEXT[wire], (OK,), 0)), right, asks="schema")
            routes = (Route(wire, (OK.saying(fenced),), 2), _healthy(_NEXT[wire]))
            yield Case("schema-fenced", mode, routes, right, asks="schema")
            for name, said in liars.items():
                yield from _mended(wire, mode, name, said)


def _mended(wire: Wire, mode: Mode, name: str, said: Answer) -> Iterator[Case]:
    """Repaired once by the same or another route, plain; in a stream an explicit error will do. Never passed on."""
    right = Right(text=None, value=VALUE, errors=frozenset() if mode == "plain" else frozenset({"bad_answer"}))
    both = (Route(wire, (OK.saying(said), OK), 2), _healthy(_NEXT[wire]))
    yield Case(f"schema-{name}", mode, both, right, asks="schema")
    if mode == "plain" and name in {"no-json", "misfit"}:
        yield Case(f"schema-{name}-alone", mode, both[:1], right, asks="schema")
        hopeless = Route(wire, (OK.saying(said),), 2)
        never = Right(text=None, answered=False, errors=frozenset({"bad_answer"}))
        yield Case(f"schema-{name}-always", mode, (hopeless, replace(hopeless, wire=_NEXT[wire])), never, asks="schema")


def _one_vendor() -> Iterator[Case]:
    """With nobody else to ask, one more try is worth it where the trouble may pass, and none where it will not."""
    for name, fault in (("500", f.status(500)), ("503", f.status(503)), ("reset", f.RESET), ("html", f.page(200))):
        yield from alone(f"alone-{name}-once", (fault, OK), Right(), most=2, waits=1, source="S03")
    soon = f.status(429, "Slow down.", {"retry-after": "1"})
    yield from alone("alone-429-once", (soon, OK), Right(), most=2, waits=2, source="S01")
    yield from alone(
        "alone-no-finish-once", (f.reshaped("no end marker", shapes.unfinished), OK), Right(), PLAIN, most=2
    )
    yield from alone("alone-cut-opened-once", (f.cut(Place.OPENED, None), OK), Right(), STREAM, most=2)
    lost = replace(NO_ANSWER, errors=OUT_OF_ORDER)
    yield from alone("alone-503", (f.status(503),), lost, most=3, waits=2, source="S04")
    yield from alone("alone-silent", (f.SILENT,), lost, most=2, waits=4, source="S06")
    yield from alone("alone-cut-mid", (f.cut(Place.MID, End.CLOSED),), lost, STREAM, most=3, source="S08")
    rescue = Right(errors=OUT_OF_ORDER)
    yield from alone("alone-cut-mid-once", (f.cut(Place.MID, None), OK), rescue, STREAM, most=2, source="S08")
    for code, kind in ((401, "unauthorised"), (404, "not_found"), (400, "bad_request")):
        right = replace(NO_ANSWER, errors=frozenset({kind}))
        yield from alone(f"alone-{code}", (f.status(code, "No."),), right, most=1)


def _more_vendors() -> Iterator[Case]:
    down, mid = f.status(503), f.cut(Place.MID, End.CLOSED)
    for wire in WIRES:
        second, third = _NEXT[wire], _NEXT[_NEXT[wire]]
        for mode in ALL.modes:
            two_down = (Route(wire, (down,), 1), Route(second, (f.RESET,), 1), _healthy(third))
            yield Case("two-down", mode, two_down, Right(by=2), source="S04")
            all_down = tuple(Route(one, (down,), 2) for one in (wire, second, third))
            yield Case("all-down", mode, all_down, replace(NO_ANSWER, errors=OUT_OF_ORDER), waits=2)
            # One call finds out; the others can be probes alone, whose pauses double.
            stays_down = (Route(wire, (down,), 3), _healthy(second, 10))
            yield Case("down-ten-calls", mode, stays_down, Right(by=1), rounds=10, source="litellm 40405")
            back = (Route(wire, (down, OK), 2), _healthy(second, 1))
            yield Case(
                "recovers", mode, back, Right(), rounds=2, pause_s=2 * COOLDOWN_S, last=Right(by=0), source="S15"
            )
            script = (down, OK, down, OK, down, OK)
            flaps = (Route(wire, script, 8), _healthy(second, 12))
            yield Case("flaps", mode, flaps, Right(), rounds=12, pause_s=COOLDOWN_S / 5, source="S15")
        again = (Route(wire, (mid,), 1), Route(second, (mid,), 1), _healthy(third))
        yield Case("second-cuts-too", "stream", again, Right(), source="S08")
        lost = (Route(wire, (mid,), 2), Route(second, (mid,), 2))
        yield Case("both-cut", "stream", lost, replace(NO_ANSWER, errors=OUT_OF_ORDER), source="S08")
        yield from _going_on(wire, second)


def _going_on(wire: Wire, second: Wire) -> Iterator[Case]:
    """What the second vendor may make of the request to go on from what was delivered."""
    mid = Route(wire, (f.cut(Place.MID, End.CLOSED),), 1)
    either = Right(errors=OUT_OF_ORDER | {"bad_answer"})
    restarts = Route(second, (OK.resuming("restarts"),), 2)
    yield Case("second-restarts", "stream", (mid, restarts), either, source="Failover Bench 27967")
    straight = Route(second, (OK.resuming("goes straight on"),), 2)
    yield Case("second-goes-straight-on", "stream", (mid, straight), either)
    other = Route(second, (OK.resuming("other"),), 2)
    yield Case("second-differs", "stream", (mid, other), replace(either, answered=False))
    rejects = Route(second, (OK.resuming("rejects"),), 2)
    yield Case("second-rejects", "stream", (mid, rejects), either, source="S14")
    third = _healthy(_NEXT[second], 2)
    yield Case("second-rejects-third-goes-on", "stream", (mid, replace(rejects, most=2), third), Right(), source="S14")
    down = Route(second, (f.status(503),), 1)
    yield Case("second-down-third-goes-on", "stream", (mid, down, third), Right())
    unlike = Route(second, (OK.saying(Answer(OTHER_TEXT)),), 2)
    yield Case("second-never-read-it", "stream", (mid, unlike), replace(either, answered=False))


def _whole() -> Iterator[Case]:
    yield from kept("ok", OK)


_GROUPS = (
    _whole, _connection, _status, _callers_own, _refused, _bodies, _cut_streams, _odd_streams, _tools, _schemas,
    _one_vendor, _more_vendors,
)  # fmt: skip
CASES: tuple[Case, ...] = tuple(case for group in _GROUPS for case in group())
BY_ID = {case.id: case for case in CASES}
