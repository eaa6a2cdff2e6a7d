"""What people hand out over FHIR: sources of `Patient`, `Practitioner`, `PractitionerRole`, `Organization`, `Consent`.

Who cares for whom is known by the subjects above, which hand in the condition.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import aliased

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.errors import Forbidden
from backend.fhir.elements import Resource
from backend.fhir.rows import (
    Filter,
    Made,
    RowSource,
    by_code,
    by_content,
    by_id,
    by_identifier,
    by_moment,
    by_reference,
    uuid_of,
)
from backend.fhir.searching import ParameterType, Search, SearchParameter, Token
from backend.fhir.systems import IDENTITY_NUMBER, INSTITUTION_CODE, URI
from backend.people.directory import institution_view
from backend.people.fhir import consent, organization, patient, practitioner, practitioner_role
from backend.people.persons import identity_index, person_view
from backend.people.service import PeopleService
from backend.people.tables import Consent, Institution, Person, Practitioner
from backend.people.views import ConsentView, PractitionerView
from backend.security.policy import Action, Actor, Role, require

CaredFor = Callable[[Any, Actor, Action, Collection[str]], Any]
"""Gives the condition that a column names a patient about whom an actor may do an action, Forbidden where nobody; the
patients are those that it can be, anybody where there are none."""

_CLINICAL = (Role.GRASSROOTS_DOCTOR, Role.EXPERT)


def _by_person() -> Filter:
    parameter = SearchParameter("identifier", ParameterType.TOKEN, "urn:uuid, or the citizen identity number")

    def condition(token: Token) -> Any:
        by_uuid = Person.id == uuid_of(token.code) if token.is_of(URI) else false()
        is_number = token.is_of(IDENTITY_NUMBER)
        return or_(by_uuid, Person.id_number_index == identity_index(token.code) if is_number else false())

    return Filter(parameter, condition)


def _by_phone() -> Filter:
    parameter = SearchParameter("phone", ParameterType.TOKEN, "Mobile number")
    return Filter(parameter, lambda token: Person.phone_index == key_ring().blind_index(token.code, "people.phone"))


class PatientSource(RowSource):
    """Persons: oneself, and whom one cares for."""

    type = "Patient"
    action = Action.PEOPLE_READ
    order_columns = {"_id": Person.id}
    filters = {"_id": by_id(Person.id), "identifier": _by_person(), "phone": _by_phone()}

    def __init__(self, database: Database, clock: Clock, cared_for: CaredFor) -> None:
        super().__init__(database)
        self._clock = clock
        self._cared_for = cared_for

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        # Whoever may not know a number must not find out either whose it is.
        tells_number = any(
            isinstance(token, Token) and token.is_of(IDENTITY_NUMBER) for token in search.values("identifier")
        )
        people = [one.code for one in search.values("_id") if isinstance(one, Token)]
        return [self._of(actor, Action.PEOPLE_READ_IDENTITY_NUMBER if tells_number else self.action, people)]

    def query(self) -> Any:
        return select(Person)

    def _of(self, actor: Actor, action: Action, people: Collection[str] = ()) -> Any:
        try:
            return self._cared_for(Person.id, actor, action, people)
        except Forbidden:
            return false()

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        people: list[Person] = [row for (row,) in rows]
        ids = [one.id for one in people]
        number = self._of(actor, Action.PEOPLE_READ_IDENTITY_NUMBER, ids)
        known = select(Person.id).where(Person.id.in_(ids), number)
        async with self._database.reading() as session:
            may_know = set(await session.scalars(known))
        today = self._clock.today().date()
        return [
            (patient(person_view(one, today), one.id_number if one.id in may_know else None), one.id) for one in people
        ]


class OrganizationSource(RowSource):
    """Institutions, for everybody who is known here."""

    type = "Organization"
    action = Action.PEOPLE_READ_DIRECTORY
    order_columns = {"_id": Institution.id}
    filters = {
        "_id": by_id(Institution.id),
        "identifier": by_identifier(Institution.id, {INSTITUTION_CODE: Institution.code}),
    }

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        require(actor, self.action)
        return [true()]

    def query(self) -> Any:
        return select(Institution)

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        return [(organization(institution_view(row, None)), None) for (row,) in rows]


class PractitionerSource(RowSource):
    """Doctors and experts, for everybody who is known here."""

    type = "Practitioner"
    action = Action.PEOPLE_READ_DIRECTORY
    make: Callable[[PractitionerView], Resource] = staticmethod(practitioner)
    order_columns = {"_id": Practitioner.id}
    filters = {
        "_id": by_id(Practitioner.id),
        "identifier": by_identifier(Practitioner.id, {}),
        "active": by_code("active", Practitioner.active, {"true": [True], "false": [False]}, "Whether they practise"),
    }

    def __init__(self, database: Database, people: PeopleService) -> None:
        super().__init__(database)
        self._people = people

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        require(actor, self.action)
        return [Practitioner.role.in_(_CLINICAL)]

    def query(self) -> Any:
        return select(Practitioner.id)

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        views = await self._people.practitioners_by_id([practitioner_id for (practitioner_id,) in rows])
        return [(type(self).make(views[practitioner_id]), None) for (practitioner_id,) in rows]


class PractitionerRoleSource(PractitionerSource):
    """Where doctors and experts practise."""

    type = "PractitionerRole"
    make = staticmethod(practitioner_role)
    filters = {
        **PractitionerSource.filters,
        "practitioner": by_reference("practitioner", "Practitioner", Practitioner.id, "Who practises"),
        "organization": by_reference("organization", "Organization", Practitioner.institution_id, "Where"),
    }


class ConsentSource(RowSource):
    """One's own decisions about the consent documents."""

    type = "Consent"
    action = Action.PEOPLE_CONSENT
    order_columns = {"date": Consent.id, "_id": Consent.id}  # they are numbered in the order in which they were taken
    filters = {
        "_id": by_id(Consent.id),
        "patient": by_reference("patient", "Patient", Consent.person_id, "Who decided"),
        "date": by_moment("date", Consent.decided_at, "When it was decided"),
        "status": by_content("status", lambda resource, token: resource["status"] == token.code, "Whether it holds"),
    }

    def query(self) -> Any:
        newer = aliased(Consent)
        is_replaced = (newer.person_id == Consent.person_id) & (newer.kind == Consent.kind) & (newer.id > Consent.id)
        return select(Consent, ~select(newer.id).where(is_replaced).exists())

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        require(actor, self.action, patient_id=actor.person_id)
        return [Consent.person_id.in_(actor.own)]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        items: list[Made] = []
        for row, is_latest in rows:
            view = ConsentView(row.kind, row.version, row.decision, row.decided_at)
            resource = consent(row.id, row.person_id, view, latest=is_latest)
            items.append((resource, row.person_id))
        return items


def people_sources(database: Database, clock: Clock, people: PeopleService, cared_for: CaredFor) -> list[RowSource]:
    """Give the sources of this subject."""
    return [
        PatientSource(database, clock, cared_for),
        OrganizationSource(database),
        PractitionerSource(database, people),
        PractitionerRoleSource(database, people),
        ConsentSource(database),
    ]
