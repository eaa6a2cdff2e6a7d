"""The keys of one merchant and of WeChat Pay, made where there are none yet."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

MERCHANT_KEY = "merchant_key.pem"
PLATFORM_KEY = "platform_key.pem"
PLATFORM_PUBLIC_KEY = "platform_public_key.pem"
MERCHANT_SERIAL = "10CA1AC0DE10CA1AC0DE10CA1AC0DE10CA1AC0DE"
PLATFORM_KEY_ID = "PUB_KEY_ID_0110CA1AC0DE10CA1AC0DE10CA1AC0DE"
_CERTIFICATE_DAYS = 5 * 365


class Keys:
    """Both private keys; in `folder`, where one is given, they outlive the sandbox."""

    def __init__(self, folder: Path | None = None) -> None:
        self._merchant = _key(folder, MERCHANT_KEY)
        self.platform = _key(folder, PLATFORM_KEY)
        self._certificate: x509.Certificate | None = None
        if folder is not None:
            (folder / PLATFORM_PUBLIC_KEY).write_bytes(self.platform_public_pem)

    @property
    def merchant(self) -> RSAPublicKey:
        """What the merchant's requests are checked with."""
        return self._merchant.public_key()

    @property
    def merchant_pem(self) -> bytes:
        """The merchant's private key, for the product."""
        return _pem(self._merchant)

    @property
    def platform_public_pem(self) -> bytes:
        """WeChat Pay's public key, for the product."""
        return self.platform.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def certificate(self) -> x509.Certificate:
        """The platform certificate, for merchants who have no public key of WeChat Pay's yet."""
        if self._certificate is None:
            now = datetime.now(UTC)
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
            builder = x509.CertificateBuilder(name, name, self.platform.public_key(), x509.random_serial_number())
            builder = builder.not_valid_before(now - timedelta(days=1))
            builder = builder.not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
            self._certificate = builder.sign(self.platform, SHA256())
        return self._certificate


def _key(folder: Path | None, name: str) -> RSAPrivateKey:
    file = None if folder is None else folder / name
    if file is not None and file.is_file():
        key = load_pem_private_key(file.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)  # its own
        if not isinstance(key, RSAPrivateKey):
            raise ValueError(f"{file} holds no RSA key")
        return key
    key = generate_private_key(65537, 2048)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(_pem(key))
    return key


def _pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
