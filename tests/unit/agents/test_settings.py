"""Settings: the environment wins over the file, paths have one home, and a fault names its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.settings import load_settings, secret
from domain.errors import ConfigError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration in a folder of its own, which is also where the process stands."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "etc" / "accord.yaml"
    path.parent.mkdir()
    path.write_text("storage: {url: 'sqlite:///a.db'}\nobjective: {currency: USD, horizon_days: 30}\n")
    return path


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_OBJECTIVE__CURRENCY", "JPY")
    objective = load_settings(config).objective
    assert (objective.currency, objective.horizon_days, objective.margin_rate) == ("JPY", 30, 0.6)


def test_the_file_is_the_one_given_then_the_one_of_the_environment_then_the_one_here(config: Path) -> None:
    other = config.with_name("other.yaml")
    other.write_text("language: fr\n")
    assert load_settings(config, {"ACCORD_CONFIG": str(other)}).language == "en"
    assert load_settings(None, {"ACCORD_CONFIG": str(other)}).language == "fr"
    assert load_settings(None, {}).objective.currency == "EUR"
    Path("accord.yaml").write_text("objective: {currency: CHF}\n")
    assert load_settings(None, {}).objective.currency == "CHF"


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("storag: {url: x}", "`storag` is no key of the configuration. Did you mean `storage`?"),
        ("storage: {urll: x}", "`storage.urll` is no key of the configuration. Did you mean `url`?"),
        ("providers: [{name: a, model: b/c, regoin: eu}]", "Did you mean `region`?"),
        ("connectors: {ads: {kind: sandbox, optoins: {}}}", "Did you mean `options`?"),
        ("routing: {cache: maybe}", "`routing.cache`: Input should be 'off' or 'exact' (got 'maybe')."),
        ("objective: {margin_rate: .nan}", "`objective.margin_rate`"),
        ("fx: {USD: -1}", "`fx.USD`"),
        ("fx: {dollar: 1}", "`fx.dollar"),
        ("[1]", "the top must be a mapping"),
        ("storage:\n  url: [", "line 2"),
    ],
)
def test_a_fault_in_the_file_is_named_with_the_nearest_key(config: Path, written: str, named: str) -> None:
    config.write_text(written)
    with pytest.raises(ConfigError) as raised:
        load_settings(config)
    assert named in raised.value.detail
    assert str(config) in raised.value.detail


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("ACCORD_OBJECTIVE__CURENCY", "JPY", "Did you mean `currency`?"),
        ("ACCORD_ROUTING__TOTAL_S", "soon", "`routing.total_s`"),
        ("ACCORD_STORAGE", "{bad", "storage"),
    ],
)
def test_a_fault_in_the_environment_is_a_configuration_error(
    config: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=named):
        load_settings(config)


def test_rates_from_the_environment_keep_their_currency(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_FX__USD", "0.92")
    assert load_settings(config).fx == {"USD": 0.92}


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="accord init"):
        load_settings(tmp_path / "none.yaml")


def test_a_policy_lies_beside_its_configuration_and_data_below_the_home(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("policy: policy.yaml\nhome: data\n")
    settings = load_settings(config)
    assert settings.policy == config.parent / "policy.yaml"
    assert settings.storage_url == f"sqlite:///{config.parent.parent / 'data' / 'accord.db'}"
    assert settings.below_home("chroma") == Path("data/chroma")
    monkeypatch.setenv("ACCORD_HOME", "/srv/accord")
    assert load_settings(config).storage_url == "sqlite:////srv/accord/accord.db"


@pytest.mark.parametrize("url", ["sqlite:////srv/a.db", "sqlite:///:memory:", "postgresql://db/accord"])
def test_an_absolute_storage_url_stays_as_it_is(config: Path, url: str) -> None:
    config.write_text(f"storage: {{url: '{url}'}}\n")
    assert load_settings(config).storage_url == url


def test_a_secret_comes_from_the_environment_or_from_a_file_it_names(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    assert secret("KEY", {"KEY_FILE": str(file)}) == "from-file"
    assert secret("KEY", {"KEY": "direct", "KEY_FILE": str(file)}) == "direct"
    assert secret("KEY", {}) is None
    with pytest.raises(ConfigError, match="`KEY_FILE`"):
        secret("KEY", {"KEY_FILE": str(tmp_path / "none")})


def test_the_sender_of_mails_is_written_from_in_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "accord.yaml"
    path.write_text('mail: {url: "smtp://mail:25", from: "A <a@example.org>"}\n', encoding="utf-8")
    assert load_settings(path).mail.sender == "A <a@example.org>"
    monkeypatch.setenv("ACCORD_MAIL__FROM", "b@example.org")
    assert load_settings(path).mail.sender == "b@example.org"
