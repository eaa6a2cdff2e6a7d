"""What of an audit entry is hashed, and by which keys its parts are sealed. Pure but for the key ring."""

import hmac
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from backend.db import key_ring
from backend.security.merkle import leaf_hash

BLOCK_BITS = 10
BLOCK = 1 << BLOCK_BITS
"""Leaves in a block whose root is kept."""

_FIELDS = 8


@dataclass(frozen=True)
class LeafEntry:
    """An entry as its leaf holds it and as a proof shows it.

    Args:
        at: UTC with microseconds, such as 2026-01-31T08:00:00.000000.
    """

    id: int
    at: str
    actor_id: str
    actor_roles: str
    action: str
    patient_id: str | None
    subject: str
    reason: str
    nonce: str

    @property
    def leaf_hash(self) -> bytes:
        """The hash of this entry's leaf."""
        return leaf_of(self.id, body_of(*astuple(self)[1:]))


def stamp(at: datetime) -> str:
    """Give a moment as leaves hold it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def body_of(
    at: str,
    actor_id: str,
    actor_roles: str,
    action: str,
    patient_id: str | None,
    subject: str,
    reason: str,
    nonce: str,
) -> bytes:
    """Give the canonical bytes of an entry but for its number: the eight fields in UTF-8 with a NUL between each two; a
    patient's id has `=` before it, and no patient is `-`.

    Raises:
        TypeError: a field is no text. ValueError: one holds a NUL, so that the bytes could be those of another entry.
    """
    patient = "-" if patient_id is None else "=" + patient_id
    body = "\0".join((at, actor_id, actor_roles, action, patient, subject, reason, nonce))
    if body.count("\0") != _FIELDS - 1:
        raise ValueError("a field holds a NUL")
    return body.encode()


def leaf_of(entry_id: int, body: bytes) -> bytes:
    """Give the hash of the leaf of an entry."""
    return leaf_hash(b"%d " % entry_id + body)


class AuditKeys:
    """The two keys, from the ring of this process: who can only write to the database has neither."""

    def __init__(self) -> None:
        self._entry, self._leaf = key_ring().derive("audit-entry"), key_ring().derive("audit-leaf")

    def mac(self, body: bytes) -> bytes:
        """Give the HMAC by which an entry is known as written by the program."""
        return hmac.digest(self._entry, body, "sha256")

    def seal(self, position: int, entry_id: int, leaf: bytes, mac: bytes) -> bytes:
        """Give the HMAC that binds a place, an entry, its leaf hash and its HMAC together."""
        return hmac.digest(self._leaf, b"%d %d " % (position, entry_id) + leaf + mac, "sha256")
