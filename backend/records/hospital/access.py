"""How we log in at a hospital: not at all, by a bearer token, or by SMART backend services.

SMART App Launch 2.2, "Backend Services" and "Asymmetric authentication": the OAuth 2.0 client credentials grant with a
JWT that our private key signed (RFC 7523). The access token is kept until shortly before it ends.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.clock import Clock
from backend.errors import InvalidInput
from backend.records.hospital.faults import FaultCode, HospitalFault

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_VALID = timedelta(minutes=4)  # SMART: at most five minutes
_MARGIN = timedelta(seconds=60)
_SHORTEST_RSA_BITS = 2048
_LONGEST_TOKEN = 16_384


class AuthKind(StrEnum):
    """How a hospital wants to be told who asks."""

    NONE = "none"
    BEARER = "bearer"
    SMART = "smart"


class KeyAlgorithm(StrEnum):
    """The signatures that SMART's asymmetric authentication names."""

    RS384 = "RS384"
    ES384 = "ES384"


@dataclass(frozen=True)
class SmartLogin:
    """What SMART backend services need.

    Args:
        private_key: PEM, of RSA (at least 2048 bits) or of the curve P-384.
        key_id: by which the hospital finds our public key.
    """

    token_url: str
    client_id: str
    private_key: str = field(repr=False)
    key_id: str = ""
    scope: str = "system/*.rs"


@dataclass(frozen=True)
class GivenToken:
    """An access token, and for how long it holds."""

    value: str = field(repr=False)
    seconds: float


AskForToken = Callable[[str, Mapping[str, str]], Awaitable[GivenToken]]
"""Posts a form to a token endpoint and gives what it granted; raises `HospitalFault`."""


class Access(Protocol):
    """Gives the value of the Authorization header."""

    async def header(self) -> str:
        """Give the header's value, "" for none. Raises HospitalFault where no token is to be had."""

    def refused(self, header: str) -> bool:
        """Hear that a hospital did not accept `header`; tell whether another one is worth trying."""


class FixedAccess:
    """No login, or a bearer token that an administrator was given."""

    def __init__(self, token: str = "") -> None:
        self._header = f"Bearer {token}" if token else ""

    async def header(self) -> str:
        """Give the header's value."""
        return self._header

    def refused(self, header: str) -> bool:
        """Know no other."""
        return False


class SmartAccess:
    """Fetches access tokens, one at a time however many requests wait for it."""

    def __init__(self, login: SmartLogin, clock: Clock, ask: AskForToken) -> None:
        self._login = login
        self._clock = clock
        self._ask = ask
        self._lock = asyncio.Lock()
        self._held = ""
        self._expires_at: datetime | None = None

    async def header(self) -> str:
        """Give the header's value. Raises HospitalFault where no token is granted."""
        if not self._lasts():
            async with self._lock:
                if not self._lasts():
                    await self._fetch()
        return f"Bearer {self._held}"

    def refused(self, header: str) -> bool:
        """Forget the token that was refused; another one may do."""
        if header == f"Bearer {self._held}":
            self._expires_at = None
        return True

    def _lasts(self) -> bool:
        return self._expires_at is not None and self._clock.now() < self._expires_at

    async def _fetch(self) -> None:
        now = self._clock.now()
        form = {
            "grant_type": "client_credentials",
            "scope": self._login.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": client_assertion(self._login, now),
        }
        given = await self._ask(self._login.token_url, form)
        lifetime = timedelta(seconds=given.seconds)
        self._held, self._expires_at = given.value, now + lifetime - min(_MARGIN, lifetime / 2)


def client_assertion(login: SmartLogin, now: datetime) -> str:
    """Give the JWT by which we prove who we are: of the client, for the token endpoint, for once."""
    claims = {
        "iss": login.client_id,
        "sub": login.client_id,
        "aud": login.token_url,
        "exp": int((now + _ASSERTION_VALID).timestamp()),
        "jti": secrets.token_hex(16),
    }
    headers = {"kid": login.key_id} if login.key_id else None
    algorithm = key_algorithm(login.private_key)
    return jwt.encode(claims, login.private_key, algorithm=algorithm.value, headers=headers)


def key_algorithm(private_key: str) -> KeyAlgorithm:
    """Give the signature for which a private key in PEM is.

    Raises:
        InvalidInput: it is no key, has a passphrase, or is of another kind.
    """
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA_BITS:
        return KeyAlgorithm.RS384
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return KeyAlgorithm.ES384
    raise InvalidInput("私钥不对：要PEM格式、没有口令的RSA（至少2048位）或P-384密钥。", field="private_key")


def granted(answer: object) -> GivenToken:
    """Read the answer of a token endpoint (RFC 6749, section 5.1).

    Raises:
        HospitalFault: NOT_FHIR where it is none; UNAUTHORIZED where it grants a token of another kind.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        raise HospitalFault(FaultCode.NOT_FHIR, "no access token")
    value, seconds = answer["access_token"], answer.get("expires_in", 300)
    if str(answer.get("token_type", "")).lower() != "bearer":
        raise HospitalFault(FaultCode.UNAUTHORIZED, "token of another kind")
    usable = value.isascii() and value.isprintable() and " " not in value and 0 < len(value) <= _LONGEST_TOKEN
    if not usable or isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**8:
        raise HospitalFault(FaultCode.NOT_FHIR, "no usable access token")
    return GivenToken(value, float(seconds))
