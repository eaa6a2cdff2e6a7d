"""Studies as people see them: those of a consultation, those that wait in quarantine, and what is decided of these."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.rules import require_text
from backend.errors import Conflict, NotFound
from backend.imaging.linking import Linking, number_index, patient_of
from backend.imaging.rules import StudyState, compare_birth_dates, compare_names, compare_sexes, contradiction
from backend.imaging.tables import (
    ImagingInstance,
    ImagingPatientNumber,
    ImagingSender,
    ImagingSeries,
    ImagingStudy,
    sent_by_machine,
)
from backend.imaging.views import CaseChoice, StudyView, TraitView
from backend.security.policy import Action, Actor, require
from data.sounds import pinyin

_LONGEST_LIST = 100
LONGEST_REASON = 500
_NO_SUCH_CONSULTATION = "没有找到这次会诊。"
NO_SUCH_STUDY = "没有找到这份检查。"


class Quarantine(Linking):
    """The part of `ImagingService` about studies and whose they are."""

    async def studies_of(self, actor: Actor, consultation_id: str) -> list[StudyView]:
        """Give the studies of a consultation, the oldest first; the read is audited.

        Raises:
            NotFound: there is no such consultation. Forbidden: it is none of the actor's business.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_READ)
        async with self._database.transaction() as session:
            query = select(ImagingStudy).where(
                ImagingStudy.consultation_id == reference.id, ImagingStudy.state == StudyState.LINKED
            )
            rows = (await session.scalars(query.order_by(ImagingStudy.id).limit(_LONGEST_LIST))).all()
            subject = f"consultation:{reference.id}"
            await self._audit.record(
                session, actor, Action.IMAGING_READ, patient_id=reference.patient_id, subject=subject
            )
            return await study_views(session, rows)

    async def studies_of_number(self, actor: Actor, number: str) -> list[StudyView]:
        """Give the studies of the consultation of this number, which is their accession number. Raises: as above."""
        reference = await self._consultations.reference_by_number(number)
        if reference is None:
            raise NotFound(_NO_SUCH_CONSULTATION)
        return await self.studies_of(actor, reference.id)

    async def quarantined(self, actor: Actor) -> list[StudyView]:
        """Give the studies of the actor's institution that wait for a person, the oldest first; the read is audited."""
        require(actor, Action.IMAGING_READ_QUARANTINE, institution_id=actor.institution_id)
        async with self._database.transaction() as session:
            query = select(ImagingStudy).where(
                ImagingStudy.institution_id == actor.institution_id, ImagingStudy.state == StudyState.QUARANTINED
            )
            rows = (await session.scalars(query.order_by(ImagingStudy.id).limit(_LONGEST_LIST))).all()
            for row in rows:
                await self._record_study(session, actor, Action.IMAGING_READ_QUARANTINE, row)
            return await study_views(session, rows)

    async def waiting(self, actor: Actor, study_id: str) -> StudyView | None:
        """Give a study that waits for a person; None where it does not any more. The read is audited.

        Raises:
            NotFound: there is no such study. Forbidden: it is none of the actor's business.
        """
        async with self._database.transaction() as session:
            study = await session.get(ImagingStudy, study_id)
            if study is None:
                raise NotFound(NO_SUCH_STUDY)
            require(actor, Action.IMAGING_READ_QUARANTINE, institution_id=study.institution_id)
            if study.state is not StudyState.QUARANTINED:
                return None
            await self._record_study(session, actor, Action.IMAGING_READ_QUARANTINE, study)
            return (await study_views(session, [study]))[0]

    async def assign(self, actor: Actor, study_id: str, consultation_id: str, reason: str) -> StudyView:
        """Say that a study in quarantine belongs to a consultation. Its headers stay as they are.

        Args:
            reason: why, in words; kept with the decision.

        Raises:
            NotFound: no such study or consultation. Forbidden: either is none of the actor's business.
            Conflict: it is not in quarantine any more. InvalidInput: no reason.
        """
        said = require_text(reason, "理由", longest=LONGEST_REASON)
        reference = await self._case(actor, consultation_id, Action.IMAGING_READ)
        async with self._database.transaction() as session:
            study = await self._waiting(session, actor, study_id)
            study.state, study.consultation_id = StudyState.LINKED, reference.id
            study.patient_id = reference.patient_id
            await self._decide(session, actor, study, said)
            await self._learn_number(session, study, reference)
            study.announced = 0
            await self._announce(session, study)
            return (await study_views(session, [study]))[0]

    async def reject(self, actor: Actor, study_id: str, reason: str) -> StudyView:
        """Say that a study in quarantine belongs to no consultation: it is shown to nobody. It is kept, and waits for
        a decision again where more of it is sent.

        Raises: as `assign`.
        """
        said = require_text(reason, "理由", longest=LONGEST_REASON)
        async with self._database.transaction() as session:
            study = await self._waiting(session, actor, study_id)
            study.state = StudyState.REJECTED
            await self._decide(session, actor, study, said)
            return (await study_views(session, [study]))[0]

    async def differences(self, actor: Actor, study_id: str, consultation_id: str) -> list[TraitView]:
        """Compare whom a study in quarantine says that it is of with the patient of a consultation; it is audited.

        Raises: as `assign`.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_READ)
        async with self._database.transaction() as session:
            study = await self._waiting(session, actor, study_id)
            await self._record_study(session, actor, Action.IMAGING_READ_QUARANTINE, study)
            sent = patient_of(study)
        known = await self._known_patient(reference)
        born = f"{known.birth_date:%Y%m%d}" if known.birth_date else ""
        compared = (
            ("name", sent.name, known.name, compare_names(sent.name, known.name, pinyin())),
            ("sex", sent.sex, known.sex, compare_sexes(sent.sex, known.sex)),
            ("birth_date", sent.birth_date, born, compare_birth_dates(sent.birth_date, known.birth_date)),
        )
        return [TraitView(*one) for one in compared]

    async def choices(self, actor: Actor) -> list[CaseChoice]:
        """Give the running consultations of the actor's institution, the newest first; the read is audited.

        Raises:
            Forbidden: the actor decides nothing there.
        """
        require(actor, Action.IMAGING_DECIDE, institution_id=actor.institution_id)
        references = await self._consultations.running_at(actor.institution_id or "")
        names = await self._people.names({reference.patient_id for reference in references})
        async with self._database.transaction() as session:
            subject = f"institution:{actor.institution_id}"
            await self._audit.record(session, actor, Action.CONSULTATION_LIST, subject=subject)
        return [CaseChoice(one.id, one.number, names.get(one.patient_id, "")) for one in references]

    async def _case(self, actor: Actor, consultation_id: str, action: Action) -> CaseReference:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound(_NO_SUCH_CONSULTATION)
        require(
            actor,
            action,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )
        return reference

    async def _waiting(self, session: AsyncSession, actor: Actor, study_id: str) -> ImagingStudy:
        query = select(ImagingStudy).where(ImagingStudy.id == study_id).with_for_update()
        study: ImagingStudy | None = await session.scalar(query.execution_options(populate_existing=True))
        if study is None:
            raise NotFound(NO_SUCH_STUDY)
        require(actor, Action.IMAGING_DECIDE, institution_id=study.institution_id)
        if study.state is not StudyState.QUARANTINED:
            raise Conflict("这份检查已经有人处理了，请刷新后再看。")
        return study

    async def _decide(self, session: AsyncSession, actor: Actor, study: ImagingStudy, reason: str) -> None:
        study.decided_by, study.decided_at = actor.practitioner_id or actor.person_id, self._clock.now()
        study.decision_reason = reason
        await self._audit.record(
            session,
            actor,
            Action.IMAGING_DECIDE,
            patient_id=study.patient_id,
            subject=f"imaging_study:{study.id}",
            reason=f"{study.state.value}: {reason}",
        )

    async def _learn_number(self, session: AsyncSession, study: ImagingStudy, reference: CaseReference) -> None:
        """Remember whose the institution's patient number is, but only where nothing else contradicts: a person may
        have put right that somebody was examined under another's number. A disc that a person uploaded may have the
        numbers of another hospital."""
        patient = patient_of(study)
        machines = select(ImagingSender.id)
        sent = select(ImagingInstance.id).where(
            ImagingInstance.study_id == study.id, ImagingInstance.sender_id.in_(machines)
        )
        if await session.scalar(sent.limit(1)) is None:
            return
        if not patient.patient_id or contradiction(patient, await self._known_patient(reference), pinyin()):
            return
        index = number_index(study.institution_id, patient.patient_id)
        if await session.get(ImagingPatientNumber, (study.institution_id, index)) is None:
            session.add(
                ImagingPatientNumber(
                    institution_id=study.institution_id,
                    number_index=index,
                    person_id=reference.patient_id,
                    confirmed_at=self._clock.now(),
                )
            )


async def study_views(session: AsyncSession, rows: Sequence[ImagingStudy]) -> list[StudyView]:
    """Give studies as people see them."""
    ids = [row.id for row in rows]
    how_many = func.count().label("instances")
    counted = select(ImagingInstance.study_id, how_many).where(ImagingInstance.study_id.in_(ids))
    rows_of_counts = await session.execute(counted.group_by(ImagingInstance.study_id))
    instances = {row.study_id: row.instances for row in rows_of_counts}
    rows_of_counts = await session.execute(counted.where(sent_by_machine()).group_by(ImagingInstance.study_id))
    images = {row.study_id: row.instances for row in rows_of_counts}
    query = select(ImagingSeries.study_id, ImagingSeries.modality).where(ImagingSeries.study_id.in_(ids))
    series: dict[str, list[str]] = {}
    for study_id, modality in await session.execute(query):
        series.setdefault(study_id, []).append(modality)
    return [_view(row, series.get(row.id, []), instances.get(row.id, 0), images.get(row.id, 0)) for row in rows]


def _view(row: ImagingStudy, series: list[str], instances: int, images: int) -> StudyView:
    return StudyView(
        id=row.id,
        study_uid=row.study_uid,
        state=row.state,
        reason=row.reason,
        institution_id=row.institution_id,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        patient=patient_of(row),
        accession_number=row.accession_number,
        description=row.description,
        study_date=row.study_date,
        study_time=row.study_time,
        modalities=tuple(sorted(set(filter(None, series)))),
        series=len(series),
        instances=instances,
        images=images,
        created_at=row.created_at,
    )
