"""Forwarding to test on: a consultation with an expert whose institution has a PACS, and a PACS that misbehaves."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pydicom
from aiohttp import BodyPartReader, web
from aiohttp.test_utils import TestServer
from pydicom.dataset import FileDataset

from backend.imaging import ImagingService, TransferView
from backend.imaging.json_model import identifier, number, sequence
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic
from tests.support.imaging import as_file, ct_slice, of_patient, streamed


@dataclass
class Case:
    """A consultation whose doctor has sent it, with the expert who is asked."""

    clinic: Clinic
    imaging: ImagingService
    machine: Actor
    doctor: Actor
    expert: Actor
    id: str
    number: str

    async def images(self, numbers: Sequence[int], **changes: Any) -> list[FileDataset]:
        """Let the machine send slices of this patient."""
        said = of_patient("王小明", accession=self.number)
        slices = [ct_slice(one, **(said | changes)) for one in numbers]
        for one in slices:
            await self.imaging.receive(self.machine, streamed(as_file(one)))
        return slices

    async def assign(self) -> None:
        """Let the expert take the case, and everybody hear of it."""
        await self.clinic.accept(self.expert, self.id)
        await self.hear()

    async def hear(self) -> None:
        """Hand on what happened."""
        while await self.clinic.events.dispatch():
            pass

    async def transfer(self) -> TransferView:
        """How far the one study is on its way to the one destination."""
        [view] = await self.imaging.transfers(SYSTEM, self.id)
        return view


async def submitted_case(clinic: Clinic, imaging: ImagingService, machine: Actor) -> Case:
    """Let a patient's consultation be sent to an expert of the hospital; what is assigned will be forwarded."""
    doctor, expert = await clinic.doctor(), await clinic.expert()
    patient = await clinic.patient("王小明")
    case = await clinic.draft(patient, urgency="urgent")
    await clinic.care.submit(doctor, case.id)
    return Case(clinic, imaging, machine, doctor, expert, case.id, case.number)


def pixels_of(slices: Sequence[FileDataset]) -> dict[str, bytes]:
    """The pixels of what was sent, by SOP Instance UID."""
    return {one.SOPInstanceUID: one.pixel_array.tobytes() for one in slices}


@asynccontextmanager
async def stow_peer(answer: Callable[[list[FileDataset]], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a peer that reads the instances of a STOW-RS request and answers as the test says; gives its address."""
    application = web.Application(client_max_size=64 * 1024**2)

    async def store(request: web.Request) -> web.Response:
        return await answer(await _instances(request))

    application.router.add_post("/studies", store)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


def stow_answer(stored: Sequence[FileDataset], failed: Sequence[FileDataset] = (), reason: int = 0) -> web.Response:
    """The answer of a peer that stored some instances and not the others."""
    references = [{"00081155": identifier(one.SOPInstanceUID)} for one in stored]
    failures = [{"00081155": identifier(one.SOPInstanceUID), "00081197": number(reason)} for one in failed]
    dataset = {"00081199": sequence(references), "00081198": sequence(failures)}
    return web.json_response(dataset, status=202 if failed else 200, content_type="application/dicom+json")


async def _instances(request: web.Request) -> list[FileDataset]:
    found: list[FileDataset] = []
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        assert isinstance(part, BodyPartReader)
        found.append(pydicom.dcmread(io.BytesIO(await part.read())))
    return found
