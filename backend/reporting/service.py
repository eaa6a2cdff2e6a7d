"""The use cases of reports: a draft is written, signed, amended."""

import secrets
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.rules import require_text
from backend.db import key_ring
from backend.errors import Conflict, DomainError, IllegalMove, InvalidInput, NotFound
from backend.ids import new_id
from backend.imaging import StudyView
from backend.people import masked_name
from backend.reporting.desk import ReportingDesk, allowed_of, concerned, practitioner_of, require_of
from backend.reporting.rules import SLIP_SENTENCES, ReportState, Slip, blank_in, slips_in
from backend.reporting.tables import Report
from backend.reporting.versions import copy_for_amendment, seal_of, view_of
from backend.reporting.views import ReportView, Verification
from backend.security.policy import SYSTEM, Action, Actor

_FIELDS = {"examination": ("检查名称", 200), "findings": ("检查所见", 10_000), "impression": ("印象", 5000)}
_NO_SUCH_REPORT = "没有找到这份报告。"
_NO_SUCH_CODE = "没有查到这份报告，请核对纸上的二维码。"
_CHANGED_MEANWHILE = "这份报告刚在别的地方改过，请重新打开再改。"
_CODE_BYTES = 16


class SlipsFound(DomainError):
    """A report may hold slips of the pen; it is signed when its author says that they are meant."""

    code = "report_slips"
    sentence = "报告里可能有笔误，请再看一遍。"


class ReportService(ReportingDesk):
    """All use cases of reports.

    A draft is its author's: the expert of the consultation. Signed versions are read by all who take part in the care.

    Raises (besides what each method names):
        NotFound: no such study or report. Forbidden: the policy refuses.
    """

    async def draft(self, actor: Actor, consultation_id: str, study_uid: str) -> ReportView:
        """Give the draft of a study's report to its expert, a fresh one where nothing was written yet.

        Raises:
            IllegalMove: the report is signed; it is amended instead.
        """
        async with self._database.transaction() as session:
            study, reference = await self._linked(actor, consultation_id, study_uid, Action.REPORT_WRITE)
            latest = await self._latest(session, study.id)
            if latest is not None and latest.state is not ReportState.DRAFT:
                raise IllegalMove("这份报告已经签发。要改，请先写明原因，再出新的版本。")
            if latest is None:
                latest = await self._new_draft(session, actor, study, reference)
            return view_of(latest)

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
            row.author_id, row.updated_at = practitioner_of(actor), self._clock.now()
            return view_of(row)

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
                return view_of(row)
            _check_revision(row, revision)
            _require_whole(row)
            slips = [slip for slip in await self._slips(row) if slip not in confirmed]
            if slips:
                raise SlipsFound("".join(SLIP_SENTENCES[slip] for slip in slips), slips=[str(slip) for slip in slips])
            await self._freeze(session, actor, row)
            return view_of(row)

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
                return view_of(latest)
            if row.state is not ReportState.SIGNED:
                raise IllegalMove("只有已经签发的最新一版报告才能修改。")
            fresh = copy_for_amendment(row, said, practitioner_of(actor))
            fresh.created_at = fresh.updated_at = self._clock.now()
            session.add(fresh)
            await self._record(session, actor, "report.amend", fresh)
            return view_of(fresh)

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
        require_of(actor, Action.REPORT_READ, reference)
        return allowed_of(actor, Action.REPORT_WRITE, reference)

    async def signed(self, actor: Actor, consultation_id: str) -> int:
        """Give how many studies of a consultation have a signed report."""
        require_of(actor, Action.REPORT_READ, await self._reference(consultation_id))
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
            return view_of(row)

    async def reports_of(self, actor: Actor, consultation_id: str) -> list[ReportView]:
        """Give the reports of a consultation, all signed versions and the expert's own drafts, in order; the read is
        audited."""
        reference = await self._reference(consultation_id)
        require_of(actor, Action.REPORT_READ, reference)
        async with self._database.transaction() as session:
            query = select(Report).where(Report.consultation_id == consultation_id)
            rows = (await session.scalars(query.order_by(Report.number, Report.version))).all()
            if not allowed_of(actor, Action.REPORT_WRITE, reference):
                rows = [row for row in rows if row.state is not ReportState.DRAFT]
            subject = f"consultation:{consultation_id}"
            await self._audit.record(
                session, actor, Action.REPORT_READ, patient_id=reference.patient_id, subject=subject
            )
            return [view_of(row) for row in rows]

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
                genuine=secrets.compare_digest(row.seal or "", seal_of(row)),
                patient_name=masked_name(patient.name),
                examination=row.examination,
                impression=row.impression,
                author_name=author.name,
                institution_name=author.institution_name,
                signed_at=row.signed_at,
            )

    async def _report(
        self, session: AsyncSession, actor: Actor, report_id: str, action: Action, lock: bool = False
    ) -> Report:
        row = await session.get(Report, report_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(_NO_SUCH_REPORT)
        reference = await self._reference(row.consultation_id)
        require_of(actor, action, reference)
        if row.state is ReportState.DRAFT and not allowed_of(actor, Action.REPORT_WRITE, reference):
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
            author_id=practitioner_of(actor),
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
        row.author_id = practitioner_of(actor)
        row.code = secrets.token_urlsafe(_CODE_BYTES)
        row.code_index = key_ring().blind_index(row.code, "reports.code")
        row.seal = seal_of(row)
        query = select(Report).where(Report.study_id == row.study_id, Report.state == ReportState.SIGNED)
        for older in await session.scalars(query):
            if older.id != row.id:
                older.state = ReportState.SUPERSEDED
        await self._record(session, actor, "report.sign", row)
        signed = "签发了影像检查报告" if row.version == 1 else f"改过影像检查报告，签发了第{row.version}版"
        await self._consultations.note(actor, row.consultation_id, "report", signed)
        reference = await self._reference(row.consultation_id)
        await self._events.publish(
            session, "report.signed", report_id=row.id, version=row.version, **concerned(reference)
        )

    async def _record(self, session: AsyncSession, actor: Actor, action: str, row: Report) -> None:
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=f"report:{row.id}")


def _require_whole(row: Report) -> None:
    for field, (name, longest) in _FIELDS.items():
        blank = blank_in(require_text(getattr(row, field), name, longest=longest))
        if blank:
            raise InvalidInput(f"{name}里还有没填的地方：“{blank}”。请填好或者删掉，再签发。", field=field)


def _check_revision(row: Report, revision: int | None) -> None:
    if revision is not None and revision != row.revision:
        raise Conflict(_CHANGED_MEANWHILE, revision=row.revision)
