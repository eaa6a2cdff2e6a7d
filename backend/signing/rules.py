"""Values of signing. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Holder(StrEnum):
    """Whose key a certificate speaks for."""

    AUTHORITY = "authority"  # issues the others
    PRACTITIONER = "practitioner"
    PLATFORM = "platform"  # seals what the platform prints


class Algorithm(StrEnum):
    """How signatures are made."""

    ECDSA_P256 = "ecdsa-p256"
    SM2 = "sm2"


class Fault(StrEnum):
    """Why a signature is not believed."""

    BROKEN = "broken"  # no readable signature
    CHANGED = "changed"  # of other bytes
    UNTRUSTED = "untrusted"  # by a certificate that does not lead to the authority
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


AUTHORITY_VALID = timedelta(days=3650)
CERTIFICATE_VALID = timedelta(days=365)
"""How long certificates hold; our own choice, as hospitals in China renew theirs each year."""


@dataclass(frozen=True)
class Signed:
    """A signature that was just made.

    Args:
        cms: the detached signature, DER. serial: of the certificate, hexadecimal. at: the moment that it states.
    """

    cms: bytes = field(repr=False)
    serial: str
    at: datetime


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Args:
        fault: None where the signature holds.
        practitioner_id: who signed, where a certificate of ours made it.
        at: when, as the signature itself states; None where it cannot be read.
    """

    fault: Fault | None
    practitioner_id: str | None = None
    at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it is believed."""
        return self.fault is None
