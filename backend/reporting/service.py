"""The use cases of reporting: a draft is written, signed, amended; a critical value is told and confirmed."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import CaseReference, ConsultationService
from backend.consultation.rules import require_text
from backend.db import Database, key_ring
from backend.errors import Conflict, DomainError, IllegalMove, InvalidInput, NotFound
from backend.events import EventBus
from backend.ids import new_id
from backend.imaging import ImagingService, StudyState, StudyView
from backend.people import PeopleService
from backend.people.rules import masked
from backend.reporting.rules import (
    MOST_REMINDERS,
    REMIND_AFTER,
    SLIP_SENTENCES,
    ReportState,
    Slip,
    blank_in,
    canonical,
    slips_in,
)
from backend.reporting.tables import CriticalValue, Report
from backend.reporting.views import CriticalView, ReportView, Verification
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, allowed, require
from backend.timers import Timers

REMIND_TIMER = "report.critical_unanswered"

_FIELDS = {"examination": ("检查名称", 200), "findings": ("检查所见", 10_000), "impression": ("印象", 5000)}
_NO_SUCH_REPORT = "没有找到这份报告。"
_NO_SUCH_CODE = "没有查到这份报告，请核对纸上的二维码。"
_CHANGED_MEANWHILE = "这份报告刚在别的地方改过，请重新打开再改。"
_CRITICAL_TOLD = "有要紧的情况，已通知医生马上处理"
_CRITICAL_CONFIRMED = "收到专家的紧急通知，马上处理"
_CODE_BYTES = 16


class SlipsFound(DomainError):
    """A report may hold slips of the pen; it is signed when its author says that they are meant."""

    code = "report_slips"
    sentence = "报告里可能有笔误，请再看一遍。"


class ReportService:
    """All use cases of reporting.

    A draft is its author's: the expert of the consultation. Signed versions are read by all who take part in the care.

    Raises (besides what each method names):
        NotFound: no such study, report or critical value. Forbidden: the policy refuses.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        imaging: ImagingService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._imaging = imaging
        timers.on(REMIND_TIMER, self._on_unanswered)

    async def draft(self, actor: Actor, consultation_id: str, study_uid: str) -> ReportView:
        """Give the draft of a study's report to its expert, a fresh one where nothing was written yet.

        Raises:
            IllegalMove: the report is signed; it is amended instead.
        """
        async with self._database.transaction() as session:
            study, reference = await self._linked(session, actor, consultation_id, study_uid, Action.REPORT_WRITE)
            latest = await self._latest(session, study.id)
            if latest is not None and latest.state is not ReportState.DRAFT:
                raise IllegalMove("这份报告已经签发。要改，请先写明原因，再出新的版本。")
            if latest is None:
                latest = await self._new_draft(session, actor, study, reference)
            return _view(latest)

    async def write(
        self,
        actor: Actor,
        report_id: str,
        *,
        revision: int | None = None,
        examination: str | None = None,
        findings: str | None = None,
        impression: str | None = None,
    ) -> ReportView:
        """Change what is given of a draft, and leave the rest; empty texts are allowed until it is signed.

        Args:
            revision: the one that the writer saw; None where they add to whatever is there.

        Raises:
            Conflict: the draft has changed meanwhile. IllegalMove: it is signed. InvalidInput: a text is too long.
        """
        given = {"examination": examination, "findings": findings, "impression": impression}
        changes = {
            field: require_text(text, _FIELDS[field][0], longest=_FIELDS[field][1], required=False)
            for field, text in given.items()
            if text is not None
        }
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, report_id, revision)
            for field, text in changes.items():
                setattr(row, field, text)
            row.revision += 1
            row.author_id, row.updated_at = _practitioner_of(actor), self._clock.now()
            return _view(row)

    async def slips(self, actor: Actor, report_id: str) -> list[Slip]:
        """Give what may be a slip of the pen in a draft."""
        async with self._database.transaction() as session:
            return await self._slips(await self._draft(session, actor, report_id, None))

    async def sign(
        self, actor: Actor, report_id: str, *, revision: int, confirmed: Collection[Slip] = ()
    ) -> ReportView:
        """Sign a draft as its expert: it is frozen, and everybody concerned hears of it. Signed twice is signed once.

        Args:
            revision: the one that the expert has read.
            confirmed: what may be a slip and is meant.

        Raises:
            Conflict: it changed after it was read. InvalidInput: findings, impression or the examination are empty, or
                hold a place of a template that is not filled in.
            SlipsFound: something else may be a slip; its details hold the codes.
        """
        async with self._database.transaction() as session:
            row = await self._report(session, actor, report_id, Action.REPORT_WRITE, lock=True)
            if row.state is not ReportState.DRAFT:
                return _view(row)
            _check_revision(row, revision)
            _require_whole(row)
            slips = [slip for slip in await self._slips(row) if slip not in confirmed]
            if slips:
                raise SlipsFound("".join(SLIP_SENTENCES[slip] for slip in slips), slips=[str(slip) for slip in slips])
            await self._freeze(session, actor, row)
            return _view(row)

    async def amend(self, actor: Actor, report_id: str, reason: str) -> ReportView:
        """Begin a new version of a signed report with what it says now; the old one stands until the new is signed.

        Args:
            reason: why, printed on the new version.

        Raises:
            IllegalMove: it is no signed report any more, or was not yet. InvalidInput: no reason.
        """
        said = require_text(reason, "修改原因", longest=500)
        async with self._database.transaction() as session:
            row = await self._report(session, actor, report_id, Action.REPORT_WRITE, lock=True)
            latest = await self._latest(session, row.study_id)
            if latest is not None and latest.state is ReportState.DRAFT and latest.id != row.id:
                latest.amendment_reason = said
                return _view(latest)
            if row.state is not ReportState.SIGNED:
                raise IllegalMove("只有已经签发的最新一版报告才能修改。")
            fresh = _copy_for_amendment(row, said, _practitioner_of(actor))
            fresh.created_at = fresh.updated_at = self._clock.now()
            session.add(fresh)
            await self._record(session, actor, "report.amend", fresh)
            return _view(fresh)

    async def discard(self, actor: Actor, report_id: str) -> None:
        """Throw a draft away.

        Raises:
            IllegalMove: it is signed.
        """
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, report_id, None)
            await self._record(session, actor, "report.discard", row)
            await session.delete(row)

    async def may_write(self, actor: Actor, consultation_id: str) -> bool:
        """Tell whether the actor writes the reports of a consultation; who may not even read them is refused."""
        reference = await self._reference(consultation_id)
        _require(actor, Action.REPORT_READ, reference)
        return _allowed(actor, Action.REPORT_WRITE, reference)

    async def signed(self, actor: Actor, consultation_id: str) -> int:
        """Give how many studies of a consultation have a signed report."""
        _require(actor, Action.REPORT_READ, await self._reference(consultation_id))
        async with self._database.reading() as session:
            return (
                await session.scalar(
                    select(func.count(Report.id)).where(
                        Report.consultation_id == consultation_id, Report.state == ReportState.SIGNED
                    )
                )
                or 0
            )

    async def report(self, actor: Actor, report_id: str) -> ReportView:
        """Give one version; the read is audited."""
        async with self._database.transaction() as session:
            row = await self._report(session, actor, report_id, Action.REPORT_READ)
            await self._record(session, actor, Action.REPORT_READ, row)
            return _view(row)

    async def reports_of(self, actor: Actor, consultation_id: str) -> list[ReportView]:
        """Give the reports of a consultation, all signed versions and the expert's own drafts, in order; the read is
        audited."""
        reference = await self._reference(consultation_id)
        _require(actor, Action.REPORT_READ, reference)
        async with self._database.transaction() as session:
            query = select(Report).where(Report.consultation_id == consultation_id)
            rows = (await session.scalars(query.order_by(Report.number, Report.version))).all()
            if not _allowed(actor, Action.REPORT_WRITE, reference):
                rows = [row for row in rows if row.state is not ReportState.DRAFT]
            subject = f"consultation:{consultation_id}"
            await self._audit.record(
                session, actor, Action.REPORT_READ, patient_id=reference.patient_id, subject=subject
            )
            return [_view(row) for row in rows]

    async def verify(self, code: str) -> Verification:
        """Give what a paper with this code should say. Whoever holds the paper may ask; each look is audited.

        Raises:
            NotFound: no report has this code.
        """
        index = key_ring().blind_index(code, "reports.code")
        async with self._database.transaction() as session:
            row = await session.scalar(select(Report).where(Report.code_index == index))
            if row is None or row.signed_at is None:
                raise NotFound(_NO_SUCH_CODE)
            latest = await session.scalar(
                select(func.max(Report.version)).where(
                    Report.study_id == row.study_id, Report.state != ReportState.DRAFT
                )
            )
            await self._record(session, SYSTEM, "report.verify", row)
            author = await self._people.practitioner(row.author_id)
            patient = await self._people.person(SYSTEM, row.patient_id)
            return Verification(
                number=row.number,
                version=row.version,
                latest=latest or row.version,
                genuine=secrets.compare_digest(row.seal or "", _seal(row)),
                patient_name=masked(patient.name),
                examination=row.examination,
                impression=row.impression,
                author_name=author.name,
                institution_name=author.institution_name,
                signed_at=row.signed_at,
            )

    async def mark_critical(self, actor: Actor, consultation_id: str, study_uid: str, text: str) -> CriticalView:
        """Tell, as the expert, of something that cannot wait; the doctor hears it at once, and until it is confirmed.

        Args:
            text: what was seen, at most 500 characters.
        """
        said = require_text(text, "危急值", longest=500)
        async with self._database.transaction() as session:
            study, reference = await self._linked(session, actor, consultation_id, study_uid, Action.REPORT_WRITE)
            now = self._clock.now()
            row = CriticalValue(
                id=new_id(),
                study_id=study.id,
                consultation_id=reference.id,
                text=said,
                marked_by=_practitioner_of(actor),
                marked_at=now,
                reminders=0,
            )
            session.add(row)
            await self._consultations.note(actor, reference.id, "critical_value", _CRITICAL_TOLD)
            await self._timers.set(session, REMIND_TIMER, row.id, now + REMIND_AFTER, critical_id=row.id)
            await self._record_critical(session, actor, "report.mark_critical", row, reference)
            await self._events.publish(session, "report.critical_marked", **_critical_news(row, reference))
            return _critical_view(row)

    async def confirm_critical(self, actor: Actor, critical_id: str) -> CriticalView:
        """Confirm receipt of a critical value, as a doctor of the case or a colleague there; the first one counts."""
        async with self._database.transaction() as session:
            row = await session.get(CriticalValue, critical_id, with_for_update=True)
            if row is None:
                raise NotFound
            reference = await self._reference(row.consultation_id)
            _require(actor, Action.REPORT_CONFIRM_CRITICAL, reference)
            if row.confirmed_by is None:
                row.confirmed_by, row.confirmed_at = _practitioner_of(actor), self._clock.now()
                await self._timers.cancel(session, REMIND_TIMER, row.id)
                await self._consultations.note(actor, reference.id, "critical_value", _CRITICAL_CONFIRMED)
                await self._record_critical(session, actor, Action.REPORT_CONFIRM_CRITICAL, row, reference)
                await self._events.publish(session, "report.critical_confirmed", **_critical_news(row, reference))
            return _critical_view(row)

    async def critical_values(self, actor: Actor, consultation_id: str) -> list[CriticalView]:
        """Give the critical values of a consultation to those who treat, the oldest first; the read is audited."""
        reference = await self._reference(consultation_id)
        _require(actor, Action.REPORT_READ_CRITICAL, reference)
        async with self._database.transaction() as session:
            query = select(CriticalValue).where(CriticalValue.consultation_id == consultation_id)
            rows = (await session.scalars(query.order_by(CriticalValue.id))).all()
            subject = f"consultation:{consultation_id}"
            await self._audit.record(
                session, actor, Action.REPORT_READ_CRITICAL, patient_id=reference.patient_id, subject=subject
            )
            return [_critical_view(row) for row in rows]

    async def _on_unanswered(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(CriticalValue, payload["critical_id"], with_for_update=True)
            if row.confirmed_by is not None:
                return
            row.reminders += 1
            if row.reminders < MOST_REMINDERS:
                due_at = self._clock.now() + REMIND_AFTER
                await self._timers.set(session, REMIND_TIMER, row.id, due_at, critical_id=row.id)
            reference = await self._reference(row.consultation_id)
            await self._events.publish(session, "report.critical_unanswered", **_critical_news(row, reference))

    async def _record_critical(
        self, session: AsyncSession, actor: Actor, action: str, row: CriticalValue, reference: CaseReference
    ) -> None:
        subject = f"critical_value:{row.id}"
        await self._audit.record(session, actor, action, patient_id=reference.patient_id, subject=subject)

    async def _linked(
        self, session: AsyncSession, actor: Actor, consultation_id: str, study_uid: str, action: Action
    ) -> tuple[StudyView, CaseReference]:
        reference = await self._reference(consultation_id)
        _require(actor, action, reference)
        study = await self._imaging.study(actor, study_uid, consultation_id)
        if study.state is not StudyState.LINKED:
            raise NotFound
        return study, reference

    async def _reference(self, consultation_id: str) -> CaseReference:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        return reference

    async def _report(
        self, session: AsyncSession, actor: Actor, report_id: str, action: Action, lock: bool = False
    ) -> Report:
        row = await session.get(Report, report_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(_NO_SUCH_REPORT)
        reference = await self._reference(row.consultation_id)
        _require(actor, action, reference)
        if row.state is ReportState.DRAFT and not _allowed(actor, Action.REPORT_WRITE, reference):
            raise NotFound(_NO_SUCH_REPORT)
        return row

    async def _draft(self, session: AsyncSession, actor: Actor, report_id: str, revision: int | None) -> Report:
        row = await self._report(session, actor, report_id, Action.REPORT_WRITE, lock=True)
        if row.state is not ReportState.DRAFT:
            raise IllegalMove("这份报告已经签发，不能再改。")
        _check_revision(row, revision)
        return row

    async def _latest(self, session: AsyncSession, study_id: str) -> Report | None:
        query = select(Report).where(Report.study_id == study_id).order_by(Report.version.desc()).limit(1)
        latest: Report | None = await session.scalar(query)
        return latest

    async def _new_draft(
        self, session: AsyncSession, actor: Actor, study: StudyView, reference: CaseReference
    ) -> Report:
        counted = select(func.count(Report.study_id.distinct())).where(Report.consultation_id == reference.id)
        ordinal = (await session.scalar(counted) or 0) + 1
        now = self._clock.now()
        row = Report(
            id=new_id(),
            number=f"{reference.number}-{ordinal:02}",
            version=1,
            study_id=study.id,
            study_uid=study.study_uid,
            consultation_id=reference.id,
            patient_id=reference.patient_id,
            author_id=_practitioner_of(actor),
            state=ReportState.DRAFT,
            revision=0,
            examination=study.description,
            findings="",
            impression="",
            amendment_reason="",
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        await self._record(session, actor, Action.REPORT_WRITE, row)
        return row

    async def _slips(self, row: Report) -> list[Slip]:
        patient = await self._people.person(SYSTEM, row.patient_id)
        return slips_in(row.findings, row.impression, patient.sex)

    async def _freeze(self, session: AsyncSession, actor: Actor, row: Report) -> None:
        row.state, row.signed_at = ReportState.SIGNED, self._clock.now()
        row.author_id = _practitioner_of(actor)
        row.code = secrets.token_urlsafe(_CODE_BYTES)
        row.code_index = key_ring().blind_index(row.code, "reports.code")
        row.seal = _seal(row)
        query = select(Report).where(Report.study_id == row.study_id, Report.state == ReportState.SIGNED)
        for older in await session.scalars(query):
            if older.id != row.id:
                older.state = ReportState.SUPERSEDED
        await self._record(session, actor, "report.sign", row)
        signed = "签发了影像检查报告" if row.version == 1 else f"改过影像检查报告，签发了第{row.version}版"
        await self._consultations.note(actor, row.consultation_id, "report", signed)
        reference = await self._reference(row.consultation_id)
        await self._events.publish(
            session, "report.signed", report_id=row.id, version=row.version, **_concerned(reference)
        )

    async def _record(self, session: AsyncSession, actor: Actor, action: str, row: Report) -> None:
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=f"report:{row.id}")


def _concerned(reference: CaseReference) -> dict[str, Any]:
    return {
        "consultation_id": reference.id,
        "patient_id": reference.patient_id,
        "doctor_id": reference.doctor_id,
        "expert_id": reference.expert_id,
    }


def _critical_news(row: CriticalValue, reference: CaseReference) -> dict[str, Any]:
    return {"critical_id": row.id, "reminders": row.reminders, **_concerned(reference)}


def _practitioner_of(actor: Actor) -> str:
    if actor.practitioner_id is None:
        raise ValueError("nobody but practitioners writes or confirms")  # the policy has seen that it is one
    return actor.practitioner_id


def _allowed(actor: Actor, action: Action, reference: CaseReference) -> bool:
    return allowed(actor, action, **_relations(actor, action, reference))


def _require(actor: Actor, action: Action, reference: CaseReference) -> None:
    require(actor, action, **_relations(actor, action, reference))


def _relations(actor: Actor, action: Action, reference: CaseReference) -> dict[str, Any]:
    # Writing is the expert's alone, also where the doctor of the case is somebody's expert elsewhere.
    writers = tuple(filter(None, (reference.expert_id,)))
    return {
        "patient_id": reference.patient_id,
        "participants": writers if action is Action.REPORT_WRITE else reference.participants,
        "institution_id": reference.institution_id,
    }


def _require_whole(row: Report) -> None:
    for field, (name, longest) in _FIELDS.items():
        blank = blank_in(require_text(getattr(row, field), name, longest=longest))
        if blank:
            raise InvalidInput(f"{name}里还有没填的地方：“{blank}”。请填好或者删掉，再签发。", field=field)


def _check_revision(row: Report, revision: int | None) -> None:
    if revision is not None and revision != row.revision:
        raise Conflict(_CHANGED_MEANWHILE, revision=row.revision)


def _seal(row: Report) -> str:
    """Give the keyed digest of what signing freezes: who has the database alone cannot make one."""
    frozen = {
        "id": row.id,
        "number": row.number,
        "version": row.version,
        "study_uid": row.study_uid,
        "consultation_id": row.consultation_id,
        "patient_id": row.patient_id,
        "author_id": row.author_id,
        "examination": row.examination,
        "findings": row.findings,
        "impression": row.impression,
        "amendment_reason": row.amendment_reason,
        "signed_at": row.signed_at.isoformat() if row.signed_at else "",
        "code": row.code,
    }
    return key_ring().blind_index(canonical(frozen), "reports.seal")


def _copy_for_amendment(row: Report, reason: str, author_id: str) -> Report:
    return Report(
        id=new_id(),
        number=row.number,
        version=row.version + 1,
        study_id=row.study_id,
        study_uid=row.study_uid,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        author_id=author_id,
        state=ReportState.DRAFT,
        revision=0,
        examination=row.examination,
        findings=row.findings,
        impression=row.impression,
        amendment_reason=reason,
    )


def _view(row: Report) -> ReportView:
    return ReportView(
        id=row.id,
        number=row.number,
        version=row.version,
        state=row.state,
        revision=row.revision,
        study_id=row.study_id,
        study_uid=row.study_uid,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        author_id=row.author_id,
        examination=row.examination,
        findings=row.findings,
        impression=row.impression,
        amendment_reason=row.amendment_reason,
        updated_at=row.updated_at,
        signed_at=row.signed_at,
        code=row.code,
    )


def _critical_view(row: CriticalValue) -> CriticalView:
    return CriticalView(
        id=row.id,
        study_id=row.study_id,
        consultation_id=row.consultation_id,
        text=row.text,
        marked_by=row.marked_by,
        marked_at=row.marked_at,
        reminders=row.reminders,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
