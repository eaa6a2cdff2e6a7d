"""Signatures and seals of WeChat Pay's side; the product's are written apart from these, so that each checks the other.

Source: pay.weixin.qq.com, APIv3 / 签名生成, 签名验证, 证书和回调报文解密.
"""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW_SECONDS = 300.0
_FIELD = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Merchant:
    """Whom requests have to come from."""

    mchid: str
    appid: str
    serial: str
    key: RSAPublicKey


def is_signed(merchant: Merchant, authorization: str, request: str, body: bytes, now: float) -> bool:
    """Whether a request is the merchant's and of now; `request` is its method and its path with query, in two lines."""
    scheme, _, rest = authorization.partition(" ")
    given = dict(_FIELD.findall(rest))
    if scheme != SCHEME or (given.get("mchid"), given.get("serial_no")) != (merchant.mchid, merchant.serial):
        return False
    timestamp = given.get("timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return False
    message = f"{request}\n{timestamp}\n{given.get('nonce_str', '')}\n".encode() + body + b"\n"
    return verifies(merchant.key, given.get("signature", ""), message)


def is_bridged(merchant: Merchant, fields: dict[str, Any], now: float) -> bool:
    """Whether the merchant signed what a page hands to the payment sheet."""
    if fields.get("appId") != merchant.appid or fields.get("signType") != "RSA":
        return False
    values = [str(fields.get(name, "")) for name in ("appId", "timeStamp", "nonceStr", "package")]
    if not values[1].isdigit() or abs(now - int(values[1])) > 2 * 3600:
        return False
    return verifies(merchant.key, str(fields.get("paySign", "")), "".join(f"{value}\n" for value in values).encode())


def verifies(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    """Whether a base64 signature is of this message."""
    try:
        key.verify(base64.b64decode(signature), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_headers(key: RSAPrivateKey, serial: str, body: bytes, now: float) -> dict[str, str]:
    """The headers that prove an answer or a notification."""
    timestamp, nonce = str(int(now)), secrets.token_hex(16)
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": SCHEME,
    }


def sealed(key: str, plain: bytes, associated: str) -> dict[str, str]:
    """What is sealed with the merchant's API v3 key, as it stands in answers and notifications."""
    nonce = secrets.token_hex(6)
    ciphertext = AESGCM(key.encode()).encrypt(nonce.encode(), plain, associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated,
        "ciphertext": base64.b64encode(ciphertext).decode(),
    }
