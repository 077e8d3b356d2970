from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.errors import ConfigError, OverBudget
from providers.ledger import InMemoryCallLog, Ledger, Posting, Refusal, Reservation
from providers.pricing import ceiling_nano
from providers.registry import Provider
from providers.types import Attempt, Budget, ModelRequest, Outcome, Price, Tokens

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
EURO = Price.model_validate({"currency": "EUR", "input": "1", "output": "10"})
Ask = Callable[..., ModelRequest]


def ledger(log: InMemoryCallLog, *budgets: tuple[str, Decimal]) -> Ledger:
    limits = [Budget(scope=scope, month=month) for scope, month in budgets]
    return Ledger(log, currency="EUR", fx={}, budgets=limits)


def attempt(hold: Reservation, cost_nano: int | None) -> Attempt:
    known = None if cost_nano is None else "EUR"
    usage = None if cost_nano is None else Tokens(input=1)
    return Attempt(
        provider=hold.provider.name,
        outcome=Outcome.ANSWERED,
        started_at=NOW,
        usage=usage,
        cost_nano=cost_nano,
        currency=known,
    )


def room_for(calls: int, provider: Provider, request: ModelRequest) -> Decimal:
    """A limit that holds `calls` reservations of `request` and not one more."""
    assert provider.rates is not None
    return Decimal(ceiling_nano(provider.rates, request) * calls).scaleb(-9)


def test_reservations_together_never_pass_a_limit(provider: Callable[..., Provider], request_for: Ask) -> None:
    """128 threads at once get exactly the room there is."""
    one, request = provider("one", price=EURO), request_for()
    found = ledger(InMemoryCallLog(), ("all", room_for(10, one, request)))

    def granted(_: int) -> bool:
        try:
            found.reserve(one, request, NOW)
        except OverBudget:
            return False
        return True

    with ThreadPoolExecutor(max_workers=32) as pool:
        assert sum(pool.map(granted, range(128))) == 10


def test_what_was_not_spent_is_given_back(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, request = provider("one", price=EURO), request_for()
    log = InMemoryCallLog()
    found = ledger(log, ("task:explain", room_for(1, one, request) + Decimal("0.000000015")))
    for _ in range(3):
        hold = found.reserve(one, request, NOW)
        found.settle(hold, attempt(hold, 5), maybe_billed=True)
    found.release(found.reserve(one, request, NOW))
    assert log.spend["task:explain", "2026-03"] == 15
    assert (log.spend["task:other", "2026-03"], log.spend["provider:one", "2026-03"]) == (0, 15)


def test_a_cost_nobody_told_is_charged_as_reserved(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, request = provider("one", price=EURO), request_for()
    log = InMemoryCallLog()
    found = ledger(log, ("key:k1", room_for(1, one, request)))
    mine = request_for(key="k1")
    hold = found.reserve(one, mine, NOW)
    found.settle(hold, attempt(hold, None), maybe_billed=True)
    assert [call.estimated for call in log.calls.values()] == [True]
    with pytest.raises(OverBudget, match="'key:k1'") as caught:
        found.reserve(one, mine, NOW)
    assert caught.value.facts["budget"] == "key:k1"
    found.reserve(one, request_for(key="k2"), NOW)


def test_a_budget_lowered_meanwhile_holds_at_once(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, request = provider("one", price=EURO), request_for()
    log = InMemoryCallLog()
    ledger(log, ("all", room_for(3, one, request))).reserve(one, request, NOW)
    lowered = ledger(log, ("all", room_for(3, one, request)), ("all", room_for(1, one, request)))
    with pytest.raises(OverBudget, match=r"has 0\.000000000 left"):
        lowered.reserve(one, request, NOW)


def test_only_calls_that_a_budget_covers_wait_for_the_store(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    free = provider("free", price=Price.model_validate({"currency": "EUR", "input": "0", "output": "0"}))
    one, found = provider("one", price=EURO), ledger(InMemoryCallLog(), ("key:k1", Decimal(1)))
    covered = [found.covers(each, request_for(key=key)) for each in (one, free) for key in ("k1", "k2", None)]
    assert covered == [True, False, False, False, False, False]


def test_a_call_given_up_while_it_waits_for_its_reservation_frees_it(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    class Slow(InMemoryCallLog):
        def post(self, posting: Posting) -> Future[Refusal | None]:
            super().post(posting)
            return Future() if posting.limits else super().post(posting)

    async def give_up(found: Ledger) -> None:
        waiting = asyncio.create_task(found.areserve(one, request_for(), NOW))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    one, log = provider("one", price=EURO), Slow()
    asyncio.run(give_up(ledger(log, ("all", Decimal(1)))))
    assert log.spend["all", "2026-03"] == 0


def test_what_a_broken_off_answer_told_is_no_bill(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, log = provider("one", price=EURO), InMemoryCallLog()
    found = ledger(log)
    for fault in ("cut", "cancelled", "bad_answer"):
        hold = found.reserve(one, request_for(), NOW)
        told = attempt(hold, 5).model_copy(update={"outcome": Outcome.FAILED, "error_code": fault})
        found.settle(hold, told, maybe_billed=True)
    kept = [(call.charged_nano == hold.amount_nano, call.estimated, call.cost_nano) for call in log.calls.values()]
    assert kept == [(True, True, None), (True, True, None), (False, False, 5)]


def test_a_bill_that_no_call_can_have_is_charged_as_reserved(
    provider: Callable[..., Provider], request_for: Ask
) -> None:
    """A vendor that reports 10^30 tokens must not make the account unwritable."""
    one, log = provider("one", price=EURO), InMemoryCallLog()
    hold = ledger(log, ("all", Decimal(1))).reserve(one, request_for(), NOW)
    ledger(log).settle(hold, attempt(hold, 10**33), maybe_billed=True)
    (call,) = log.calls.values()
    assert (call.charged_nano, call.cost_nano, call.estimated) == (hold.amount_nano, None, True)


def test_what_an_answer_goes_on_from_is_paid_too(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, found = provider("one", price=EURO), ledger(InMemoryCallLog())
    plain, longer = (found.reserve(one, request_for(), NOW, prefix).amount_nano for prefix in ("", "x" * 1000))
    assert longer - plain >= 1000 * 1000


def test_a_new_month_is_a_new_budget(provider: Callable[..., Provider], request_for: Ask) -> None:
    one, request = provider("one", price=EURO), request_for()
    found = ledger(InMemoryCallLog(), ("all", room_for(1, one, request)))
    hold = found.reserve(one, request, NOW)
    found.settle(hold, attempt(hold, hold.amount_nano), maybe_billed=True)
    with pytest.raises(OverBudget):
        found.reserve(one, request, NOW)
    assert found.reserve(one, request, NOW + timedelta(minutes=1)).amount_nano > 0


def test_a_missing_rate_is_named_before_the_first_call(provider: Callable[..., Provider]) -> None:
    dollars = Price.model_validate({"currency": "USD", "input": "1", "output": "1"})
    with pytest.raises(ConfigError, match="'USD'"):
        ledger(InMemoryCallLog()).check([provider(price=dollars)])


def test_a_free_provider_needs_neither_rate_nor_room(provider: Callable[..., Provider], request_for: Ask) -> None:
    free = provider(price=Price.model_validate({"currency": "USD", "input": "0", "output": "0"}))
    found = ledger(InMemoryCallLog(), ("all", Decimal(0)))
    found.check([free])
    assert found.reserve(free, request_for(), NOW).amount_nano == 0
