"""Signing in with the company's own accounts: OpenID Connect, code flow with PKCE, state and nonce.

The ID token is believed only when its signature, issuer, audience, nonce and times hold; roles come from one claim by
the mapping of the configuration, so that nobody is an administrator whom it does not name.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from agents.settings import OidcSettings
from api.session import SIGN_IN_LASTS, Signer
from domain.decisions import Person
from domain.errors import ConfigError, TransientError, Unauthorised

STATE_COOKIE = "accord_sign_in"
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures with a key pair only: `none` and shared secrets are no proof of who signed."""
_LEEWAY_S = 60
_WAIT_S = 10.0


class Oidc:
    """One provider. What it tells of itself is read when first needed and kept."""

    def __init__(self, settings: OidcSettings, secret: str | None, signer: Signer) -> None:
        self.settings, self._secret, self._signer = settings, secret, signer
        self._known: dict[str, Any] | None = None
        self._alone = threading.Lock()

    def begin(self, callback: str, now: datetime) -> tuple[str, str]:
        """The provider's address to go to, and what the browser must bring back in its cookie."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client(callback) as client:
            address, _ = client.create_authorization_url(
                self._metadata()["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        claims = {"state": state, "nonce": nonce, "verifier": verifier}
        return str(address), self._signer.seal("oidc", claims, now + SIGN_IN_LASTS)

    def end(self, began: str, state: str, code: str, callback: str, now: datetime) -> Person:
        """Who signed in. Raises Unauthorised for anything that does not fit, TransientError when nobody answers."""
        claims = self._signer.unseal("oidc", began, now)
        if not code or not secrets.compare_digest(state.encode(), str(claims["state"]).encode()):
            raise Unauthorised("This sign-in was not begun here. Begin it anew at /login.")
        token = self._exchange(callback, code, str(claims["verifier"]))
        return self._person(self._verified(token, str(claims["nonce"]), now))

    def _client(self, callback: str) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self.settings.client_id,
            self._secret,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            scope="openid email profile",
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=_WAIT_S,
        )

    def _exchange(self, callback: str, code: str, verifier: str) -> str:
        import httpx
        from authlib.integrations.base_client import OAuthError

        try:
            with self._client(callback) as client:
                given = client.fetch_token(self._metadata()["token_endpoint"], code=code, code_verifier=verifier)
        except OAuthError as error:
            raise Unauthorised(f"The company's sign-in refused: {error.error!r}. Begin it anew at /login.") from error
        except (httpx.HTTPError, ValueError) as error:
            raise _unreachable(self.settings.issuer) from error
        token = given.get("id_token")
        if not isinstance(token, str):
            raise Unauthorised("The company's sign-in said nothing of who you are. Ask for the scope `openid` there.")
        return token

    def _verified(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jwt import JWTClaimsRegistry

        rules = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._metadata()["issuer"]},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            keys = KeySet.import_key_set(cast("Any", self._fetched(self._metadata()["jwks_uri"])))
            claims = jwt.decode(token, keys, algorithms=list(_ALGORITHMS)).claims
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise Unauthorised(
                "The company's sign-in gave a token that does not hold. Begin anew at /login."
            ) from error
        audience = claims["aud"]
        if isinstance(audience, list) and audience != [self.settings.client_id]:
            raise Unauthorised("The token was made for others too. Begin anew at /login.")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        name = claims.get(self.settings.person_claim)
        if self.settings.person_claim == "email" and claims.get("email_verified") is not True:
            name = None
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 100:
            raise Unauthorised(
                f"Your account tells no {self.settings.person_claim!r} that can be believed. Ask who runs the sign-in."
            )
        told = claims.get(self.settings.roles_claim, [])
        values = [told] if isinstance(told, str) else cast("list[object]", told) if isinstance(told, list) else []
        roles = {
            self.settings.roles[value] for value in values if isinstance(value, str) and value in self.settings.roles
        }
        email = claims.get("email")
        return Person(id=name, email=email if isinstance(email, str) else None, roles=frozenset(roles))

    def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself. Raises ConfigError when it is another than the configured one."""
        with self._alone:
            if self._known is None:
                issuer = self.settings.issuer
                known = self._fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if str(known.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
                    raise ConfigError(f"{issuer} calls itself {known.get('issuer')!r}. Mend `auth.oidc.issuer`.")
                self._known = known
            return self._known

    def _fetched(self, address: str) -> dict[str, Any]:
        import httpx

        try:
            answer = httpx.get(address, timeout=_WAIT_S, follow_redirects=False)
            answer.raise_for_status()
            return cast("dict[str, Any]", answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise _unreachable(self.settings.issuer) from error


def _unreachable(issuer: str) -> TransientError:
    return TransientError(f"The company's sign-in at {issuer!r} does not answer. Try again in a minute.")
