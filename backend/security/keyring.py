"""The keys that personal and clinical text is encrypted with, and the blind indexes that find it again.

A value is stored as `version(1) | key number(4) | nonce(12) | ciphertext and tag`, AES-256-GCM (NIST SP 800-38D), with
the name of its column as associated data: a value copied into another column does not decrypt.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.security.errors import KeyRingError
from backend.security.personkeys import PersonKeys, is_personal, is_under

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES
"""How much of a stored value tells the number of its key."""

_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES + _NONCE_BYTES


class KeyRing:
    """AES-256 keys by number, the newest of which encrypts, and one key for blind indexes that never changes.

    Args:
        keys: 32 bytes each, by key number (1, 2, …).
        index_key: 32 bytes; changing it makes stored blind indexes useless, so rotation leaves it alone.
        path: the file that the ring came from; a value under an unknown key makes the ring look there again, so that
            a running process follows a rotation. The keys of persons lie beside it: a ring without a file has none.
    """

    def __init__(self, keys: dict[int, bytes], index_key: bytes, path: Path | None = None) -> None:
        if not keys or any(len(key) != 32 for key in [*keys.values(), index_key]):
            raise KeyRingError("a key ring needs at least one key, and every key has 32 bytes")
        self._path = path
        self._index_key = index_key
        self._use(keys)
        self.people = None if path is None else PersonKeys(person_key_folder(path), self.encrypt, self.decrypt)

    def _use(self, keys: dict[int, bytes]) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.active = max(keys)

    def encrypt(self, plain: bytes, column: str) -> bytes:
        """Encrypt `plain` under the newest key, bound to `column` (written `table.column`)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.active].encrypt(nonce, plain, column.encode())
        return _VERSION + self.active.to_bytes(_KEY_ID_BYTES, "big") + nonce + sealed

    def encrypt_for(self, person_id: str | None, plain: bytes, column: str) -> bytes:
        """Encrypt what is a person's own, under their key; under the ring's for nobody, and where their key is gone:
        what is written of somebody after that is what has to be kept."""
        own = self.people.encrypt(person_id, plain, column) if self.people is not None and person_id else None
        return self.encrypt(plain, column) if own is None else own

    def decrypt(self, stored: bytes, column: str) -> bytes:
        """Open what `encrypt` or `encrypt_for` gave for the same column.

        Raises:
            PersonKeyDestroyed: it was a person's own, and their key was destroyed.
            KeyRingError: the value was changed, belongs to another column, or its key is gone.
        """
        if is_personal(stored) and self.people is not None:
            return self.people.decrypt(stored, column)
        if len(stored) < _HEADER_BYTES or stored[:1] != _VERSION:
            raise KeyRingError(f"{column}: not an encrypted value")
        number = key_number(stored)
        if number not in self._ciphers:
            self._reload()
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise KeyRingError(f"{column}: key {number} is not in the ring")
        nonce = stored[len(_VERSION) + _KEY_ID_BYTES : _HEADER_BYTES]
        try:
            return cipher.decrypt(nonce, stored[_HEADER_BYTES:], column.encode())
        except InvalidTag as error:
            raise KeyRingError(f"{column}: the value was changed or belongs elsewhere") from error

    def lies_right(self, stored: bytes, person_id: str | None) -> bool:
        """Tell whether a stored value, or its beginning, lies under the key that `encrypt_for` would take for this
        person; one under a key that was destroyed lies where it has to."""
        if person_id and is_under(stored, person_id):
            return True
        if person_id and self.people is not None and not self.people.is_destroyed(person_id):
            return False
        return not is_personal(stored) and key_number(stored) == self.active

    def blind_index(self, value: str, purpose: str) -> str:
        """Give a keyed digest (64 hexadecimal digits) by which `value` can be searched without being readable."""
        return hmac.new(self._index_key, f"index\0{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()

    def derive(self, purpose: str) -> bytes:
        """Give 32 bytes for another purpose (tokens, signatures) that tell nothing of the index key."""
        return hmac.new(self._index_key, f"derive\0{purpose}".encode(), hashlib.sha256).digest()

    def _reload(self) -> None:
        if self._path is not None and self._path.exists():
            self._use(_read(self._path)[0])


def key_number(stored: bytes) -> int:
    """Give the number of the key that `stored` was encrypted with."""
    return int.from_bytes(stored[len(_VERSION) : len(_VERSION) + _KEY_ID_BYTES], "big")


def person_key_folder(key_file: Path) -> Path:
    """Give the folder in which the keys of persons lie, beside the file of the ring."""
    return key_file.with_name("person-keys")


def open_key_file(path: Path) -> KeyRing:
    """Read the ring at `path`, making one with fresh keys (readable by its owner alone) where there is none.

    Raises:
        KeyRingError: the file is there but damaged; it is never replaced, for its keys may be the only ones.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, {1: secrets.token_bytes(32)}, secrets.token_bytes(32))
    keys, index_key = _read(path)
    return KeyRing(keys, index_key, path)


def add_key(path: Path) -> int:
    """Put a fresh key into the ring at `path` and give its number; values written from now on use it."""
    keys, index_key = _read(path)
    number = max(keys) + 1
    keys[number] = secrets.token_bytes(32)
    _write(path, keys, index_key)
    return number


def _read(path: Path) -> tuple[dict[int, bytes], bytes]:
    try:
        held = json.loads(path.read_text("ascii"))
        keys = {int(number): base64.b64decode(key, validate=True) for number, key in held["keys"].items()}
        return keys, base64.b64decode(held["index_key"], validate=True)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise KeyRingError(f"key file {path} cannot be read: {error}") from error


def _write(path: Path, keys: dict[int, bytes], index_key: bytes) -> None:
    held = {
        "keys": {str(number): base64.b64encode(key).decode() for number, key in keys.items()},
        "index_key": base64.b64encode(index_key).decode(),
    }
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(held, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
