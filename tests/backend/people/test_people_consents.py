"""A person's last word on the present version of the document is what holds."""

import pytest
from sqlalchemy import select

from backend.db import Database
from backend.errors import Conflict, Forbidden, IllegalMove
from backend.events import EventRow
from backend.people import consents
from backend.people.service import PeopleService
from backend.security.policy import SYSTEM, Actor
from data.consent import ConsentDocument, ConsentKind


@pytest.fixture
async def patient(people: PeopleService) -> Actor:
    return await people.actor(await people.register("王秀英"))


async def happened(database: Database) -> list[tuple[str, dict[str, object]]]:
    async with database.reading() as session:
        rows = await session.scalars(select(EventRow).order_by(EventRow.id))
    return [(row.type, row.payload) for row in rows]


async def test_nobody_has_consented_before_they_were_asked(people: PeopleService, patient: Actor) -> None:
    assert not await people.has_consent(patient.person_id)
    assert await people.consents(patient) == []


async def test_consent_is_given_taken_back_and_given_again(
    people: PeopleService, patient: Actor, database: Database
) -> None:
    version = people.consent_document().version
    await people.give_consent(patient, version)
    assert await people.has_consent(patient.person_id)
    await people.withdraw_consent(patient)
    assert not await people.has_consent(patient.person_id)
    await people.give_consent(patient, version)
    assert await people.has_consent(patient.person_id)
    assert [one.decision for one in await people.consents(patient)] == ["given", "withdrawn", "given"]
    told = {"person_id": patient.person_id, "version": version, "kind": "care"}
    assert await happened(database) == [
        ("consent.given", told),
        ("consent.withdrawn", told),
        ("consent.given", told),
    ]


async def test_a_refusal_is_recorded_and_may_be_reconsidered(people: PeopleService, patient: Actor) -> None:
    version = people.consent_document().version
    await people.refuse_consent(patient, version)
    assert not await people.has_consent(patient.person_id)
    await people.give_consent(patient, version)
    assert await people.has_consent(patient.person_id)


async def test_agreeing_twice_is_recorded_once(people: PeopleService, patient: Actor, database: Database) -> None:
    version = people.consent_document().version
    await people.give_consent(patient, version)
    await people.give_consent(patient, version)
    assert len(await people.consents(patient)) == 1
    assert len(await happened(database)) == 1


async def test_nobody_agrees_to_a_version_that_they_have_not_been_shown(people: PeopleService, patient: Actor) -> None:
    for version in ("0", "999", ""):
        with pytest.raises(Conflict):
            await people.give_consent(patient, version)
    assert not await people.has_consent(patient.person_id)


async def test_a_new_version_needs_a_new_consent(
    people: PeopleService, patient: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.give_consent(patient, people.consent_document().version)
    newer = ConsentDocument("2", "隐私与知情同意书", "新的内容")
    monkeypatch.setattr(consents, "consent_document", lambda _kind: newer)
    assert not await people.has_consent(patient.person_id)
    await people.give_consent(patient, "2")
    assert [one.version for one in await people.consents(patient)] == ["2", "1"]


async def test_what_was_never_given_cannot_be_taken_back(people: PeopleService, patient: Actor) -> None:
    with pytest.raises(IllegalMove):
        await people.withdraw_consent(patient)


async def test_the_platform_consents_for_nobody(people: PeopleService) -> None:
    with pytest.raises(Forbidden):
        await people.give_consent(SYSTEM, people.consent_document().version)


async def test_a_consent_to_teaching_is_one_of_its_own_and_holds_while_the_one_to_care_does(
    people: PeopleService, patient: Actor
) -> None:
    teaching = ConsentKind.TEACHING
    version = people.consent_document(teaching).version
    await people.give_consent(patient, version, teaching)
    assert not await people.has_consent(patient.person_id, teaching)
    await people.give_consent(patient, people.consent_document().version)
    assert await people.has_consent(patient.person_id, teaching)
    await people.withdraw_consent(patient)
    assert not await people.has_consent(patient.person_id, teaching)
    await people.give_consent(patient, people.consent_document().version)
    await people.withdraw_consent(patient, teaching)
    assert not await people.has_consent(patient.person_id, teaching)
    assert await people.has_consent(patient.person_id)
    with pytest.raises(IllegalMove, match="illegal_move") as refusal:
        await people.withdraw_consent(patient, teaching)
    assert "检查图像用于教学同意书" in refusal.value.sentence
    assert [one.kind for one in await people.consents(patient)][:1] == [teaching]
