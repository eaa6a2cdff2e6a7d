"""The merchant account at WeChat Pay, as it is set, and its keys, as they are read from their files."""

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_API_URL = "https://api.mch.weixin.qq.com"
_API_V3_KEY_BYTES = 32
_SHAPES = {
    "mchid": re.compile(r"[0-9]{8,32}"),
    "appid": re.compile(r"[A-Za-z0-9]{8,32}"),
    "serial": re.compile(r"[0-9A-Fa-f]{16,64}"),
    "platform_key_id": re.compile(r"[A-Za-z0-9_]{16,80}"),
}


@dataclass(frozen=True)
class WeChatPaySettings:
    """The merchant account (pay.weixin.qq.com, 商户平台 / 账户中心 / API安全).

    Args:
        mchid: number of the merchant.
        appid: the official account that is bound to it, whose openids pay.
        api_v3_key: 32 characters; opens what notifications hold.
        private_key_file, serial: the merchant's private key (PEM) and the serial number of its certificate.
        platform_key_id, platform_key_file: WeChat Pay's public key (`PUB_KEY_ID_…`), or its platform certificate and
            that one's serial number; PEM.
        notify_url: where WeChat Pay reaches us; below our public address where empty.
        api_url: where the API listens; a local WeChat listens elsewhere.
        connect_timeout, call_timeout: seconds.
    """

    mchid: str
    appid: str
    serial: str
    private_key_file: Path
    platform_key_id: str
    platform_key_file: Path
    api_v3_key: str = field(repr=False)
    notify_url: str = ""
    api_url: str = _API_URL
    connect_timeout: float = 3.0
    call_timeout: float = 10.0

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            if not shape.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: is none of WeChat Pay's")
        if len(self.api_v3_key.encode()) != _API_V3_KEY_BYTES:
            raise ValueError(f"api_v3_key: {_API_V3_KEY_BYTES} characters are needed")
        for name in ("notify_url", "api_url"):
            value = getattr(self, name)
            if not (value.startswith(("https://", "http://")) or (name == "notify_url" and not value)):
                raise ValueError(f"{name}: an http:// or https:// address is needed")
        for name in ("connect_timeout", "call_timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: more than 0 is needed")


@dataclass(frozen=True)
class Keys:
    """Our key, and the other side's."""

    ours: RSAPrivateKey = field(repr=False)
    theirs: RSAPublicKey

    @classmethod
    def of(cls, settings: WeChatPaySettings) -> "Keys":
        """Read the two files.

        Raises:
            ValueError: one cannot be read, or is not what it should be; names the setting, shows nothing of a key.
        """
        return cls(_private(settings.private_key_file), _public(settings))


def _private(file: Path) -> RSAPrivateKey:
    pem = _content("private_key_file", file)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("private_key_file: is no private RSA key without a password (PEM)")
    return key


def _public(settings: WeChatPaySettings) -> RSAPublicKey:
    pem = _content("platform_key_file", settings.platform_key_file)
    certificate, key = None, None
    with contextlib.suppress(ValueError):
        certificate = x509.load_pem_x509_certificate(pem) if b"BEGIN CERTIFICATE" in pem else None
        key = load_pem_public_key(pem) if certificate is None else certificate.public_key()
    if certificate is not None and f"{certificate.serial_number:X}" != settings.platform_key_id.upper().lstrip("0"):
        raise ValueError("platform_key_id: is not the serial number of the certificate")
    if not isinstance(key, RSAPublicKey):
        raise ValueError("platform_key_file: is neither a public RSA key nor a certificate (PEM)")
    return key


def _content(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: cannot be read ({error.strerror})") from None
