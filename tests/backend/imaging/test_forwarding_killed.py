"""kill -9 in the middle of forwarding: no gap, no duplicate, the same pixels."""

from datetime import timedelta
from pathlib import Path

import pytest

from backend.imaging import ImagingService, StowAddress
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic
from tests.support.forwarding import pixels_of, submitted_case
from tests.support.killable_imaging import FORWARDING_STEPS, serving
from tests.support.orthanc import AUTHORIZATION, running_orthanc

SLICES = 50


@pytest.mark.parametrize("step", FORWARDING_STEPS)
async def test_what_a_killed_process_was_sending_is_brought_to_its_end_by_another(
    clinic: Clinic, imaging: ImagingService, machine: Actor, database_url: str, tmp_path: Path, step: str
) -> None:
    async with running_orthanc() as orthanc:
        case = await submitted_case(clinic, imaging, machine)
        pacs = StowAddress(orthanc.url, AUTHORIZATION)
        await imaging.register_destination(SYSTEM, clinic.hospital, "县医院PACS", pacs)
        slices = await case.images(range(1, SLICES + 1))
        await case.assign()
        async with serving(database_url, tmp_path, step, 2) as (_port, process):
            assert await process.ended() == -9
        assert (await case.transfer()).arrived < SLICES
        clinic.clock.advance(timedelta(minutes=5))
        await imaging.forward_waiting()
        assert (await case.transfer()).arrived == SLICES
        assert await orthanc.uids() == sorted(one.SOPInstanceUID for one in slices)
        assert await orthanc.pixels() == pixels_of(slices)
    assert len(await clinic.published("imaging.transfer_finished")) == 1
