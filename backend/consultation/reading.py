"""Looking at consultations: one with all its content, lists without, the timeline, and files."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.consultation.desk import CaseDesk, own_people, role_in, speaker
from backend.consultation.icd10 import disease_name
from backend.consultation.rules import Status, Step, require_text
from backend.consultation.tables import (
    Attachment,
    Consultation,
    MessageRow,
    Opinion,
    Rating,
    Supplement,
    TimelineRow,
)
from backend.consultation.views import (
    AttachmentView,
    ConsultationSummary,
    ConsultationView,
    OpinionView,
    RatingView,
    TimelineEntry,
)
from backend.consultation.vitals import describe_vitals
from backend.errors import Conflict, NotFound
from backend.ids import new_id
from backend.people import masked_name
from backend.security.policy import Action, Actor, Role, allowed, require
from data.departments import departments

_LONGEST_LIST = 50
_DEEPEST_OFFSET = 5000
_LONGEST_TIMELINE = 500
_MOST_ATTACHMENTS = 50


class Reading(CaseDesk):
    """Reads of consultations; each read of what is clinical is in the audit log."""

    async def get(self, actor: Actor, consultation_id: str) -> ConsultationView:
        """Give a consultation; what is clinical only to those who take part in the care.

        A patient sees no suspected disease, and the opinion once the consultation has ended.

        Raises:
            NotFound: there is none. Forbidden: it is none of the actor's business.
        """
        async with self._database.transaction() as session:
            case = await self._case(session, consultation_id)
            return await self._view(session, actor, case)

    async def list_for(
        self,
        actor: Actor,
        *,
        status: Status | None = None,
        role: Role | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[ConsultationSummary]:
        """Give the actor's consultations (an administrator's: all), the latest first.

        Args:
            status: only those that stand there.
            role: only those in which the actor is the patient, the doctor or the expert.
            limit: at most so many, 1 to 50.
        """
        require(actor, Action.CONSULTATION_LIST, patient_id=actor.person_id, participants=[actor.person_id])
        limit = min(max(limit, 1), _LONGEST_LIST)
        offset = min(max(offset, 0), _DEEPEST_OFFSET)
        async with self._database.reading() as session:
            found: dict[str, Consultation] = {}
            for query in list_queries(actor, status, role):
                rows = await session.scalars(query.limit(offset + limit))
                found.update((row.id, row) for row in rows)
        page = sorted(found.values(), key=lambda row: (row.opened_at, row.id), reverse=True)[offset : offset + limit]
        return await self._summaries(actor, page)

    async def timeline(self, actor: Actor, consultation_id: str) -> list[TimelineEntry]:
        """Give what happened, in order: each line with its time and who did it."""
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_VIEW)
            rows = (
                await session.scalars(
                    select(TimelineRow)
                    .where(TimelineRow.consultation_id == case.id)
                    .order_by(TimelineRow.id)
                    .limit(_LONGEST_TIMELINE)
                )
            ).all()
        names = await self._people.names({row.actor_id for row in rows})
        return [
            TimelineEntry(row.at, speaker(row.actor_role, names.get(row.actor_id, "")), row.kind, row.text)
            for row in rows
        ]

    async def attach(self, actor: Actor, consultation_id: str, file_id: str, note: str = "") -> AttachmentView:
        """Add a file that the actor has sent; the same file twice is one attachment.

        Raises:
            NotFound: no such file, or it is somebody else's.
            Conflict: there are 50 attachments already.
        """
        checked = require_text(note, "说明", longest=500, required=False)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_ATTACH, Step.ATTACH)
            await self._take_file(session, actor, case, file_id)
            rows = await self._attachments(session, case)
            row = next((row for row in rows if row.file_id == file_id), None)
            if row is None:
                if len(rows) >= _MOST_ATTACHMENTS:
                    raise Conflict(f"资料已经有{_MOST_ATTACHMENTS}份了，不能再加。")
                row = Attachment(
                    id=new_id(),
                    consultation_id=case.id,
                    file_id=file_id,
                    note=checked,
                    added_by=actor.practitioner_id or actor.person_id,
                    added_at=self._clock.now(),
                )
                session.add(row)
                await self._note(session, actor, case, "attached", "添加了一份资料")
                await self._publish(
                    session, case, "attachment.added", actor_id=actor.person_id, attachment_id=row.id, file_id=file_id
                )
            return (await self._attachment_views(case, [row]))[0]

    async def attachments(self, actor: Actor, consultation_id: str) -> list[AttachmentView]:
        """Give the files of a consultation, the oldest first."""
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            return await self._attachment_views(case, await self._attachments(session, case))

    async def open_file(self, actor: Actor, consultation_id: str, file_id: str) -> tuple[bytes, str]:
        """Give the bytes and the media type of a file that belongs to the consultation.

        Raises:
            NotFound: it does not belong to it.
        """
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            if not await self._belongs(session, case, file_id):
                raise NotFound("没有找到这个文件。")
            return await self._files.get(file_id)

    # inside

    async def _view(self, session: AsyncSession, actor: Actor, case: Consultation) -> ConsultationView:
        await session.flush()
        asked = await self._asked(session, actor, case)
        self._allow(actor, Action.CONSULTATION_VIEW, case, *asked)
        clinical = allowed(
            actor,
            Action.CONSULTATION_READ_RECORD,
            patient_id=case.patient_id,
            participants=[identifier for identifier in (case.doctor_id, case.expert_id, *asked) if identifier],
            institution_id=case.institution_id,
        )
        action = Action.CONSULTATION_READ_RECORD if clinical else Action.CONSULTATION_VIEW
        await self._record(session, actor, action, case)
        [summary] = await self._summaries(actor, [case], masked=bool(asked))
        content = await self._content(session, case) if clinical else {}
        if clinical and role_in(actor, case) is Role.PATIENT:
            # A patient hears a diagnosis from the expert once the consultation has ended: no suspicion, no draft.
            content |= {"icd10": "", "disease": "", "question": ""}
            if case.status is not Status.COMPLETED:
                content["opinion"] = None
        return ConsultationView(
            **vars(summary),
            institution_name=(await self._people.institution(case.institution_id)).name,
            submitted_at=case.submitted_at,
            assigned_at=case.assigned_at,
            started_at=case.started_at,
            booking=await self._scheduling.booking(case.id),
            clinical=clinical,
            **content,
        )

    async def _content(self, session: AsyncSession, case: Consultation) -> dict[str, Any]:
        clinical = await self._clinical(session, case)
        opinion = await session.get(Opinion, case.id)
        rating = await session.get(Rating, case.id)
        return {
            "record": clinical.record,
            "facts": clinical.facts,
            "red_flags": clinical.red_flags,
            "urgency_reason": clinical.urgency_reason,
            "icd10": clinical.icd10,
            "disease": disease_name(clinical.icd10),
            "question": clinical.question,
            "vitals": clinical.vitals,
            "vitals_text": describe_vitals(clinical.vitals),
            "findings": clinical.findings,
            "opinion": None if opinion is None else opinion_view(opinion),
            "rating": None if rating is None else RatingView(rating.stars, rating.comment, rating.rated_at),
        }

    async def _summaries(
        self, actor: Actor, rows: Iterable[Consultation], *, masked: bool = False
    ) -> list[ConsultationSummary]:
        rows = list(rows)
        names = await self._people.names(
            {identifier for row in rows for identifier in (row.patient_id, row.doctor_id, row.expert_id) if identifier}
        )
        return [
            ConsultationSummary(
                id=row.id,
                number=row.number,
                status=row.status,
                urgency=row.urgency,
                department_code=row.department_code,
                department_name=departments()[row.department_code].name,
                patient_id=row.patient_id,
                speaker_id=row.speaker_id,
                patient_name=masked_name(names.get(row.patient_id, "")) if masked else names.get(row.patient_id, ""),
                institution_id=row.institution_id,
                doctor_id=row.doctor_id,
                doctor_name=names.get(row.doctor_id, ""),
                expert_id=row.expert_id,
                expert_name=names.get(row.expert_id or "", ""),
                opened_at=row.opened_at,
                acknowledged_at=row.acknowledged_at,
                closed_at=row.closed_at,
            )
            for row in rows
        ]

    async def _attachments(self, session: AsyncSession, case: Consultation) -> list[Attachment]:
        query = select(Attachment).where(Attachment.consultation_id == case.id)
        return list(await session.scalars(query.order_by(Attachment.added_at, Attachment.id).limit(_MOST_ATTACHMENTS)))

    async def _attachment_views(self, case: Consultation, rows: list[Attachment]) -> list[AttachmentView]:
        names = await self._people.names({row.added_by for row in rows}) | dict.fromkeys(own_people(case), "患者")
        return [
            AttachmentView(row.id, row.file_id, row.note, row.added_by, names.get(row.added_by, ""), row.added_at)
            for row in rows
        ]

    async def _take_file(self, session: AsyncSession, actor: Actor, case: Consultation, file_id: str) -> None:
        """Let a file that the actor has sent, or that belongs to the case, be part of its record."""
        file = await self._files.describe(file_id)
        mine = file.owner_id in {actor.person_id, actor.practitioner_id} - {""}
        if not mine and not await self._belongs(session, case, file_id):
            raise NotFound("没有找到这个文件，请重新发送一次。")
        await self._files.into_record(session, [file_id])

    async def _belongs(self, session: AsyncSession, case: Consultation, file_id: str) -> bool:
        if not file_id:
            return False
        attached = select(Attachment.id).where(Attachment.consultation_id == case.id, Attachment.file_id == file_id)
        sent = select(MessageRow.id).where(MessageRow.consultation_id == case.id, MessageRow.file_id == file_id)
        for query in (attached, sent):
            if await session.scalar(query.limit(1)) is not None:
                return True
        answers = await session.scalars(select(Supplement.file_ids).where(Supplement.consultation_id == case.id))
        return any(file_id in file_ids for file_ids in answers)


def list_queries(actor: Actor, status: Status | None, role: Role | None) -> list[Select[Consultation]]:
    """Give one query for each way in which the actor can have consultations; each reads one index from its end."""
    ways: list[tuple[Role, InstrumentedAttribute[Any], str | None]] = [
        (Role.PATIENT, Consultation.speaker_id, actor.person_id),
        (Role.GRASSROOTS_DOCTOR, Consultation.doctor_id, actor.practitioner_id),
        (Role.EXPERT, Consultation.expert_id, actor.practitioner_id),
    ]
    if {Role.ADMINISTRATOR, Role.SYSTEM} & actor.roles and role in (None, Role.ADMINISTRATOR):
        conditions: list[list[Any]] = [[]]
    else:
        conditions = [
            [column == identifier]
            for way, column, identifier in ways
            if identifier and way in actor.roles and role in (None, way)
        ]
    if status is not None:
        conditions = [[*condition, Consultation.status == status] for condition in conditions]
    newest = select(Consultation).order_by(Consultation.opened_at.desc(), Consultation.id.desc())
    return [newest.where(*condition) for condition in conditions]


def opinion_view(row: Opinion) -> OpinionView:
    """Show an opinion."""
    return OpinionView(row.icd10, disease_name(row.icd10), row.diagnosis, row.plan, row.notes, row.updated_at)
