"""A study finds its consultation, or a person decides."""

from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from backend.consultation import ConsultationView
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.imaging import ImagingService, QuarantineReason, StudyState, StudyView
from backend.imaging.tables import ImagingStudy
from backend.security.policy import SYSTEM, Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, of_patient, streamed

ID_NUMBER = "110101195603123414"


async def consult(clinic: Clinic, name: str = "王小明", **others: Any) -> tuple[Actor, ConsultationView]:
    """Let a patient of the township centre, who told their sex and birthday, open a consultation."""
    patient = await clinic.patient(name)
    told: dict[str, Any] = {"name": name, "sex": "male", "birth_date": date(1956, 3, 12)} | others
    await clinic.people.update_person(patient, patient.person_id, **told)
    return patient, await clinic.draft(patient)


async def send(imaging: ImagingService, machine: Actor, number: int = 1, *, study: int = 1, **said: Any) -> None:
    said = {"sex": "M", "born": "19560312"} | said
    await imaging.receive(machine, streamed(as_file(ct_slice(number, study=study, **of_patient(**said)))))


async def study_rows(clinic: Clinic) -> list[ImagingStudy]:
    async with clinic.database.reading() as session:
        return list(await session.scalars(select(ImagingStudy).order_by(ImagingStudy.id)))


async def only(clinic: Clinic) -> ImagingStudy:
    [row] = await study_rows(clinic)
    return row


@pytest_asyncio.fixture
async def doctor(clinic: Clinic) -> Actor:
    return await clinic.doctor()


async def test_the_accession_number_leads_to_the_consultation(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    await send(imaging, machine, name="Wang^Xiaoming", accession=case.number)
    study = await only(clinic)
    assert (study.state, study.consultation_id, study.patient_id) == (StudyState.LINKED, case.id, patient.person_id)
    assert [view.id for view in await imaging.studies_of(doctor, case.id)] == [study.id]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"name": "李^小明"}, QuarantineReason.OTHER_NAME),
        ({"name": "王^小明", "sex": "F"}, QuarantineReason.OTHER_SEX),
        ({"name": "王^小明", "born": "19650312"}, QuarantineReason.OTHER_BIRTH_DATE),
    ],
)
async def test_a_study_of_somebody_else_waits_in_quarantine(
    clinic: Clinic,
    imaging: ImagingService,
    machine: Actor,
    doctor: Actor,
    said: dict[str, Any],
    reason: QuarantineReason,
) -> None:
    _, case = await consult(clinic)
    await send(imaging, machine, accession=case.number, **said)
    study = await only(clinic)
    assert (study.state, study.reason, study.consultation_id) == (StudyState.QUARANTINED, reason, None)
    assert await imaging.studies_of(doctor, case.id) == []
    assert [view.reason for view in await imaging.quarantined(doctor)] == [reason]


async def test_the_identity_number_leads_to_the_one_running_consultation(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic, id_number=ID_NUMBER)
    await send(imaging, machine, name="王^小明", patient_number=ID_NUMBER)
    assert (await only(clinic)).consultation_id == case.id
    await clinic.draft(patient)
    await send(imaging, machine, study=2, name="王^小明", patient_number=ID_NUMBER)
    assert (await study_rows(clinic))[1].reason is QuarantineReason.SEVERAL_CONSULTATIONS


async def test_a_study_without_a_consultation_is_linked_when_the_doctor_opens_one(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient = await clinic.patient("王小明")
    told: dict[str, Any] = {"sex": "male", "birth_date": date(1956, 3, 12), "id_number": ID_NUMBER}
    await clinic.people.update_person(patient, patient.person_id, name="王小明", **told)
    await send(imaging, machine, name="王^小明", patient_number=ID_NUMBER)
    await send(imaging, machine, study=2, name="李^雷", patient_number="other")
    assert (await study_rows(clinic))[0].reason is QuarantineReason.NO_CONSULTATION
    case = await clinic.draft(patient)
    await clinic.events.dispatch()
    first, second = await study_rows(clinic)
    assert (first.state, first.consultation_id) == (StudyState.LINKED, case.id)
    assert second.state is StudyState.QUARANTINED
    [told_of] = await clinic.published("imaging.study_arrived")
    assert told_of["consultation_id"] == case.id


async def test_an_accession_number_of_another_institution_is_not_believed(
    clinic: Clinic, imaging: ImagingService, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    token = (await imaging.register_stow_sender(SYSTEM, clinic.hospital, "PACS")).token
    foreign = await imaging.sender_of_token(token)
    assert foreign is not None
    await send(imaging, foreign, name="王^小明", accession=case.number)
    study = await only(clinic)
    assert (study.state, study.reason) == (StudyState.QUARANTINED, QuarantineReason.OTHER_INSTITUTION)
    assert await imaging.quarantined(doctor) == []


async def test_instances_of_two_people_in_one_study_are_never_mixed(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    await send(imaging, machine, 1, name="王^小明", accession=case.number)
    await send(imaging, machine, 2, name="李^雷", accession=case.number)
    await send(imaging, machine, 3, name="王^小明", accession=case.number)
    first, second = await study_rows(clinic)
    assert (first.state, second.reason) == (StudyState.LINKED, QuarantineReason.OTHER_PATIENT_IN_STUDY)
    assert first.study_uid == second.study_uid
    [linked] = await imaging.studies_of(doctor, case.id)
    [waiting] = await imaging.quarantined(doctor)
    assert (linked.instances, waiting.instances) == (2, 1)


async def test_instances_that_another_institution_puts_into_a_study_wait_apart(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    await send(imaging, machine, 1, name="王^小明", accession=case.number)
    token = (await imaging.register_stow_sender(SYSTEM, clinic.hospital, "PACS")).token
    foreign = await imaging.sender_of_token(token)
    assert foreign is not None
    await send(imaging, foreign, 2, name="王^小明", accession=case.number)
    [linked] = await imaging.studies_of(doctor, case.id)
    assert linked.instances == 1


async def waiting_study(clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor) -> StudyView:
    await send(imaging, machine, name="王^小明", patient_number="A-17")
    [study] = await imaging.quarantined(doctor)
    return study


async def test_a_doctor_says_whose_it_is_and_the_number_is_remembered(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    study = await waiting_study(clinic, imaging, machine, doctor)
    assigned = await imaging.assign(doctor, study.id, case.id, "电话核对过，是本人")
    assert (assigned.state, assigned.patient_id) == (StudyState.LINKED, patient.person_id)
    assert assigned.patient == study.patient
    await send(imaging, machine, study=2, name="王^小明", patient_number="a-17 ")
    assert [view.consultation_id for view in await imaging.studies_of(doctor, case.id)] == [case.id, case.id]


async def test_the_number_of_a_study_that_was_put_right_is_not_remembered(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    await send(imaging, machine, name="李^雷", patient_number="A-17")
    [study] = await imaging.quarantined(doctor)
    await imaging.assign(doctor, study.id, case.id, "登记时选错了人")
    await send(imaging, machine, study=2, name="李^雷", patient_number="A-17")
    assert [view.reason for view in await imaging.quarantined(doctor)] == [QuarantineReason.NO_CONSULTATION]


async def test_a_number_that_is_known_to_be_somebody_elses_contradicts_the_accession_number(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    _, other = await consult(clinic)
    study = await waiting_study(clinic, imaging, machine, doctor)
    await imaging.assign(doctor, study.id, case.id, "是本人")
    await send(imaging, machine, study=2, name="王^小明", patient_number="A-17", accession=other.number)
    [waiting] = await imaging.quarantined(doctor)
    assert waiting.reason is QuarantineReason.OTHER_PATIENT_NUMBER


async def test_a_rejected_study_is_shown_to_nobody_until_more_of_it_comes(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    study = await waiting_study(clinic, imaging, machine, doctor)
    assert (await imaging.reject(doctor, study.id, "拿错光盘了")).state is StudyState.REJECTED
    assert await imaging.quarantined(doctor) == []
    with pytest.raises(Conflict):
        await imaging.reject(doctor, study.id, "再点一次")
    await send(imaging, machine, name="王^小明", patient_number="A-17")
    assert await imaging.quarantined(doctor) == []
    await send(imaging, machine, 2, name="王^小明", patient_number="A-17")
    assert [view.id for view in await imaging.quarantined(doctor)] == [study.id]


async def test_only_a_doctor_of_the_institution_decides(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    study = await waiting_study(clinic, imaging, machine, doctor)
    for actor in (patient, await clinic.expert(), await clinic.administrator(), machine):
        with pytest.raises(Forbidden):
            await imaging.assign(actor, study.id, case.id, "是本人")
        with pytest.raises(Forbidden):
            await imaging.reject(actor, study.id, "不是")
        with pytest.raises(Forbidden):
            await imaging.quarantined(actor)
    assert (await only(clinic)).state is StudyState.QUARANTINED


async def test_a_decision_needs_a_reason_and_something_to_decide(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    _, case = await consult(clinic)
    study = await waiting_study(clinic, imaging, machine, doctor)
    with pytest.raises(InvalidInput):
        await imaging.assign(doctor, study.id, case.id, " ")
    with pytest.raises(NotFound):
        await imaging.assign(doctor, "0" * 32, case.id, "是本人")
    with pytest.raises(NotFound):
        await imaging.assign(doctor, study.id, "0" * 32, "是本人")


async def test_those_concerned_are_told_once_nothing_more_comes(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    await send(imaging, machine, 1, name="王^小明", accession=case.number)
    await clinic.pass_time(timedelta(seconds=50))
    await send(imaging, machine, 2, name="王^小明", accession=case.number)
    await clinic.pass_time(timedelta(seconds=50))
    assert await clinic.published("imaging.study_arrived") == []
    await clinic.pass_time(timedelta(seconds=20))
    [told] = await clinic.published("imaging.study_arrived")
    assert (told["consultation_id"], told["patient_id"], told["instances"]) == (case.id, patient.person_id, 2)
    await send(imaging, machine, 2, name="王^小明", accession=case.number)
    await clinic.pass_time(timedelta(minutes=5))
    assert len(await clinic.published("imaging.study_arrived")) == 1
    await send(imaging, machine, 3, name="王^小明", accession=case.number)
    await clinic.pass_time(timedelta(minutes=5))
    assert [told["instances"] for told in await clinic.published("imaging.study_arrived")] == [2, 3]


async def test_a_study_in_quarantine_is_told_of_with_its_reason(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    study = await waiting_study(clinic, imaging, machine, doctor)
    await clinic.pass_time(timedelta(minutes=2))
    [told] = await clinic.published("imaging.quarantined")
    assert told == {
        "study_id": study.id,
        "institution_id": clinic.township,
        "instances": 1,
        "reason": "no_consultation",
    }


async def test_arrival_reading_and_decision_are_in_the_audit_log(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    study = await waiting_study(clinic, imaging, machine, doctor)
    await imaging.assign(doctor, study.id, case.id, "是本人")
    await imaging.studies_of(patient, case.id)
    async with clinic.database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.action.like("imaging.%")).order_by(AuditEntry.id)
        entries = [(row.actor_id, row.action, row.reason) for row in await session.scalars(query)]
    assert entries[1:] == [
        (machine.person_id, "imaging.store", None),
        (doctor.person_id, "imaging.read_quarantine", None),
        (doctor.person_id, "imaging.decide", "linked: 是本人"),
        (patient.person_id, "imaging.read", None),
    ]


async def test_the_images_of_a_consultation_are_for_those_who_take_part(
    clinic: Clinic, imaging: ImagingService, machine: Actor, doctor: Actor
) -> None:
    patient, case = await consult(clinic)
    await send(imaging, machine, name="王^小明", accession=case.number)
    for actor in (patient, doctor, SYSTEM):
        assert len(await imaging.studies_of(actor, case.id)) == 1
    for actor in (await clinic.patient("别人"), await clinic.expert(), await clinic.administrator(), machine):
        with pytest.raises(Forbidden):
            await imaging.studies_of(actor, case.id)
    with pytest.raises(NotFound):
        await imaging.studies_of(doctor, "0" * 32)
