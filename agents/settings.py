"""Configuration: `accord.yaml`, overridden by `ACCORD_…`; secrets only by environment or `*_FILE`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from domain.decisions import Person
from domain.errors import ConfigError
from domain.objective import Objective
from domain.record import Record
from providers.types import ProviderSpec

DEFAULT_CONFIG = "accord.yaml"


Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)]
"""Upper case whatever the environment made of it: pydantic-settings lowers the names of nested variables."""
Rate = Annotated[float, Field(gt=0)]


class StorageSettings(Record):
    url: str = "sqlite:///accord.db"


class MemorySettings(Record):
    url: str = "chroma"
    """`chroma` (embedded, below ACCORD_HOME), `http://host:8000`, or `off` (lexical recall only)."""


class BudgetSettings(Record):
    scope: str = Field(pattern=r"^(all|(provider|task|key):\S+)$")
    month: float = Field(ge=0)
    """Major units of the objective's currency per calendar month (UTC)."""


class RoutingSettings(Record):
    """How model calls are routed, timed, kept and watched. Times in seconds."""

    first_token_s: float = Field(default=10, gt=0)
    inter_chunk_s: float = Field(default=10, gt=0)
    total_s: float = Field(default=120, gt=0)
    hedge: bool = False
    cache: Literal["off", "exact"] = "exact"
    default_data_class: Literal["public", "internal", "confidential", "personal"] = "internal"
    prefer: Literal["quality", "balanced", "cost"] = "balanced"
    """What a route is chosen by: a cent of a call is worth 0.5, 10 or 100 points of quality."""
    explore_rate: float = Field(default=0.05, ge=0, le=0.2)
    """Share of a task's calls in which a close contender that is known less goes first; 0 for never."""
    critical_tasks: tuple[str, ...] = ()
    """Tasks in which nothing is tried."""
    pseudonyms: bool = False
    """Whether every provider but a local one gets placeholders for people and accounts; else those that ask for it."""
    canaries_h: float | None = Field(default=None, gt=0)
    """Hours between two askings of the same questions, which show when a provider's answers change; None for never."""


class SandboxSettings(Record):
    world: str = "demo"
    """`demo`, `empty`, or `module:Class` of a world of your own (DESIGN §6.9)."""
    seed: int = 1
    weeks: int = Field(default=26, gt=0, le=260)
    """Weeks that the demo company can live."""
    start: date | None = None
    """First day of the demo company; its own default when not set."""


class ConnectorSettings(Record):
    kind: str
    options: Mapping[str, Any] = Field(default_factory=dict)
    secrets: Mapping[str, str] = Field(default_factory=dict)
    """Rights to write: each secret's name and the environment variable (or `<variable>_FILE`) that holds it."""


class ExtensionSettings(Record):
    """How long code of other packages may take before Accord goes on without its answer."""

    limit_s: float = Field(default=5, gt=0)
    """One call of a detector, a specialist or a signal type, and loading it."""
    connector_limit_s: float = Field(default=60, gt=0)
    """One call of a connector, whose tool may be slow."""


class ApprovalSettings(Record):
    canary_rate: float = Field(default=0, ge=0, le=0.5)
    """Share of asked proposals that come once more with a planted fault, to measure whether approvers still read."""


class OidcSettings(Record):
    """Signing in with the company's own accounts (OpenID Connect, code flow with PKCE)."""

    issuer: str = Field(pattern=r"^https?://[^\s]+$")
    """Address of the provider, whose `/.well-known/openid-configuration` says the rest. HTTP only on loopback."""
    client_id: str
    client_secret_env: str = "ACCORD_OIDC_SECRET"  # noqa: S105 — the name of a variable
    """Environment variable (or `<variable>_FILE`) that holds the client's secret."""
    redirect_url: str | None = None
    """Our `/login/oidc/callback` as the provider knows it; by default below the address of the request."""
    person_claim: str = "email"
    """The claim that names the person; an e-mail address counts only when the provider verified it."""
    roles_claim: str = "groups"
    roles: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Value of `roles_claim` to role here. Nobody is an administrator unless a value is mapped to `admin`."""

    @field_validator("issuer")
    @classmethod
    def _in_secret(cls, value: str) -> str:
        host = urlsplit(value).hostname
        if value.startswith("http://") and host not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("use https, since whoever listens could sign in as anybody")
        return value


class AuthSettings(Record):
    """Who signs in, and how."""

    mode: Literal["local", "oidc"] = "local"
    people: tuple[Person, ...] = ()
    oidc: OidcSettings | None = None
    hosts: tuple[str, ...] = ()
    """Names by which the server may be called; any when empty."""

    @model_validator(mode="after")
    def _told_where(self) -> AuthSettings:
        if self.mode == "oidc" and self.oidc is None:
            raise ValueError("`mode: oidc` needs `oidc` with `issuer` and `client_id`")
        return self


class RateSettings(Record):
    """How often the server may be called, in this process."""

    key_per_s: float = Field(default=1000, gt=0)
    key_burst: float = Field(default=5000, ge=1)
    """Requests at once of one key or session; a batch of signals is one request."""
    address_per_s: float = Field(default=100, gt=0)
    address_burst: float = Field(default=1000, ge=1)
    """Requests at once of one address without a key: webhooks, sign-ins, wrong keys."""


class MailSettings(Record):
    """How people are written to; without `url` nobody is."""

    url: str | None = Field(default=None, pattern=r"^smtps?://[^/]+/?$")
    """`smtp://user@host:587` (STARTTLS where it is offered, and always with a user), or `smtps://user@host:465`."""
    sender: str = "Accord <accord@localhost>"
    """Written `from` in the file."""
    password_env: str = "ACCORD_MAIL_PASSWORD"  # noqa: S105 — the name of a variable
    """Environment variable (or `<variable>_FILE`) that holds the password of the user in `url`."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        """`from` is no name in Python, and defaults are filled in by the names of fields."""
        if isinstance(values, dict) and "from" in values:
            given = dict(cast("dict[str, Any]", values))
            return given | {"sender": given.pop("from")}
        return cast("Any", values)


class SlackSettings(Record):
    """Where proposals are shown in Slack; without `channel` they are not."""

    channel: str | None = None
    bot_token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 — the name of a variable
    signing_secret_env: str = "SLACK_SIGNING_SECRET"  # noqa: S105 — as above
    users: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Slack user id to our person; others are found by their e-mail address."""
    api_base: str = "https://slack.com/api/"


def _sandbox_connectors() -> dict[str, ConnectorSettings]:
    return {name: ConnectorSettings(kind="sandbox") for name in ("ads", "crm", "content", "finance")}


class Settings(BaseSettings):
    """Every value of `accord.yaml` (DESIGN §6.2)."""

    model_config = SettingsConfigDict(
        env_prefix="ACCORD_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    home: Path = Path(".accord")
    language: Literal["en", "fr"] = "en"
    storage: StorageSettings = StorageSettings()
    memory: MemorySettings = MemorySettings()
    objective: Objective = Objective()
    providers: tuple[ProviderSpec, ...] = ()
    budgets: tuple[BudgetSettings, ...] = ()
    fx: Mapping[Currency, Rate] = Field(default_factory=dict)
    """Units of the objective's currency for one unit of another. Without USD, models' costs count at 0.92 EUR a dollar
    (`providers.pricing.STATED_RATES`); any other missing rate is an error.
    """
    routing: RoutingSettings = RoutingSettings()
    sandbox: SandboxSettings = SandboxSettings()
    connectors: Mapping[str, ConnectorSettings] = Field(default_factory=_sandbox_connectors)
    extensions: ExtensionSettings = ExtensionSettings()
    policy: Path | None = None
    approvals: ApprovalSettings = ApprovalSettings()
    auth: AuthSettings = AuthSettings()
    limits: RateSettings = RateSettings()
    mail: MailSettings = MailSettings()
    slack: SlackSettings = SlackSettings()
    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    """Where people reach the pages, for links in mails and Slack; the address that `serve` listens at when not set."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file (passed as init values), then the defaults above."""
        return env_settings, init_settings

    def below_home(self, path: str | Path) -> Path:
        """`path`, or `ACCORD_HOME/path` when it is relative."""
        return self.home / path

    @property
    def storage_url(self) -> str:
        """The storage URL with a relative SQLite file placed below ACCORD_HOME."""
        url = self.storage.url
        if not url.startswith("sqlite:///") or url.startswith("sqlite:////") or ":memory:" in url:
            return url
        return f"sqlite:///{self.below_home(url.removeprefix('sqlite:///')).absolute()}"


def load_settings(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `config` (else `ACCORD_CONFIG`, else `./accord.yaml` when it exists) and the environment.

    Raises ConfigError naming the key, what is wrong, and the nearest valid key.
    """
    env = os.environ if environ is None else environ
    path = config or (Path(env["ACCORD_CONFIG"]) if env.get("ACCORD_CONFIG") else None)
    if path is None and Path(DEFAULT_CONFIG).exists():
        path = Path(DEFAULT_CONFIG)
    values = read_yaml(path) if path else {}
    try:
        return _placed(Settings(**values), path)
    except ValidationError as error:
        raise ConfigError(f"{path or 'environment'}: " + " ".join(_faults(error))) from error
    except SettingsError as error:
        raise ConfigError(f"environment: {error}. Write JSON there, or one variable for each value.") from error


def _placed(settings: Settings, config: Path | None) -> Settings:
    """`settings` with a relative policy file found beside the configuration, or else below ACCORD_HOME."""
    policy = settings.policy
    if policy is None or policy.is_absolute():
        return settings
    places = [config.absolute().parent / policy] if config else []
    places.append(settings.below_home(policy))
    found = next((place for place in places if place.exists()), places[0])
    return settings.model_copy(update={"policy": found})


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in `path`. Raises ConfigError with line and column when it is no YAML mapping."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. Create it with `accord init`.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}. Mend the YAML at that place.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: the top must be a mapping of keys. Compare it with `accord init`.")
    return {str(key): value for key, value in values.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] — YAML is untyped


def secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret `name` from the environment, or from the file that `<name>_FILE` names.

    Raises ConfigError when that file cannot be read.
    """
    env = os.environ if environ is None else environ
    if env.get(name):
        return env[name]
    path = env.get(f"{name}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"`{name}_FILE` names {path!r}: {error.strerror}. Mount the file or mend the path."
        ) from error


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False)[:5]:
        location = fault["loc"]
        field = ".".join(str(part) for part in location)
        if fault["type"] != "extra_forbidden":
            yield f"`{field}`: {fault['msg']} (got {str(fault['input'])[:80]!r})."
            continue
        near = get_close_matches(str(location[-1]), _valid_keys(location[:-1]), n=1, cutoff=0.4)
        yield f"`{field}` is no key of the configuration." + (f" Did you mean `{near[0]}`?" if near else "")


def _valid_keys(location: tuple[int | str, ...]) -> list[str]:
    """Field names of the model at `location`, so that a typo can be answered with the nearest of them."""
    model: Any = Settings
    for part in location:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            continue
        inner = [
            t for t in (field.annotation, *getattr(field.annotation, "__args__", ())) if hasattr(t, "model_fields")
        ]
        model = inner[0] if inner else model
    return list(model.model_fields)
