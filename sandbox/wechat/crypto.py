"""Signatures and safe mode of WeChat callbacks, written from the specification with ``cryptography`` alone.

The product uses another implementation, so that each side checks the other.
Source: developers.weixin.qq.com, 第三方平台 / 消息加解密说明.
"""

import base64
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32


class CryptoError(ValueError):
    """An envelope that was not sealed with this key, for this account, or not at all."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, as 40 hexadecimal digits."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class SafeMode:
    """Seals and opens envelopes of one account: AES-256-CBC, IV = key[:16], PKCS#7 padded to 32 bytes.

    Plaintext layout: 16 random bytes, length of the XML in 4 bytes big endian, the XML, the app id.
    """

    def __init__(self, token: str, aes_key: str, app_id: str) -> None:
        key = base64.b64decode(aes_key + "=")
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._token = token
        self._app_id = app_id.encode()

    def sign_query(self, timestamp: str, nonce: str) -> str:
        """``signature``: over token, timestamp and nonce."""
        return signature(self._token, timestamp, nonce)

    def sign_message(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """``msg_signature``: over the ciphertext too."""
        return signature(self._token, timestamp, nonce, encrypted)

    def check_message(self, given: str, timestamp: str, nonce: str, encrypted: str) -> None:
        """Raise CryptoError unless the signature given is the right one."""
        if not hmac.compare_digest(given.encode(), self.sign_message(timestamp, nonce, encrypted).encode()):
            raise CryptoError("signature")

    def encrypt(self, xml: bytes) -> str:
        """Ciphertext of an XML text, base64."""
        plain = os.urandom(16) + struct.pack(">I", len(xml)) + xml + self._app_id
        padding = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """XML text of a ciphertext; raises CryptoError when padding, length or app id are wrong."""
        try:
            sealed = base64.b64decode(encrypted, validate=True)
            decryptor = self._cipher.decryptor()
            plain = decryptor.update(sealed) + decryptor.finalize()
        except ValueError as error:
            raise CryptoError("ciphertext") from error
        padding = plain[-1] if plain else 0
        if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
            raise CryptoError("padding")
        plain = plain[:-padding]
        if len(plain) < 20:
            raise CryptoError("length")
        (length,) = struct.unpack(">I", plain[16:20])
        if plain[20 + length :] != self._app_id:
            raise CryptoError("app id")
        return plain[20 : 20 + length]
