"""Canaries in every call: whatever fails, no provider is ever sent data of a class that it may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import AccordError
from providers.cache import ExactCache
from providers.faults import Fault, failure
from providers.scripted import Hang, Line, Said
from providers.types import DataClass, Message, ModelRequest

CLASSES: tuple[DataClass, ...] = get_args(DataClass)
NAMES = ("one", "two", "three", "four")
FAULTS = sorted(set(Fault) - {Fault.REFUSED, Fault.BAD_REQUEST})


def canary(data_class: str) -> str:
    return f"canary-of-{data_class}-data"


def line(kind: str, fault: Fault, request: ModelRequest) -> Line:
    """What a provider does with a request: most ways to fail, some of them after having said the secret again."""
    said = f"So {request.messages[-1].text} it is"
    match kind:
        case "answer":
            return said
        case "fail":
            return failure(fault, f"{fault} happened. Try again.")
        case "cut":
            return Said((said[:10], said[10:]), failure(Fault.CUT, "cut. Try again."))
        case "stall":
            return Said((said,), Hang(100))
        case _:
            return Hang(100)


KINDS = st.tuples(st.sampled_from(["answer", "fail", "fail", "cut", "cut", "stall", "hang"]), st.sampled_from(FAULTS))
SEES = st.lists(st.sampled_from(CLASSES), unique=True)
CALLS = st.lists(st.tuples(st.sampled_from(CLASSES), st.booleans(), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sees=st.lists(SEES, min_size=4, max_size=4), ways=st.lists(KINDS, min_size=8, max_size=8), calls=CALLS)
def test_no_provider_is_sent_a_class_it_may_not_see(
    house: Callable[..., Any],
    provider: Callable[..., Any],
    sees: list[list[DataClass]],
    ways: list[tuple[str, Fault]],
    calls: list[tuple[DataClass, bool, bool]],
) -> None:
    turns = iter(ways * 20)
    scripts = {name: (lambda request: line(*next(turns), request)) for name in NAMES}
    made = {name: provider(name, spec={"data_classes": classes}) for name, classes in zip(NAMES, sees, strict=True)}
    found = house(scripts, providers=made, cache=ExactCache())
    for data_class, streamed, structured in calls:
        request = ModelRequest(
            task="explain",
            messages=(Message(role="user", content=canary(data_class)),),
            data_class=data_class,
            answer_schema={"type": "string"} if structured else None,
        )
        answer = ask(found, request, streamed=streamed)
        assert all(canary(other) not in answer for other in CLASSES if other != data_class), "from the cache"
    for name, classes in zip(NAMES, sees, strict=True):
        sent = "".join([*(r.model_dump_json() for r in found.said[name].requests), *found.said[name].prefixes])
        assert [data_class for data_class in CLASSES if canary(data_class) in sent and data_class not in classes] == []


def ask(found: Any, request: ModelRequest, *, streamed: bool) -> str:
    if streamed:
        events, _ = found.stream(request)
        return "".join(event.text for event in events if event.kind == "text")
    try:
        return found.gateway.complete(request).text
    except AccordError:
        return ""
