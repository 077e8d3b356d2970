"""Turns the calendar into daily factors per region, so that simulating a day is plain array arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from connectors.sandbox.company.agenda import Event
from connectors.sandbox.company.dice import Floats
from connectors.sandbox.company.parameters import MARGIN_RATE, Market
from connectors.sandbox.company.words import CHANNELS, DISPLAY


@dataclass(frozen=True, slots=True)
class Weather:
    """Factors by day and region, 1 when nothing happens; the last two by channel too, and only in what is reported."""

    demand: Floats  # (T, R)
    queries: Floats  # (T, R) branded queries
    ctr: Floats  # (T, R) click rate of brand search
    flight: Floats  # (T, R) connected-TV spend of flights over the initial budget; 0 without
    competitor: Floats  # (T, R) bids of competitors on our brand
    response: Floats  # (T, R) strength of all media
    orders: Floats  # (T, R)
    revenue: Floats  # (T, R)
    margin_rate: Floats  # (T, R)
    reported_clicks: Floats  # (T, R, C)
    reported_conversions: Floats  # (T, R, C)


def weather_of(agenda: tuple[Event, ...], market: Market, days: int) -> Weather:
    """The factors of all events of `agenda` multiplied together over `days`."""
    shape = (days, len(market.regions))
    ones = [np.ones(shape) for _ in range(8)]
    weather = Weather(
        demand=ones[0], queries=ones[1], ctr=ones[2], flight=np.zeros(shape), competitor=ones[3], response=ones[4],
        orders=ones[5], revenue=ones[6], margin_rate=ones[7] * MARGIN_RATE,
        reported_clicks=np.ones((*shape, len(CHANNELS))), reported_conversions=np.ones((*shape, len(CHANNELS))),
    )  # fmt: skip
    for event in agenda:
        if event.kind in _PAINTERS:
            _PAINTERS[event.kind](weather, _felt(event, market))
    return weather


def _felt(event: Event, market: Market) -> Event:
    """The event as strong as it is felt in this market; faults of reporting are as loud everywhere."""
    return event if event.kind in _REPORTED else replace(event, strength=event.strength**market.turbulence)


def _cells(event: Event) -> tuple[slice, list[int]]:
    return slice(event.onset, event.end), list(event.regions)


def _flight(weather: Weather, event: Event) -> None:
    """A flight with lagged, decaying lift of branded queries where the CTV ran."""
    when, where = _cells(event)
    weather.flight[when, where] += event.detail["spend"]
    lift = _kernel(event, weather.demand.shape[0])
    weather.queries[:, where] *= 1 + (event.strength - 1) * lift[:, None]
    weather.ctr[:, where] *= 1 + (event.detail["ctr"] - 1) * lift[:, None]


def _press(weather: Weather, event: Event) -> None:
    """Press raises queries everywhere while a flight that does nothing runs in some regions."""
    when, where = _cells(event)
    weather.flight[when, where] += event.detail["spend"]
    weather.queries[:] *= 1 + (event.strength - 1) * _kernel(event, weather.demand.shape[0])[:, None]


def _kernel(event: Event, days: int) -> Floats:
    """0..1 by day: rises over three days after the lag, decays exponentially after the end."""
    day = np.arange(days) - event.onset - event.detail["lag"]
    rise = np.clip((day + 1) / 3, 0, 1)
    return rise * np.exp(-np.maximum(0, np.arange(days) - event.end + 1) / event.detail["decay"])


def _scale(name: str) -> Callable[[Weather, Event], None]:
    def paint(weather: Weather, event: Event) -> None:
        getattr(weather, name)[_cells(event)] *= event.strength

    return paint


def _recall(weather: Weather, event: Event) -> None:
    weather.response[_cells(event)] *= event.strength
    weather.demand[_cells(event)] *= 0.96


def _promo(weather: Weather, event: Event) -> None:
    weather.orders[_cells(event)] *= event.strength
    weather.revenue[_cells(event)] *= 0.98
    weather.margin_rate[_cells(event)] -= 0.04


def _bots(weather: Weather, event: Event) -> None:
    when, where = _cells(event)
    weather.reported_clicks[when, where, DISPLAY] *= event.strength


def _tracking(weather: Weather, event: Event) -> None:
    when, where = _cells(event)
    channel = CHANNELS.index(event.subject)
    weather.reported_clicks[when, where, channel] *= event.strength
    weather.reported_conversions[when, where, channel] *= event.strength


_REPORTED = frozenset({"bot_clicks", "tracking_bug"})
_PAINTERS: dict[str, Callable[[Weather, Event], None]] = {
    "ctv_lift": _flight,
    "ctv_without_lift": _flight,
    "press_with_ctv": _press,
    "demand_drop": _scale("demand"),
    "holiday": _scale("demand"),
    "competitor_bids": _scale("competitor"),
    "competitor_test": _scale("competitor"),
    "recall": _recall,
    "price_promo": _promo,
    "bot_clicks": _bots,
    "tracking_bug": _tracking,
}
