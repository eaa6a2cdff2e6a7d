"""The wire format of callbacks: who sent it, is it fresh, what does it say. wechatpy decrypts and parses.

wechatpy compares signatures with `!=`, knows no replay window, and lets many kinds of exceptions out of malformed
input; so the checks are done here, and everything that it raises becomes one refusal.
Source: developers.weixin.qq.com, 公众号 / 消息加解密说明.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from wechatpy.crypto import PrpCrypto
from wechatpy.parser import parse_message

from backend.clock import Clock
from bot.wechat.settings import WechatSettings

_OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
_NONCE_LENGTH = 64


class Refused(Exception):
    """A callback that is not taken.

    Args:
        status: the HTTP status of the refusal.
        reason: a code for the log; it holds nothing of the callback.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Callback:
    """An opened callback.

    Args:
        openid: who wrote.
        account: the account's original id.
        created_at: seconds since the epoch, as WeChat says.
        fields: every field as it came.
    """

    openid: str
    account: str
    created_at: int
    fields: dict[str, Any]


class CallbackCodec:
    """Opens callbacks and seals replies in safe mode (AES-256-CBC), under the present key or the one before."""

    def __init__(self, settings: WechatSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        keys = [key for key in (settings.aes_key, settings.previous_aes_key) if key]
        self._ciphers = [PrpCrypto(base64.b64decode(key + "=")) for key in keys]

    def greet(self, query: Mapping[str, str]) -> str:
        """Give what WeChat wants to hear when an address is set up (`echostr`).

        Raises:
            Refused: the signature or the time stamp is wrong.
        """
        self._check(query, "signature")
        return query.get("echostr", "")

    def open(self, query: Mapping[str, str], body: bytes) -> Callback:
        """Check, decrypt and parse a callback.

        Raises:
            Refused: anything about it is not as WeChat sends it.
        """
        if len(body) > self._settings.largest_body:
            raise Refused(413, "too_large")
        self._check(query, "signature")
        encrypted = _element(body, "Encrypt")
        self._check(query, "msg_signature", encrypted)
        return self._parse(self._decrypt(encrypted))

    def _check(self, query: Mapping[str, str], name: str, *signed: str) -> None:
        """Compare a signature: SHA-1 over the sorted token, time stamp, nonce and what else is signed."""
        timestamp, nonce, given = query.get("timestamp", ""), query.get("nonce", ""), query.get(name, "")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12 or len(nonce) > _NONCE_LENGTH:
            raise Refused(400, "malformed_query")
        expected = sign(self._settings.token, timestamp, nonce, *signed)
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise Refused(403, name)
        if abs(int(timestamp) - self._clock.now().timestamp()) > self._settings.replay_window.total_seconds():
            raise Refused(403, "stale")

    def _decrypt(self, encrypted: str) -> str:
        for cipher in self._ciphers:
            try:
                plain: str = cipher.decrypt(encrypted, self._settings.app_id)
            except Exception:  # noqa: S112 -- wechatpy raises what it happens upon; none of it may be told apart outside
                continue
            return plain
        raise Refused(400, "decryption")

    def _parse(self, plain: str) -> Callback:
        _element(plain.encode(), "MsgType")
        try:
            message = parse_message(plain)
            # The fields are converted when they are read. The raw ones are kept too: wechatpy does not know all.
            callback = Callback(str(message.source), str(message.target), int(message.time), dict(message._data))
        except Exception as error:
            raise Refused(400, "malformed_message") from error
        if not _OPENID.fullmatch(callback.openid) or not callback.account or callback.created_at < 0:
            raise Refused(400, "malformed_message")
        return callback

    def seal(self, xml: str) -> str:
        """Encrypt and sign a rendered reply."""
        timestamp = str(int(self._clock.now().timestamp()))
        nonce = str(time.monotonic_ns())
        encrypted = self._ciphers[0].encrypt(xml, self._settings.app_id).decode()
        signature = sign(self._settings.token, timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )


def sign(*values: str) -> str:
    """Give WeChat's signature over `values`: SHA-1 over their sorted concatenation."""
    return hashlib.sha1("".join(sorted(values)).encode("utf-8", "replace")).hexdigest()  # noqa: S324 -- WeChat's choice


def _element(body: bytes, name: str) -> str:
    """Give the text of a child of the root, refusing document types, entities and everything that is no XML."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused(400, "xml") from error
    found = root.findtext(name) if root.tag == "xml" else None
    if not found:
        raise Refused(400, "missing_" + name.lower())
    return str(found)
