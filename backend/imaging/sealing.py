"""Encryption of large objects by chunks, so that they stream, and any range of them opens by itself.

Each object has a fresh AES-256 key of its own, which lies encrypted under the key ring beside the row that knows the
object; a rotation of keys renews that field and touches no object. Chunk `n` is sealed by AES-GCM under a nonce that
holds `n` and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), with
the object's identifier as associated data: chunks cannot be changed, reordered, left out or moved to another object,
and an object cannot be cut short. A key seals one object once, so no nonce comes twice.
"""

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK_BYTES = 256 * 1024
"""Plain bytes of every chunk but the last, which holds fewer, or none where the object is empty."""

_TAG_BYTES = 16
SEALED_BYTES = CHUNK_BYTES + _TAG_BYTES
"""Stored bytes of every chunk but the last."""


class ObjectDamaged(Exception):
    """What is stored is not what was sealed under this identifier and key."""


@dataclass(frozen=True)
class SealedObject:
    """What opens an object again.

    Args:
        id: its identifier, under which it is stored.
        key: 32 bytes; keep it encrypted.
        size: plain bytes.
    """

    id: str
    key: bytes = field(repr=False)
    size: int

    @property
    def last_chunk(self) -> int:
        """The number of the last chunk; there is always one."""
        return max(self.size - 1, 0) // CHUNK_BYTES

    @property
    def stored_size(self) -> int:
        """How many bytes the store holds of it."""
        return self.size + (self.last_chunk + 1) * _TAG_BYTES


@dataclass(frozen=True)
class SealedWhole:
    """An object that was sealed as a whole: what opens it again, and its chunks as they are to be stored."""

    sealed: SealedObject
    chunks: Sequence[bytes] = field(repr=False)


class Sealer:
    """Seals one object, chunk by chunk, under a fresh key."""

    def __init__(self, object_id: str) -> None:
        self.id = object_id
        self._key = secrets.token_bytes(32)
        self._cipher = AESGCM(self._key)
        self._held = bytearray()
        self._number = 0
        self._size = 0

    def add(self, plain: bytes) -> list[bytes]:
        """Take more of the object and give the chunks that are full; at least a byte is held back for the last."""
        self._held += plain
        self._size += len(plain)
        full: list[bytes] = []
        start = 0
        while len(self._held) - start > CHUNK_BYTES:
            full.append(self._seal(bytes(self._held[start : start + CHUNK_BYTES]), last=False))
            start += CHUNK_BYTES
        del self._held[:start]
        return full

    def finish(self) -> tuple[bytes, SealedObject]:
        """Give the last chunk, and what opens the object."""
        return self._seal(bytes(self._held), last=True), SealedObject(self.id, self._key, self._size)

    def _seal(self, plain: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._number, last)
        self._number += 1
        return self._cipher.encrypt(nonce, plain, self.id.encode())


class Opener:
    """Opens chunks of one object."""

    def __init__(self, sealed: SealedObject) -> None:
        self._sealed = sealed
        self._cipher = AESGCM(sealed.key)
        self.chunks = sealed.last_chunk + 1

    def open(self, number: int, stored: bytes) -> bytes:
        """Give the plain bytes of chunk `number`.

        Raises:
            ObjectDamaged: it was changed, is of another place or object, or is not the last one where it should be.
        """
        last = number == self._sealed.last_chunk
        try:
            return self._cipher.decrypt(_nonce(number, last), stored, self._sealed.id.encode())
        except (InvalidTag, ValueError) as error:
            raise ObjectDamaged(f"object {self._sealed.id}: chunk {number} was changed") from error


def seal(object_id: str, plain: bytes) -> SealedWhole:
    """Seal what is in memory; the cipher lets other threads of Python work meanwhile."""
    sealer = Sealer(object_id)
    chunks = sealer.add(plain)
    last, sealed = sealer.finish()
    return SealedWhole(sealed, [*chunks, last])


async def sealing(sealer: Sealer, plain: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Give the chunks of what streams in but the last, which `sealer.finish` gives."""
    async for piece in plain:
        for chunk in sealer.add(piece):
            yield chunk


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
