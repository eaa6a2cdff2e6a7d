"""The use cases of signing: certificates issued, listed and revoked; signatures made and verified."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock, local
from backend.db import Database
from backend.errors import Conflict, DomainError, NotFound
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, require
from backend.signing.authority import LocalAuthority, Sealing
from backend.signing.cms import BrokenSignature, Parsed, parse_detached
from backend.signing.rules import CERTIFICATE_VALID, Fault, Holder, Signed, Verified
from backend.signing.tables import Certificate
from backend.signing.x509 import fault_in_time, follow, may_sign, serial_of

_LONGEST_VALIDITY = timedelta(days=1826)


class CannotSign(DomainError):
    """The certificate of who would sign does not hold now; nothing was signed."""

    code = "certificate"
    sentence = "您的签名证书现在用不了，没有签名。请联系管理员。"


_WHY_NOT = {
    Fault.NOT_YET_VALID: "您的签名证书还没到生效时间（{day}才能用），没有签名。请联系管理员。",
    Fault.EXPIRED: "您的签名证书已经过期（{day}到期），没有签名。请联系管理员换新证书。",
    Fault.REVOKED: "您的签名证书已经吊销，没有签名。请联系管理员。",
}
_NONE = "您还没有签名证书，没有签名。请联系管理员办理。"


class Signer(Protocol):
    """Makes signatures with the keys of practitioners: the local authority's here, or a UKey or the signing service of
    a licensed certification authority (电子签名法 第16条), whose certificates are put into the table without keys."""

    async def sign(self, session: AsyncSession, certificate: Certificate, data: bytes, at: datetime) -> bytes:
        """Give a detached signature (RFC 5652, DER) of `data` that states `at`."""


@dataclass(frozen=True)
class CertificateView:
    """A certificate as lists show it; `name` is the practitioner's."""

    serial: str
    holder: Holder
    practitioner_id: str | None
    name: str = field(repr=False)
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None


class SigningService:
    """All use cases of signing.

    Args:
        signer: who makes the signatures of practitioners; the local authority unless another one is given.
    """

    def __init__(
        self, database: Database, clock: Clock, audit: AuditLog, people: PeopleService, signer: Signer | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._authority = LocalAuthority(database, clock)
        self._signer: Signer = signer or self._authority

    async def issue(
        self, actor: Actor, practitioner_id: str, valid_for: timedelta = CERTIFICATE_VALID
    ) -> CertificateView:
        """Issue a certificate of the local authority to a practitioner; an earlier one goes on to hold.

        Raises:
            Forbidden: the actor manages no certificates. NotFound: there is no such practitioner.
            Conflict: they practise no more, or `valid_for` is not between nothing and five years.
        """
        require(actor, Action.SIGNING_MANAGE)
        practitioner = await self._people.practitioner(practitioner_id)
        if not practitioner.active or not timedelta() < valid_for <= _LONGEST_VALIDITY:
            raise Conflict("不能给这位医生或药师发证书，请核对人员状态和有效期。")
        async with self._database.transaction() as session:
            row = await self._authority.issue_to(
                session, practitioner_id, practitioner.name, practitioner.institution_name, valid_for
            )
            await self._record(session, actor, "signing.issue", row.serial)
            return _view(row, practitioner.name)

    async def revoke(self, actor: Actor, serial: str, reason: str) -> CertificateView:
        """Revoke a certificate from now on; what it signed before goes on to hold. Revoked twice is revoked once.

        Raises:
            Forbidden: the actor manages no certificates. NotFound: no certificate of a practitioner has this number.
        """
        require(actor, Action.SIGNING_MANAGE)
        async with self._database.transaction() as session:
            row = await session.get(Certificate, serial.lower(), with_for_update=True)
            if row is None or row.holder is not Holder.PRACTITIONER:
                raise NotFound("没有找到这张证书。")
            if row.revoked_at is None:
                row.revoked_at, row.revocation_reason = self._clock.now(), reason
                await self._record(session, actor, "signing.revoke", row.serial)
            return _view(row, await self._name(row))

    async def certificates(self, actor: Actor) -> list[CertificateView]:
        """List all certificates, those that end first at the top. Raises Forbidden."""
        require(actor, Action.SIGNING_MANAGE)
        async with self._database.reading() as session:
            rows = (await session.scalars(select(Certificate).order_by(Certificate.not_after))).all()
        return [_view(row, await self._name(row)) for row in rows]

    async def holds_now(self, practitioner_id: str) -> bool:
        """Tell whether a practitioner has a certificate that can be signed with now."""
        async with self._database.reading() as session:
            return any(_fault(row, self._clock.now()) is None for row in await _held_by(session, practitioner_id))

    async def root(self) -> x509.Certificate:
        """Give the certificate of the local authority, made where there was none."""
        return await self._authority.root()

    async def roots_der(self) -> tuple[bytes, ...]:
        """Give every certificate that the local authority ever had, DER."""
        return tuple(one.public_bytes(Encoding.DER) for one in await self._authority.roots())

    async def sealing(self) -> Sealing:
        """Give what seals papers of the platform: its certificate and key, both fresh where the last ones ended."""
        return await self._authority.sealing()

    async def sign(self, actor: Actor, data: bytes) -> Signed:
        """Sign `data` with the certificate of the practitioner that the actor is; the use case has asked the policy.

        Raises:
            CannotSign: they have none that holds now.
        """
        if actor.practitioner_id is None:
            raise CannotSign(_NONE)
        now = self._clock.now().replace(microsecond=0)  # a signature states whole seconds
        async with self._database.transaction() as session:
            rows = await _held_by(session, actor.practitioner_id, lock=True)
            usable = next((row for row in rows if _fault(row, now) is None), None)
            if usable is None:
                raise _refusal(rows, now)
            cms = await self._signer.sign(session, usable, data, now)
            await self._record(session, actor, "signing.sign", usable.serial)
            return Signed(cms, usable.serial, now)

    async def verify(self, data: bytes, cms: bytes) -> Verified:
        """Verify a detached signature of `data`: the bytes, the chain, validity when it was made, revocation."""
        try:
            parsed = parse_detached(cms)
        except BrokenSignature:
            return Verified(Fault.BROKEN)
        if not hmac.compare_digest(parsed.digest, hashlib.sha256(data).digest()):
            return Verified(Fault.CHANGED, at=parsed.at)
        async with self._database.reading() as session:
            row = await session.get(Certificate, serial_of(parsed.certificate))
        fault = await self._distrust(parsed, row)
        return Verified(fault, row.practitioner_id if row else None, parsed.at)

    async def _distrust(self, parsed: Parsed, row: Certificate | None) -> Fault | None:
        if row is None or not may_sign(parsed.certificate):
            return Fault.UNTRUSTED
        if x509.load_der_x509_certificate(row.certificate) != parsed.certificate:
            return Fault.UNTRUSTED
        if row.revoked_at is not None and row.revoked_at <= parsed.at:
            return Fault.REVOKED
        roots = await self._authority.roots()
        faults = (follow(one, parsed.others, roots, parsed.at) for one in (parsed.certificate, *parsed.others))
        return next((fault for fault in faults if fault is not None), None)

    async def _name(self, row: Certificate) -> str:
        if row.practitioner_id is None:
            return "桥医"
        return (await self._people.practitioner(row.practitioner_id)).name

    async def _record(self, session: AsyncSession, actor: Actor, action: str, serial: str) -> None:
        await self._audit.record(session, actor, action, subject=f"certificate:{serial}")


def _fault(row: Certificate, now: datetime) -> Fault | None:
    if row.revoked_at is not None:
        return Fault.REVOKED
    return fault_in_time(x509.load_der_x509_certificate(row.certificate), now)


def _refusal(rows: list[Certificate], now: datetime) -> CannotSign:
    """Say why the newest certificate cannot be used."""
    if not rows:
        return CannotSign(_NONE)
    fault = _fault(rows[0], now) or Fault.EXPIRED
    day = rows[0].not_before if fault is Fault.NOT_YET_VALID else rows[0].not_after
    return CannotSign(_WHY_NOT[fault].format(day=_day(day)), fault=str(fault))


def _day(at: datetime) -> str:
    there = local(at)
    return f"{there.year}年{there.month}月{there.day}日"


async def _held_by(session: AsyncSession, practitioner_id: str, *, lock: bool = False) -> list[Certificate]:
    query = select(Certificate).where(Certificate.practitioner_id == practitioner_id)
    query = query.order_by(Certificate.not_after.desc())
    return list(await session.scalars(query.with_for_update() if lock else query))


def _view(row: Certificate, name: str) -> CertificateView:
    return CertificateView(
        row.serial, row.holder, row.practitioner_id, name, row.not_before, row.not_after, row.revoked_at
    )
