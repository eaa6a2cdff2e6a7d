"""A study goes to the PACS of the expert's institution, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from pydicom import uid
from pydicom.dataset import FileDataset
from sqlalchemy import select, text

from backend.clock import LOCAL_ZONE
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.imaging import Failure, ImagingService, Limits, StoreAddress, StowAddress
from backend.imaging.tables import ImagingDestination, ImagingInstance, ImagingTransfer
from backend.imaging.transfer_rules import SENTENCES
from backend.lossless import FrameCodec, Method
from backend.security.policy import SYSTEM, Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.forwarding import Case, pixels_of, stow_answer, stow_peer, submitted_case
from tests.support.orthanc import AE_TITLE, AUTHORIZATION, Orthanc, running_orthanc
from tests.support.waiting import eventually

# pynetdicom leaves the socket of a connection that is refused to the collector.
LEFT_SOCKET = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <socket\.socket:pytest.PytestUnraisableExceptionWarning"
)
NOWHERE = "http://127.0.0.1:1/dicom-web"


@pytest_asyncio.fixture
async def case(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Case:
    return await submitted_case(clinic, imaging, machine)


@pytest_asyncio.fixture
async def orthanc() -> AsyncIterator[Orthanc]:
    async with running_orthanc() as running:
        yield running


def stow_of(orthanc: Orthanc) -> StowAddress:
    return StowAddress(orthanc.url, AUTHORIZATION)


def store_of(orthanc: Orthanc) -> StoreAddress:
    return StoreAddress("127.0.0.1", orthanc.dicom_port, AE_TITLE)


async def compress(imaging: ImagingService, method: Method = Method.JPEG_LS) -> None:
    codec = FrameCodec(method)
    while await imaging.compress_next(codec):
        pass
    codec.close()


async def transfers(clinic: Clinic) -> list[ImagingTransfer]:
    async with clinic.database.reading() as session:
        return list(await session.scalars(select(ImagingTransfer).order_by(ImagingTransfer.id)))


@pytest.mark.parametrize("address_of", [stow_of, store_of])
@pytest.mark.parametrize("compressed", [False, True])
async def test_every_instance_arrives_with_the_same_pixels(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc, address_of: object, compressed: bool
) -> None:
    assert callable(address_of)
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", address_of(orthanc))
    slices = await case.images(range(1, 46))
    if compressed:
        await compress(imaging)
    await case.assign()
    await imaging.forward_waiting()
    assert await orthanc.pixels() == pixels_of(slices)
    stored = {one.file_meta.TransferSyntaxUID for one in await orthanc.instances()}
    assert stored == {uid.JPEGLSLossless if compressed else uid.ExplicitVRLittleEndian}
    view = await case.transfer()
    assert (view.total, view.arrived, view.dead, view.failure) == (45, 45, 0, None)
    [told] = await clinic.published("imaging.transfer_finished")
    assert (told["arrived"], told["total"], told["consultation_id"]) == (45, 45, case.id)


@pytest.mark.parametrize("method", Method)
async def test_a_pacs_that_takes_no_compressed_images_gets_them_decoded(
    clinic: Clinic, imaging: ImagingService, case: Case, method: Method
) -> None:
    async with running_orthanc(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]) as orthanc:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", store_of(orthanc))
        slices = await case.images(range(1, 4))
        await compress(imaging, method)
        await case.assign()
        await imaging.forward_waiting()
        assert await orthanc.pixels() == pixels_of(slices)
        stored = {one.file_meta.TransferSyntaxUID for one in await orthanc.instances()}
        assert stored == {uid.ExplicitVRLittleEndian}


@pytest.mark.parametrize("method", Method)
async def test_over_stow_too_what_is_not_taken_as_it_is_stored_comes_decoded(
    clinic: Clinic, imaging: ImagingService, case: Case, method: Method
) -> None:
    taken: list[FileDataset] = []

    async def uncompressed_alone(sent: list[FileDataset]) -> web.Response:
        plain = [one for one in sent if not one.file_meta.TransferSyntaxUID.is_compressed]
        taken.extend(plain)
        return stow_answer(plain, [one for one in sent if one not in plain], 0xC122)

    async with stow_peer(uncompressed_alone) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        slices = await case.images(range(1, 4))
        await compress(imaging, method)
        await case.assign()
        await imaging.forward_waiting()
    assert pixels_of(taken) == pixels_of(slices)
    for one, sent in zip(sorted(taken, key=lambda one: one.InstanceNumber), slices, strict=True):
        assert list(one) == list(sent)


async def test_what_arrives_after_the_expert_took_the_case_follows(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc
) -> None:
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", stow_of(orthanc))
    await case.assign()
    first = await case.images([1, 2])
    await clinic.pass_time(timedelta(minutes=2))
    await case.hear()
    await imaging.forward_waiting()
    more = await case.images([3])
    await clinic.pass_time(timedelta(minutes=2))
    await case.hear()
    await imaging.forward_waiting()
    assert await orthanc.pixels() == pixels_of([*first, *more])
    assert [told["total"] for told in await clinic.published("imaging.transfer_finished")] == [2, 3]
    async with clinic.database.reading() as session:
        audited = await session.scalars(select(AuditEntry).where(AuditEntry.action == "imaging.forward"))
        assert len(audited.all()) == 1


async def test_nothing_goes_before_an_expert_has_the_case_or_to_another_institution(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    await imaging.register_destination(SYSTEM, clinic.township, "卫生院PACS", StowAddress(NOWHERE))
    await case.images([1])
    await clinic.pass_time(timedelta(minutes=2))
    await case.hear()
    assert await transfers(clinic) == []
    await case.assign()
    assert await transfers(clinic) == []


async def test_what_has_not_gone_yet_is_taken_back_when_the_expert_gives_the_case_back(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(NOWHERE))
    await case.images([1, 2])
    await case.assign()
    assert len(await transfers(clinic)) == 2
    await clinic.care.give_back(case.expert, case.id, "临时有手术")
    await case.hear()
    assert await transfers(clinic) == []


@LEFT_SOCKET
@pytest.mark.parametrize("address_of", [stow_of, store_of])
async def test_a_pacs_that_is_killed_and_comes_back_has_everything_once(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc, address_of: object
) -> None:
    assert callable(address_of)
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", address_of(orthanc))
    slices = await case.images(range(1, 61))
    await case.assign()

    async def begun() -> bool:
        return (await case.transfer()).arrived > 0

    sending = asyncio.create_task(imaging.forward_waiting())
    await eventually(begun)
    orthanc.kill()
    await sending
    view = await case.transfer()
    assert 0 < view.arrived < 60
    assert view.dead == 0
    await orthanc.start()
    while (await case.transfer()).arrived < 60:
        clinic.clock.advance(timedelta(minutes=10))
        await imaging.forward_waiting()
    assert await orthanc.uids() == sorted(one.SOPInstanceUID for one in slices)
    assert await orthanc.pixels() == pixels_of(slices)


@LEFT_SOCKET
@pytest.mark.parametrize(
    "address", [StowAddress(NOWHERE), StoreAddress("127.0.0.1", 1, "PACS")], ids=["stow", "c-store"]
)
async def test_a_pacs_that_is_away_is_knocked_at_less_and_less_often_and_never_given_up(
    clinic: Clinic, imaging: ImagingService, case: Case, address: StowAddress | StoreAddress
) -> None:
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", address)
    await case.images([1, 2])
    await case.assign()
    await imaging.forward_waiting()
    waits: list[timedelta] = []
    for _ in range(14):
        async with clinic.database.reading() as session:
            destination = (await session.scalars(select(ImagingDestination))).one()
        assert destination.resume_at is not None
        waits.append(destination.resume_at - clinic.clock.now())
        clinic.clock.advance(waits[-1])
        await imaging.forward_waiting()
    assert waits[0] <= timedelta(seconds=2)
    assert max(waits) <= timedelta(minutes=10)
    assert min(waits[-4:]) > timedelta(minutes=4)
    view = await case.transfer()
    assert (view.arrived, view.dead, view.failure) == (0, 0, Failure.AWAY)
    [told] = await clinic.published("imaging.transfer_stuck")
    assert told["reason"] == "away"


async def test_wrong_credentials_are_a_dead_end_until_somebody_mends_them(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc
) -> None:
    wrong = StowAddress(orthanc.url, "Basic d3Jvbmc6d3Jvbmc=")
    destination = await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", wrong)
    slices = await case.images(range(1, 31))
    await case.assign()
    await imaging.forward_waiting()
    view = await case.transfer()
    assert (view.arrived, view.dead, view.failure) == (0, 30, Failure.UNAUTHORIZED)
    assert view.sentence == SENTENCES[Failure.UNAUTHORIZED]
    [told] = await clinic.published("imaging.transfer_stuck")
    assert told["reason"] == "unauthorized"
    administrator = await clinic.administrator()
    await imaging.change_destination(administrator, destination.id, stow_of(orthanc))
    assert await imaging.resend(administrator, destination.id) == 30
    await imaging.forward_waiting()
    assert await orthanc.pixels() == pixels_of(slices)
    view = await case.transfer()
    assert (view.arrived, view.dead, view.failure) == (30, 0, None)


@pytest.mark.parametrize("wrong", ["called title", "path"])
async def test_a_wrong_address_is_a_dead_end_with_a_reason(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc, wrong: str
) -> None:
    addresses: dict[str, StowAddress | StoreAddress] = {
        "called title": StoreAddress("127.0.0.1", orthanc.dicom_port, "SOMEBODY"),
        "path": StowAddress(orthanc.url + "/nothing", AUTHORIZATION),
    }
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", addresses[wrong])
    await case.images([1])
    await case.assign()
    await imaging.forward_waiting()
    assert (await case.transfer()).failure is Failure.WRONG_ADDRESS


async def test_a_batch_of_which_half_fails_has_arrived_by_half(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    refusing = True

    async def half(sent: list[FileDataset]) -> web.Response:
        failed = [one for one in sent if one.InstanceNumber % 2 and refusing]
        return stow_answer([one for one in sent if one not in failed], failed, 0xA900)

    async with stow_peer(half) as url:
        destination = await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        await case.images(range(1, 21))
        await case.assign()
        await imaging.forward_waiting()
        view = await case.transfer()
        assert (view.arrived, view.dead, view.failure) == (10, 10, Failure.REFUSED)
        assert {row.status for row in await transfers(clinic)} == {0, 0xA900}
        refusing = False
        assert await imaging.resend(SYSTEM, destination.id) == 10
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == 20


async def test_a_pacs_without_room_is_tried_again_later(clinic: Clinic, imaging: ImagingService, case: Case) -> None:
    full = True

    async def answer(sent: list[FileDataset]) -> web.Response:
        return stow_answer([] if full else sent, sent if full else [], 0xA700)

    async with stow_peer(answer) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        await case.images([1, 2])
        await case.assign()
        await imaging.forward_waiting()
        assert ((await case.transfer()).dead, (await case.transfer()).arrived) == (0, 0)
        full = False
        clinic.clock.advance(timedelta(minutes=1))
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == 2


async def test_a_request_that_is_too_large_is_taken_apart(clinic: Clinic, imaging: ImagingService, case: Case) -> None:
    async def one_at_a_time(sent: list[FileDataset]) -> web.Response:
        if len(sent) > 1 or sent[0].InstanceNumber == 3:
            raise web.HTTPRequestEntityTooLarge(1, 2)
        return stow_answer(sent)

    async with stow_peer(one_at_a_time) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        await case.images(range(1, 6))
        await case.assign()
        await imaging.forward_waiting()
        view = await case.transfer()
        assert (view.arrived, view.dead, view.failure) == (4, 1, Failure.TOO_LARGE)


async def test_an_answer_that_leaves_instances_out_is_no_answer_about_them(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    forgetful = True

    async def answer(sent: list[FileDataset]) -> web.Response:
        return stow_answer(sent[:1] if forgetful else sent)

    async with stow_peer(answer) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        await case.images([1, 2, 3])
        await case.assign()
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == 1
        forgetful = False
        clinic.clock.advance(timedelta(minutes=1))
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == 3


async def test_an_object_that_is_gone_is_told_of_and_holds_up_no_other(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc, tmp_path: Path
) -> None:
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", stow_of(orthanc))
    slices = await case.images(range(1, 6))
    async with clinic.database.reading() as session:
        row = (await session.scalars(select(ImagingInstance).where(ImagingInstance.number == 3))).one()
    [path] = (tmp_path / "objects").rglob(row.object_id)
    path.unlink()
    await case.assign()
    for _ in range(4):
        await imaging.forward_waiting()
        clinic.clock.advance(timedelta(minutes=5))
    view = await case.transfer()
    assert (view.arrived, view.dead, view.failure) == (4, 1, Failure.DAMAGED)
    assert await orthanc.uids() == sorted(one.SOPInstanceUID for one in slices if one.InstanceNumber != 3)


async def test_images_go_at_night_where_the_institution_wants_that(
    clinic: Clinic, imaging: ImagingService, case: Case, orthanc: Orthanc
) -> None:
    night = Limits(window=(22 * 60, 6 * 60))
    await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", stow_of(orthanc), night)
    await case.images([1])
    await case.assign()
    await imaging.forward_waiting()
    assert (await case.transfer()).arrived == 0
    evening = datetime(2026, 11, 23, 21, 59, tzinfo=LOCAL_ZONE)
    clinic.clock.advance(evening - clinic.clock.now())
    await imaging.forward_waiting()
    assert (await case.transfer()).arrived == 0
    clinic.clock.advance(timedelta(minutes=1))
    await imaging.forward_waiting()
    assert (await case.transfer()).arrived == 1


async def test_the_line_of_an_institution_bears_what_was_agreed_on_average(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    sent_at: list[tuple[datetime, int]] = []

    async def answer(sent: list[FileDataset]) -> web.Response:
        sent_at.append((clinic.clock.now(), sum(len(one.PixelData) for one in sent)))
        return stow_answer(sent)

    rate = 20_000
    async with stow_peer(answer) as url:
        limits = Limits(bytes_per_second=rate)
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url), limits)
        await case.images(range(1, 41))
        await case.assign()
        begun = clinic.clock.now()
        while (await case.transfer()).arrived < 40:
            await imaging.forward_waiting()
            clinic.clock.advance(timedelta(seconds=1))
    for moment, _ in sent_at:
        sent = sum(size for at, size in sent_at if at <= moment)
        assert sent <= rate * ((moment - begun).total_seconds() + 20)
    assert sum(size for _, size in sent_at) == 40 * 128 * 128 * 2


async def test_a_long_study_is_told_of_at_every_quarter(clinic: Clinic, imaging: ImagingService, case: Case) -> None:
    async def answer(sent: list[FileDataset]) -> web.Response:
        return stow_answer(sent)

    async with stow_peer(answer) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        await case.images(range(1, 41))
        await case.assign()
        await imaging.forward_waiting()
    told = [(one["arrived"], one["total"]) for one in await clinic.published("imaging.transfer_progress")]
    assert told == [(10, 40), (20, 40), (30, 40)]
    assert len(await clinic.published("imaging.transfer_finished")) == 1


async def test_two_processes_send_nothing_twice_while_both_live(
    clinic: Clinic, imaging: ImagingService, case: Case
) -> None:
    seen: list[str] = []

    async def answer(sent: list[FileDataset]) -> web.Response:
        seen.extend(one.SOPInstanceUID for one in sent)
        return stow_answer(sent)

    async with stow_peer(answer) as url:
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress(url))
        slices = await case.images(range(1, 61))
        await case.assign()
        await asyncio.gather(imaging.forward_waiting(), imaging.forward_waiting())
    assert sorted(seen) == sorted(one.SOPInstanceUID for one in slices)


async def test_only_an_administrator_says_where_studies_go_and_secrets_are_never_shown(
    clinic: Clinic, imaging: ImagingService
) -> None:
    address = StowAddress("https://pacs.example/dicom-web/", AUTHORIZATION)
    for actor in (await clinic.patient(), await clinic.doctor(), await clinic.expert()):
        with pytest.raises(Forbidden):
            await imaging.register_destination(actor, clinic.hospital, "PACS", address)
        with pytest.raises(Forbidden):
            await imaging.destinations(actor)
        with pytest.raises(Forbidden):
            await imaging.resend(actor, "0" * 32)
    administrator = await clinic.administrator()
    made = await imaging.register_destination(administrator, clinic.hospital, "PACS", address)
    assert [view.url for view in await imaging.destinations(administrator)] == ["https://pacs.example/dicom-web"]
    assert AUTHORIZATION not in repr(made) + repr(address)
    async with clinic.database.reading() as session:
        row = (await session.execute(text("SELECT * FROM imaging_destinations"))).one()
        audited = await session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "imaging.manage"))
        assert audited.all() == [f"imaging_destination:{made.id}"]
    assert AUTHORIZATION not in str(row)
    with pytest.raises(NotFound):
        await imaging.resend(administrator, "0" * 32)
    await imaging.deactivate_destination(administrator, made.id)
    assert not (await imaging.destinations(administrator))[0].active


@pytest.mark.parametrize(
    ("address", "limits"),
    [
        (StowAddress("ftp://pacs.example"), Limits()),
        (StowAddress("https://user:secret@pacs.example"), Limits()),
        (StowAddress("https://"), Limits()),
        (StowAddress("https://pacs.example:notaport"), Limits()),
        (StowAddress("https://pacs.example", "Bearer 1\r\nX: y"), Limits()),
        (StoreAddress("", 104, "PACS"), Limits()),
        (StoreAddress("pacs.example", 0, "PACS"), Limits()),
        (StoreAddress("pacs.example", 104, "A\\B"), Limits()),
        (StoreAddress("pacs.example", 104, "PACS", ""), Limits()),
        (StowAddress("https://pacs.example"), Limits(bytes_per_second=1)),
        (StowAddress("https://pacs.example"), Limits(window=(60, 60))),
        (StowAddress("https://pacs.example"), Limits(window=(0, 24 * 60))),
    ],
)
async def test_what_cannot_be_a_destination_is_refused_in_a_sentence(
    clinic: Clinic, imaging: ImagingService, address: StowAddress | StoreAddress, limits: Limits
) -> None:
    with pytest.raises(InvalidInput) as error:
        await imaging.register_destination(SYSTEM, clinic.hospital, "PACS", address, limits)
    assert "。" in error.value.sentence or "比如" in error.value.sentence
