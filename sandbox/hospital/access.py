"""Who may ask: a bearer token that never ends, or one that SMART backend services grant."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

LOCAL_TOKEN = "local-hospital-token"  # noqa: S105 -- the public constant of the local hospital
TOKEN_SECONDS = 300
ALGORITHMS = ["RS384", "ES384"]
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Access:
    """The clients whose public keys are known, and the tokens that were granted. ``now``: seconds since the epoch."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.granted = 0
        self._keys: dict[str, str] = {}
        self._tokens: dict[str, float] = {}
        self._used: set[str] = set()

    def know(self, client_id: str, public_key: str) -> None:
        """Let a client log in by the private key that belongs to ``public_key`` (PEM)."""
        self._keys[client_id] = public_key

    def forget_tokens(self) -> None:
        """Take back what was granted."""
        self._tokens.clear()

    def allows(self, header: str) -> bool:
        """Whether an Authorization header opens the door."""
        token = header.removeprefix("Bearer ")
        return token == LOCAL_TOKEN or self._tokens.get(token, 0) > self._now()

    def grant(self, form: Mapping[str, Any], token_url: str) -> dict[str, Any] | None:
        """Answer a request for a token (SMART App Launch 2.2, backend services); None refuses it."""
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION:
            return None
        assertion = str(form.get("client_assertion"))
        try:
            client = jwt.decode(assertion, options={"verify_signature": False})["iss"]
            claims = jwt.decode(assertion, self._keys[client], algorithms=ALGORITHMS, audience=token_url)
        except (jwt.PyJWTError, KeyError):
            return None
        if claims.get("sub") != client or claims["jti"] in self._used or claims["exp"] > self._now() + 330:
            return None
        self._used.add(claims["jti"])
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self._now() + TOKEN_SECONDS
        self.granted += 1
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": str(form.get("scope", "")),
        }
