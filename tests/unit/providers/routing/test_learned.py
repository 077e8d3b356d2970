"""Which provider goes first, why, and how that changes with what is learnt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.errors import InputError
from providers.pricing import Tariff
from providers.registry import Provider
from providers.routing.belief import HALF_LIFE_S, Belief, before_any_observation
from providers.routing.learned import LearnedRouter, Manner, Observation, Preference
from providers.types import Attempt, Message, ModelRequest, Outcome, Price, ProviderSpec, Tokens

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SURE = Manner(explore_rate=0.0)


def provider(name: str, output: str | None, vendor: str = "openai") -> Provider:
    spec = ProviderSpec(name=name, model=f"{vendor}/{name}")
    price = None if output is None else Price(currency="USD", input=Decimal(output) / 4, output=Decimal(output))
    return Provider(spec=spec, rates=price and Tariff(price), context_tokens=None, takes_schema=True)


CHEAP, DEAR, LOCAL = provider("cheap", "0.4"), provider("dear", "20"), provider("local", "0", "local")
REQUEST = ModelRequest(task="explain", messages=(Message(role="user", content="Why did search fall?"),))


def preferring(prefer: Preference) -> LearnedRouter:
    return LearnedRouter(Manner(prefer=prefer, explore_rate=0.0))


def first(router: LearnedRouter, *candidates: Provider, now: datetime = NOW) -> str:
    return router.rank(REQUEST, candidates, now).providers[0].name


def test_beliefs_age_and_late_news_joins_as_aged() -> None:
    later = NOW + timedelta(seconds=HALF_LIFE_S)
    belief = Belief().plus(1.0, 4.0, NOW)
    assert belief.aged(later).weight == pytest.approx(2.0)
    assert belief.mean(0.5) == pytest.approx((4 + 1) / 6)
    in_turn = belief.plus(0.0, 1.0, later)
    late = Belief().plus(0.0, 1.0, later).plus(1.0, 4.0, NOW)
    assert late.good == pytest.approx(in_turn.good)
    assert late.weight == pytest.approx(in_turn.weight)


def test_without_observations_price_stands_for_strength_and_order_for_nothing() -> None:
    assert before_any_observation(LOCAL) < before_any_observation(CHEAP) < before_any_observation(DEAR)
    router = preferring("quality")
    assert first(router, CHEAP, DEAR, LOCAL) == first(router, LOCAL, DEAR, CHEAP) == "dear"
    assert first(preferring("cost"), DEAR, CHEAP, LOCAL) == "cheap"


def test_judged_answers_move_the_task_they_were_given_for_most() -> None:
    router = LearnedRouter(SURE)
    for hour in range(20):
        router.observe("explain", DEAR, 0.0, source="human", at=NOW + timedelta(hours=hour))
        router.observe("explain", LOCAL, 1.0, source="eval", at=NOW + timedelta(hours=hour))
    ranked = router.rank(REQUEST, (DEAR, LOCAL), NOW + timedelta(days=1))
    assert [p.name for p in ranked.providers] == ["local", "dear"]
    assert ranked.why.startswith("local is expected right 9")
    assert "(n=20) at no cost; next dear" in ranked.why


def test_answers_that_never_fit_their_schema_cost_a_provider_its_place() -> None:
    router = preferring("quality")
    asked = REQUEST.model_copy(update={"answer_schema": {"type": "object"}})
    failed = Attempt(provider="dear", outcome=Outcome.FAILED, error_code="bad_answer", started_at=NOW)
    for _ in range(5):
        router.attempted(failed, asked, DEAR)
    assert first(router, DEAR, CHEAP) == "cheap"


def test_a_slow_tail_loses_to_an_equal_mean() -> None:
    router = LearnedRouter(SURE)
    twin = provider("another", "0.4")
    used = Tokens(input=10, output=10)
    for call in range(20):
        stall = 60.0 if call % 10 == 0 else 0.1
        attempt = Attempt(provider="another", outcome=Outcome.ANSWERED, started_at=NOW, latency_s=stall, usage=used)
        router.attempted(attempt, REQUEST, twin)
        router.attempted(attempt.model_copy(update={"provider": "cheap", "latency_s": 6.0}), REQUEST, CHEAP)
    assert first(router, twin, CHEAP) == "cheap"


def test_trying_is_rare_repeatable_and_never_for_critical_tasks() -> None:
    def route(manner: Manner) -> list[str]:
        router = LearnedRouter(manner)
        return [first(router, CHEAP, provider("other", "0.5")) for _ in range(400)]

    tried = route(Manner(explore_rate=0.05, seed=3))
    rarer = min(tried.count("cheap"), tried.count("other"))
    assert 5 <= rarer <= 40
    assert tried == route(Manner(explore_rate=0.05, seed=3))
    assert len(set(route(Manner(explore_rate=0.05, seed=3, critical=frozenset({"explain"}))))) == 1


def test_an_observation_with_an_id_counts_once_also_when_it_was_known_before() -> None:
    known = [Observation("explain", "cheap", "m", 0.0, 1.0, "human", NOW, id="dec_1")]
    once, twice = LearnedRouter(SURE, known=known), LearnedRouter(SURE, known=known * 2)
    twice.observe("explain", CHEAP, 0.0, source="human", at=NOW, id="dec_1")
    assert once.rank(REQUEST, (CHEAP, DEAR), NOW) == twice.rank(REQUEST, (CHEAP, DEAR), NOW)
    twice.observe("explain", CHEAP, 0.0, source="human", at=NOW, id="dec_2")
    assert once.rank(REQUEST, (CHEAP, DEAR), NOW) != twice.rank(REQUEST, (CHEAP, DEAR), NOW)


def test_what_was_known_before_counts_and_new_things_are_kept() -> None:
    kept: list[Observation] = []

    class Shelf:
        def add(self, observation: Observation) -> None:
            kept.append(observation)

    known = [Observation("explain", "local", "m", 1.0, 30.0, "eval", NOW)]
    router = LearnedRouter(SURE, known=known, kept=Shelf())
    assert first(router, DEAR, CHEAP, LOCAL) == "local"
    router.observe("explain", LOCAL, 0.0, source="human", at=NOW)
    assert [(seen.provider, seen.quality, seen.source) for seen in kept] == [("local", 0.0, "human")]
    with pytest.raises(InputError, match="Give 0 to 1"):
        router.observe("explain", LOCAL, 1.5, source="human", at=NOW)
