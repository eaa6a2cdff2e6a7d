"""Taking a case through the hands of doctor and expert, for tests of what comes after."""

from backend.consultation.rules import Urgency
from backend.security.policy import Actor
from tests.support.house import House


async def staff(house: House, name: str) -> Actor:
    """Give a practitioner of the house as an actor."""
    practitioner = await house.services.people.practitioner(house.practitioners[name])
    assert practitioner.person_id is not None
    return await house.actor(practitioner.person_id)


async def open_case(house: House, person_id: str, urgency: Urgency = Urgency.ROUTINE) -> str:
    """Open a case of a consenting person at the first centre (its doctor is 村医甲)."""
    case = await house.services.consultations.open(
        await house.actor(person_id),
        patient_id=person_id,
        institution_id=house.institutions["青山镇卫生院"],
        record={"chief_complaint": "咳嗽3天", "present_illness": "3天前出现咳嗽。"},
        facts={},
        department_code="respiratory",
        urgency=urgency,
    )
    await house.settle()
    return case.id


async def assign(house: House, case_id: str) -> None:
    """Let the doctor submit it and 钟专家 accept the invitation."""
    consultations = house.services.consultations
    await consultations.submit(await staff(house, "村医甲"), case_id)
    await house.settle()
    expert = await staff(house, "钟专家")
    [offer] = await consultations.offers_for(expert)
    await consultations.accept_offer(expert, offer.id)
    await house.settle()


async def begin(house: House, case_id: str) -> None:
    """Let the expert begin."""
    await house.services.consultations.start(await staff(house, "钟专家"), case_id)
    await house.settle()


async def complete(house: House, case_id: str) -> None:
    """Let the expert give an opinion and close."""
    consultations, expert = house.services.consultations, await staff(house, "钟专家")
    await consultations.record_opinion(
        expert, case_id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水，休息一周。"
    )
    await consultations.complete(expert, case_id)
    await house.settle()
