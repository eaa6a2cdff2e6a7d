"""Detached signatures in the Cryptographic Message Syntax (RFC 5652), made and read. Pure.

What is signed are the signed attributes (section 5.3): the digest of the content, the moment by our clock, and the
digest of the signer's certificate (ESS signing-certificate-v2, RFC 5035), so that no other one can be put in its place.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    StopIteration,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
)


class BrokenSignature(Exception):
    """Bytes that are no detached signature of one signer as we make them."""


@dataclass(frozen=True)
class Parsed:
    """A signature as it was read; nothing in it is believed yet but that `certificate`'s key made it over `digest`.

    Args:
        digest: SHA-256 of what was signed. at: as the signer stated it. others: certificates that came with it.
    """

    digest: bytes
    at: datetime
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]


def sign_detached(
    data: bytes, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, at: datetime, *others: x509.Certificate
) -> bytes:
    """Give the DER of a detached signature of `data` by ECDSA with SHA-256.

    Args:
        at: the signing time, aware. others: certificates that lead to the root.
    """
    attributes = _attributes(hashlib.sha256(data).digest(), at, certificate)
    signature = key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
    return _assembled(certificate, others, attributes, signature)


def parse_detached(signature: bytes) -> Parsed:
    """Read a detached signature, and see that the key of its certificate made it.

    Raises:
        BrokenSignature: it cannot be read, is not what we would have written, or the key did not make it.
    """
    try:
        return _parsed(signature)
    except _UNREADABLE as error:
        raise BrokenSignature from error


def _attributes(digest: bytes, at: datetime, certificate: x509.Certificate) -> cms.CMSAttributes:
    """Give what is signed."""
    return cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [digest]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": at})]},
            {
                "type": "signing_certificate_v2",
                "values": [tsp.SigningCertificateV2({"certs": [{"cert_hash": _digest(certificate)}]})],
            },
        ]
    )


def _assembled(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], attributes: cms.CMSAttributes, signature: bytes
) -> bytes:
    """Give the DER of the whole."""
    mine = _asn1(certificate)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": mine.issuer, "serial_number": mine.serial_number}
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data"},
            "certificates": [mine, *(_asn1(one) for one in others)],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def _parsed(signature: bytes) -> Parsed:
    info = cms.ContentInfo.load(signature, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError("no signed data")
    content = info["content"]
    (signer,) = content["signer_infos"]
    certificates = [x509.load_der_x509_certificate(one.chosen.dump()) for one in content["certificates"]]
    number = signer["sid"].chosen["serial_number"].native
    certificate = next(one for one in certificates if one.serial_number == number)
    others = tuple(one for one in certificates if one is not certificate)
    stated = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    (at,) = stated["signing_time"].native
    (digest,) = stated["message_digest"].native
    attributes, made = _attributes(digest, at, certificate), signer["signature"].native
    # Most of it is covered by no signature, and DER that was changed may mean the same: so it is written once more.
    if _assembled(certificate, others, attributes, made) != signature:
        raise ValueError("another form than ours")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("another kind of key")
    key.verify(made, attributes.dump(), ec.ECDSA(hashes.SHA256()))
    return Parsed(digest, at, certificate, others)


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _digest(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
