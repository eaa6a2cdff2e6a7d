"""Asked to prescribe once more: by the patient of a chronic prescription, answered once by its doctor."""

import pytest

from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput, NotFound
from tests.backend.dispensing.conftest import County
from tests.support.prescribing import CETIRIZINE, line


async def _dispensed(county: County, *, chronic: bool = True) -> str:
    prescription = await county.approved(line(CETIRIZINE, 10, 7, "qd"), chronic=chronic)
    assert prescription.code is not None
    await county.dispensing.redeem(county.near_pharmacist, prescription.code)
    return prescription.id


async def test_the_doctor_hears_how_the_patient_has_been_and_agrees(county: County) -> None:
    prescription_id = await _dispensed(county)
    asked = await county.dispensing.ask_refill(county.patient, prescription_id, "血压130/80，都挺好")
    assert (await county.dispensing.ask_refill(county.patient, prescription_id)).id == asked.id
    [waiting] = await county.dispensing.refills(county.desk.doctor)
    assert waiting.note == "血压130/80，都挺好"
    assert waiting.medicines[0].startswith("西替利嗪片")
    answered = await county.dispensing.answer_refill(county.desk.doctor, asked.id, agreed=True)
    assert answered.agreed is True
    assert await county.dispensing.refills(county.desk.doctor) == []
    assert await county.dispensing.answer_refill(county.desk.doctor, asked.id, agreed=True) == answered
    with pytest.raises(Conflict):
        await county.dispensing.answer_refill(county.desk.doctor, asked.id, agreed=False, reason="先复查")
    assert (await county.dispensing.ask_refill(county.patient, prescription_id)).id != asked.id


async def test_a_doctor_who_does_not_agree_says_why(county: County) -> None:
    asked = await county.dispensing.ask_refill(county.patient, await _dispensed(county))
    with pytest.raises(InvalidInput):
        await county.dispensing.answer_refill(county.desk.doctor, asked.id, agreed=False)
    answered = await county.dispensing.answer_refill(county.desk.doctor, asked.id, agreed=False, reason="需要先复查")
    assert (answered.agreed, answered.reason) == (False, "需要先复查")
    assert (await county.dispensing.refill(county.patient, asked.id)).reason == "需要先复查"


async def test_what_is_not_chronic_or_not_dispensed_is_not_prescribed_again_like_that(county: County) -> None:
    with pytest.raises(IllegalMove):
        await county.dispensing.ask_refill(county.patient, await _dispensed(county, chronic=False))
    fresh = await county.approved(line(CETIRIZINE, 10, 7, "qd"), chronic=True)
    with pytest.raises(IllegalMove):
        await county.dispensing.ask_refill(county.patient, fresh.id)


async def test_strangers_neither_ask_nor_read_nor_answer(county: County) -> None:
    prescription_id = await _dispensed(county)
    stranger = await county.desk.clinic.patient("路人")
    with pytest.raises(Forbidden):
        await county.dispensing.ask_refill(stranger, prescription_id)
    asked = await county.dispensing.ask_refill(county.patient, prescription_id)
    with pytest.raises(NotFound):
        await county.dispensing.refill(stranger, asked.id)
    with pytest.raises(Forbidden):
        await county.dispensing.answer_refill(county.patient, asked.id, agreed=True)
