"""Relatives: patients for whom somebody else speaks, such as a child or an old parent without a telephone.

Whoever brings up or cares for somebody acts for them: 《民法典》 articles 23 and 34, 《个人信息保护法》 article 31.
"""

from datetime import date

from sqlalchemy import func, select

from backend.errors import InvalidInput
from backend.ids import new_id
from backend.people import rules
from backend.people.persons import Persons, person_view
from backend.people.tables import Person, Relative
from backend.people.views import RelativeView
from backend.security.policy import Action, Actor, require

MOST_RELATIVES = 20


class Relatives(Persons):
    """The part of `PeopleService` about those for whom somebody else speaks."""

    async def add_relative(
        self,
        actor: Actor,
        *,
        relation: str,
        name: str = "",
        sex: str | None = None,
        birth_date: date | None = None,
    ) -> str:
        """Make a patient for whom the actor speaks from now on, and give their id.

        Args:
            relation: what they are to the actor, one of `rules.RELATIONS`.
            name: empty where the actor would rather not say.

        Raises:
            InvalidInput: a value breaks a rule of its field, or the actor speaks for 20 people already.
        """
        require(actor, Action.PEOPLE_UPDATE, patient_id=actor.person_id)
        if relation not in rules.RELATIONS:
            raise InvalidInput("请选择是您的孩子、父亲、母亲、爱人，还是别的人。", field="relation")
        changes = self._valid_changes(name or None, sex, birth_date, None, None, None)
        async with self._database.transaction() as session:
            count = select(func.count()).select_from(Relative).where(Relative.speaker_id == actor.person_id)
            if (await session.scalar(count) or 0) >= MOST_RELATIVES:
                raise InvalidInput(f"最多可以替{MOST_RELATIVES}位家人看病，已经满了。", field="relatives")
            person = await self._add_person(session, new_id(), "")
            for field, value in changes.items():
                setattr(person, field, value)
            now = self._clock.now()
            session.add(Relative(speaker_id=actor.person_id, person_id=person.id, relation=relation, added_at=now))
            subject = f"person:{person.id}"
            await self._audit.record(session, actor, "people.add_relative", patient_id=person.id, subject=subject)
            return person.id

    async def relatives(self, actor: Actor) -> list[RelativeView]:
        """Give those for whom the actor speaks, in the order in which they were added; each read is audited."""
        query = (
            select(Person, Relative.relation)
            .join(Relative, Relative.person_id == Person.id)
            .where(Relative.speaker_id == actor.person_id)
            .order_by(Relative.added_at, Person.id)
        )
        async with self._database.transaction() as session:
            rows = (await session.execute(query)).all()
            for person, _ in rows:
                subject = f"person:{person.id}"
                await self._audit.record(session, actor, Action.PEOPLE_READ, patient_id=person.id, subject=subject)
        return [RelativeView(person_view(person, self._today()), relation) for person, relation in rows]

    async def speakers(self, person_id: str) -> tuple[str, ...]:
        """Give the ids of those who hear what there is to tell a patient: who speaks for them, or they themselves."""
        query = select(Relative.speaker_id).where(Relative.person_id == person_id).order_by(Relative.added_at)
        async with self._database.reading() as session:
            found = (await session.scalars(query)).all()
        return tuple(found) or (person_id,)

    async def spoken_for(self, person_id: str) -> tuple[str, ...]:
        """Give the ids of the patients for whom a person answers: themselves, and those for whom they speak."""
        query = select(Relative.person_id).where(Relative.speaker_id == person_id).order_by(Relative.added_at)
        async with self._database.reading() as session:
            return (person_id, *await session.scalars(query))
