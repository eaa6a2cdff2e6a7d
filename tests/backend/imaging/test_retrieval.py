"""Studies are given out over DICOMweb: to those whom they concern, as they came."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pydicom
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydicom import uid
from pydicom.data import get_testdata_file
from sqlalchemy import func, select

from backend.consultation import ConsultationView
from backend.errors import NotFound
from backend.imaging import ImagingService
from backend.imaging.qido import qido_routes
from backend.imaging.recoding import TRANSFER_SYNTAX
from backend.imaging.wado import wado_routes
from backend.lossless import FrameCodec, Method
from backend.security.policy import Action, Actor
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic
from tests.support.dicomweb import Answer, png_pixels
from tests.support.imaging import ROOT_UID, as_file, ct_slice, of_patient, streamed

STUDY = f"{ROOT_UID}.1"
SERIES = f"/{STUDY}/series/{ROOT_UID}.1.1"
FIRST = f"{SERIES}/instances/{ROOT_UID}.1.1.1"
FILES = 'multipart/related; type="application/dicom"'
AS_STORED = f"{FILES}; transfer-syntax=*"
SAMPLES = 'multipart/related; type="application/octet-stream"'


@dataclass
class Viewers:
    """Opens addresses below the studies as anybody."""

    http: aiohttp.ClientSession
    base: str

    async def get(self, who: Actor, path: str, accept: str = "", **query: Any) -> Answer:
        """Ask as somebody."""
        headers = {"X-Person": who.person_id} | ({"Accept": accept} if accept else {})
        async with self.http.get(f"{self.base}{path}", headers=headers, params=query) as answer:
            kind = answer.headers["Content-Type"]
            return Answer(answer.status, kind, await answer.read(), dict(answer.headers))

    async def json(self, who: Actor, path: str, **query: Any) -> list[dict[str, Any]]:
        """Ask for what has to be there."""
        answer = await self.get(who, path, **query)
        assert (answer.status, answer.media_type) == (200, "application/dicom+json"), answer.body
        told: list[dict[str, Any]] = json.loads(answer.body)
        return told


@pytest_asyncio.fixture
async def viewers(clinic: Clinic, imaging: ImagingService) -> AsyncIterator[Viewers]:
    async def authorise(request: web.Request) -> Actor:
        return await clinic.people.actor(request.headers["X-Person"])

    @web.middleware
    async def tell_not_found(request: web.Request, handler: Any) -> Any:
        try:
            return await handler(request)
        except NotFound as error:
            raise web.HTTPNotFound from error

    application = web.Application(middlewares=[tell_not_found])
    application.add_routes([*qido_routes(imaging, authorise), *wado_routes(imaging, authorise)])
    async with TestServer(application) as server, aiohttp.ClientSession() as http:
        yield Viewers(http, str(server.make_url("/dicomweb/view/studies")))


@dataclass
class Case:
    """A case with five slices of a CT."""

    view: ConsultationView
    patient: Actor
    doctor: Actor
    slices: list[pydicom.FileDataset]


@pytest_asyncio.fixture
async def case(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Case:
    doctor, patient = await clinic.doctor(), await clinic.patient("王小明")
    view = await clinic.draft(patient)
    said = of_patient("Wang^Xiaoming=王^小明", sex="M", accession=view.number)
    slices = [ct_slice(number, **said) for number in range(1, 6)]
    for one in slices:
        await imaging.receive(machine, streamed(as_file(one)))
    return Case(view, patient, doctor, slices)


def real(name: str) -> tuple[bytes, pydicom.FileDataset, str]:
    """Give a file of pydicom's, its data set, and the path of its instance."""
    file = Path(str(get_testdata_file(name, download=False))).read_bytes()
    sent = pydicom.dcmread(io.BytesIO(file))
    place = f"/{sent.StudyInstanceUID}/series/{sent.SeriesInstanceUID}/instances/{sent.SOPInstanceUID}"
    return file, sent, place


def value(told: dict[str, Any], tag: str) -> Any:
    return told[tag]["Value"][0]


async def test_the_studies_of_a_consultation_are_found_with_their_series_and_instances(
    viewers: Viewers, case: Case
) -> None:
    for query in ({"consultation": case.view.id}, {"AccessionNumber": case.view.number}):
        [study] = await viewers.json(case.doctor, "", **query)
        assert value(study, "0020000D") == STUDY
        assert value(study, "00100010") == {"Alphabetic": "Wang^Xiaoming", "Ideographic": "王^小明"}
        assert (value(study, "00201206"), value(study, "00201208"), value(study, "00080061")) == (1, 5, "CT")
    [series] = await viewers.json(case.doctor, f"/{STUDY}/series")
    assert (value(series, "00080060"), value(series, "00201209")) == ("CT", 5)
    found = await viewers.json(case.doctor, f"{SERIES}/instances")
    assert [value(one, "00200013") for one in found] == [1, 2, 3, 4, 5]
    assert (value(found[0], "00280010"), value(found[0], "00280011")) == (128, 128)
    assert found == await viewers.json(case.doctor, f"/{STUDY}/instances")
    assert value(found[0], "00081190").endswith(FIRST)


async def test_instances_come_in_pages_that_say_when_there_are_more(viewers: Viewers, case: Case) -> None:
    first = await viewers.get(case.doctor, f"{SERIES}/instances", limit=3)
    assert [value(one, "00200013") for one in json.loads(first.body)] == [1, 2, 3]
    assert first.headers["Warning"].startswith("299 ")
    rest = await viewers.get(case.doctor, f"{SERIES}/instances", limit=3, offset=3)
    assert [value(one, "00200013") for one in json.loads(rest.body)] == [4, 5]
    assert "Warning" not in rest.headers


@pytest.mark.parametrize(
    "query", [{}, {"PatientName": "王*"}, {"consultation": "c", "limit": "-1"}, {"consultation": "c", "offset": "x"}]
)
async def test_a_search_that_is_not_understood_is_refused_rather_than_widened(
    viewers: Viewers, case: Case, query: dict[str, str]
) -> None:
    if "consultation" in query:
        query = query | {"consultation": case.view.id}
    assert (await viewers.get(case.doctor, "", **query)).status == 400


async def test_files_come_back_as_they_were_sent(viewers: Viewers, case: Case) -> None:
    sent = [as_file(one) for one in case.slices]
    for path in (f"/{STUDY}", SERIES):
        answer = await viewers.get(case.doctor, path, AS_STORED)
        assert (answer.status, answer.media_type) == (200, "multipart/related")
        assert answer.parts() == [
            (f"application/dicom;transfer-syntax={uid.ExplicitVRLittleEndian}", one) for one in sent
        ]
    assert [content for _, content in (await viewers.get(case.doctor, FIRST, AS_STORED)).parts()] == sent[:1]
    single = await viewers.get(case.doctor, FIRST, "application/dicom")
    assert (single.media_type, single.body) == ("application/dicom", sent[0])


@pytest.mark.parametrize(
    ("method", "media_type", "begin"),
    [
        (Method.JPEG_LS, "image/jls", b"\xff\xd8\xff"),
        (Method.JPEG_2000, "image/jp2", b"\xff\x4f\xff\x51"),
        (Method.HTJ2K, "image/jphc", b"\xff\x4f\xff\x51"),
    ],
)
async def test_a_study_that_was_compressed_comes_back_with_identical_pixels(
    imaging: ImagingService, viewers: Viewers, case: Case, method: Method, media_type: str, begin: bytes
) -> None:
    codec = FrameCodec(method)
    while await imaging.compress_next(codec):
        pass
    codec.close()
    for accept, syntax in (("", uid.ExplicitVRLittleEndian), (AS_STORED, TRANSFER_SYNTAX[method])):
        answer = await viewers.get(case.doctor, f"/{STUDY}", accept)
        for (kind, content), sent in zip(answer.parts(), case.slices, strict=True):
            found = pydicom.dcmread(io.BytesIO(content))
            assert kind.endswith(f"={syntax}")
            assert found.file_meta.TransferSyntaxUID == syntax
            assert np.array_equal(found.pixel_array, sent.pixel_array)
            del found.PixelData
            assert all(found[element.tag] == element for element in sent if element.tag.group < 0x7FE0)
    [(kind, samples)] = (await viewers.get(case.doctor, f"{FIRST}/frames/1", SAMPLES)).parts()
    assert (kind.partition(";")[0], samples) == ("application/octet-stream", bytes(case.slices[0].PixelData))
    encoded = await viewers.get(case.doctor, f"{FIRST}/frames/1", f'multipart/related; type="{media_type}"')
    [(kind, frame)] = encoded.parts()
    assert kind == f"{media_type};transfer-syntax={TRANSFER_SYNTAX[method]}"
    assert frame.startswith(begin)
    single = await viewers.get(case.doctor, f"{FIRST}/frames/1", "application/octet-stream")
    assert single.body == samples
    page = await viewers.get(case.doctor, f"{FIRST}/frames/1", f'multipart/related; type="image/jls", {SAMPLES}')
    assert page.parts()[0][1] == (frame if method is Method.JPEG_LS else samples)
    assert (await viewers.get(case.doctor, f"{FIRST}/frames/1", "image/dicom-rle")).status == 406


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_implicit.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_RLE.dcm",
        "JPEG2000.dcm",
        "examples_palette.dcm",
        "SC_rgb_rle_2frame.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "SC_rgb_small_odd.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "GDCMJ2K_TextGBR.dcm",
        "examples_jpeg2k.dcm",
        "rtdose_rle.dcm",
    ],
)
async def test_every_encoding_that_is_decoded_gives_the_pixels_that_another_reader_sees(
    clinic: Clinic, imaging: ImagingService, viewers: Viewers, machine: Actor, name: str
) -> None:
    doctor = await clinic.doctor()
    file, sent, place = real(name)
    await imaging.receive(machine, streamed(file))
    answer = await viewers.get(doctor, place)
    [(_, content)] = answer.parts()
    found = pydicom.dcmread(io.BytesIO(content))
    assert found.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    expected = sent.pixel_array
    assert np.array_equal(found.pixel_array, expected)
    frames = int(sent.get("NumberOfFrames", 1))
    last = await viewers.get(doctor, f"{place}/frames/{frames}", "application/octet-stream")
    assert last.status == 200
    shown = await viewers.get(doctor, f"{place}/frames/{frames}/rendered")
    assert shown.media_type == "image/png"
    assert png_pixels(shown.body).shape[:2] == (sent.Rows, sent.Columns)
    assert (await viewers.get(doctor, f"{place}/frames/{frames + 1}")).status == 404


async def test_several_frames_come_in_the_order_in_which_they_were_asked_for(
    clinic: Clinic, imaging: ImagingService, viewers: Viewers, machine: Actor
) -> None:
    doctor = await clinic.doctor()
    file, sent, place = real("rtdose.dcm")
    await imaging.receive(machine, streamed(file))
    answer = await viewers.get(doctor, f"{place}/frames/7,2,15", SAMPLES)
    expected = [sent.pixel_array[number - 1].tobytes() for number in (7, 2, 15)]
    assert [content for _, content in answer.parts()] == expected
    assert (await viewers.get(doctor, f"{place}/frames/1,,2")).status == 400
    for wrong in ("0", "16", "999999999"):
        assert (await viewers.get(doctor, f"{place}/frames/{wrong}")).status == 404


async def test_what_cannot_be_decoded_here_is_given_as_it_is_stored_alone(
    clinic: Clinic, imaging: ImagingService, viewers: Viewers, machine: Actor
) -> None:
    doctor = await clinic.doctor()
    file, sent, place = real("SC_rgb_jpeg_dcmtk.dcm")
    await imaging.receive(machine, streamed(file))
    study = f"/{sent.StudyInstanceUID}"
    for path in (study, place, f"{place}/frames/1"):
        assert (await viewers.get(doctor, path, SAMPLES if "frames" in path else "")).status == 406
    assert [content for _, content in (await viewers.get(doctor, study, AS_STORED)).parts()] == [file]
    shown = await viewers.get(doctor, f"{place}/rendered")
    assert (shown.media_type, shown.body[:2]) == ("image/jpeg", b"\xff\xd8")
    assert (await viewers.get(doctor, f"{place}/rendered", "image/png")).status == 406


async def test_headers_come_without_pixels_in_the_order_of_their_numbers(viewers: Viewers, case: Case) -> None:
    for path in (f"/{STUDY}/metadata", f"{SERIES}/metadata"):
        told = await viewers.json(case.doctor, path)
        assert [value(one, "00200013") for one in told] == [1, 2, 3, 4, 5]
    [one] = await viewers.json(case.doctor, f"{FIRST}/metadata")
    assert one == told[0]
    assert "7FE00010" not in one
    assert value(one, "00083002") == uid.ExplicitVRLittleEndian
    assert value(one, "00100010")["Ideographic"] == "王^小明"
    assert one["00280030"]["Value"] == [float(each) for each in case.slices[0].PixelSpacing]


async def test_a_rendered_picture_shows_the_window_that_was_asked_for(viewers: Viewers, case: Case) -> None:
    pixels = case.slices[0].pixel_array.astype(float)
    values = pixels * float(case.slices[0].RescaleSlope) + float(case.slices[0].RescaleIntercept)
    for center, width in ((40.0, 400.0), (-600.0, 1500.0)):
        answer = await viewers.get(case.doctor, f"{FIRST}/rendered", window=f"{center},{width},linear")
        expected = np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
        assert np.array_equal(png_pixels(answer.body), np.rint(expected))
    whole = png_pixels((await viewers.get(case.doctor, f"{FIRST}/rendered")).body)
    assert (whole.min(), whole.max()) == (0, 255)
    for wrong in ("40", "40,0", "a,b", "40,400,other", "nan,400", "1,2,3,4"):
        assert (await viewers.get(case.doctor, f"{FIRST}/rendered", window=wrong)).status == 400


async def test_a_thumbnail_fits_where_it_is_shown(viewers: Viewers, case: Case) -> None:
    for path in (f"{FIRST}/thumbnail", f"{FIRST}/frames/1/thumbnail", f"{SERIES}/thumbnail"):
        answer = await viewers.get(case.doctor, path, viewport="50,90")
        assert png_pixels(answer.body).shape == (50, 50)
    assert png_pixels((await viewers.get(case.doctor, f"{FIRST}/thumbnail")).body).shape == (128, 128)
    for wrong in ("50", "0,5", "-1,5", "a,b"):
        assert (await viewers.get(case.doctor, f"{FIRST}/thumbnail", viewport=wrong)).status == 400
    assert (await viewers.get(case.doctor, f"{FIRST}/thumbnail", "image/gif")).status == 406


ADDRESSES = (
    f"/{STUDY}",
    f"/{STUDY}/series",
    f"/{STUDY}/instances",
    f"/{STUDY}/metadata",
    SERIES,
    f"{SERIES}/instances",
    f"{SERIES}/metadata",
    f"{SERIES}/thumbnail",
    FIRST,
    f"{FIRST}/metadata",
    f"{FIRST}/frames/1",
    f"{FIRST}/rendered",
    f"{FIRST}/thumbnail",
)


async def test_those_who_take_part_see_it_and_nobody_else_learns_that_it_is_there(
    clinic: Clinic, viewers: Viewers, case: Case
) -> None:
    expert = await clinic.expert()
    await clinic.care.submit(case.doctor, case.view.id)
    for path in ADDRESSES:
        assert (await viewers.get(expert, path)).status == 404, path  # who is only asked has not taken the case
    await clinic.accept(expert, case.view.id)
    searches: tuple[dict[str, str], ...] = ({"consultation": case.view.id}, {"AccessionNumber": case.view.number})
    strangers = [await clinic.patient("李雷"), await clinic.expert("赵六"), await clinic.administrator()]
    for path in ADDRESSES:
        for who in (case.patient, case.doctor, expert):
            assert (await viewers.get(who, path)).status == 200, path
        for who in strangers:
            assert (await viewers.get(who, path)).status == 404, path
    for who in strangers:
        assert [(await viewers.get(who, "", **search)).status for search in searches] == [404, 404]


async def test_what_is_not_there_is_not_found(viewers: Viewers, case: Case) -> None:
    other = f"{ROOT_UID}.9"
    for path in (
        f"/{other}/series",
        f"/{STUDY}/series/{other}/metadata",
        f"/{STUDY}/series/{other}/instances",
        f"/{STUDY}/series/{other}/instances/{ROOT_UID}.1.1.1",
        f"/{other}/series/{ROOT_UID}.1.1/instances/{ROOT_UID}.1.1.1",
    ):
        assert (await viewers.get(case.doctor, path)).status == 404, path


async def test_a_study_in_quarantine_is_shown_to_those_who_decide_and_a_rejected_one_to_nobody(
    clinic: Clinic, imaging: ImagingService, viewers: Viewers, machine: Actor
) -> None:
    doctor, patient = await clinic.doctor(), await clinic.patient("王小明")
    case = await clinic.draft(patient)
    await imaging.receive(machine, streamed(as_file(ct_slice(**of_patient("李^雷", accession=case.number)))))
    assert await viewers.json(doctor, "", consultation=case.id) == []
    [study] = await viewers.json(doctor, "", quarantined="true")
    assert value(study, "0020000D") == STUDY
    assert (await viewers.get(doctor, f"{FIRST}/rendered")).status == 200
    assert (await viewers.get(patient, f"{FIRST}/rendered")).status == 404
    [waiting] = await imaging.quarantined(doctor)
    await imaging.reject(doctor, waiting.id, "不是本院患者")
    assert (await viewers.get(doctor, f"{FIRST}/rendered")).status == 404


async def test_two_people_under_one_identifier_are_never_given_together(
    clinic: Clinic, imaging: ImagingService, viewers: Viewers, machine: Actor, case: Case
) -> None:
    await imaging.receive(machine, streamed(as_file(ct_slice(6, **of_patient("李^雷")))))
    for query in ({}, {"consultation": case.view.id}):
        found = await viewers.json(case.doctor, f"/{STUDY}/instances", **query)
        assert [value(one, "00200013") for one in found] == [1, 2, 3, 4, 5]
    assert len((await viewers.get(case.doctor, f"/{STUDY}", AS_STORED)).parts()) == 5
    assert (await viewers.get(case.patient, f"{SERIES}/instances/{ROOT_UID}.1.1.6")).status == 404
    assert (await viewers.get(case.doctor, f"{SERIES}/instances/{ROOT_UID}.1.1.6")).status == 200


async def test_who_opens_a_study_is_written_down_once_and_again_after_a_while(
    clinic: Clinic, viewers: Viewers, case: Case
) -> None:
    async def openings() -> int:
        async with clinic.database.reading() as session:
            query = select(func.count()).where(
                AuditEntry.action == Action.IMAGING_READ, AuditEntry.actor_id == case.patient.person_id
            )
            return await session.scalar(query) or 0

    for number in range(1, 6):
        assert (await viewers.get(case.patient, f"{SERIES}/instances/{ROOT_UID}.1.1.{number}/frames/1")).status == 200
    assert await openings() == 1
    clinic.clock.advance(timedelta(minutes=11))
    assert (await viewers.get(case.patient, f"{FIRST}/frames/1")).status == 200
    assert await openings() == 2
