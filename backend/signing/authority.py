"""The local authority: issues certificates with keys that lie in the database, under the key ring.

For the sandbox and for trials. A signature that the law equals to one by hand needs a licensed authority and a key that
its holder alone controls (电子签名法 第13条, 第16条): `backend.signing.service.Signer` is where that one stands in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database
from backend.signing.cms import sign_detached
from backend.signing.rules import CERTIFICATE_VALID, Holder
from backend.signing.tables import Certificate
from backend.signing.x509 import issue, make_authority, new_key, serial_of

AUTHORITY_NAME = "桥医本地签发机构"
_PLATFORM_NAME = "桥医处方平台"
_RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Sealing:
    """What seals a paper, all DER: the platform's certificate, its PKCS #8 key, and the root that vouches for it."""

    certificate: bytes
    key: bytes = field(repr=False)
    root: bytes


class LocalAuthority:
    """Issues and signs on one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def root(self) -> x509.Certificate:
        """Give the newest certificate of the authority, made where there was none."""
        async with self._database.transaction() as session:
            return _loaded(await self._root(session))

    async def roots(self) -> tuple[x509.Certificate, ...]:
        """Give every certificate that the authority ever had."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(Certificate).where(Certificate.holder == Holder.AUTHORITY))
            return tuple(_loaded(row) for row in rows)

    async def issue_to(
        self, session: AsyncSession, practitioner_id: str, name: str, institution: str, valid_for: timedelta
    ) -> Certificate:
        """Issue a certificate with a fresh key to a practitioner."""
        return await self._issue(session, Holder.PRACTITIONER, practitioner_id, name, institution, valid_for)

    async def sealing(self) -> Sealing:
        """Give what seals papers, fresh where the last one ends soon."""
        async with self._database.transaction() as session:
            root = await self._root(session)
            row = await self._newest(session, Holder.PLATFORM)
            if row is None or row.not_after < self._clock.now() + _RENEWED_BEFORE:
                row = await self._issue(session, Holder.PLATFORM, None, _PLATFORM_NAME, "桥医", CERTIFICATE_VALID)
            if row.private_key is None:
                raise LookupError("the platform's own key is not here")
            return Sealing(row.certificate, row.private_key, root.certificate)

    async def sign(self, session: AsyncSession, certificate: Certificate, data: bytes, at: datetime) -> bytes:
        """Give a detached signature by the key of a certificate of this authority."""
        root = await self._root(session)
        return sign_detached(data, _loaded(certificate), _key(certificate), at, _loaded(root))

    async def _issue(
        self,
        session: AsyncSession,
        holder: Holder,
        practitioner_id: str | None,
        name: str,
        organisation: str,
        valid_for: timedelta,
    ) -> Certificate:
        root, key = await self._root(session), new_key()
        certificate = issue(
            _loaded(root),
            _key(root),
            key.public_key(),
            name=name,
            organisation=organisation,
            identifier=practitioner_id or "",
            now=self._clock.now(),
            valid_for=valid_for,
        )
        row = _row(holder, practitioner_id, certificate, key)
        session.add(row)
        await session.flush()
        return row

    async def _root(self, session: AsyncSession) -> Certificate:
        row = await self._newest(session, Holder.AUTHORITY)
        if row is not None and row.not_before <= self._clock.now() < row.not_after:
            return row
        key = new_key()
        row = _row(Holder.AUTHORITY, None, make_authority(AUTHORITY_NAME, key, self._clock.now()), key)
        session.add(row)
        await session.flush()
        return row

    async def _newest(self, session: AsyncSession, holder: Holder) -> Certificate | None:
        query = select(Certificate).where(Certificate.holder == holder).order_by(Certificate.not_after.desc()).limit(1)
        found: Certificate | None = await session.scalar(query)
        return found


def _row(
    holder: Holder, practitioner_id: str | None, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> Certificate:
    return Certificate(
        serial=serial_of(certificate),
        holder=holder,
        practitioner_id=practitioner_id,
        certificate=certificate.public_bytes(Encoding.DER),
        private_key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _loaded(row: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(row.certificate)


def _key(row: Certificate) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(row.private_key or b"", password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("another kind of key than this authority makes")
    return key
