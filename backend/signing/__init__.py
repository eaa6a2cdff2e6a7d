"""Signing: certificates of those who sign, the local authority that issues them, signatures and their verification."""

from backend.signing.canonical import canonical_json
from backend.signing.rules import Algorithm, Fault, Holder, Signed, Verified
from backend.signing.service import CannotSign, CertificateView, SigningService

__all__ = [
    "Algorithm",
    "CannotSign",
    "CertificateView",
    "Fault",
    "Holder",
    "Signed",
    "SigningService",
    "Verified",
    "canonical_json",
]
