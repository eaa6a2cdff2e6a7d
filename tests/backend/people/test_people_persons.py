"""What persons may tell about themselves, and who may read it."""

from backend.people.service import PeopleService
from backend.security.policy import Actor, Role


async def test_a_new_person_is_a_patient_with_the_name_they_came_with(people: PeopleService) -> None:
    person_id = await people.register("王秀英")
    actor = await people.actor(person_id)
    assert actor == Actor(person_id, frozenset({Role.PATIENT}))
    assert (await people.person(actor, person_id)).name == "王秀英"
