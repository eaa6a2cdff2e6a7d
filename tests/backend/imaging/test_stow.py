"""A machine sends over DICOMweb."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pydicom.data
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.imaging import ImagingService, StudyState, stow
from backend.imaging.stow import stow_routes
from backend.limits import MemoryRateLimits
from backend.security.policy import SYSTEM
from tests.support.clinic import Clinic
from tests.support.imaging import ROOT_UID, as_file, ct_slice, of_patient

BOUNDARY = "a-boundary"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@pytest_asyncio.fixture
async def address(imaging: ImagingService) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes(stow_routes(imaging, MemoryRateLimits()))
    async with TestServer(application) as server:
        yield str(server.make_url("/dicomweb/studies"))


@pytest_asyncio.fixture
async def token(clinic: Clinic, imaging: ImagingService) -> str:
    return (await imaging.register_stow_sender(SYSTEM, clinic.township, "放射科CT")).token


def body_of(files: Sequence[bytes], media_type: str = "application/dicom") -> bytes:
    parts = [f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode() + file + b"\r\n" for file in files]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def post(address: str, token: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    sent = {"Authorization": f"Bearer {token}", "Content-Type": RELATED} | headers
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=io.BytesIO(body) if isinstance(body, bytes) else body, headers=sent) as response,
    ):
        if response.content_type == "application/dicom+json":
            return response.status, await response.json(content_type=None)
        return response.status, {}


def failures(answer: dict[str, Any]) -> list[tuple[str, int]]:
    items = answer.get("00081198", {}).get("Value", [])
    return [(item["00081155"]["Value"][0], item["00081197"]["Value"][0]) for item in items]


def stored(answer: dict[str, Any]) -> list[str]:
    return [item["00081155"]["Value"][0] for item in answer.get("00081199", {}).get("Value", [])]


async def test_a_study_sent_over_dicomweb_is_linked_to_its_consultation(
    clinic: Clinic, imaging: ImagingService, address: str, token: str
) -> None:
    await clinic.doctor()
    patient = await clinic.patient("王小明")
    case = await clinic.draft(patient)
    said = of_patient("王小明", accession=case.number)
    slices = [ct_slice(number, **said) for number in range(1, 13)]
    status, answer = await post(address, token, body_of([as_file(one) for one in slices]))
    assert status == 200
    assert stored(answer) == [one.SOPInstanceUID for one in slices]
    assert answer["00081190"]["Value"] == [f"{address}/{ROOT_UID}.1"]
    [study] = await imaging.studies_of(patient, case.id)
    assert (study.state, study.instances, study.series) == (StudyState.LINKED, 12, 1)


async def test_every_instance_has_a_result_of_its_own(imaging: ImagingService, address: str, token: str) -> None:
    good, other = ct_slice(1), ct_slice(2)
    nameless = ct_slice(3, StudyInstanceUID="1.02")
    files = [as_file(good), b"not DICOM", as_file(other)[:-500], as_file(nameless)]
    status, answer = await post(address, token, body_of(files))
    assert status == 202
    assert stored(answer) == [good.SOPInstanceUID]
    assert failures(answer) == [(nameless.SOPInstanceUID, 0xA900)]
    assert [item["00081197"]["Value"][0] for item in answer["0008119A"]["Value"]] == [0xC000, 0xC000]


async def test_the_same_again_is_stored_and_other_content_is_a_duplicate(address: str, token: str) -> None:
    one, other = ct_slice(1), ct_slice(1, WindowCenter=17)
    for _ in range(2):
        status, answer = await post(address, token, body_of([as_file(one)]))
        assert (status, stored(answer)) == (200, [one.SOPInstanceUID])
    status, answer = await post(address, token, body_of([as_file(other)]))
    assert (status, failures(answer)) == (409, [(one.SOPInstanceUID, 273)])
    assert "00081199" not in answer


async def test_the_same_instance_several_times_in_one_request_is_one(address: str, token: str) -> None:
    status, answer = await post(address, token, body_of([as_file(ct_slice())] * 20))
    assert status == 200
    assert len(stored(answer)) == 20


async def test_an_instance_of_another_study_than_the_address_names_is_refused(address: str, token: str) -> None:
    inside, outside = ct_slice(1, study=1), ct_slice(1, study=2)
    body = body_of([as_file(inside), as_file(outside)])
    status, answer = await post(f"{address}/{inside.StudyInstanceUID}", token, body)
    assert status == 202
    assert (stored(answer), failures(answer)) == ([inside.SOPInstanceUID], [(outside.SOPInstanceUID, 43264)])


async def test_a_transfer_syntax_that_is_not_taken_is_named(address: str, token: str) -> None:
    deflated = (Path(pydicom.data.__file__).parent / "test_files" / "image_dfl.dcm").read_bytes()
    status, answer = await post(address, token, body_of([deflated]))
    assert status == 409
    assert answer["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC122]


async def test_an_instance_longer_than_is_held_in_memory_streams_through(
    imaging: ImagingService, address: str, token: str
) -> None:
    large = ct_slice(1, NumberOfFrames=100)
    large.PixelData = large.PixelData * 100
    small = ct_slice(2)
    status, answer = await post(address, token, body_of([as_file(large), as_file(small), as_file(large)[:-9000]]))
    assert status == 202
    assert stored(answer) == [large.SOPInstanceUID, small.SOPInstanceUID]


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_nobody_unknown_stores_anything(address: str, token: str) -> None:
    assert (await post(address, token, body_of([as_file(ct_slice())])))[0] == 401


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/dicom", 415),
        ("multipart/form-data; boundary=a-boundary", 415),
        ("multipart/related; type=application/dicom", 415),
        (f"multipart/related; type=application/dicom+json; boundary={BOUNDARY}", 415),
        (f"multipart/related; boundary={BOUNDARY}", 200),
        (f"multipart/related; type=application/dicom; boundary={'x' * 80}", 400),
    ],
)
async def test_what_is_no_store_request_is_told_so(address: str, token: str, media_type: str, status: int) -> None:
    body = body_of([as_file(ct_slice())])
    assert (await post(address, token, body, **{"Content-Type": media_type}))[0] == status


@pytest.mark.parametrize("body", [b"", b"rubbish", b"--a-boundary--\r\n", f"--{BOUNDARY}\r\n\r\n".encode()])
async def test_a_body_without_instances_is_a_bad_request(address: str, token: str, body: bytes) -> None:
    assert (await post(address, token, body))[0] in (400, 409)


async def test_parts_of_another_kind_are_failures_of_their_own(address: str, token: str) -> None:
    status, answer = await post(address, token, body_of([b"{}"], media_type="application/json"))
    assert status == 409
    assert len(answer["0008119A"]["Value"]) == 1


async def test_an_address_of_no_study_is_a_bad_request(address: str, token: str) -> None:
    assert (await post(f"{address}/1.02", token, body_of([as_file(ct_slice())])))[0] == 400


async def test_a_request_that_is_cut_off_can_simply_be_sent_again(
    imaging: ImagingService, clinic: Clinic, address: str, token: str
) -> None:
    files = [as_file(ct_slice(number)) for number in range(1, 6)]
    body = body_of(files)

    async def breaking() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, aiohttp.ClientError)):
        await post(address, token, breaking())
    status, answer = await post(address, token, body)
    assert (status, len(stored(answer))) == (200, 5)
    [study] = await imaging.quarantined(await clinic.doctor())
    assert study.instances == 5


async def test_ten_thousand_parts_are_the_most(address: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stow, "MOST_PARTS", 3)
    assert (await post(address, token, body_of([as_file(ct_slice(number)) for number in range(4)])))[0] == 413


async def test_a_request_longer_than_any_may_be_is_refused(
    address: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of([as_file(ct_slice())])
    monkeypatch.setattr(stow, "LARGEST_REQUEST", len(body) // 2)
    assert (await post(address, token, body))[0] == 413

    async def without_length() -> AsyncIterator[bytes]:
        yield body

    assert (await post(address, token, without_length()))[0] == 413


async def test_two_machines_that_send_the_same_study_at_once_store_it_once(
    clinic: Clinic, imaging: ImagingService, address: str, token: str
) -> None:
    body = body_of([as_file(ct_slice(number)) for number in range(1, 11)])
    answers = await asyncio.gather(*(post(address, token, body) for _ in range(4)))
    assert [(status, len(stored(answer))) for status, answer in answers] == [(200, 10)] * 4
    [study] = await imaging.quarantined(await clinic.doctor())
    assert study.instances == 10
