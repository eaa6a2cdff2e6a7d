"""What people are called, for services that show them to those who may see them."""

from collections.abc import Collection

from sqlalchemy import select

from backend.people.context import PeopleContext
from backend.people.tables import Person, Practitioner


class Names(PeopleContext):
    """The part of `PeopleService` about names."""

    async def names(self, ids: Collection[str]) -> dict[str, str]:
        """Give the names of persons and practitioners by their ids; an id that nobody has is left out.

        The caller has asked the policy and written the audit entry of what it shows the names in.
        """
        wanted = set(ids) - {""}
        if not wanted:
            return {}
        async with self._database.reading() as session:
            persons = (await session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))).all()
            query = select(Practitioner.id, Practitioner.name).where(Practitioner.id.in_(wanted))
            practitioners = (await session.execute(query)).all()
        return dict((*persons, *practitioners))

    async def practitioner_names(self, person_ids: Collection[str]) -> dict[str, str]:
        """Give the names under which persons practise, by the persons' ids; whoever does not practise is left out."""
        wanted = set(person_ids) - {""}
        if not wanted:
            return {}
        async with self._database.reading() as session:
            query = select(Practitioner.person_id, Practitioner.name).where(Practitioner.person_id.in_(wanted))
            return {person_id: name for person_id, name in await session.execute(query) if person_id is not None}
