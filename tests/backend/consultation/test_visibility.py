"""The query of what somebody may read finds exactly what the policy allows, one consultation after another."""

import pytest
from sqlalchemy import select

from backend.consultation.tables import Consultation
from backend.consultation.visibility import cared_for, case_ids
from backend.errors import Forbidden
from backend.people.tables import Person
from backend.security.policy import SYSTEM, Action, Actor, Role, allowed
from tests.support.clinic import Clinic

ACTIONS = (
    Action.CONSULTATION_VIEW,
    Action.CONSULTATION_READ_RECORD,
    Action.IMAGING_READ,
    Action.REPORT_READ,
    Action.PEOPLE_READ,
    Action.PEOPLE_READ_IDENTITY_NUMBER,
    Action.AUDIT_READ,
)


async def _cast(clinic: Clinic) -> list[Actor]:
    """People with every relation to some consultations, and with none."""
    people = clinic.people
    mother, stranger = await clinic.patient("王秀英"), await clinic.patient("赵六")
    await people.add_relative(mother, relation="child", name="小宝")
    mother = await people.actor(mother.person_id)
    doctor, expert = await clinic.doctor("李梅"), await clinic.expert("张强")
    colleague, other_expert = await clinic.doctor("陈静"), await clinic.expert("刘洋", department_code="cardiology")
    [child] = mother.wards
    for patient_id, speaker in ((mother.person_id, mother), (child, mother), (stranger.person_id, stranger)):
        await clinic.draft(speaker, patient_id=patient_id)
    case = await clinic.draft(mother)
    view = await clinic.care.get(SYSTEM, case.id)
    treating = next(one for one in (doctor, colleague) if one.practitioner_id == view.doctor_id)
    await clinic.care.submit(treating, case.id)
    await clinic.accept(expert, case.id)
    elsewhere = Actor("f" * 32, frozenset({Role.GRASSROOTS_DOCTOR}), "e" * 32, "d" * 32)
    administrator = await clinic.administrator()
    offices = [
        Actor("", frozenset({Role.INSTITUTION_ADMINISTRATOR}), institution_id=place)
        for place in (doctor.institution_id, expert.institution_id, "d" * 32)
    ]
    return [mother, stranger, doctor, colleague, expert, other_expert, elsewhere, administrator, *offices, SYSTEM]


async def test_the_query_finds_what_the_policy_allows(clinic: Clinic) -> None:
    actors = await _cast(clinic)
    async with clinic.database.reading() as session:
        cases = (await session.scalars(select(Consultation))).all()
    assert len(cases) == 4
    seen = set()
    for actor in actors:
        for action in ACTIONS:
            expected = {case.id for case in cases if _may(actor, action, case)}
            for patients in ((), tuple(sorted({case.patient_id for case in cases[:2]}))):
                wanted = {
                    case.id for case in cases if case.id in expected and (not patients or case.patient_id in patients)
                }
                assert await _found(clinic, actor, action, patients) == wanted, (actor, action)
            seen.add(len(expected))
            whose = {case.patient_id for case in cases if case.id in expected} | _own(actor, action)
            everybody = {case.patient_id for case in cases}
            assert await _patients(clinic, actor, action) & everybody == whose & everybody
            for one in everybody:
                assert await _patients(clinic, actor, action, (one,)) & {one} == whose & {one}
    assert {0, 1, 3, 4} <= seen


async def test_who_could_see_nothing_whatever_is_refused() -> None:
    device = Actor("", frozenset({Role.DEVICE}), institution_id="c" * 32)
    with pytest.raises(Forbidden):
        case_ids(device, Action.CONSULTATION_VIEW)


def _own(actor: Actor, action: Action) -> frozenset[str]:
    return frozenset(one for one in actor.own if allowed(actor, action, patient_id=one))


def _may(actor: Actor, action: Action, case: Consultation) -> bool:
    participants = [one for one in (case.doctor_id, case.expert_id) if one]
    return allowed(
        actor,
        action,
        patient_id=case.patient_id,
        participants=participants,
        institution_id=case.institution_id,
        answering_institution_id=case.expert_institution_id,
    )


async def _found(clinic: Clinic, actor: Actor, action: Action, patients: tuple[str, ...]) -> set[str]:
    try:
        query = case_ids(actor, action, patients)
    except Forbidden:
        return set()
    async with clinic.database.reading() as session:
        return set(await session.scalars(select(Consultation.id) if query is None else query))


async def _patients(clinic: Clinic, actor: Actor, action: Action, people: tuple[str, ...] = ()) -> set[str]:
    try:
        condition = cared_for(Person.id, actor, action, people)
    except Forbidden:
        return set()
    async with clinic.database.reading() as session:
        return set(await session.scalars(select(Person.id).where(condition)))
