"""What proves who speaks to whom at WeChat Pay: our signatures, theirs, and what they seal for us.

Source: pay.weixin.qq.com, APIv3 / 签名生成, 签名验证, 证书和回调报文解密, JSAPI 调起支付.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import timedelta

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from backend.clock import Clock
from backend.payment.settings import Keys, WeChatPaySettings

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW = timedelta(minutes=5)
"""How far the time of what was signed may lie from ours."""


class Unproven(Exception):
    """It is not WeChat Pay's, or not of now; `reason` is a stable word: headers, key, stale, signature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signatures:
    """Signs as the merchant, and checks what the other side signed; both by `clock`."""

    def __init__(self, settings: WeChatPaySettings, keys: Keys, clock: Clock) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock

    def authorization(self, method: str, path: str, body: bytes) -> str:
        """Give the Authorization header of a request; `path` is what stands after the host, query included."""
        nonce, timestamp = secrets.token_hex(16), str(self._seconds())
        signature = self._sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n")
        fields = {
            "mchid": self._settings.mchid,
            "nonce_str": nonce,
            "signature": signature,
            "timestamp": timestamp,
            "serial_no": self._settings.serial,
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in fields.items())

    def bridge(self, prepay_id: str) -> dict[str, str]:
        """Give what a page hands to WeixinJSBridge `getBrandWCPayRequest`."""
        fields = {
            "appId": self._settings.appid,
            "timeStamp": str(self._seconds()),
            "nonceStr": secrets.token_hex(16),
            "package": f"prepay_id={prepay_id}",
        }
        signature = self._sign("".join(f"{value}\n" for value in fields.values()).encode())
        return fields | {"signType": "RSA", "paySign": signature}

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check that an answer or a notification is the other side's, and of the last five minutes.

        Raises:
            Unproven: it is not.
        """
        given = {name.lower(): value for name, value in headers.items()}
        names = ("wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature", "wechatpay-serial")
        timestamp, nonce, signature, serial = (given.get(name, "") for name in names)
        if (
            not (timestamp and nonce and signature and serial)
            or given.get("wechatpay-signature-type", SCHEME) != SCHEME
        ):
            raise Unproven("headers")
        if serial.upper() != self._settings.platform_key_id.upper():
            raise Unproven("key")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Unproven("headers")
        if abs(self._clock.now().timestamp() - int(timestamp)) > WINDOW.total_seconds():
            raise Unproven("stale")
        try:
            message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
            self._keys.theirs.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            raise Unproven("signature") from None

    def unseal(self, ciphertext: str, nonce: str, associated_data: str) -> bytes:
        """Open what was sealed with the API v3 key (AEAD_AES_256_GCM).

        Raises:
            ValueError: it was sealed otherwise, or changed.
        """
        key = AESGCM(self._settings.api_v3_key.encode())
        try:
            sealed = base64.b64decode(ciphertext, validate=True)
            return key.decrypt(nonce.encode(), sealed, associated_data.encode())
        except (InvalidTag, binascii.Error):
            raise ValueError("not sealed with our key") from None

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(self._keys.ours.sign(message, PKCS1v15(), SHA256())).decode()

    def _seconds(self) -> int:
        return int(self._clock.now().timestamp())
