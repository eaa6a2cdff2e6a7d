"""Copies of a study for teaching: only where somebody asks, the patient agrees, and nothing is doubtful."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import web
from pydicom import uid
from pydicom.dataset import FileDataset
from sqlalchemy import select

from backend.errors import ConsentRequired, Forbidden, InvalidInput, NotFound
from backend.imaging import (
    Failure,
    ImagingService,
    PatientsWord,
    Purpose,
    StoreAddress,
    StowAddress,
    TeachingRequest,
    TeachingState,
)
from backend.imaging.tables import ImagingForwarding, ImagingTransfer
from backend.people import ConsentKind
from backend.security.policy import SYSTEM, Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.forwarding import Case, pixels_of, stow_answer, stow_peer, submitted_case
from tests.support.orthanc import AE_TITLE, AUTHORIZATION, Orthanc, running_orthanc

WHY = "结节病例，下周教学讨论用"
NOWHERE = StowAddress("http://127.0.0.1:1/dicom-web")
TEACHING = ConsentKind.TEACHING


@pytest_asyncio.fixture
async def case(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Case:
    made = await submitted_case(clinic, imaging, machine)
    await made.assign()
    return made


@pytest_asyncio.fixture
async def orthanc() -> AsyncIterator[Orthanc]:
    async with running_orthanc() as running:
        yield running


async def agree(case: Case) -> Actor:
    """Let the patient agree to teaching."""
    patient = await patient_of(case)
    people = case.clinic.people
    await people.give_consent(patient, people.consent_document(TEACHING).version, TEACHING)
    return patient


async def patient_of(case: Case) -> Actor:
    return await case.clinic.people.actor((await case.clinic.care.get(SYSTEM, case.id)).patient_id)


async def register(case: Case, address: StowAddress | StoreAddress = NOWHERE) -> str:
    """Register a destination for teaching at the expert's hospital."""
    made = await case.imaging.register_destination(
        SYSTEM, case.clinic.hospital, "医学院教学库", address, purpose=Purpose.TEACHING
    )
    return made.id


async def study_of(case: Case) -> str:
    [study] = await case.imaging.studies_of(SYSTEM, case.id)
    return study.id


async def requests(case: Case) -> list[TeachingRequest]:
    """What the expert sees of the copies that were asked for."""
    [(_study, asked)] = (await case.imaging.teaching(case.expert, case.id)).studies
    return list(asked)


async def states(case: Case) -> list[TeachingState]:
    return [one.state for one in await requests(case)]


async def queue(case: Case) -> list[ImagingTransfer]:
    async with case.clinic.database.reading() as session:
        return list(await session.scalars(select(ImagingTransfer).order_by(ImagingTransfer.id)))


@pytest.mark.parametrize("protocol", ["stow", "c-store"])
async def test_an_expert_asks_for_a_study_and_the_copies_arrive_without_the_patient(
    case: Case, imaging: ImagingService, orthanc: Orthanc, protocol: str
) -> None:
    addresses: dict[str, StowAddress | StoreAddress] = {
        "stow": StowAddress(orthanc.url, AUTHORIZATION),
        "c-store": StoreAddress("127.0.0.1", orthanc.dicom_port, AE_TITLE),
    }
    destination = await register(case, addresses[protocol])
    slices = await case.images(range(1, 16))
    await agree(case)
    view = await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
    assert (view.purpose, view.total, view.arrived) == (Purpose.TEACHING, 15, 0)
    await imaging.forward_waiting()
    assert (await case.transfer()).arrived == 15
    copies = await orthanc.instances()
    assert sorted(one.pixel_array.tobytes() for one in copies) == sorted(pixels_of(slices).values())
    assert {one.SOPInstanceUID for one in copies}.isdisjoint(pixels_of(slices))
    assert len({one.StudyInstanceUID for one in copies}) == len({one.PatientID for one in copies}) == 1
    for copy in copies:
        assert copy.PatientIdentityRemoved == "YES"
        assert "王小明" not in str(copy)
        assert slices[0].StudyInstanceUID not in copy.to_json(suppress_invalid_tags=True)
        assert case.number not in str(copy)


async def test_a_study_that_is_asked_for_again_is_there_once(
    case: Case, clinic: Clinic, imaging: ImagingService, orthanc: Orthanc
) -> None:
    address = StowAddress(orthanc.url, AUTHORIZATION)
    await case.images([1, 2])
    await agree(case)
    for destination in (await register(case, address), await register(case, address)):
        for _ in range(2):
            await imaging.send_for_teaching(case.doctor, await study_of(case), destination, WHY)
            await imaging.forward_waiting()
    assert [row.state for row in await queue(case)] == ["arrived"] * 4
    assert len(await orthanc.uids()) == 2
    more = await case.images([3])
    await clinic.pass_time(timedelta(minutes=2))
    await case.hear()
    assert len(await queue(case)) == 4, "what comes later waits until somebody asks"
    await imaging.send_for_teaching(case.doctor, await study_of(case), destination, WHY)
    await imaging.forward_waiting()
    assert len(await orthanc.uids()) == 3
    assert more[0].SOPInstanceUID not in await orthanc.uids()


async def test_no_study_goes_there_by_itself(case: Case, clinic: Clinic, imaging: ImagingService) -> None:
    await register(case)
    await agree(case)
    await case.images([1, 2])
    await clinic.pass_time(timedelta(minutes=2))
    await case.hear()
    assert await queue(case) == []


async def test_nothing_goes_before_the_patient_who_is_asked_agrees(case: Case, imaging: ImagingService) -> None:
    destination, other = await register(case), await register(case)
    await case.images([1, 2])
    study = await study_of(case)
    await imaging.send_for_teaching(case.expert, study, destination, WHY)
    await imaging.send_for_teaching(case.expert, study, destination, WHY)
    await imaging.send_for_teaching(case.doctor, study, other, WHY)
    assert await states(case) == [TeachingState.WAITING] * 2
    patient = await patient_of(case)
    [asked] = await case.clinic.published("imaging.teaching_asked")
    assert (asked["patient_id"], asked["destination_id"]) == (patient.person_id, destination)
    assert asked["asked_by"] == case.expert.practitioner_id
    assert await queue(case) == []
    await agree(case)
    await case.hear()
    assert [row.state for row in await queue(case)] == ["waiting"] * 4
    assert await states(case) == [TeachingState.SENDING] * 2
    answered = await case.clinic.published("imaging.teaching_answered")
    assert [(one["asked_by"], one["agreed"]) for one in answered] == [
        (case.expert.practitioner_id, True),
        (case.doctor.practitioner_id, True),
    ]


async def test_a_patient_who_says_no_is_not_asked_again_and_nothing_goes(case: Case, imaging: ImagingService) -> None:
    destination = await register(case)
    await case.images([1])
    study, patient = await study_of(case), await patient_of(case)
    await imaging.send_for_teaching(case.expert, study, destination, WHY)
    people = case.clinic.people
    await people.refuse_consent(patient, people.consent_document(TEACHING).version, TEACHING)
    await case.hear()
    assert [one["agreed"] for one in await case.clinic.published("imaging.teaching_answered")] == [False]
    assert await states(case) == [TeachingState.DECLINED]
    assert (await imaging.teaching(case.doctor, case.id)).patient is PatientsWord.DECLINED
    with pytest.raises(ConsentRequired) as refusal:
        await imaging.send_for_teaching(case.doctor, study, destination, WHY)
    assert "患者不同意把检查图像用于教学" in refusal.value.sentence
    assert len(await case.clinic.published("imaging.teaching_asked")) == 1
    assert await queue(case) == []


async def test_what_stayed_goes_when_the_patient_agrees_again(case: Case, imaging: ImagingService) -> None:
    got: list[FileDataset] = []

    async def taking(sent: list[FileDataset]) -> web.Response:
        got.extend(sent)
        return stow_answer(sent)

    async with stow_peer(taking) as url:
        destination = await register(case, StowAddress(url))
        await case.images([1, 2])
        patient = await agree(case)
        await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
        await case.clinic.people.withdraw_consent(patient, TEACHING)
        await imaging.forward_waiting()
        await case.hear()
        assert await states(case) == [TeachingState.DECLINED]
        await agree(case)
        await case.hear()
        await imaging.forward_waiting()
    assert len(got) == 2
    assert await states(case) == [TeachingState.SENT]


async def test_those_who_may_not_ask_see_nothing_of_it(case: Case, clinic: Clinic, imaging: ImagingService) -> None:
    await register(case)
    await case.images([1])
    seen = await imaging.teaching(await patient_of(case), case.id)
    assert (seen.may_ask, seen.places, seen.studies) == (False, (), ())
    with pytest.raises(Forbidden):
        await imaging.teaching(await clinic.expert("别的专家"), case.id)
    seen = await imaging.teaching(case.expert, case.id)
    assert [(one.label, one.institution) for one in seen.places] == [("医学院教学库", "测试H1医院")]
    assert [study.images for study, _ in seen.studies] == [1]


@pytest.mark.parametrize("kind", [ConsentKind.CARE, ConsentKind.TEACHING])
async def test_what_has_not_gone_stays_when_the_patient_takes_a_consent_back(
    case: Case, clinic: Clinic, imaging: ImagingService, kind: ConsentKind
) -> None:
    got: list[FileDataset] = []

    async def taking(sent: list[FileDataset]) -> web.Response:
        got.extend(sent)
        return stow_answer(sent)

    async with stow_peer(taking) as url:
        destination = await register(case, StowAddress(url))
        await case.images([1, 2])
        patient = await agree(case)
        await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
        await clinic.people.withdraw_consent(patient, kind)
        await imaging.forward_waiting()
        assert got == []
        view = await case.transfer()
        assert (view.dead, view.failure) == (2, Failure.NO_CONSENT)
        assert "收回同意" in view.sentence
        await clinic.people.give_consent(patient, clinic.people.consent_document(kind).version, kind)
        assert await imaging.resend(SYSTEM, destination) == 2
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == len(got) == 2


async def test_pictures_that_may_show_a_name_stay_and_the_others_go(case: Case, imaging: ImagingService) -> None:
    got: list[FileDataset] = []

    async def taking(sent: list[FileDataset]) -> web.Response:
        got.extend(sent)
        return stow_answer(sent)

    async with stow_peer(taking) as url:
        destination = await register(case, StowAddress(url))
        await case.images([1, 2])
        await case.images([3], BurnedInAnnotation="YES")
        await case.images([4], SOPClassUID=uid.UltrasoundImageStorage)
        await agree(case)
        await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
        await imaging.forward_waiting()
    assert sorted(one.InstanceNumber for one in got) == [1, 2]
    view = await case.transfer()
    assert (view.arrived, view.dead, view.failure) == (2, 2, Failure.BURNED_IN)
    [request] = await requests(case)
    assert (request.state, request.total, request.arrived, request.stayed) == (TeachingState.SENT, 4, 2, 2)
    assert "印着字" in request.sentence
    assert await case.clinic.published("imaging.transfer_stuck") == []
    assert await case.clinic.published("imaging.transfer_finished") == []


async def test_a_check_that_cannot_run_stops_the_copy(
    case: Case, imaging: ImagingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_may_come(sent: list[FileDataset]) -> web.Response:
        raise AssertionError(sent)

    def broken(*_arguments: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr("backend.imaging.teaching_copy.left_over", broken)
    async with stow_peer(nothing_may_come) as url:
        destination = await register(case, StowAddress(url))
        await case.images([1])
        await agree(case)
        await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
        await imaging.forward_waiting()
    assert (await case.transfer()).failure is Failure.NOT_CLEANED


async def test_who_asked_and_why_is_kept_and_audited(case: Case, clinic: Clinic, imaging: ImagingService) -> None:
    destination = await register(case)
    await case.images([1])
    patient = await agree(case)
    await imaging.send_for_teaching(case.expert, await study_of(case), destination, f" {WHY} ")
    async with clinic.database.reading() as session:
        row = (await session.scalars(select(ImagingForwarding))).one()
        assert (row.asked_by, row.asked_reason) == (case.expert.practitioner_id, WHY)
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "imaging.teach"))).one()
        assert (entry.actor_id, entry.patient_id) == (case.expert.person_id, patient.person_id)
        assert entry.reason == f"imaging_destination:{destination}: {WHY}"
    with pytest.raises(InvalidInput):
        await imaging.send_for_teaching(case.expert, await study_of(case), destination, " ")


async def test_it_is_asked_for_by_those_who_care_for_the_patient_alone(
    case: Case, clinic: Clinic, imaging: ImagingService
) -> None:
    destination = await register(case)
    await case.images([1])
    study, patient = await study_of(case), await agree(case)
    for actor in (patient, await clinic.administrator(), await clinic.expert("别的专家"), SYSTEM):
        with pytest.raises(Forbidden):
            await imaging.send_for_teaching(actor, study, destination, WHY)
    for_care = await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", NOWHERE)
    for wrong in (for_care.id, "nothing"):
        with pytest.raises(NotFound):
            await imaging.send_for_teaching(case.expert, study, wrong, WHY)


async def test_what_goes_for_teaching_is_not_taken_back_with_the_case(case: Case, imaging: ImagingService) -> None:
    destination = await register(case)
    await case.images([1])
    await agree(case)
    await imaging.send_for_teaching(case.expert, await study_of(case), destination, WHY)
    await case.clinic.care.give_back(case.expert, case.id, "临时有手术")
    await case.hear()
    assert len(await queue(case)) == 1


async def test_a_study_in_quarantine_cannot_be_asked_for(case: Case, imaging: ImagingService) -> None:
    destination = await register(case)
    await case.images([1], PatientName="张三")
    [study] = await imaging.quarantined(case.doctor)
    with pytest.raises(NotFound):
        await imaging.send_for_teaching(case.doctor, study.id, destination, WHY)
