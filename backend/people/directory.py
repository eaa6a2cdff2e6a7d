"""The directory: institutions, and the doctors and experts who practise there."""

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import key_ring
from backend.errors import InvalidInput, NotFound
from backend.people import rules
from backend.people.context import LONGEST_PAGE, PeopleContext
from backend.people.held_departments import held_departments, lacks
from backend.people.tables import Expertise, Institution, Practitioner
from backend.people.views import InstitutionView, PractitionerView
from backend.security.policy import Action, Actor, Role, require
from data.departments import departments
from data.insurance import Level

KINDS = ("township", "tertiary", "pharmacy")
_PRACTISING_ROLES = {Role.GRASSROOTS_DOCTOR, Role.EXPERT, Role.PHARMACIST, Role.ADMINISTRATOR}


class Directory(PeopleContext):
    """The part of `PeopleService` about institutions and practitioners."""

    async def institutions(
        self,
        *,
        kind: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[InstitutionView]:
        """List institutions, nearest first where a place is given (those whose own is not known last), else by code.

        Args:
            kind: "township", "tertiary" or "pharmacy".
            near: (latitude, longitude) in degrees, GCJ-02.
            limit: at most 100.
        """
        query = select(Institution).limit(min(limit, LONGEST_PAGE)).offset(offset)
        if kind is not None:
            query = query.where(Institution.kind == kind)
        if near is not None:
            # Plane distance, squared: within a province it ranks as the great circle does, and every database has it.
            north = Institution.latitude - near[0]
            east = (Institution.longitude - near[1]) * math.cos(math.radians(near[0]))
            query = query.order_by(Institution.latitude.is_(None), north * north + east * east)
        query = query.order_by(Institution.code)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [institution_view(row, near) for row in rows]

    async def institution(self, institution_id: str) -> InstitutionView:
        """Give one institution; `NotFound` where there is none with this id."""
        async with self._database.reading() as session:
            row = await session.get(Institution, institution_id)
        if row is None:
            raise NotFound("没有找到这家医院。", institution_id=institution_id)
        return institution_view(row, None)

    async def institution_by_code(self, code: str) -> InstitutionView:
        """Give the institution of this code; `NotFound` where there is none."""
        async with self._database.reading() as session:
            row = await session.scalar(select(Institution).where(Institution.code == code))
        if row is None:
            raise NotFound("没有找到这家医院。")
        return institution_view(row, None)

    async def practitioner(self, practitioner_id: str) -> PractitionerView:
        """Give one doctor or expert; `NotFound` where there is none with this id."""
        found = await self._practitioner_views(practitioner_rows().where(Practitioner.id == practitioner_id))
        if not found:
            raise NotFound("没有找到这位医生。", practitioner_id=practitioner_id)
        return found[0]

    async def practitioners_by_id(self, ids: Collection[str]) -> dict[str, PractitionerView]:
        """Give those doctors and experts by their ids; an id that nobody has is left out."""
        found = await self._practitioner_views(practitioner_rows().where(Practitioner.id.in_(ids)))
        return {view.id: view for view in found}

    async def practitioners_by_person(self, person_ids: Collection[str]) -> dict[str, PractitionerView]:
        """Give who of these persons is a doctor, expert, pharmacist or administrator, by the persons' ids."""
        found = await self._practitioner_views(practitioner_rows().where(Practitioner.person_id.in_(person_ids)))
        return {view.person_id: view for view in found if view.person_id is not None}

    async def practitioner_by_licence(self, licence_number: str) -> PractitionerView:
        """Give the doctor or expert with this licence number; `NotFound` where there is none."""
        index = key_ring().blind_index(licence_number, "practitioners.licence_number")
        found = await self._practitioner_views(practitioner_rows().where(Practitioner.licence_number_index == index))
        if not found:
            raise NotFound("没有找到这位医生。")
        return found[0]

    async def practitioners(
        self,
        *,
        role: Role | None = None,
        institution_id: str | None = None,
        department_code: str | None = None,
        icd10_prefixes: Collection[str] | None = None,
        on_call: bool | None = None,
        joined_only: bool = False,
        not_joined: bool = False,
        active_only: bool = True,
        limit: int = 20,
        offset: int = 0,
    ) -> list[PractitionerView]:
        """List doctors and experts in a stable order.

        Args:
            icd10_prefixes: parts of ICD-10 such as "I10", "I10-I15": whose expertise shares a code with one of them.
            joined_only: leave out whom no message would reach yet; `not_joined`: leave out everybody else.
            limit: at most 100.

        Raises:
            InvalidInput: a prefix is no ICD-10 code.
        """
        query = practitioner_rows().order_by(Practitioner.id).limit(min(limit, LONGEST_PAGE)).offset(offset)
        wanted: list[tuple[ColumnElement[bool], object]] = [
            (Practitioner.role == role, role),
            (Practitioner.institution_id == institution_id, institution_id),
            (Practitioner.department_code == department_code, department_code),
            (Practitioner.on_call == on_call, on_call),
        ]
        query = query.where(*(condition for condition, value in wanted if value is not None))
        if icd10_prefixes is not None:
            query = query.where(_knows(icd10_prefixes))
        if joined_only:
            query = query.where(Practitioner.person_id.is_not(None))
        if not_joined:
            query = query.where(Practitioner.person_id.is_(None))
        if active_only:
            query = query.where(Practitioner.active)
        return await self._practitioner_views(query)

    async def _practitioner_views(self, query: Select[Practitioner, str]) -> list[PractitionerView]:
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
            expertise = await _expertise(session, [row.id for row, _ in rows])
        return [_practitioner_view(row, name, expertise.get(row.id, ()), self._today()) for row, name in rows]

    async def set_on_call(self, actor: Actor, practitioner_id: str, on_call: bool) -> None:
        """Put an expert on call or take them off it.

        Raises:
            Forbidden: the actor is neither that expert nor an administrator.
            NotFound: there is no such practitioner.
        """
        require(actor, Action.PEOPLE_SET_ON_CALL, participants=[practitioner_id])
        async with self._database.transaction() as session:
            row = await session.get(Practitioner, practitioner_id)
            if row is None:
                raise NotFound("没有找到这位医生。", practitioner_id=practitioner_id)
            row.on_call = on_call
            await self._audit.record(
                session, actor, Action.PEOPLE_SET_ON_CALL, subject=f"practitioner:{practitioner_id}"
            )

    async def put_institution(
        self,
        actor: Actor,
        institution_id: str,
        *,
        code: str,
        name: str,
        kind: str,
        region: str,
        address: str,
        latitude: float | None,
        longitude: float | None,
        level: Level | None = None,
        insurance_code: str = "",
    ) -> bool:
        """Make or change an institution; tell whether it is new.

        Args:
            latitude, longitude: in degrees, GCJ-02; both None where they are not known.
            level: by which insurance pays; where it is not said, that of its kind.
            insurance_code: its code at insurers (定点医药机构编号): a letter and eleven digits.

        Raises:
            Forbidden: the actor does not manage the directory.
            InvalidInput: the kind is unknown, the place is none on earth, or the code is none.
        """
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY)
        if kind not in KINDS or not rules.is_place(latitude, longitude):
            raise InvalidInput("机构的类别或位置不对。", code=code)
        if insurance_code and not rules.INSURANCE_CODE.fullmatch(insurance_code):
            raise InvalidInput("机构的医保编号不对，应该是1个字母加11位数字。", field="insurance_code")
        values = {
            "code": code,
            "name": name,
            "kind": kind,
            "level": level or ("tertiary" if kind == "tertiary" else "primary"),
            "insurance_code": insurance_code or None,
            "region": region,
            "address": address,
            "latitude": latitude,
            "longitude": longitude,
        }
        async with self._database.transaction() as session:
            created, changed = await _put(session, Institution, institution_id, values)
            if changed:
                await self._note(session, actor, institution_id)
        return created

    async def _note(self, session: AsyncSession, actor: Actor, institution_id: str) -> None:
        """Write the audit entry of a changed institution."""
        subject = f"institution:{institution_id}"
        await self._audit.record(session, actor, Action.PEOPLE_MANAGE_DIRECTORY, subject=subject)

    async def put_practitioner(
        self,
        actor: Actor,
        practitioner_id: str,
        *,
        role: Role,
        name: str,
        licence_number: str,
        institution_id: str,
        department_code: str,
        title: str,
        practising_since: int,
        icd10: Iterable[str] = (),
        on_call: bool = False,
        active: bool = True,
        licence_expires_on: date | None = None,
    ) -> bool:
        """Make or change a doctor, expert, pharmacist or administrator, leaving alone who joined as them.

        Gives whether it is new.

        Args:
            practising_since: the year of their first licence.
            icd10: the parts of ICD-10 that they know well, best first.
            licence_expires_on: None leaves what is known.

        Raises:
            Forbidden: the actor does not manage the directory, or not that of the institution where they are, or were.
            InvalidInput: role, department, title, year or an ICD-10 code is none, or the institution has not this
                department.
        """
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=managed_by(role, institution_id))
        codes = tuple(icd10)
        spans = [rules.icd10_span(code) for code in codes]
        self._check_practitioner(role, department_code, title, practising_since)
        values: dict[str, Any] = {
            "role": role.value,
            "name": rules.valid_name(name),
            "licence_number": licence_number,
            "licence_number_index": key_ring().blind_index(licence_number, "practitioners.licence_number"),
            "institution_id": institution_id,
            "department_code": department_code,
            "title": title,
            "practising_since": practising_since,
            "on_call": on_call,
            "active": active,
        }
        if licence_expires_on is not None:
            values["licence_expires_on"] = licence_expires_on
        async with self._database.transaction() as session:
            lacking = lacks(await held_departments(session, [institution_id]), institution_id, department_code)
            if lacking:
                raise InvalidInput(f"{lacking}。", field="department_code")
            before = await session.get(Practitioner, practitioner_id)
            if before is not None:
                place = managed_by(Role(before.role), before.institution_id)
                require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=place)
            created, changed = await _put(session, Practitioner, practitioner_id, values)
            held = (await _expertise(session, [practitioner_id])).get(practitioner_id, ())
            if held != codes:
                await session.execute(delete(Expertise).where(Expertise.practitioner_id == practitioner_id))
                session.add_all(
                    Expertise(practitioner_id=practitioner_id, position=position, code=code, first=first, last=last)
                    for position, (code, (first, last)) in enumerate(zip(codes, spans, strict=True))
                )
            if changed or held != codes:
                await self._audit.record(
                    session, actor, Action.PEOPLE_MANAGE_DIRECTORY, subject=f"practitioner:{practitioner_id}"
                )
        return created

    def _check_practitioner(self, role: Role, department_code: str, title: str, practising_since: int) -> None:
        physician = role in (Role.GRASSROOTS_DOCTOR, Role.EXPERT)
        if role not in _PRACTISING_ROLES or not 1940 <= practising_since <= self._today().year:
            raise InvalidInput("人员的角色或从业年份不对。", field="role")
        if physician and (department_code not in departments() or title not in rules.TITLE_RANKS):
            raise InvalidInput("医生的科室或职称不对。", field="department_code")
        if role is Role.PHARMACIST and title not in rules.PHARMACIST_TITLES:
            raise InvalidInput("审方药师的职称要是药师或以上。", field="title")


def managed_by(role: Role, institution_id: str) -> str | None:
    """Give the institution whose administrator may manage somebody of this role; None for who manages the platform."""
    return None if role is Role.ADMINISTRATOR else institution_id


async def _put(
    session: AsyncSession, table: type[Institution | Practitioner], row_id: str, values: Mapping[str, Any]
) -> tuple[bool, bool]:
    """Give (created, changed)."""
    row = await session.get(table, row_id)
    if row is None:
        session.add(table(id=row_id, **values))
        await session.flush()
        return True, True
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    for field, value in changed.items():
        setattr(row, field, value)
    return False, bool(changed)


def practitioner_rows() -> Select[Practitioner, str]:
    """Give the query of all who practise, each with the name of their institution."""
    return select(Practitioner, Institution.name).join(Institution, Institution.id == Practitioner.institution_id)


def _knows(prefixes: Collection[str]) -> ColumnElement[bool]:
    overlaps = [
        (Expertise.first <= last) & (Expertise.last >= first) for first, last in map(rules.icd10_span, prefixes)
    ]
    return exists().where(Expertise.practitioner_id == Practitioner.id, or_(False, *overlaps))


async def _expertise(session: AsyncSession, practitioner_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    query = (
        select(Expertise.practitioner_id, Expertise.code)
        .where(Expertise.practitioner_id.in_(practitioner_ids))
        .order_by(Expertise.practitioner_id, Expertise.position)
    )
    found: dict[str, tuple[str, ...]] = {}
    for practitioner_id, code in await session.execute(query):
        found[practitioner_id] = (*found.get(practitioner_id, ()), code)
    return found


def institution_view(row: Institution, near: tuple[float, float] | None) -> InstitutionView:
    """Show a row, with its distance from `near`."""
    place = None if row.latitude is None or row.longitude is None else (row.latitude, row.longitude)
    return InstitutionView(
        id=row.id,
        code=row.code,
        name=row.name,
        kind=row.kind,
        region=row.region,
        address=row.address,
        place=place,
        level=cast("Level", row.level),
        insurance_code=row.insurance_code or "",
        distance_km=rules.distance_km(near, place) if near and place else None,
    )


def _practitioner_view(
    row: Practitioner, institution_name: str, icd10: tuple[str, ...], today: date
) -> PractitionerView:
    department = departments().get(row.department_code)
    return PractitionerView(
        id=row.id,
        person_id=row.person_id,
        role=Role(row.role),
        name=row.name,
        institution_id=row.institution_id,
        institution_name=institution_name,
        department_code=row.department_code,
        department_name=department.name if department else "",
        title=row.title,
        years=today.year - row.practising_since,
        icd10=icd10,
        on_call=row.on_call,
        active=row.active,
    )
