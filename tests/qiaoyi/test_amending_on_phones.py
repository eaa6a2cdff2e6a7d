"""In the running product, from phone to phone: a record is put right; a photograph lies under its sender's key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from sqlalchemy import select

from backend.db import key_ring
from backend.files import FileRow
from backend.rights import AmendmentState
from tests.support.pictures import jpeg
from tests.support.product import BookedCase, booked_case, running_product


@pytest_asyncio.fixture
async def case(tmp_path: Path) -> AsyncIterator[BookedCase]:
    """A consultation that has ended."""
    async with running_product(tmp_path) as product:
        made, care = await booked_case(product), product.house.consultations
        expert = await made.expert.actor()
        await care.start(expert, made.id)
        await care.record_opinion(expert, made.id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水。")
        await care.complete(expert, made.id)
        yield made


async def test_a_patient_has_a_record_put_right_and_a_photograph_lies_under_their_key(
    case: BookedCase, tmp_path: Path
) -> None:
    patient, doctor, house = case.patient.phone, case.doctor.phone, case.product.house
    await patient.say("我的病历写错了")
    await patient.wait_for("哪一处写错了")
    await patient.tap("病情经过")
    assert "咳嗽3天" in (await patient.wait_for("现在写的是")).text
    await patient.say("是五天，不是三天")
    await patient.wait_for("您说的是")
    await patient.tap("对")
    await patient.wait_for("现在发吗")
    await patient.tap("发给医生")
    await patient.wait_for("已经发给李梅医生了")
    await doctor.wait_for("患者请您更正病历")  # a template: it has been long since the doctor wrote
    await doctor.say("我的会诊")
    card = await doctor.wait_for("患者说病历有一处写错了")
    assert "是五天，不是三天" in card.text
    await doctor.tap("写更正")
    await doctor.wait_for("请写更正")
    await doctor.say("咳嗽应为五天。")
    await doctor.wait_for("写进病历后不能再改")
    await doctor.tap("写进病历")
    assert "咳嗽应为五天。" in (await patient.wait_for("写了更正")).text
    [addendum] = await house.amendments.addenda(await case.patient.actor(), case.id)
    assert (addendum.state, addendum.text) == (AmendmentState.AMENDED, "是五天，不是三天")

    await patient.send_image(jpeg(), "photo.jpg")
    await patient.wait_for("照片")
    async with house.database.reading() as session:
        [sent] = await session.scalars(select(FileRow).where(FileRow.owner_id == case.patient.person_id))
    [stored] = (tmp_path / "data" / "files").rglob(sent.id)
    assert sent.own_of == case.patient.person_id
    assert key_ring().lies_right(stored.read_bytes(), case.patient.person_id)
