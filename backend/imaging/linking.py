"""Whose study is it? Found by accession number or patient number, and kept in quarantine where anything contradicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.db import key_ring
from backend.events import Event
from backend.ids import new_id
from backend.imaging.desk import ImagingDesk
from backend.imaging.dicomfile import Instance
from backend.imaging.photograph_dicom import study_uid as photographs_study_uid
from backend.imaging.rules import KnownPatient, QuarantineReason, StudyState, contradiction, same_patient
from backend.imaging.tables import ImagingInstance, ImagingPatientNumber, ImagingStudy, sent_by_machine
from backend.imaging.texts import PatientData
from backend.people.persons import identity_index
from backend.security.policy import SYSTEM, Action, Actor
from data.sounds import pinyin

CONSUMER = "imaging"
MAY_LINK = ("consultation.drafted", "consultation.submitted")
"""Events after which a consultation may have a study that waits."""

_NOTHING_KNOWN = (QuarantineReason.NO_CONSULTATION, QuarantineReason.SEVERAL_CONSULTATIONS)

SETTLED_TIMER = "imaging.study_settled"
SETTLED_AFTER = timedelta(seconds=60)
"""A study of which no new instance came for so long is told of."""


@dataclass(frozen=True)
class Match:
    """The consultation that a study belongs to, or why a person has to look."""

    reference: CaseReference | None
    reason: QuarantineReason | None


class Linking(ImagingDesk):
    """The part of `ImagingService` that finds the consultation of a study."""

    async def _study(self, session: AsyncSession, actor: Actor, instance: Instance) -> ImagingStudy:
        """Give the row that an instance belongs to, making it where there is none."""
        institution_id = institution_of(actor)
        query = select(ImagingStudy).where(ImagingStudy.study_uid == instance.study_uid).order_by(ImagingStudy.variant)
        rows = (await session.scalars(query)).all()
        for row in rows:
            if row.institution_id == institution_id and same_patient(patient_of(row), instance.patient):
                if row.state is StudyState.REJECTED:
                    row.state = StudyState.QUARANTINED  # it was sent again: a person looks again
                return row
        match = await self._match(session, institution_id, instance.patient, instance.accession_number)
        if rows:
            match = Match(None, QuarantineReason.OTHER_PATIENT_IN_STUDY)
        study = _new_study(instance, institution_id, len(rows))
        study.created_at = self._clock.now()
        _apply(study, match)
        session.add(study)
        await session.flush()
        await self._record_study(session, actor, Action.IMAGING_STORE, study)
        return study

    async def _link_as_said(self, session: AsyncSession, study_id: str, said: CaseReference) -> None:
        """Link a study of which nothing is known to the consultation for which a person sent it, unless something
        contradicts; then it waits with what does."""
        query = select(ImagingStudy).where(ImagingStudy.id == study_id).with_for_update()
        study = (await session.scalars(query.execution_options(populate_existing=True))).one()
        if study.state is not StudyState.QUARANTINED or study.reason not in _NOTHING_KNOWN:
            return
        _apply(study, await self._match(session, study.institution_id, patient_of(study), study.accession_number, said))
        study.announced = 0
        await self._record_study(session, SYSTEM, Action.IMAGING_STORE, study)
        due_at = self._clock.now() + SETTLED_AFTER
        await self._timers.set(session, SETTLED_TIMER, study.id, due_at, study_id=study.id)

    async def _match(
        self,
        session: AsyncSession,
        institution_id: str,
        patient: PatientData,
        accession_number: str,
        said: CaseReference | None = None,
    ) -> Match:
        """Find the consultation of a study; `said` is the one for which a person sent it."""
        person_id = await self._person_of_number(session, institution_id, patient.patient_id)
        reference = await self._consultations.reference_by_number(accession_number) if accession_number else None
        if reference is not None and said is not None and reference.id != said.id:
            return Match(None, QuarantineReason.OTHER_CONSULTATION)
        reference = reference or said
        if reference is None:
            running = await self._consultations.running_references(person_id, institution_id) if person_id else []
            if len(running) != 1:
                several = QuarantineReason.SEVERAL_CONSULTATIONS
                return Match(None, several if running else QuarantineReason.NO_CONSULTATION)
            reference = running[0]
        if reference.institution_id != institution_id:
            return Match(None, QuarantineReason.OTHER_INSTITUTION)
        if person_id not in (None, reference.patient_id):
            return Match(None, QuarantineReason.OTHER_PATIENT_NUMBER)
        return Match(reference, contradiction(patient, await self._known_patient(reference), pinyin()))

    async def _known_patient(self, reference: CaseReference) -> KnownPatient:
        person = await self._people.person(SYSTEM, reference.patient_id)
        return KnownPatient(person.name, person.sex, person.birth_date)

    async def _person_of_number(self, session: AsyncSession, institution_id: str, number: str) -> str | None:
        """Give whom the institution's patient number is known to be; many institutions take the identity number."""
        if not number:
            return None
        row = await session.get(ImagingPatientNumber, (institution_id, number_index(institution_id, number)))
        return row.person_id if row is not None else await self._people.by_identity_number(number)

    async def _on_settled(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            await self._announce(session, await session.get_one(ImagingStudy, payload["study_id"]))

    async def _announce(self, session: AsyncSession, study: ImagingStudy) -> None:
        """Publish that a study came or grew; nothing where those concerned know of as much."""
        query = select(func.count()).where(ImagingInstance.study_id == study.id, sent_by_machine())
        instances = await session.scalar(query) or 0
        if instances == study.announced or study.state is StudyState.REJECTED:
            return
        study.announced = instances
        known = {"study_id": study.id, "institution_id": study.institution_id, "instances": instances}
        if study.state is StudyState.QUARANTINED:
            await self._events.publish(session, "imaging.quarantined", **known, reason=study.reason)
            return
        reference = await self._consultations.reference(study.consultation_id or "")
        if reference is not None:
            await self._events.publish(
                session,
                "imaging.study_arrived",
                **known,
                consultation_id=reference.id,
                patient_id=reference.patient_id,
                doctor_id=reference.doctor_id,
                expert_id=reference.expert_id,
                photographs=study.study_uid == photographs_study_uid(reference.id),
            )

    async def _publish_filed(self, session: AsyncSession, study: ImagingStudy) -> None:
        """Publish that the platform has put a document into a study: it travels like images, and is no news."""
        if study.consultation_id is not None:
            await self._events.publish(
                session, "imaging.document_filed", study_id=study.id, consultation_id=study.consultation_id
            )

    async def _on_consultation(self, event: Event) -> None:
        """Link what waited for this consultation: pictures are often taken before the doctor opens it."""
        reference = await self._consultations.reference(str(event.payload["consultation_id"]))
        if reference is None:
            return
        async with self._database.transaction() as session:
            query = select(ImagingStudy).where(
                ImagingStudy.institution_id == reference.institution_id,
                ImagingStudy.state == StudyState.QUARANTINED,
                ImagingStudy.reason == QuarantineReason.NO_CONSULTATION,
                or_(*await self._may_be_of(session, reference)),
            )
            for study in (await session.scalars(query.with_for_update())).all():
                match = await self._match(session, study.institution_id, patient_of(study), study.accession_number)
                if match.reference is not None and match.reference.id == reference.id:
                    _apply(study, match)
                    study.announced = 0
                    await self._record_study(session, SYSTEM, Action.IMAGING_STORE, study)
                    await self._announce(session, study)

    async def _may_be_of(self, session: AsyncSession, reference: CaseReference) -> list[ColumnElement[bool]]:
        numbers = select(ImagingPatientNumber.number_index).where(
            ImagingPatientNumber.institution_id == reference.institution_id,
            ImagingPatientNumber.person_id == reference.patient_id,
        )
        ways = [
            ImagingStudy.accession_index == _accession_index(reference.number),
            ImagingStudy.patient_index.in_((await session.scalars(numbers)).all()),
        ]
        identity = await self._people.identity_index_of(reference.patient_id)
        return ways if identity is None else [*ways, ImagingStudy.identity_index == identity]

    async def _record_study(self, session: AsyncSession, actor: Actor, action: str, study: ImagingStudy) -> None:
        await self._audit.record(
            session, actor, action, patient_id=study.patient_id, subject=f"imaging_study:{study.id}"
        )


def institution_of(actor: Actor) -> str:
    """Give the institution that the actor sends for; the policy has seen that there is one."""
    if actor.institution_id is None:
        raise ValueError("nobody sends for no institution")
    return actor.institution_id


def patient_of(study: ImagingStudy) -> PatientData:
    """Give whom the headers of a study say that it is of."""
    return PatientData(study.dicom_patient_id, study.patient_name, study.patient_sex, study.patient_birth_date)


def number_index(institution_id: str, number: str) -> str:
    """Give the blind index of a patient number, which means something within its institution alone."""
    return key_ring().blind_index(f"{institution_id}\0{number.strip().upper()}", "imaging.patient_number")


def _accession_index(accession_number: str) -> str:
    return key_ring().blind_index(accession_number, "imaging.accession_number")


def _new_study(instance: Instance, institution_id: str, variant: int) -> ImagingStudy:
    patient, accession = instance.patient, instance.accession_number
    return ImagingStudy(
        id=new_id(),
        study_uid=instance.study_uid,
        variant=variant,
        institution_id=institution_id,
        dicom_patient_id=patient.patient_id,
        patient_name=patient.name,
        patient_sex=patient.sex,
        patient_birth_date=patient.birth_date,
        accession_number=accession,
        description=instance.study_description,
        patient_index=number_index(institution_id, patient.patient_id) if patient.patient_id else None,
        identity_index=identity_index(patient.patient_id) if patient.patient_id else None,
        accession_index=_accession_index(accession) if accession else None,
        study_date=instance.study_date,
        study_time=instance.study_time,
        announced=0,
    )


def _apply(study: ImagingStudy, match: Match) -> None:
    linked = match.reference if match.reason is None else None
    study.state = StudyState.LINKED if linked else StudyState.QUARANTINED
    study.reason = match.reason
    study.consultation_id = linked.id if linked else None
    study.patient_id = linked.patient_id if linked else None
