"""A key for each person, for what is theirs alone: destroying it destroys all copies of that, old backups included.

A key is 32 random bytes in a file of its own, encrypted under the key ring; the folder of these files lies beside the
file of the ring and in no backup of the database. What is destroyed leaves a mark, so that a database that is restored
from before is told apart from one whose keys were lost. A value is stored as
`version(1) | length(1) | person | nonce(12) | ciphertext and tag`, AES-256-GCM bound to column and person.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from backend.security.errors import KeyRingError, PersonKeyDestroyed

VERSION = b"\x02"
HEAD_BYTES = 2 + 32
"""How much of a stored value tells at most whose it is."""

_NONCE_BYTES = 12
_KEY_BYTES = 32
_PERSON = re.compile(r"[0-9A-Za-z_-]{1,32}")
_MARK = ".destroyed"
_MOST_CACHED = 4096

Seal = Callable[[bytes, str], bytes]
"""Encrypts or opens a key under the key ring, bound to a purpose."""


class PersonKeys:
    """The keys of persons in `folder`, each made when something is first written for its person.

    Args:
        wrap, unwrap: encrypt a key under the key ring, and open it again.
    """

    def __init__(self, folder: Path, wrap: Seal, unwrap: Seal) -> None:
        self._folder = folder
        self._wrap = wrap
        self._unwrap = unwrap
        self._open: dict[str, AESGCM] = {}

    def encrypt(self, person_id: str, plain: bytes, column: str) -> bytes | None:
        """Encrypt `plain` under a person's key, bound to `column`; None where that key was destroyed."""
        cipher = self._for_writing(person_id)
        if cipher is None:
            return None
        nonce = os.urandom(_NONCE_BYTES)
        return _head(person_id) + nonce + cipher.encrypt(nonce, plain, _bound(column, person_id))

    def decrypt(self, stored: bytes, column: str) -> bytes:
        """Open what `encrypt` gave for the same column.

        Raises:
            PersonKeyDestroyed: its person's key was destroyed.
            KeyRingError: the value was changed or belongs to another column, or the key was lost.
        """
        person_id, body = _parts(stored, column)
        cipher = self._for_reading(person_id, column)
        try:
            return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(column, person_id))
        except InvalidTag as error:
            raise KeyRingError(f"{column}: the value was changed, or was written under a key that is lost") from error

    def destroy(self, person_id: str) -> None:
        """Destroy a person's key for good; a second time changes nothing."""
        path = self._path(person_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path.with_name(path.name + _MARK), b"")
        self._open.pop(person_id, None)
        # A process that was killed while it made or wrapped the key has left a copy beside it.
        for copy in (path, *path.parent.glob(f".{path.name}.*")):
            _shred(copy)
        _sync_folder(path.parent)

    def is_destroyed(self, person_id: str) -> bool:
        """Tell whether a person's key was destroyed."""
        path = self._path(person_id)
        return path.with_name(path.name + _MARK).exists()

    def destroyed(self) -> Iterator[str]:
        """Give the ids of those whose key was destroyed."""
        yield from (path.name.removesuffix(_MARK) for path in sorted(self._folder.glob(f"??/*{_MARK}")))

    def rewrap(self) -> int:
        """Encrypt every key under the newest key of the ring; give how many were looked at. May be done again."""
        done = 0
        for path in sorted(self._folder.glob("??/*")):
            if _PERSON.fullmatch(path.name):
                self._rewrap(path)
                done += 1
        return done

    def _rewrap(self, path: Path) -> None:
        try:
            key = self._unwrap(path.read_bytes(), _purpose(path.name))
        except FileNotFoundError:  # destroyed meanwhile
            return
        fresh = _written_beside(path, self._wrap(key, _purpose(path.name)))
        # A key that was destroyed since it was read must not come back.
        if self.is_destroyed(path.name):
            _shred(fresh)
            return
        with suppress(FileNotFoundError):  # destroyed at this moment, with the copy
            fresh.replace(path)
        if self.is_destroyed(path.name):
            _shred(path)
        _sync_folder(path.parent)

    def _for_writing(self, person_id: str) -> AESGCM | None:
        path = self._path(person_id)
        if path.exists() and not self.is_destroyed(person_id):
            return self._for_reading(person_id, "a value")
        if self.is_destroyed(person_id):
            return None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = _written_beside(path, self._wrap(secrets.token_bytes(_KEY_BYTES), _purpose(person_id)))
        try:
            os.link(fresh, path)  # of two processes that make a key at once, one does
        except FileExistsError:
            pass
        except FileNotFoundError:  # destroyed at this moment, with the copy
            return None
        finally:
            fresh.unlink(missing_ok=True)
        if self.is_destroyed(person_id):
            _shred(path)
            return None
        _sync_folder(path.parent)
        self._open.pop(person_id, None)
        return self._for_reading(person_id, "a value")

    def _for_reading(self, person_id: str, column: str) -> AESGCM:
        known = self._open.get(person_id)
        if known is not None:
            return known
        try:
            wrapped = self._path(person_id).read_bytes()
        except FileNotFoundError:
            if self.is_destroyed(person_id):
                raise PersonKeyDestroyed(f"{column}: the key of this person was destroyed") from None
            raise KeyRingError(
                f"{column}: a person's key is missing in {self._folder}: bring that folder back from where it is copied"
            ) from None
        if len(self._open) >= _MOST_CACHED:
            self._open.clear()
        cipher = self._open[person_id] = AESGCM(self._unwrap(wrapped, _purpose(person_id)))
        return cipher

    def _path(self, person_id: str) -> Path:
        if not _PERSON.fullmatch(person_id):
            raise KeyRingError("no person can have this id")
        # The last digits are random, so folders fill evenly.
        return self._folder / person_id[-2:].rjust(2, "0") / person_id


def is_personal(stored: bytes) -> bool:
    """Tell whether a stored value lies under the key of a person, which rotation leaves as it is."""
    return stored[:1] == VERSION


def is_under(stored: bytes, person_id: str) -> bool:
    """Tell whether a stored value, or its beginning, lies under the key of this person."""
    return stored.startswith(_head(person_id))


def _head(person_id: str) -> bytes:
    person = person_id.encode()
    return VERSION + bytes([len(person)]) + person


def _parts(stored: bytes, column: str) -> tuple[str, bytes]:
    length = stored[1] if len(stored) > 1 else 0
    person, body = stored[2 : 2 + length], stored[2 + length :]
    if not length or len(person) != length or len(body) <= _NONCE_BYTES or not person.isascii():
        raise KeyRingError(f"{column}: not an encrypted value")
    return person.decode("ascii"), body


def _bound(column: str, person_id: str) -> bytes:
    return f"{column}\0{person_id}".encode()


def _purpose(person_id: str) -> str:
    return f"person_keys.{person_id}"


def _written_beside(path: Path, data: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    _write(fresh, data)
    return fresh


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _shred(path: Path) -> None:
    """Remove a file. Where the file system writes in place its bytes are gone too; where it does not, the file is."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
