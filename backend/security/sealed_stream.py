"""A stream encrypted in chunks, so that a file of any size is written and read with a megabyte of memory.

AES-256-GCM over chunks of 1 MiB; the nonce is the chunk's number with a mark on the last one (the STREAM construction
of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so that a file that was cut, or whose chunks were moved, does not
open. The key is derived for each file from a fresh salt, by scrypt (RFC 7914) from a passphrase or HKDF (RFC 5869) from
a key.
"""

import json
import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"QIAOYI BACKUP 1\n"
KEY_BYTES = 32

_CHUNK = 1 << 20
_TAG = 16
_SALT_BYTES = 32
_MOST_HEADER = 4096
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 17, 8, 1


class StreamDamaged(Exception):
    """A file that does not open: another key, or changed, or cut."""


Secret = bytes | str
"""32 bytes of a key file, or a passphrase."""


class SealedWriter:
    """Writes an encrypted stream; without `finish` it does not open."""

    def __init__(self, file: BinaryIO, secret: Secret) -> None:
        salt = os.urandom(_SALT_BYTES)
        header = json.dumps({"kdf": "scrypt" if isinstance(secret, str) else "hkdf", "salt": salt.hex()}).encode()
        self._head = MAGIC + len(header).to_bytes(4, "big") + header
        self._cipher = AESGCM(_key(secret, salt))
        self._file = file
        self._waiting = bytearray()
        self._number = 0
        file.write(self._head)

    def write(self, data: bytes) -> None:
        """Add to the stream."""
        self._waiting += data
        while len(self._waiting) > _CHUNK:  # the last chunk is kept back, for it bears the mark
            self._seal(bytes(self._waiting[:_CHUNK]), is_last=False)
            del self._waiting[:_CHUNK]

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, chunk: bytes, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, self._head))
        self._number += 1


class SealedReader:
    """Reads what `SealedWriter` wrote; gives nothing that was not verified.

    Raises:
        StreamDamaged: from the constructor and from `read`.
    """

    def __init__(self, file: BinaryIO, secret: Secret) -> None:
        self._file = file
        magic, length = file.read(len(MAGIC)), file.read(4)
        header = file.read(min(int.from_bytes(length, "big"), _MOST_HEADER))
        self._head = magic + length + header
        if magic != MAGIC:
            raise StreamDamaged("this is no backup of Qiaoyi")
        try:
            told = json.loads(header)
            salt, kdf = bytes.fromhex(told["salt"]), told["kdf"]
        except (ValueError, KeyError, TypeError):
            raise StreamDamaged("its header is damaged") from None
        if kdf != ("scrypt" if isinstance(secret, str) else "hkdf"):
            raise StreamDamaged(f"it opens with a {'passphrase' if kdf == 'scrypt' else 'key file'}")
        self._cipher = AESGCM(_key(secret, salt))
        self._number = 0
        self._plain = bytearray()
        self._ahead = file.read(_CHUNK + _TAG)
        self._is_over = False

    def read(self, count: int) -> bytes:
        """Give exactly `count` bytes."""
        while len(self._plain) < count:
            if self._is_over:
                raise StreamDamaged("it ends too early")
            self._open()
        taken = bytes(self._plain[:count])
        del self._plain[:count]
        return taken

    def _open(self) -> None:
        chunk, self._ahead = self._ahead, self._file.read(_CHUNK + _TAG)
        self._is_over = not self._ahead
        try:
            self._plain += self._cipher.decrypt(_nonce(self._number, self._is_over), chunk, self._head)
        except (InvalidTag, ValueError):
            what = "the key is another, or the file was changed" if self._number == 0 else "it was changed or cut"
            raise StreamDamaged(f"{what} (part {self._number})") from None
        self._number += 1


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _key(secret: Secret, salt: bytes) -> bytes:
    if isinstance(secret, str):
        return Scrypt(salt, KEY_BYTES, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P).derive(secret.encode())
    return HKDF(SHA256(), KEY_BYTES, salt, b"qiaoyi backup").derive(secret)
