"""Detached signatures in the Cryptographic Message Syntax (RFC 5652), made and read. Pure.

What is signed are the signed attributes (section 5.3): the digest of the content, the moment by our clock, and the
digest of the signer's certificate (ESS signing-certificate-v2, RFC 5035), so that no other one can be put in its place.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

_SHA256 = ("sha256", None)
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
    mine = _asn1(certificate)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [hashlib.sha256(data).digest()]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": at})]},
            {
                "type": "signing_certificate_v2",
                "values": [tsp.SigningCertificateV2({"certs": [{"cert_hash": _digest(certificate)}]})],
            },
        ]
    )
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
            "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
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


def parse_detached(signature: bytes) -> Parsed:
    """Read a detached signature, and see that the key of its certificate made it.

    Raises:
        BrokenSignature: it cannot be read, is of another kind, or the key did not make it.
    """
    try:
        return _parsed(signature)
    except _UNREADABLE as error:
        raise BrokenSignature from error


def _parsed(signature: bytes) -> Parsed:
    info = cms.ContentInfo.load(signature, strict=True)
    if info["content_type"].native != "signed_data" or info.dump(force=True) != signature:
        raise ValueError("no signed data, or not in DER")
    content = info["content"]
    if not _says_what_it_is(content):
        raise ValueError("another form than ours")
    (signer,) = content["signer_infos"]
    certificates = [x509.load_der_x509_certificate(one.chosen.dump()) for one in content["certificates"]]
    number = signer["sid"].chosen["serial_number"].native
    certificate = next(one for one in certificates if one.serial_number == number)
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    (at,) = attributes["signing_time"].native
    (digest,) = attributes["message_digest"].native
    stated = attributes["signing_certificate_v2"][0]["certs"][0]["cert_hash"].native
    algorithms = [_algorithm(signer[which]) for which in ("digest_algorithm", "signature_algorithm")]
    key = certificate.public_key()
    if signer["version"].native != "v1" or signer["sid"].chosen["issuer"] != _asn1(certificate).issuer:
        raise ValueError("names another signer")
    if stated != _digest(certificate) or algorithms != [_SHA256, ("sha256_ecdsa", None)]:
        raise ValueError("another certificate or algorithm than stated")
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("another kind of key")
    # What is signed is the DER of a SET OF, whatever tag the attributes have inside (section 5.4).
    covered = signer["signed_attrs"].untag().dump(force=True)
    key.verify(signer["signature"].native, covered, ec.ECDSA(hashes.SHA256()))
    others = tuple(one for one in certificates if one is not certificate)
    return Parsed(digest, at, certificate, others)


def _says_what_it_is(content: cms.SignedData) -> bool:
    """Look at what no signature covers: version, digest and kind of a detached signature of bytes."""
    digests = [_algorithm(one) for one in content["digest_algorithms"]]
    inside = content["encap_content_info"]
    return (
        content["version"].native == "v1"
        and digests == [_SHA256]
        and inside["content_type"].native == "data"
        and inside["content"].native is None
    )


def _algorithm(identifier: algos.AlgorithmIdentifier) -> tuple[str, object]:
    return identifier["algorithm"].native, identifier["parameters"].native


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _digest(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
