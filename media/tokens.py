"""Who may enter which room: a signed token that is good for a moment and for once.

The hospital part mints it for a person whom its policy lets in; the media part only checks it. A link that somebody
forwards is of no use to anybody else, because it leads to a page that has to fetch such a token as the person.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import jwt

_ALGORITHM = "HS256"
_AUDIENCE = "qiaoyi-room"
_REMEMBERED_MOST = 100_000
MIN_KEY_BYTES = 32


def _audience(node: str) -> str:
    return f"{_AUDIENCE}:{node}"


class Role(StrEnum):
    """What somebody may do in a room."""

    HOST = "host"
    """Enters at once and admits others: a doctor or an expert."""
    GUEST = "guest"
    """Waits until a host admits them: the patient."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token says: the room, the person by their id, what they may do, and how they are shown."""

    room: str
    person: str
    role: Role
    name: str
    label: str
    until: float
    """When the room closes for this person, in seconds since 1970."""
    admitted: bool = False
    """Whether a guest was let in before, and need not wait again: after a reload, or on another node."""


class TokenRefusedError(Exception):
    """A token that opens nothing; ``code`` says why: ``forged``, ``expired`` or ``used``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TokenMint:
    """Makes tokens under a key, and takes each of them once."""

    def __init__(self, key: bytes, now: Callable[[], float], valid_seconds: int = 60, node: str = "") -> None:
        """``key`` is shared by whoever mints and whoever checks; ``now`` gives seconds since 1970; ``node`` is the
        process that takes the tokens, so that one which was used there opens nothing on another.

        Raises ``ValueError`` for a key of less than 32 bytes.
        """
        if len(key) < MIN_KEY_BYTES:
            raise ValueError("a key for tokens has at least 32 bytes")
        self._key, self.now, self._valid_seconds, self._node = key, now, valid_seconds, node
        self._used: dict[str, float] = {}

    def mint(self, admitted: Pass, node: str = "") -> str:
        """A token that lets the bearer in as ``admitted`` says, at ``node``, within the next minute and once."""
        claims = {
            "aud": _audience(node),
            "jti": secrets.token_hex(16),
            "exp": int(self.now()) + self._valid_seconds,
            "room": admitted.room,
            "sub": admitted.person,
            "role": admitted.role,
            "name": admitted.name,
            "label": admitted.label,
            "until": admitted.until,
            "admitted": admitted.admitted,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def redeem(self, token: str) -> Pass:
        """Who the bearer is; raises ``TokenRefusedError``."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_audience(self._node),
                options={"require": ["aud", "exp", "jti", "sub"], "verify_exp": False},
            )
            passed = Pass(
                str(claims["room"]),
                str(claims["sub"]),
                Role(claims["role"]),
                str(claims["name"]),
                str(claims["label"]),
                float(claims["until"]),
                claims["admitted"] is True,
            )
            expires, number = float(claims["exp"]), str(claims["jti"])
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise TokenRefusedError("forged") from None
        now = self.now()
        if now >= expires or now >= passed.until:
            raise TokenRefusedError("expired")
        self._forget(now)
        if number in self._used:
            raise TokenRefusedError("used")
        self._used[number] = expires
        return passed

    def _forget(self, now: float) -> None:
        """Numbers of tokens that have run out need not be remembered."""
        if len(self._used) >= _REMEMBERED_MOST or (self._used and next(iter(self._used.values())) < now):
            self._used = {number: expires for number, expires in self._used.items() if expires > now}
