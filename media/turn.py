"""Credentials of a TURN server that run out by themselves, as coturn's ``use-auth-secret`` checks them.

The scheme is that of draft-uberti-behave-turn-rest-00: the name is the second in which it ends and something of our
own, the password an HMAC-SHA1 of the name under a secret that the TURN server shares. SHA-1 is the draft's choice and
what the servers understand; the HMAC does not lean on what is broken in it. Nobody's id stands in the name, because a
TURN server writes names into its log.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

VALID_SECONDS = 7200
"""A consultation is over by then; a page that connects anew is given fresh ones."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a page tells the TURN server."""

    username: str
    password: str


def credentials(secret: str, now: float, valid_seconds: int = VALID_SECONDS) -> Credentials:
    """Credentials that are good for so long from ``now`` (seconds since 1970, by the TURN server's clock)."""
    username = f"{int(now) + valid_seconds}:{secrets.token_hex(8)}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, base64.b64encode(digest).decode())


def relays(urls: Sequence[str], secret: str, now: Callable[[], float]) -> list[dict[str, Any]]:
    """The TURN servers at ``urls`` as an ``RTCConfiguration`` of a browser wants them; none where there are none."""
    if not urls:
        return []
    given = credentials(secret, now())
    return [{"urls": list(urls), "username": given.username, "credential": given.password}]
