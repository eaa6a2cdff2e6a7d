"""Whether a destination answers, and in which words it fails."""

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.errors import Forbidden, NotFound
from backend.imaging import Failure, ImagingService, Probe, StoreAddress, StowAddress
from backend.security.policy import SYSTEM
from tests.support.clinic import Clinic
from tests.support.orthanc import AE_TITLE, AUTHORIZATION, Orthanc, running_orthanc

# pynetdicom leaves the socket of a connection that is refused to the collector.
LEFT_SOCKET = pytest.mark.filterwarnings(
    r"ignore:Exception ignored in. <socket\.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest_asyncio.fixture
async def orthanc() -> AsyncIterator[Orthanc]:
    async with running_orthanc() as running:
        yield running


async def probed(clinic: Clinic, imaging: ImagingService, address: StowAddress | StoreAddress) -> Probe:
    made = await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", address)
    return await imaging.probe_destination(SYSTEM, made.id)


@LEFT_SOCKET
async def test_a_pacs_says_over_both_protocols_whether_it_knows_us(
    clinic: Clinic, imaging: ImagingService, orthanc: Orthanc
) -> None:
    wrong = "Basic " + base64.b64encode(b"qiaoyi:wrong").decode()
    expected: list[tuple[StowAddress | StoreAddress, Failure | None, str]] = [
        (StowAddress(orthanc.url, AUTHORIZATION), None, "HTTP 200"),
        (StowAddress(orthanc.url, wrong), Failure.UNAUTHORIZED, "HTTP 401"),
        (StowAddress(orthanc.url + "/nothing", AUTHORIZATION), Failure.WRONG_ADDRESS, "HTTP 404"),
        (StoreAddress("127.0.0.1", orthanc.dicom_port, AE_TITLE), None, "C-ECHO 0x0000"),
        (StoreAddress("127.0.0.1", orthanc.dicom_port, "SOMEBODY"), Failure.WRONG_ADDRESS, "Called AE title"),
        (StoreAddress("127.0.0.1", 1, AE_TITLE), Failure.AWAY, "no association"),
        (StowAddress("http://127.0.0.1:1/dicom-web"), Failure.AWAY, "ClientConnectorError"),
    ]
    for address, failure, words in expected:
        found = await probed(clinic, imaging, address)
        assert found.failure is failure
        assert words.casefold() in found.detail.casefold()


async def test_a_web_page_is_no_pacs(clinic: Clinic, imaging: ImagingService) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    application = web.Application()
    application.router.add_get("/studies", page)
    async with TestServer(application) as server:
        found = await probed(clinic, imaging, StowAddress(str(server.make_url("")).rstrip("/")))
    assert found == Probe(Failure.WRONG_ADDRESS, "HTTP 200 text/html")


async def test_administrators_alone_probe(clinic: Clinic, imaging: ImagingService) -> None:
    made = await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", StowAddress("http://127.0.0.1:1"))
    with pytest.raises(Forbidden):
        await imaging.probe_destination(await clinic.doctor(), made.id)
    with pytest.raises(NotFound):
        await imaging.probe_destination(SYSTEM, "nothing")
