"""A page sends over tus 1.0.0: what the protocol says, and what the house adds to it."""

import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.consultation import ConsultationView
from backend.errors import DomainError, NotFound
from backend.imaging import ImagingService, UploadState, uploads
from backend.imaging.tus import tus_routes
from backend.security.policy import Actor
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, folder_store, of_patient
from tests.support.uploads import BATCH, zipped
from tests.support.waiting import eventually

FILE = zipped({"IM1": as_file(ct_slice(**of_patient("王^小明")))})
Answer = tuple[int, dict[str, str]]
STREAM = {"Content-Type": "application/offset+octet-stream"}


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except DomainError as error:
        return web.json_response({"code": error.code}, status=404 if isinstance(error, NotFound) else 409)


@dataclass
class Client:
    """Somebody who sends."""

    http: aiohttp.ClientSession
    url: str

    async def ask(self, method: str, path: str = "/imaging/uploads", body: bytes = b"", **headers: str) -> Answer:
        sent = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, self.url + path, data=body or None, headers=sent) as answer:
            return answer.status, dict(answer.headers)

    async def create(self, consultation_id: str, content: bytes = FILE, **changes: str) -> Answer:
        said = {
            "consultation": consultation_id,
            "batch": BATCH,
            "fingerprint": sha256(content).hexdigest(),
            "name": "胸片.zip",
        } | changes
        pairs = [f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items()]
        return await self.ask("POST", Upload_Length=str(len(content)), Upload_Metadata=",".join(pairs))

    async def patch(self, path: str, offset: int, body: bytes, **headers: str) -> Answer:
        return await self.ask("PATCH", path, body, **({"Upload_Offset": str(offset)} | STREAM | headers))


@pytest_asyncio.fixture
async def doctor(clinic: Clinic) -> Actor:
    return await clinic.doctor()


@pytest_asyncio.fixture
async def case(clinic: Clinic, doctor: Actor) -> ConsultationView:
    return await clinic.draft(await clinic.patient("王小明"))


@pytest_asyncio.fixture
async def client(imaging: ImagingService, doctor: Actor) -> AsyncIterator[Client]:
    async def authorise(_request: web.Request) -> Actor:
        return doctor

    application = web.Application(middlewares=[problems])
    application.add_routes(tus_routes(imaging, authorise))
    async with TestServer(application) as server, aiohttp.ClientSession() as http:
        yield Client(http, str(server.make_url("")).rstrip("/"))


async def test_a_file_is_created_sent_in_two_goes_and_read(
    imaging: ImagingService, doctor: Actor, case: ConsultationView, client: Client
) -> None:
    status, created = await client.create(case.id)
    assert (status, created["Upload-Offset"], created["Tus-Resumable"]) == (201, "0", "1.0.0")
    path = created["Location"]
    status, sent = await client.patch(path, 0, FILE[:5000])
    assert (status, sent["Upload-Offset"]) == (204, "5000")
    status, looked = await client.ask("HEAD", path)
    assert (status, looked["Upload-Offset"], looked["Upload-Length"]) == (200, "5000", str(len(FILE)))
    assert looked["Cache-Control"] == "no-store"
    assert (await client.patch(path, 0, FILE))[0] == 409
    status, again = await client.create(case.id)
    assert (status, again["Location"], again["Upload-Offset"]) == (200, path, "5000")
    assert (await client.patch(path, 5000, FILE[5000:]))[1]["Upload-Offset"] == str(len(FILE))
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id, BATCH)
    assert view is not None
    assert view.stored == 1
    assert (await client.create(case.id))[1]["Upload-Offset"] == str(len(FILE))


async def test_what_came_before_the_line_was_cut_is_kept(
    imaging: ImagingService,
    doctor: Actor,
    case: ConsultationView,
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "PIECE_BYTES", 5_000)
    path = (await client.create(case.id))[1]["Location"]
    upload_id = path.rpartition("/")[2]
    where = urlsplit(client.url)
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: {where.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(FILE)}\r\n\r\n"
    )

    async def received() -> int:
        return (await imaging.upload(doctor, upload_id)).received

    async def is_kept() -> bool:
        return await received() >= 5_000

    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        line.sendall(head.encode() + FILE[:7_000])
        await eventually(is_kept)

    async def goes_on() -> bool:
        offset = await received()
        return (await client.patch(path, offset, FILE[offset:]))[0] == 204

    await eventually(goes_on)
    assert (await imaging.upload(doctor, upload_id)).state is UploadState.WAITING
    assert await imaging.unpack_next()
    view = await imaging.batch(doctor, case.id, BATCH)
    assert view is not None
    assert view.stored == 1

    async def is_tidy() -> bool:  # the request that was cut off has come to its end, too
        return len([one async for one in folder_store(tmp_path).list()]) == 1

    await eventually(is_tidy)


async def test_the_server_says_what_it_can(client: Client) -> None:
    status, told = await client.ask("OPTIONS")
    assert (status, told["Tus-Version"], told["Tus-Extension"]) == (204, "1.0.0", "creation,termination")
    assert int(told["Tus-Max-Size"]) >= 2**30


async def test_an_upload_is_terminated(case: ConsultationView, client: Client) -> None:
    path = (await client.create(case.id))[1]["Location"]
    await client.patch(path, 0, FILE[:100])
    assert (await client.ask("DELETE", path))[0] == 204
    assert (await client.ask("HEAD", path))[0] == 404


async def test_what_is_not_the_protocol_is_refused(case: ConsultationView, client: Client) -> None:
    status, told = await client.ask("POST", Tus_Resumable="0.2.2")
    assert (status, told["Tus-Version"]) == (412, "1.0.0")
    path = (await client.create(case.id))[1]["Location"]
    assert (await client.patch(path, 0, FILE, **{"Content-Type": "text/plain"}))[0] == 415
    for offset in ("-1", "1.0", "", "9" * 20, "٣"):
        with_offset = {"Upload_Offset": offset}
        try:
            status = (await client.patch(path, 0, FILE, **with_offset))[0]
        except (ValueError, UnicodeError):  # the client itself sends no such header
            continue
        assert status == 409
    assert (await client.create("0" * 32))[0] == 404
    for wrong in ({"fingerprint": "x"}, {"batch": "../../.."}, {"consultation": "1"}):
        assert (await client.create(case.id, FILE, **wrong))[0] == 409
    status, _ = await client.ask("POST", Upload_Length="5", Upload_Metadata="consultation ***")
    assert status == 409
    assert (await client.patch(path, 0, FILE + b"more"))[0] == 409
    assert (await client.ask("HEAD", "/imaging/uploads/" + "0" * 32))[0] == 404
