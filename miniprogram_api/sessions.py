"""Sessions of the mini-program: a signed token that says who it belongs to and until when.

Nothing is stored: the signature (HMAC-SHA-256 under a key derived from the key ring) is the proof. A token is good for
two hours and says only who asks: what they may do is read afresh at every call.
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from backend.clock import Clock

VALID_FOR = timedelta(hours=2)
_TOKEN = re.compile(r"(?P<person>[0-9a-f]{32})\.(?P<until>[0-9]{1,12})\.(?P<proof>[A-Za-z0-9_-]{43})")


class Sessions:
    """Mints and reads tokens.

    Args:
        key: 32 bytes, known to every process of the product.
        purpose: bound into the signature, so that a token for one thing opens nothing else.
    """

    def __init__(self, key: bytes, clock: Clock, purpose: str = "session", valid_for: timedelta = VALID_FOR) -> None:
        self._key = key
        self._clock = clock
        self._purpose = purpose
        self._valid_for = valid_for

    def mint(self, subject: str) -> tuple[str, datetime]:
        """Give a token for `subject` (an identifier of 32 hexadecimal digits) and when it ends."""
        until = (self._clock.now() + self._valid_for).replace(microsecond=0)
        seconds = int(until.timestamp())
        return f"{subject}.{seconds}.{self._proof(subject, seconds)}", until

    def read(self, token: str) -> str | None:
        """Give whose token this is; None where it is malformed, forged or over."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        subject, seconds = parts["person"], int(parts["until"])
        if not hmac.compare_digest(self._proof(subject, seconds), parts["proof"]):
            return None
        return subject if datetime.fromtimestamp(seconds, UTC) > self._clock.now() else None

    def _proof(self, subject: str, seconds: int) -> str:
        digest = hmac.new(self._key, f"{self._purpose}\0{subject}\0{seconds}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
