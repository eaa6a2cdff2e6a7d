"""Those for whom somebody else speaks: what is theirs is the speaker's own, and nobody else's."""

from datetime import date

import pytest

from backend.errors import Forbidden, InvalidInput
from backend.people import ConsentKind
from backend.people.relatives import MOST_RELATIVES
from backend.people.service import PeopleService
from backend.security.policy import Actor


async def somebody(people: PeopleService) -> Actor:
    return await people.actor(await people.register())


async def test_a_relative_is_read_and_changed_by_who_speaks_for_them(people: PeopleService) -> None:
    mother = await somebody(people)
    child_id = await people.add_relative(
        mother, relation="child", name="王小明", sex="male", birth_date=date(2020, 3, 12)
    )
    with pytest.raises(Forbidden):  # this actor was made before
        await people.person(mother, child_id)
    mother = await people.actor(mother.person_id)
    assert mother.wards == {child_id}
    child = await people.update_person(mother, child_id, name="王大明")
    assert (child.name, child.sex, child.birth_date) == ("王大明", "male", date(2020, 3, 12))
    assert [(one.person.id, one.relation) for one in await people.relatives(mother)] == [(child_id, "child")]


async def test_a_stranger_reads_nothing_of_somebody_elses_relative(people: PeopleService) -> None:
    child_id = await people.add_relative(await somebody(people), relation="child", name="王小明")
    stranger = await somebody(people)
    with pytest.raises(Forbidden):
        await people.person(stranger, child_id)
    assert await people.relatives(stranger) == []


async def test_what_there_is_to_tell_a_patient_goes_to_who_speaks_for_them(people: PeopleService) -> None:
    mother = await somebody(people)
    child_id = await people.add_relative(mother, relation="child")
    assert await people.speakers(child_id) == (mother.person_id,)
    assert await people.speakers(mother.person_id) == (mother.person_id,)


async def test_the_speakers_consent_is_the_relatives(people: PeopleService) -> None:
    mother = await somebody(people)
    child_id = await people.add_relative(mother, relation="child")
    assert not await people.has_consent(child_id)
    await people.give_consent(mother, people.consent_document().version)
    assert await people.has_consent(child_id)
    await people.withdraw_consent(mother)
    assert not await people.has_consent(child_id)


async def test_a_relation_that_is_none_and_one_relative_too_many_are_refused(people: PeopleService) -> None:
    mother = await somebody(people)
    with pytest.raises(InvalidInput):
        await people.add_relative(mother, relation="neighbour")
    for _ in range(MOST_RELATIVES):
        await people.add_relative(mother, relation="other")
    with pytest.raises(InvalidInput):
        await people.add_relative(mother, relation="other")
    assert len(await people.relatives(mother)) == MOST_RELATIVES


async def test_the_speakers_no_is_the_relatives(people: PeopleService) -> None:
    mother = await somebody(people)
    child_id = await people.add_relative(mother, relation="child")
    teaching = ConsentKind.TEACHING
    assert not await people.has_declined(child_id, teaching), "nobody was asked yet"
    await people.refuse_consent(mother, people.consent_document(teaching).version, teaching)
    assert await people.has_declined(child_id, teaching)
    assert await people.spoken_for(mother.person_id) == (mother.person_id, child_id)
    assert await people.spoken_for(child_id) == (child_id,)
