from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import ConfigError
from providers.facts import known
from providers.pricing import Tariff
from providers.registry import Registry, build_registry, default_specs, local_unwanted
from providers.types import ProviderSpec

OPENAI = {"name": "main", "model": "openai/gpt-5-mini"}


def registry(*specs: dict[str, Any], environ: dict[str, str] | None = None, local: str | None = None) -> Registry:
    given = [ProviderSpec.model_validate(spec) for spec in specs]
    return build_registry(given, environ or {}, local_missing=lambda _: local)


def test_an_item_of_the_configuration_is_taken_as_written() -> None:
    price = {"currency": "USD", "input": 2.5, "output": 10.0, "cached_input": 1.25, "cache_write": 0}
    item = OPENAI | {
        "api_base": None,
        "api_key_env": "K",
        "data_classes": ["public"],
        "region": "eu",
        "rpm": 5,
        "price": price,
    }
    spec = ProviderSpec.model_validate(item)
    assert (spec.vendor, spec.model_name, spec.price and str(spec.price.input)) == ("openai", "gpt-5-mini", "2.5")
    with pytest.raises(ValidationError, match="api_bsae"):
        ProviderSpec.model_validate(OPENAI | {"api_bsae": "x"})


def test_without_data_classes_a_provider_sees_public_and_internal_only() -> None:
    assert ProviderSpec.model_validate(OPENAI).data_classes == ("public", "internal")


def test_a_missing_key_is_named_and_keeps_the_provider_out() -> None:
    found = registry(OPENAI, OPENAI | {"name": "other", "api_key_env": "MINE"}, environ={"MINE": "s3cret"})
    assert [p.name for p in found.usable] == ["other"]
    assert "OPENAI_API_KEY" in found.lacking["main"]
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("key", ["clé-secrète", "sk-one\nsk-two", "sk-\x00"])
def test_a_key_that_no_header_can_hold_is_told_before_the_first_call(key: str) -> None:
    (found,) = registry(OPENAI, environ={"OPENAI_API_KEY": key}).providers
    assert (found.api_key, found.missing is not None and "OPENAI_API_KEY" in found.missing) == (None, True)


def test_a_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert registry(OPENAI, environ={"OPENAI_API_KEY_FILE": str(tmp_path / "key")}).usable[0].api_key == "s3cret"
    with pytest.raises(ConfigError, match="OPENAI_API_KEY_FILE"):
        registry(OPENAI, environ={"OPENAI_API_KEY_FILE": str(tmp_path / "none")})


def test_a_server_of_ones_own_and_local_models_need_no_key() -> None:
    own = {"name": "own", "model": "openai/llama", "api_base": "http://127.0.0.1:1/v1"}
    local = {"name": "local", "model": "local/qwen2.5-coder-1.5b"}
    assert [p.name for p in registry(own, local).usable] == ["own", "local"]
    assert registry(local, local="No weights.").lacking == {"local": "No weights."}


def test_price_and_window_come_from_the_table_unless_configured() -> None:
    own = {"currency": "EUR", "input": 1, "output": 1}
    known_one, mine, unknown = registry(
        OPENAI, OPENAI | {"name": "b", "price": own}, OPENAI | {"name": "c", "model": "openai/no-such"}
    ).providers
    assert known_one.rates == Tariff(known().models["openai/gpt-5-mini"].price)
    assert mine.rates is not None
    assert mine.rates.currency == "EUR"
    assert (unknown.rates, unknown.context_tokens) == (None, None)


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, None),
        ({"ACCORD_LOCAL_MODEL": "qwen2.5-coder-0.5b"}, None),
        ({"ACCORD_LOCAL_MODEL": "off"}, "ACCORD_LOCAL_MODEL is off"),
        ({"ACCORD_LOCAL_MODEL": "/models/mine.gguf"}, "ACCORD_LOCAL_MODEL is /models/mine.gguf"),
        ({"OPENAI_API_KEY": "x"}, "a key for openai is set"),
    ],
)
def test_weights_are_fetched_only_where_they_serve(environ: dict[str, str], reason: str | None) -> None:
    assert local_unwanted(environ) == reason


def test_the_local_model_may_be_chosen_by_name() -> None:
    assert default_specs({"ACCORD_LOCAL_MODEL": "qwen2.5-coder-0.5b"})[-1].model == "local/qwen2.5-coder-0.5b"


def test_names_are_unique() -> None:
    with pytest.raises(ConfigError, match="'main'"):
        registry(OPENAI, OPENAI)


def test_without_configuration_keys_decide_and_the_local_model_comes_last() -> None:
    assert [spec.name for spec in default_specs({})] == ["local"]
    assert [spec.name for spec in default_specs({"ANTHROPIC_API_KEY": "x"})] == ["anthropic", "local"]
    assert all(spec.model in known().models for spec in default_specs({"OPENAI_API_KEY": "x", "GEMINI_API_KEY": "x"}))
