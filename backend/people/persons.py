"""Persons: who somebody is, what they may do, and what they told about themselves."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from backend.db import key_ring
from backend.errors import InvalidInput, NotFound
from backend.ids import new_id
from backend.people import rules
from backend.people.context import PeopleContext
from backend.people.correction_tables import Correction
from backend.people.emergency_tables import EmergencyAccess
from backend.people.tables import Person, PersonRole, Practitioner, Relative
from backend.people.views import IdentityView, PersonView
from backend.security.policy import SYSTEM, Action, Actor, Role, require

_AGAINST_IDENTITY = "和登记的身份证号对不上，请核对身份证。"
_CORRECTED = frozenset({"name", "sex", "birth_date", "phone", "id_number", "address", "region"})
# Asked in every turn, hence made once.
_ACTOR = (
    select(PersonRole.role, Practitioner.id, Practitioner.institution_id, Practitioner.active, Relative.person_id)
    .outerjoin(Practitioner, Practitioner.person_id == PersonRole.person_id)
    .outerjoin(Relative, Relative.speaker_id == PersonRole.person_id)
    .where(PersonRole.person_id == bindparam("of_person"))
)
_TREATING = {Role.GRASSROOTS_DOCTOR, Role.EXPERT}


class Persons(PeopleContext):
    """The part of `PeopleService` about persons."""

    async def register(self, display_name: str = "") -> str:
        """Make a person with the role patient and give their id; the name may be empty, and is cleaned."""
        person_id = new_id()
        async with self._database.transaction() as session:
            await self._add_person(session, person_id, rules.clean_name(display_name))
        return person_id

    async def _add_person(self, session: AsyncSession, person_id: str, name: str) -> Person:
        person = Person(id=person_id, name=name, sex="unknown", created_at=self._clock.now())
        session.add(person)
        await session.flush()
        session.add(PersonRole(person_id=person_id, role=Role.PATIENT))
        await self._audit.record(session, SYSTEM, "people.register", patient_id=person_id)
        return person

    async def actor(self, person_id: str) -> Actor:
        """Give the person as somebody who acts: roles, the practitioner that they are, for whom they speak, and whose
        data they may read in an emergency.

        Raises:
            NotFound: nobody has this id.
        """
        async with self._database.reading() as session:
            rows = (await session.execute(_ACTOR, {"of_person": person_id})).all()
        if not rows:
            raise NotFound(person_id=person_id)
        _, practitioner_id, institution_id, active, _ = rows[0]
        wards = frozenset(ward for *_, ward in rows if ward)
        if not active:
            return Actor(person_id, frozenset({Role.PATIENT}), wards=wards)
        roles = frozenset(Role(row.role) for row in rows)
        emergency = await self._in_emergency(person_id) if roles & _TREATING else frozenset()
        return Actor(person_id, roles, practitioner_id, institution_id, wards, emergency)

    async def _in_emergency(self, person_id: str) -> frozenset[str]:
        mine = (EmergencyAccess.actor_id == person_id, EmergencyAccess.ends_at > self._clock.now())
        async with self._database.reading() as session:
            return frozenset(await session.scalars(select(EmergencyAccess.patient_id).where(*mine)))

    async def person(self, actor: Actor, person_id: str, *, participants: Collection[str] = ()) -> PersonView:
        """Read what a person told about themselves; the read is audited.

        Args:
            participants: who takes part in the person's care, vouched for by the service that asks.

        Raises:
            Forbidden: the actor is neither the person nor takes part in their care.
            NotFound: nobody has this id.
        """
        require(actor, Action.PEOPLE_READ, patient_id=person_id, participants=participants)
        async with self._database.transaction() as session:
            person = await _get(session, person_id)
            await self._audit.record(
                session, actor, Action.PEOPLE_READ, patient_id=person_id, subject=f"person:{person_id}"
            )
        return person_view(person, self._today())

    async def identity(
        self, actor: Actor, person_id: str, *, participants: Collection[str] = ()
    ) -> IdentityView | None:
        """Read who a person is to other institutions, None where no identity number is known; the read is audited.

        Raises:
            Forbidden, NotFound: as in `person`.
        """
        require(actor, Action.PEOPLE_READ_IDENTITY_NUMBER, patient_id=person_id, participants=participants)
        async with self._database.transaction() as session:
            person = await _get(session, person_id)
            subject = f"person:{person_id}"
            await self._audit.record(session, actor, Action.PEOPLE_READ, patient_id=person_id, subject=subject)
            if not person.id_number or not person.birth_date or not person.name:
                return None
            return IdentityView(person.name, person.sex, date.fromisoformat(person.birth_date), person.id_number)

    async def by_identity_number(self, number: str) -> str | None:
        """Give the id of the one person who has this citizen identity number; None for nobody and for several."""
        matching = Person.id_number_index == identity_index(number)
        async with self._database.reading() as session:
            found = (await session.scalars(select(Person.id).where(matching).limit(2))).all()
        return found[0] if len(found) == 1 else None

    async def identity_index_of(self, person_id: str) -> str | None:
        """Give the blind index of a person's citizen identity number, without the number; None where none is known."""
        async with self._database.reading() as session:
            return await session.scalar(select(Person.id_number_index).where(Person.id == person_id))

    async def update_person(
        self,
        actor: Actor,
        person_id: str,
        *,
        name: str | None = None,
        sex: str | None = None,
        birth_date: date | None = None,
        phone: str | None = None,
        id_number: str | None = None,
        region: str | None = None,
        address: str | None = None,
        participants: Collection[str] = (),
    ) -> PersonView:
        """Change what is given and leave the rest; an identity number also sets the birth date and sex that it tells.
        What was there before is kept beside what is there now (`correction_tables`).

        Raises:
            InvalidInput: a value breaks a rule of its field, or an identity number, given or known, tells another birth
                date or sex; nothing is changed.
            Forbidden, NotFound: as in `person`.
        """
        require(actor, Action.PEOPLE_UPDATE, patient_id=person_id, participants=participants)
        changes = self._valid_changes(name, sex, birth_date, phone, id_number, region)
        if address is not None:
            changes["address"] = rules.valid_address(address)
        async with self._database.transaction() as session:
            person = await self._change(session, actor, person_id, changes)
            await self._audit.record(
                session, actor, Action.PEOPLE_UPDATE, patient_id=person_id, subject=f"person:{person_id}"
            )
        return person_view(person, self._today())

    async def _change(self, session: AsyncSession, actor: Actor, person_id: str, changes: dict[str, str]) -> Person:
        """Change values, keeping what was there; refuse what contradicts an identity number that stays."""
        person = await _get(session, person_id)
        if person.id_number and "id_number" not in changes:
            identity = rules.valid_identity_number(person.id_number, self._today())
            told = {"birth_date": identity.birth_date.isoformat(), "sex": identity.sex}
            if any(changes.get(field, value) != value for field, value in told.items()):
                raise InvalidInput(_AGAINST_IDENTITY, field="id_number")
        for field, value in changes.items():
            before = getattr(person, field)
            if field in _CORRECTED and before != value:
                session.add(
                    Correction(
                        id=new_id(),
                        person_id=person_id,
                        field=field,
                        before=before or "",
                        after=value,
                        changed_by=actor.person_id,
                        changed_at=self._clock.now(),
                        own=person.owner_id(field) is not None,
                    )
                )
            setattr(person, field, value)
        return person

    async def correct_person(
        self,
        actor: Actor,
        person_id: str,
        *,
        name: str | None = None,
        sex: str | None = None,
        birth_date: date | None = None,
        participants: Collection[str] = (),
        institution_id: str = "",
    ) -> PersonView:
        """Put right, as who treats a patient, what a prescription needs; audited under an action of its own.

        Args:
            participants, institution_id: of the consultation in which they are treated.

        Raises:
            InvalidInput: a value breaks a rule of its field, or the identity number that is known tells another.
            Forbidden, NotFound: as in `person`.
        """
        require(
            actor,
            Action.PEOPLE_CORRECT,
            patient_id=person_id,
            participants=participants,
            institution_id=institution_id,
        )
        changes = self._valid_changes(name, sex, birth_date, None, None, None)
        async with self._database.transaction() as session:
            person = await self._change(session, actor, person_id, changes)
            subject = f"person:{person_id}"
            await self._audit.record(session, actor, Action.PEOPLE_CORRECT, patient_id=person_id, subject=subject)
        return person_view(person, self._today())

    async def begin_record(self, person_id: str) -> None:
        """Let who a person is belong to a medical record from now on, and so be kept as long as that; a second time
        changes nothing. Called in the transaction that begins the record."""
        async with self._database.transaction() as session:
            person = await _get(session, person_id)
            if person.record_since is None:
                person.record_since = self._clock.now()
                for column in ("name", "birth_date", "id_number"):
                    flag_modified(person, column)  # encrypted anew, no longer as the person's own

    def _valid_changes(
        self,
        name: str | None,
        sex: str | None,
        birth_date: date | None,
        phone: str | None,
        id_number: str | None,
        region: str | None,
    ) -> dict[str, str]:
        changes: dict[str, str] = {}
        if name is not None:
            changes["name"] = rules.valid_name(name)
        if region is not None:
            changes["region"] = rules.clean_name(region)
        if phone is not None:
            changes["phone"] = rules.valid_mobile(phone)
            changes["phone_index"] = key_ring().blind_index(changes["phone"], "people.phone")
        if sex is not None:
            changes["sex"] = rules.valid_sex(sex)
        if birth_date is not None:
            changes["birth_date"] = rules.valid_birth_date(birth_date, self._today()).isoformat()
        if id_number is not None:
            identity = rules.valid_identity_number(id_number, self._today())
            told = {"birth_date": identity.birth_date.isoformat(), "sex": identity.sex}
            if any(changes.get(field, value) != value for field, value in told.items()):
                raise InvalidInput("身份证号和您说的生日或性别对不上，请检查后再发一次。", field="id_number")
            index = identity_index(identity.number)
            changes |= told | {"id_number": identity.number, "id_number_index": index}
        return changes

    async def put_person(
        self,
        actor: Actor,
        person_id: str,
        *,
        name: str,
        sex: str,
        birth_date: date,
        phone: str | None = None,
        id_number: str | None = None,
        region: str = "",
    ) -> bool:
        """Make a person under a given id where there is none yet, as an import does; tell whether one was made.

        Raises:
            Forbidden: the actor does not manage the directory.
            InvalidInput: a value breaks a rule of its field.
        """
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY)
        async with self._database.transaction() as session:
            if await session.get(Person, person_id) is not None:
                return False
            person = await self._add_person(session, person_id, rules.valid_name(name))
            for field, value in self._valid_changes(None, sex, birth_date, phone, id_number, region).items():
                setattr(person, field, value)
        return True


def identity_index(number: str) -> str:
    """Give the blind index by which a citizen identity number is searched."""
    return key_ring().blind_index(number.strip().upper(), "people.id_number")


async def _get(session: AsyncSession, person_id: str) -> Person:
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound(person_id=person_id)
    return person


def person_view(person: Person, today: date) -> PersonView:
    """Show a person as they are today."""
    birth_date = date.fromisoformat(person.birth_date) if person.birth_date else None
    return PersonView(
        id=person.id,
        name=person.name,
        sex=person.sex,
        birth_date=birth_date,
        age_years=rules.age_years(birth_date, today) if birth_date else None,
        age_months=rules.age_months(birth_date, today) if birth_date else None,
        phone=person.phone,
        region=person.region,
        address=person.address,
        identified=person.id_number is not None,
    )
