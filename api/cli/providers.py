"""`accord providers`: how each model provider stands, and one tiny real call to find out."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.command import Command, DefaultGroup
from api.cli.console import EXIT_FAILURE, Console, columns
from api.cli.home import serving
from api.cli.settings import config_option, load, opened
from domain.errors import AccordError

if TYPE_CHECKING:
    from agents.parts import Runtime
    from agents.settings import Settings
    from providers.types import Attempt

_TIMEOUT_S = 10.0
_PASS_LASTS = timedelta(minutes=1)


@click.group(cls=DefaultGroup)
def providers() -> None:
    """See how the model providers stand, and try one."""


@providers.command("list", cls=Command)
@config_option
@click.pass_obj
def list_(console: Console, config: Path | None) -> None:
    """List every provider: health, failures, latency, spend, price, and where the last calls went.

    Asks the server that runs on this ACCORD_HOME; without one the log of calls alone is read.

    \b
    Example:
      accord providers --json
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    settings = load(config)
    found = _from_server(settings) or _from_store(settings)
    console.answer(found, _lines(found, settings))


@providers.command("test", cls=Command)
@click.argument("name")
@config_option
@click.pass_obj
def test(console: Console, name: str, config: Path | None) -> None:
    """Send one tiny real call to a provider and say what happened, attempt by attempt. It is charged like any call.

    \b
    Example:
      accord providers test openai-main
    """  # noqa: D301 — \b is click's mark for text it must not wrap
    with opened(load(config)) as runtime:
        result = tried(runtime, name)
    console.answer(result, _tried_lines(result))
    if not result["answered"]:
        raise click.exceptions.Exit(EXIT_FAILURE)


def tried(runtime: Runtime, name: str) -> dict[str, Any]:
    """One call of a few tokens to `name`, told as JSON. Raises NotFound for a provider that is not configured."""
    from domain.errors import NotFound
    from providers.types import Message, ModelRequest

    known = {one.name: one for one in runtime.gateway.registry.providers}
    if name not in known:
        raise NotFound(f"There is no provider {name!r}. Choose from {', '.join(map(repr, known)) or 'none'}.")
    request = ModelRequest(
        task="test",
        provider=name,
        messages=(Message(role="user", content="Answer with the one word: ok"),),
        max_tokens=64,
        temperature=None,
        # What it is least likely to be barred from, and holds nothing of the company.
        data_class=known[name].spec.data_classes[0],
        cache=False,
    )
    try:
        answer = runtime.gateway.complete(request)
    except AccordError as error:
        attempts: Any = error.facts.get("attempts", ())
        return {"provider": name, "answered": False, "detail": error.detail, "attempts": _told(attempts)}
    return {"provider": name, "answered": True, "detail": answer.text[:200], "attempts": _told(answer.attempts)}


def _told(attempts: tuple[Attempt, ...]) -> list[dict[str, Any]]:
    from providers.pricing import decimal_text

    return [
        {
            "provider": one.provider,
            "outcome": one.outcome.value,
            "error_code": one.error_code,
            "detail": one.detail,
            "latency_s": round(one.latency_s, 3),
            "usage": one.usage and one.usage.model_dump(),
            "cost": None if one.cost_nano is None else decimal_text(one.cost_nano),
            "currency": one.currency,
        }
        for one in attempts
    ]


def _tried_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["attempts"]:
        cost = f", {one['cost']} {one['currency']}" if one["cost"] is not None else ""
        fault = f" ({one['error_code']}: {one['detail']})" if one["error_code"] else ""
        yield f"{one['provider']}: {one['outcome']} in {one['latency_s']:.2f} s{cost}{fault}"
    yield f"It answered: {result['detail']!r}" if result["answered"] else str(result["detail"])


def _from_server(settings: Settings) -> dict[str, Any] | None:
    """What the server on this home tells; None when none answers. Who may read the home may sign a pass for it."""
    url = serving(settings.home)
    if url is None:
        return None
    import httpx

    from api.auth import ADMIN, session_key
    from api.session import COOKIE, Signer

    now = datetime.now(UTC)
    claims = {"person": ADMIN, "key": None, "nonce": secrets.token_urlsafe(16), "began": now.timestamp()}
    token = Signer(session_key(settings.home)).seal("session", claims, now + _PASS_LASTS)
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S, cookies={COOKIE: token}) as client:
            return client.get(f"{url}/v1/providers").raise_for_status().json()
    except httpx.HTTPError:
        return None


def _from_store(settings: Settings) -> dict[str, Any]:
    from api.standing import providers_of

    with opened(settings) as runtime:
        return providers_of(runtime, datetime.now(UTC), live=False).model_dump(mode="json")


def _lines(found: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    if not found["items"]:
        yield "No provider is configured: everything runs without a model."
        return
    currency = found["currency"]
    heads = columns([(one["name"], one["model"], one["region"] or "", _state(one)) for one in found["items"]])
    for head, one in zip(heads, found["items"], strict=True):
        yield head
        yield from (f"    {line}" for line in _figures(one, found))
    for budget in found["budgets"]:
        yield f"Budget {budget['scope']}: {_money(budget['left'])} of {_money(budget['month'])} {currency} left."
    if found["recent"]:
        yield "Last calls:"
    for call in found["recent"]:
        yield f"    {call['at'][11:19]}  {call['task']} → {call['provider'] or 'nobody'}: {call['why']}"
    if not found["live"]:
        yield (
            f"No server runs on {str(settings.home)!r}: breakers, and where the last calls went, are known to a "
            "running one alone."
        )


def _figures(one: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    failures = ", ".join(f"{kind} {count}" for kind, count in one["failures"].items())
    if one["attempts"]:
        yield (
            f"{one['answered']} of {one['attempts']} attempts answered within {found['window_d']} days"
            + (f" ({failures})" if failures else "")
            + f"; p50/p95/p99: first token {_tail(one['first_token'])}, whole {_tail(one['latency'])}"
        )
    price, left = one["price"], one["budget_left"]
    spent = f"{_money(one['spent'])} {found['currency']} spent this month"
    cost = f"{price['input']}/{price['output']} {price['currency']} per million ({price['source']})" if price else None
    yield f"{spent}{f', {_money(left)} left' if left else ''}; price {cost or 'unknown'}"
    if one["quality"]:
        yield "quality " + ", ".join(f"{task} {share:.0%}" for task, share in one["quality"].items())
    if one["drift"]:
        yield f"changed: {one['drift']}"
    yield f"may see {', '.join(one['data_classes'])}"
    if one["missing"]:
        yield f"→ {one['missing']}"


def _state(one: Mapping[str, Any]) -> str:
    health = one["health"]
    if one["missing"]:
        return "lacks something"
    if health is None:
        return "health unknown"
    if health["breaker"] == "closed":
        return "ready"
    if health["breaker"] == "half_open":
        return "breaker half open: the next call looks whether it is back"
    return f"breaker open until {health['until'][11:19]}"


def _tail(tail: Mapping[str, float] | None) -> str:
    return f"{tail['p50_s']:.2f}/{tail['p95_s']:.2f}/{tail['p99_s']:.2f} s" if tail else "–"


def _money(text: str) -> str:
    return f"{float(text):,.4f}".rstrip("0").rstrip(".") or "0"
