"""Everything about a simulated company that its seed fixes before the first day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from connectors.sandbox.company.accounts import Account, Buyers, draw_buyers
from connectors.sandbox.company.agenda import Event, draw_agenda
from connectors.sandbox.company.engagement import Schedule, draw_schedule
from connectors.sandbox.company.finance import Limit, draw_limits
from connectors.sandbox.company.parameters import Market, draw_market
from connectors.sandbox.company.weather import Weather, weather_of
from connectors.sandbox.company.words import CHANNELS

LOOK_AHEAD_DAYS = 36


@dataclass(frozen=True)
class Blueprint:
    """The fixed part of one company. Regional levers are addressed by (region index, channel index)."""

    seed: int
    start: date
    days: int
    market: Market
    agenda: tuple[Event, ...]
    weather: Weather
    buyers: Buyers
    schedule: Schedule
    limits: tuple[Limit, ...]

    @cached_property
    def cells(self) -> dict[str, tuple[int, int]]:
        """Place of each budget and campaign."""
        return {
            f"{kind}:{channel}-{region}": (r, c)
            for r, region in enumerate(self.market.regions)
            for c, channel in enumerate(CHANNELS)
            for kind in ("budget", "campaign")
        }

    @cached_property
    def account_index(self) -> dict[str, int]:
        return {account.id: index for index, account in enumerate(self.buyers.accounts)}

    @cached_property
    def deal_index(self) -> dict[str, int]:
        return {deal.id: index for index, deal in enumerate(self.buyers.deals)}

    def account_of(self, deal: int) -> Account:
        return self.buyers.accounts[self.buyers.deals[deal].account]

    def at(self, day: float) -> datetime:
        """The moment `day` days after the first midnight."""
        return datetime.combine(self.start, time(), UTC) + timedelta(days=day)


def draw_blueprint(seed: int, start: date, days: int) -> Blueprint:
    """The company of `seed`; equal arguments give an equal company."""
    length = days + LOOK_AHEAD_DAYS
    market = draw_market(seed, start.weekday(), length)
    agenda = draw_agenda(seed, market, days)
    buyers = draw_buyers(seed, market.products, days)
    real = sum(not event.decoy for event in agenda)
    schedule = draw_schedule(seed, buyers, days, decoys_short=real - (len(agenda) - real))
    return Blueprint(
        seed=seed,
        start=start,
        days=days,
        market=market,
        agenda=agenda,
        weather=weather_of(agenda, market, length),
        buyers=buyers,
        schedule=schedule,
        limits=draw_limits(seed, market, days),
    )
