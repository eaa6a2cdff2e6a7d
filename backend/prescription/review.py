"""Signing a prescription, its review by a pharmacist, its revocation and its end."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import local
from backend.consultation.rules import Urgency, require_text
from backend.db import key_ring
from backend.errors import Conflict, DomainError, IllegalMove, InvalidInput
from backend.ids import new_id
from backend.people import PractitionerView
from backend.prescription.context import (
    EXPIRY_TIMER,
    PrescriptionContext,
    check_revision,
    named,
    order_of,
    overrides_of,
    pickup_index,
    practitioner_of,
)
from backend.prescription.document import Matter, approval_of, document_of, read_moment
from backend.prescription.rules import Finding, State, Step, after, pickup_number
from backend.prescription.tables import Prescription, PrescriptionPaper, SignedVersion
from backend.prescription.views import PrescriptionView, QueueItem
from backend.security.policy import SYSTEM, Action, Actor, Role, require
from backend.signing import canonical_json

TAKEN_FOR = timedelta(minutes=15)
"""How long a prescription stays with the pharmacist who has opened it; then a colleague may take it over."""


_CODE_BYTES = 16
_MOST_QUEUED = 50
_URGENT = (Urgency.CRITICAL, Urgency.URGENT)


class FindingsLeft(DomainError):
    """Something forbids to sign or approve, or a warning has no reason; the details hold the rules."""

    code = "findings"
    sentence = "还有没处理的用药提醒，不能签名。"


class BrokenDocument(DomainError):
    """What is stored is not what was signed; nothing is approved on top of it."""

    code = "signature"
    sentence = "这张处方的内容和医生签名对不上，不能通过。请退回，并告诉管理员。"


class Review(PrescriptionContext):
    """The part of `PrescriptionService` from the signature on."""

    async def sign(self, actor: Actor, prescription_id: str, *, revision: int) -> PrescriptionView:
        """Sign a draft as its doctor; it waits for a pharmacist from now on. Signed twice is signed once.

        Args:
            revision: the one that the doctor has read.

        Raises:
            Conflict: it changed after it was read. InvalidInput: no medicine or no diagnosis.
            FindingsLeft: a stop, or a warning without a reason. CannotSign: the certificate does not hold.
            ReferenceUnreadable: nothing can be checked.
        """
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_WRITE, lock=True)
            if row.state is not State.DRAFT and row.revision == revision:
                return await self._view(session, row)
            state = after(row.state, Step.SIGN)
            check_revision(row, revision)
            _require_whole(row)
            findings = await self._found(row)
            await self._require_answered(session, row, "不能签名")
            await self._freeze(session, actor, row, findings)
            row.state, row.return_reason = state, ""
            await self._record(session, actor, "prescription.sign", row)
            await self._consultations.note(actor, row.consultation_id, "prescription", "开了处方，等药师审核")
            await self._publish(session, "prescription.signed", row, review_institution_id=row.review_institution_id)
            return await self._view(session, row)

    async def queue(self, actor: Actor) -> list[QueueItem]:
        """List what waits for the pharmacists of the actor's institution, the longest waiting first."""
        require(actor, Action.PRESCRIPTION_REVIEW, institution_id=actor.institution_id)
        async with self._database.reading() as session:
            query = select(Prescription).where(
                Prescription.review_institution_id == actor.institution_id, Prescription.state == State.SIGNED
            )
            rows = (await session.scalars(query.order_by(Prescription.signed_at).limit(_MOST_QUEUED))).all()
        return [await self._queued(row) for row in rows]

    async def take(self, actor: Actor, prescription_id: str) -> PrescriptionView:
        """Take a prescription to review; a colleague who comes later is told who has it.

        Raises:
            Conflict: a colleague has it, or was done with it; the sentence names them. IllegalMove: it is not to be
                reviewed any more.
        """
        async with self._database.transaction() as session:
            row = await self._reviewed(session, actor, prescription_id, Step.APPROVE)
            await self._record(session, actor, Action.PRESCRIPTION_REVIEW, row)
            return await self._view(session, row)

    async def approve(self, actor: Actor, prescription_id: str) -> PrescriptionView:
        """Approve a prescription as a pharmacist, and sign that; from now on it exists for the patient.

        Raises:
            Conflict, IllegalMove: as `take`. BrokenDocument: a byte of it is not as it was signed.
            FindingsLeft: by what is known now, something forbids it or asks for a reason that is not there.
            CannotSign: the pharmacist's certificate does not hold.
        """
        async with self._database.transaction() as session:
            row = await self._reviewed(session, actor, prescription_id, Step.APPROVE)
            version = await self._signed_version(session, row)
            if not (await self._signing.verify(version.document.encode(), version.signature)).holds:
                raise BrokenDocument
            await self._require_answered(session, row, "不能通过。请退回给医生")
            await self._countersign(session, actor, row, version)
            row.state, row.reviewer_id = after(row.state, Step.APPROVE), practitioner_of(actor)
            await self._give_code(session, row)
            session.add(PrescriptionPaper(prescription_id=row.id, due_at=self._clock.now()))
            if row.valid_until is None:
                raise ValueError("an approved prescription ends")
            await self._timers.set(session, EXPIRY_TIMER, row.id, row.valid_until, prescription_id=row.id)
            await self._record(session, actor, "prescription.approve", row)
            await self._consultations.note(actor, row.consultation_id, "prescription", "审核通过了处方，患者可以取药")
            await self._publish(session, "prescription.approved", row, reviewer_id=row.reviewer_id)
            return await self._view(session, row)

    async def _give_code(self, session: AsyncSession, row: Prescription) -> None:
        """Give a prescription the code of its paper; another one where its eight digits are somebody else's."""
        taken: str | None = row.id
        while taken is not None:
            row.code = secrets.token_urlsafe(_CODE_BYTES)
            row.code_index = key_ring().blind_index(row.code, "prescriptions.code")
            row.pickup_index = pickup_index(pickup_number(row.code))
            with session.no_autoflush:
                taken = await session.scalar(
                    select(Prescription.id).where(Prescription.pickup_index == row.pickup_index)
                )

    async def give_back(self, actor: Actor, prescription_id: str, reason: str) -> PrescriptionView:
        """Return a prescription to its doctor as a pharmacist; the signed version is kept, the draft goes on.

        Raises:
            InvalidInput: no reason. Conflict, IllegalMove: as `take`.
        """
        said = require_text(reason, "退回原因", longest=300)
        async with self._database.transaction() as session:
            row = await self._reviewed(session, actor, prescription_id, Step.RETURN)
            version = await self._signed_version(session, row)
            version.returned_by, version.returned_at = practitioner_of(actor), self._clock.now()
            version.return_reason = row.return_reason = said
            row.state = after(row.state, Step.RETURN)
            row.reviewer_id = row.taken_by
            row.taken_by = row.taken_at = row.signed_at = None
            row.revision += 1
            await self._record(session, actor, "prescription.return", row)
            await self._consultations.note(actor, row.consultation_id, "prescription", "退回了处方，请医生修改")
            await self._publish(session, "prescription.returned", row, reviewer_id=row.reviewer_id)
            return await self._view(session, row)

    async def revoke(self, actor: Actor, prescription_id: str, reason: str) -> PrescriptionView:
        """Revoke a prescription as its doctor, before anything was handed out. Revoked twice is revoked once.

        Raises:
            IllegalMove: it was dispensed, has expired, or is not signed. InvalidInput: no reason.
        """
        said = require_text(reason, "作废原因", longest=300)
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_REVOKE, lock=True)
            if row.state is State.REVOKED:
                return await self._view(session, row)
            row.state = after(row.state, Step.REVOKE)
            row.revoked_at, row.revocation_reason = self._clock.now(), said
            await self._timers.cancel(session, EXPIRY_TIMER, row.id)
            await self._record(session, actor, Action.PRESCRIPTION_REVOKE, row)
            await self._consultations.note(actor, row.consultation_id, "prescription", "作废了处方")
            await self._publish(
                session,
                "prescription.revoked",
                row,
                approved=row.approved_at is not None,
                review_institution_id=row.review_institution_id,
            )
            return await self._view(session, row)

    async def _on_expiry(self, payload: Mapping[str, Any]) -> None:
        """End a prescription whose time is up and of which nothing was handed out."""
        async with self._database.transaction() as session:
            row = await session.get_one(Prescription, payload["prescription_id"], with_for_update=True)
            if row.state is not State.VALID:
                return
            row.state = after(row.state, Step.EXPIRE)
            await self._record(session, SYSTEM, "prescription.expire", row)
            await self._publish(session, "prescription.expired", row)

    async def _require_answered(self, session: AsyncSession, row: Prescription, what: str) -> None:
        view = await self._view(session, row)
        left = (*view.stops, *view.unanswered)
        if left:
            said = "\n".join(one.sentence for one in left)
            rules = [f"{one.rule}:{one.subject}" for one in left]
            raise FindingsLeft(f"还有没处理的用药提醒，{what}：\n{said}", rules=rules)

    async def _freeze(
        self, session: AsyncSession, actor: Actor, row: Prescription, findings: tuple[Finding, ...]
    ) -> None:
        now = self._clock.now().replace(microsecond=0)
        prescriber = await self._people.practitioner(practitioner_of(actor))
        case = await self._consultations.get(SYSTEM, row.consultation_id)
        matter = Matter(
            id=row.id,
            number=row.number,
            version=row.version + 1,
            consultation_number=case.number,
            institution=prescriber.institution_name,
            patient=await self._people.person(SYSTEM, row.patient_id),
            background=await self._background(row),
            prescriber=prescriber,
            order=order_of(row),
            diagnoses=named(row.diagnoses),
            overrides=overrides_of(row.overrides),
            findings=findings,
            urgent=case.urgency in _URGENT,
            valid_days=self.valid_days,
            issued_at=now,
        )
        document = canonical_json(document_of(matter, self.formulary))
        signed = await self._signing.sign(actor, document)
        row.version += 1
        row.signed_at = now
        row.review_institution_id = await self._reviewing(prescriber, case.institution_id)
        session.add(
            SignedVersion(
                id=new_id(),
                prescription_id=row.id,
                version=row.version,
                document=document.decode(),
                signature=signed.cms,
                overridden=len(row.overrides),
                signed_at=now,
                return_reason="",
            )
        )
        await session.flush()

    async def _countersign(
        self, session: AsyncSession, actor: Actor, row: Prescription, version: SignedVersion
    ) -> None:
        now = self._clock.now().replace(microsecond=0)
        document = version.document.encode()
        pharmacist = await self._people.practitioner(practitioner_of(actor))
        valid_until = _end_of(loads(version.document))
        if valid_until <= now:
            raise IllegalMove("这张处方等得太久，已经过了有效期，不能通过。请退回给医生重新签名。")
        approval = canonical_json(approval_of(document, version.signature, pharmacist, now, valid_until))
        signed = await self._signing.sign(actor, approval)
        version.approval, version.countersignature = approval.decode(), signed.cms
        row.approved_at, row.valid_until = now, valid_until

    async def _reviewed(self, session: AsyncSession, actor: Actor, prescription_id: str, step: Step) -> Prescription:
        """Give a prescription that waits, taken by the actor: whoever else has it, or was first, is named."""
        row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_REVIEW, lock=True)
        mine, now = practitioner_of(actor), self._clock.now()
        if row.state is State.DRAFT:
            raise IllegalMove("这张处方已经退回给医生，正在修改。")
        if row.reviewer_id is not None and row.approved_at is not None:
            first = await self._people.practitioner(row.reviewer_id)
            raise Conflict("您已经审核通过了。" if first.id == mine else f"{first.name}药师刚才已经审核通过了。")
        after(row.state, step)
        taken = row.taken_by if row.taken_at is not None and row.taken_at + TAKEN_FOR > now else None
        if taken is not None and taken != mine:
            first = await self._people.practitioner(taken)
            raise Conflict(f"{first.name}药师正在审这张处方。")
        row.taken_by, row.taken_at = mine, now
        return row

    async def _signed_version(self, session: AsyncSession, row: Prescription) -> SignedVersion:
        version = await self._version(session, row)
        if version is None:
            raise ValueError("what waits for review was signed")
        return version

    async def _reviewing(self, prescriber: PractitionerView, case_institution_id: str) -> str:
        """Give the institution whose pharmacists review: the prescriber's, else the case's where the prescriber's has
        none who has joined, else one that has (医疗机构处方审核规范 第6条 lets a region share its pharmacists)."""
        joined = await self._people.practitioners(role=Role.PHARMACIST, joined_only=True, limit=100)
        places = {one.institution_id for one in joined}
        wanted = (prescriber.institution_id, case_institution_id, *(one.institution_id for one in joined))
        return next((one for one in wanted if one in places), prescriber.institution_id)

    async def _queued(self, row: Prescription) -> QueueItem:
        patient = await self._people.person(SYSTEM, row.patient_id)
        prescriber = await self._people.practitioner(row.prescriber_id)
        held = row.taken_by is not None and row.taken_at is not None and row.taken_at + TAKEN_FOR > self._clock.now()
        taken = await self._people.practitioner(row.taken_by) if held and row.taken_by else None
        return QueueItem(
            id=row.id,
            number=row.number,
            patient_name=patient.name,
            prescriber_name=prescriber.name,
            medicines=len(row.lines),
            signed_at=row.signed_at or row.updated_at,
            taken_by=taken.id if taken else None,
            taken_by_name=taken.name if taken else "",
        )


def _require_whole(row: Prescription) -> None:
    if not row.lines:
        raise InvalidInput("处方里还没有药，不能签名。", field="lines")
    if not row.diagnoses:
        raise InvalidInput("还没有写诊断，不能签名。请先写上诊断。", field="diagnoses")


def _end_of(document: Mapping[str, Any]) -> datetime:
    """Give when a prescription ends: the day of issue is the first of its days (处方管理办法 第18条)."""
    issued = local(read_moment(document["issued_at"]))
    midnight = issued.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=document["valid_days"])).astimezone(UTC)
