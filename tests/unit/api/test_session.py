from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth import Caller, credentials, session_key
from api.session import Signer
from domain.decisions import Person
from domain.errors import ConfigError, Unauthorised

NOW = datetime(2026, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SIGNER = Signer(b"k" * 32)


def test_a_token_opens_for_its_purpose_until_it_expires() -> None:
    token = SIGNER.seal("session", {"person": "ana"}, LATER)
    assert SIGNER.unseal("session", token, NOW)["person"] == "ana"
    with pytest.raises(Unauthorised, match="expired"):
        SIGNER.unseal("session", token, LATER)
    with pytest.raises(Unauthorised):
        SIGNER.unseal("login", token, NOW)
    with pytest.raises(Unauthorised):
        Signer(b"x" * 32).unseal("session", token, NOW)


@given(st.text(max_size=80))
def test_nothing_but_our_own_tokens_opens(token: str) -> None:
    with pytest.raises(Unauthorised):
        SIGNER.unseal("session", token, NOW)


def test_a_csrf_token_belongs_to_one_session() -> None:
    assert SIGNER.csrf_fits("one", SIGNER.csrf("one"))
    assert not SIGNER.csrf_fits("two", SIGNER.csrf("one"))
    assert not SIGNER.csrf_fits("one", "é")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic YWJjOg==", "abc"),
        ("Basic !!!", None),
        ("Basic " + "/w==", None),
        ("Digest abc", None),
        ("Bearer", None),
        (None, None),
    ],
)
def test_a_key_is_read_from_bearer_or_the_basic_user(header: str | None, found: str | None) -> None:
    assert credentials(header) == found


def test_the_session_key_is_made_once_for_us_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = session_key(home)
    assert session_key(home) == made
    assert (home / "session.key").stat().st_mode & 0o077 == 0
    (home / "session.key").write_bytes(b"")
    with pytest.raises(ConfigError, match="damaged"):
        session_key(home)


def test_only_an_inside_key_sends_inside_text() -> None:
    person = Person(id="ana")
    assert Caller(person, frozenset({"signals"})).trust == "internal"
    assert Caller(person, frozenset({"signals-external", "read"})).trust == "external"
    assert Caller(person, frozenset({"admin"})).may("decide")
    assert not Caller(person, frozenset({"read"})).may("decide")
