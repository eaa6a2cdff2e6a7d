"""A consultation to measure on: the demonstration's doctor sends it, an expert is asked."""

from dataclasses import dataclass

from backend.security.policy import SYSTEM, Actor
from backend.seed import demo_id, seed
from data.demo import demo
from qiaoyi.house import House


@dataclass(frozen=True)
class Asked:
    """A consultation that an expert may take.

    Args:
        institution_id: of the doctor. offer_id: the expert's invitation.
    """

    id: str
    number: str
    institution_id: str
    expert: Actor
    offer_id: str

    async def take(self, house: House) -> None:
        """Let the expert take it."""
        await house.consultations.accept_offer(self.expert, self.offer_id)


async def asked_expert(house: House) -> Asked:
    """Let the doctor of 王小明 send a case to an expert, in a house that is empty."""
    await seed(house.database, house.people, house.scheduling)
    people, care = house.people, house.consultations
    doctor = await _joined(house, "DOC-01")
    experts = [one.code for one in demo().practitioners if one.role == "expert" and one.department == "respiratory"]
    expert = await _joined(house, experts[0])
    patient = await people.actor(await people.register("王小明"))
    await people.give_consent(patient, people.consent_document().version)
    institution_id = doctor.institution_id or ""
    case = await care.open(
        patient, patient_id=patient.person_id, institution_id=institution_id, record={"chief_complaint": "咳嗽3天"},
        facts={}, department_code="respiratory", urgency="routine",
    )  # fmt: skip
    await care.submit(doctor, case.id)
    [offer] = await care.offers_of(SYSTEM, case.id)
    return Asked(case.id, case.number, institution_id, expert, offer.id)


async def _joined(house: House, code: str) -> Actor:
    people = house.people
    person_id = await people.register("医生")
    await people.accept_invitation(person_id, (await people.create_invitation(SYSTEM, demo_id(code))).scene)
    return await people.actor(person_id)
