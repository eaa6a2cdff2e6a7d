"""A process killed at any step of signing, approving or printing leaves all of it or nothing, and it can go on."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from backend.prescription import State
from backend.prescription.tables import PrescriptionPaper, SignedVersion
from backend.security.policy import SYSTEM
from tests.backend.prescription.conftest import Desk
from tests.support.dying import Forked
from tests.support.killable_prescriptions import APPROVE_STEPS, PRINT_STEPS, SIGN_STEPS, main
from tests.support.prescribing import papers_on


async def die(database_url: str, folder: Path, step: str, prescription_id: str) -> None:
    assert await Forked(main, database_url, folder, step, prescription_id).ended() == -9


async def versions(desk: Desk) -> int:
    async with desk.clinic.database.reading() as session:
        return await session.scalar(select(func.count(SignedVersion.id))) or 0


@pytest.mark.parametrize("step", SIGN_STEPS)
async def test_killed_while_it_signs(desk: Desk, database_url: str, tmp_path: Path, step: str) -> None:
    draft = await desk.written()
    await die(database_url, tmp_path, step, draft.id)
    done = step == "signature committed"
    view = await desk.prescriptions.prescription(SYSTEM, draft.id)
    assert (view.state is State.SIGNED, await versions(desk)) == (done, int(done))
    assert len(await desk.clinic.published("prescription.signed")) == int(done)
    again = await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    assert (again.state, again.version, await versions(desk)) == (State.SIGNED, 1, 1)
    assert len(await desk.clinic.published("prescription.signed")) == 1
    assert (await desk.prescriptions.approve(desk.pharmacist, draft.id)).state is State.VALID


@pytest.mark.parametrize("step", APPROVE_STEPS)
async def test_killed_while_it_approves(desk: Desk, database_url: str, tmp_path: Path, step: str) -> None:
    signed = await desk.signed()
    await die(database_url, tmp_path, step, signed.id)
    done = step == "approval committed"
    seen = await desk.prescriptions.prescriptions_of(desk.patient, desk.case_id)
    assert [one.id for one in seen] == [signed.id] * done
    if not done:
        await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert len(await desk.clinic.published("prescription.approved")) == 1
    (view,) = await desk.prescriptions.prescriptions_of(desk.patient, desk.case_id)
    assert (await desk.prescriptions.verify(view.code or "")).genuine


@pytest.mark.parametrize("step", PRINT_STEPS)
async def test_killed_while_it_prints(desk: Desk, database_url: str, tmp_path: Path, step: str) -> None:
    approved = await desk.approved()
    await die(database_url, tmp_path, step, approved.id)
    desk.clinic.clock.advance(timedelta(hours=1))  # as far as the other process was
    papers = papers_on(desk.pharmacy)
    async with desk.clinic.database.reading() as session:
        before = (await session.get_one(PrescriptionPaper, approved.id)).pdf
    assert (before is not None) is (step == "kept")
    try:
        pdf = await papers.pdf(desk.patient, approved.id)
        assert before in (None, pdf)
        assert await papers.pdf(desk.doctor, approved.id) == pdf
        assert await papers.genuine(pdf)
        assert not await papers.queue.make_next()
    finally:
        papers.queue.close()
