"""Turns configured specifications into providers, and says of each whether it can be used and why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ConfigError
from providers.facts import Facts, known
from providers.pricing import Tariff, tariff
from providers.types import ProviderSpec
from providers.weights import chosen_name

KEYLESS_VENDORS = frozenset({"local", "scripted"})
_DEFAULT_MODELS = ("openai/gpt-5.4-mini", "anthropic/claude-haiku-5-5", "gemini/gemini-3.8-flash")


@dataclass(frozen=True, slots=True)
class Provider:
    """A specification with what is known about it. `missing` says what it lacks to be used, None when ready.

    `context_tokens` and `rates` are None when unknown.
    """

    spec: ProviderSpec
    rates: Tariff | None
    context_tokens: int | None
    takes_schema: bool
    api_key: str | None = None
    missing: str | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    def __repr__(self) -> str:
        return f"Provider({self.spec.name!r}, {self.spec.model!r}, missing={self.missing!r})"


@dataclass(frozen=True, slots=True)
class Registry:
    """All configured providers, in the order of the configuration."""

    providers: tuple[Provider, ...]

    @property
    def usable(self) -> tuple[Provider, ...]:
        return tuple(provider for provider in self.providers if provider.missing is None)

    @property
    def lacking(self) -> dict[str, str]:
        return {provider.name: provider.missing for provider in self.providers if provider.missing is not None}


def build_registry(
    specs: Iterable[ProviderSpec],
    environ: Mapping[str, str],
    *,
    local_missing: Callable[[str], str | None],
    facts: Facts | None = None,
) -> Registry:
    """Providers for `specs`. `local_missing(name)` tells what a local model lacks, None when it can be started.

    Raises ConfigError when two providers share a name or a key file cannot be read.
    """
    table = facts or known()
    providers: dict[str, Provider] = {}
    for spec in specs:
        if spec.name in providers:
            raise ConfigError(f"Two providers are named {spec.name!r}. Give each its own `name`.")
        providers[spec.name] = _provider(spec, environ, local_missing, table)
    return Registry(tuple(providers.values()))


def default_specs(environ: Mapping[str, str]) -> tuple[ProviderSpec, ...]:
    """Without a `providers:` list: one model of each vendor whose usual key is set, then the local model."""
    vendors = tuple(
        ProviderSpec(name=model.partition("/")[0], model=model)
        for model in _DEFAULT_MODELS
        if _read_secret(environ, _usual_key(model.partition("/")[0])) is not None
    )
    local = ProviderSpec(
        name="local",
        model=f"local/{chosen_name(environ)}",
        data_classes=("public", "internal", "confidential", "personal"),
    )
    return (*vendors, local)


def local_unwanted(environ: Mapping[str, str]) -> str | None:
    """Why fetching weights of the local model would serve nobody; None when it would serve."""
    chosen = environ.get("ACCORD_LOCAL_MODEL", "")
    if chosen not in {"", chosen_name(environ)}:
        return f"ACCORD_LOCAL_MODEL is {chosen}"
    others = [spec.name for spec in default_specs(environ) if spec.vendor != "local"]
    return f"a key for {others[0]} is set" if others else None


def _provider(
    spec: ProviderSpec, environ: Mapping[str, str], local_missing: Callable[[str], str | None], table: Facts
) -> Provider:
    facts = table.models.get(spec.model)
    key, missing = _key(spec, environ)
    if spec.vendor == "local":
        missing = local_missing(spec.model_name)
    return Provider(
        spec=spec,
        rates=tariff(spec.price, facts),
        context_tokens=facts.context_tokens if facts else None,
        takes_schema=facts.native_schema if facts else True,
        api_key=key,
        missing=missing,
    )


def _key(spec: ProviderSpec, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    if spec.vendor in KEYLESS_VENDORS or (spec.api_key_env is None and spec.api_base is not None):
        return None, None
    variable = spec.api_key_env or _usual_key(spec.vendor)
    key = _read_secret(environ, variable)
    if key is not None and not (key.isascii() and key.isprintable()):
        return None, f"The key holds signs that no HTTP header can: copy it anew into {variable} or {variable}_FILE."
    return key, None if key else f"No key: set {variable} or {variable}_FILE."


def _usual_key(vendor: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", vendor.upper()) + "_API_KEY"


def _read_secret(environ: Mapping[str, str], variable: str) -> str | None:
    if value := environ.get(variable, "").strip():
        return value
    path = environ.get(f"{variable}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ConfigError(f"Cannot read the secret file {path!r}: {error.strerror}. Mend {variable}_FILE.") from error
