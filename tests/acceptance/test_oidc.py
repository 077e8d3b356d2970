"""Signing in with accounts of the company, against a certified provider and against one that forges."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from agents.clock import ManualClock
from agents.parts import Runtime
from agents.runtime import build_event_time
from agents.settings import AuthSettings, MemorySettings, OidcSettings, SandboxSettings, Settings
from api.app import create_app
from api.auth import Gate
from tests.acceptance.conftest import NOW
from tests.acceptance.test_openai_clients import _node

CALLBACK = "http://127.0.0.1:9/login/oidc/callback"
SECRET = "a-secret-of-the-client"


@contextmanager
def accord(tmp_path: Path, issuer: str) -> Generator[tuple[Runtime, TestClient]]:
    oidc = OidcSettings(issuer=issuer, client_id="accord", redirect_url=CALLBACK, roles={"search": "search_owner"})
    settings = Settings(
        home=tmp_path / "home",
        sandbox=SandboxSettings(world="empty"),
        memory=MemorySettings(url="off"),
        auth=AuthSettings(mode="oidc", oidc=oidc),
    )
    runtime = build_event_time(settings, ManualClock(NOW))
    try:
        gate = Gate(runtime, environ={"ACCORD_OIDC_SECRET": SECRET})
        yield runtime, TestClient(create_app(runtime, gate=gate), follow_redirects=False)
    finally:
        runtime.close()


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The issuer of npm's `oidc-provider`, running on loopback."""
    node, npm = _node()
    folder = tmp_path_factory.mktemp("oidc")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(Path(__file__).parents[1] / "clients" / "oidc" / name, folder)
    quick = {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "20000", "npm_config_audit": "false"}
    environ = {**os.environ, **quick, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    words = [str(node), str(npm), "ci", "--ignore-scripts", "--no-fund", "--prefer-offline"]
    fetched = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"npm cannot fetch the provider: {fetched.stderr[-300:]}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    environ |= {"PORT": str(port), "CLIENT_SECRET": SECRET, "CALLBACK": CALLBACK}
    with subprocess.Popen(
        [str(node), "provider.mjs"],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def browse(address: str, person: str) -> str:
    """Signs `person` in at the provider as a browser would; the address that it sends the browser back to."""
    with httpx.Client(follow_redirects=False) as browser:
        for _ in range(12):
            answer = browser.get(address)
            if answer.status_code == 200:
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                action = re.search(r'action="([^"]+)"', answer.text)
                assert prompt is not None
                assert action is not None
                fields = {"prompt": prompt[1], "login": person, "password": "x"}
                answer = browser.post(urljoin(address, action[1]), data=fields)
            address = urljoin(address, answer.headers["location"])
            if address.startswith(CALLBACK):
                return address
    raise AssertionError(address)


def back(client: TestClient, address: str) -> Any:
    return client.get(f"/login/oidc/callback?{urlsplit(address).query}")


def test_people_sign_in_at_a_certified_provider_with_the_roles_it_tells(tmp_path: Path, certified: str) -> None:
    with accord(tmp_path, certified) as (runtime, client):
        assert 'href="/login/oidc"' in client.get("/login", headers={"accept": "text/html"}).text
        begun = client.get("/login/oidc")
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
        assert "httponly" in begun.headers["set-cookie"].lower()
        address = browse(begun.headers["location"], "ana")
        opened = back(client, address)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert client.get("/v1/proposals").status_code == 200
        assert client.get("/v1/keys").status_code == 403
        found = runtime.store.people.get("ana@example.org")
        assert found is not None
        assert found.roles == {"search_owner"}
        # The same code again, with the same cookie: the provider and the cookie's end both stand in the way.
        assert back(client, address).status_code == 401


def test_who_is_mapped_to_nothing_is_no_administrator(tmp_path: Path, certified: str) -> None:
    with accord(tmp_path, certified) as (runtime, client):
        assert back(client, browse(client.get("/login/oidc").headers["location"], "emma")).status_code == 303
        assert client.put("/v1/mode", json={"read_only": True}).status_code == 403
        found = runtime.store.people.get("emma@example.org")
        assert found is not None
        assert found.roles == frozenset()


def test_an_address_that_the_provider_did_not_verify_is_nobody(tmp_path: Path, certified: str) -> None:
    with accord(tmp_path, certified) as (_, client):
        assert back(client, browse(client.get("/login/oidc").headers["location"], "eve")).status_code == 401


def test_a_sign_in_begun_elsewhere_opens_nothing(tmp_path: Path, certified: str) -> None:
    with accord(tmp_path, certified) as (_, client):
        address = browse(client.get("/login/oidc").headers["location"], "ana")
        victim = TestClient(client.app, follow_redirects=False)
        assert back(victim, address).status_code == 401, "no cookie"
        victim.get("/login/oidc")
        assert back(victim, address).status_code == 401, "the cookie of another sign-in"
        swapped = re.sub(r"state=[^&]+", "state=mine", address)
        assert back(client, swapped).status_code == 401, "another state"


@dataclass
class Forger:
    """An identity provider on loopback that signs what it is told to."""

    issuer: str = ""
    token: str = ""
    keys: Any = None


@pytest.fixture
def forger() -> Iterator[Forger]:
    from joserfc.jwk import RSAKey

    told = Forger()
    key = RSAKey.generate_key(2048, {"kid": "k"})

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = told.issuer
            self._say({"issuer": base, "authorization_endpoint": f"{base}/auth", "token_endpoint": f"{base}/token",
                       "jwks_uri": f"{base}/keys"}
                      if "openid" in self.path else {"keys": [key.as_dict(private=False)]})  # fmt: skip

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._say({"access_token": "x", "token_type": "Bearer", "id_token": told.token})

        def _say(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — http.server's name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    told.issuer, told.keys = f"http://127.0.0.1:{server.server_port}", key
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed(forger: Forger, nonce: str, lie: str) -> str:
    """A token that is right in all but one thing."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    now = int(time.time())
    claims = {"iss": forger.issuer, "aud": "accord", "sub": "1", "iat": now, "exp": now + 300, "nonce": nonce,
              "email": "ana@example.org", "email_verified": True, "groups": ["search"]}  # fmt: skip
    lies: dict[str, dict[str, Any]] = {
        "issuer": {"iss": "https://evil.example"}, "audience": {"aud": "other"}, "audiences": {"aud": ["accord", "x"]},
        "expired": {"exp": now - 3600}, "nonce": {"nonce": "other"}, "no expiry": {"exp": None},
        "name": {"email": "a\nb"},
        "admin": {"email": "admin", "groups": ["admin"]},
    }  # fmt: skip
    claims = {name: value for name, value in {**claims, **lies.get(lie, {})}.items() if value is not None}
    if lie in {"shared secret", "no signature"}:
        # What a library would refuse to make: the public key taken for a secret, and nothing at all.
        secret = cast("bytes", forger.keys.as_pem(private=False)) if lie == "shared secret" else None
        return _by_hand({"alg": "HS256" if secret else "none", "kid": "k"}, claims, secret)
    key = RSAKey.generate_key(2048, {"kid": "k"}) if lie == "other key" else forger.keys
    return jwt.encode({"alg": "RS256", "kid": "k"}, claims, key)


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    def packed(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    body = ".".join(packed(json.dumps(part).encode()) for part in (header, claims))
    mac = hmac.new(secret, body.encode(), hashlib.sha256).digest() if secret else b""
    return f"{body}.{packed(mac)}"


LIES = ("issuer", "audience", "audiences", "expired", "nonce", "no expiry", "name", "admin", "shared secret",
        "no signature", "other key")  # fmt: skip


def test_a_token_is_believed_when_everything_in_it_holds_and_only_then(tmp_path: Path, forger: Forger) -> None:
    with accord(tmp_path, forger.issuer) as (_, client):
        for lie in (*LIES, "none: all true"):
            asked = parse_qs(urlsplit(client.get("/login/oidc").headers["location"]).query)
            forger.token = signed(forger, asked["nonce"][0], lie)
            came = client.get(f"/login/oidc/callback?code=c&state={asked['state'][0]}")
            assert came.status_code == (303 if lie.startswith("none:") else 401), lie
