"""Certificates of X.509 (RFC 5280) made and followed to their root. Pure functions on `cryptography`'s values."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.signing.rules import AUTHORITY_VALID, Fault

_UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
)
_SKEW = timedelta(minutes=5)  # of clocks, so that what is issued can be used at once everywhere
_LONGEST_CHAIN = 4
_LONGEST_NAME = 64  # of X.520


def new_key() -> ec.EllipticCurvePrivateKey:
    """Give a fresh key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def make_authority(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Give the certificate of an authority that vouches for itself."""
    subject = _name(name, "桥医", "")
    builder = _builder(subject, subject, key.public_key(), now, AUTHORITY_VALID)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def issue(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    holder: ec.EllipticCurvePublicKey,
    *,
    name: str,
    organisation: str,
    identifier: str,
    now: datetime,
    valid_for: timedelta,
) -> x509.Certificate:
    """Give a certificate for signing documents.

    Args:
        name, organisation: of the holder, as people read them. identifier: ours of them, as the serialNumber.
    """
    subject = _name(name, organisation, identifier)
    builder = _builder(subject, authority.subject, holder, now, valid_for)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(certificates=False), critical=True)
    identifier_of_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier_of_key), critical=False
    )
    return builder.sign(authority_key, hashes.SHA256())


def serial_of(certificate: x509.Certificate) -> str:
    """Give the serial number as hexadecimal digits."""
    return f"{certificate.serial_number:x}"


def fault_in_time(certificate: x509.Certificate, at: datetime) -> Fault | None:
    """Tell whether `at` lies outside of the validity."""
    if at < certificate.not_valid_before_utc:
        return Fault.NOT_YET_VALID
    return Fault.EXPIRED if at > certificate.not_valid_after_utc else None


def follow(
    certificate: x509.Certificate, others: Iterable[x509.Certificate], roots: Collection[x509.Certificate], at: datetime
) -> Fault | None:
    """Follow a certificate to one of `roots` by way of `others`; give what keeps it from being believed.

    Each of the way has to be valid at `at`, and each but the first to be an authority (RFC 5280, section 6.1).
    """
    issuers = [*roots, *others]
    current = certificate
    for _ in range(_LONGEST_CHAIN):
        if fault := fault_in_time(current, at):
            return fault
        if current in roots:
            return None
        found = next((one for one in issuers if _issued(one, current)), None)
        if found is None:
            return Fault.UNTRUSTED
        current = found
    return Fault.UNTRUSTED


def may_sign(certificate: x509.Certificate) -> bool:
    """Tell whether the holder's key is for signing documents."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature or usage.content_commitment


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(issuer)
    except _UNREADABLE:
        return False
    return constraints.ca and usage.key_cert_sign


def _name(name: str, organisation: str, identifier: str) -> x509.Name:
    said = (
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.COMMON_NAME, name),
        (NameOID.SERIAL_NUMBER, identifier),
    )
    return x509.Name([x509.NameAttribute(oid, text[:_LONGEST_NAME]) for oid, text in said if text])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, valid_for: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=not certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
