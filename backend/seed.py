"""Puts the demonstration's institutions, doctors and patients into a database, under the same ids each time."""

import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass

from backend.db import Database
from backend.dispensing import DispensingService
from backend.errors import NotFound
from backend.people import PeopleService
from backend.scheduling import SchedulingService, WeeklyHours
from backend.security.policy import SYSTEM, Role
from data.demo import Demo, Institution, Practitioner, demo


@dataclass(frozen=True)
class Seeded:
    """How many rows were new."""

    institutions: int
    practitioners: int
    patients: int


def demo_id(code: str) -> str:
    """Give the id under which the institution, practitioner or patient with this demo code is stored."""
    return hashlib.sha256(f"demo:{code}".encode()).hexdigest()[:32]


async def seed(
    database: Database, people: PeopleService, scheduling: SchedulingService, content: Demo | None = None
) -> Seeded:
    """Load the demonstration's set, in one transaction; what is there already stays as it is.

    A second start is quick, and undoes nothing that somebody changed meanwhile.

    Args:
        content: another set than the shipped one.
    """
    content = content or demo()
    async with database.transaction():
        institutions = [await _put_institution(people, row) for row in content.institutions]
        practitioners = [await _put_practitioner(people, scheduling, row) for row in content.practitioners]
        patients = [
            await people.put_person(
                SYSTEM,
                demo_id(row.code),
                name=row.name,
                sex=row.sex,
                birth_date=row.birth_date,
                id_number=row.id_number,
                region=row.region,
            )
            for row in content.patients
        ]
    return Seeded(sum(institutions), sum(practitioners), sum(patients))


async def stock_pharmacies(dispensing: DispensingService, content: Demo | None = None) -> None:
    """Let the demonstration's pharmacies have medicines; one that has any keeps what it has."""
    for row in (content or demo()).institutions:
        if row.packs and not await dispensing.stock(SYSTEM, demo_id(row.code)):
            packs = dict.fromkeys(dispensing.preparations(), row.packs)
            await dispensing.set_stock(SYSTEM, demo_id(row.code), packs)


async def _put_institution(people: PeopleService, row: Institution) -> bool:
    if await _is_there(people.institution(demo_id(row.code))):
        return False
    return await people.put_institution(SYSTEM, demo_id(row.code), **row.model_dump(exclude={"packs"}))


async def _put_practitioner(people: PeopleService, scheduling: SchedulingService, row: Practitioner) -> bool:
    if await _is_there(people.practitioner(demo_id(row.code))):
        return False
    created = await people.put_practitioner(
        SYSTEM,
        demo_id(row.code),
        role=Role(row.role),
        name=row.name,
        licence_number=row.licence_number,
        institution_id=demo_id(row.institution),
        department_code=row.department,
        title=row.title,
        practising_since=row.practising_since,
        icd10=row.icd10,
        on_call=row.on_call,
    )
    if row.week:
        week = [WeeklyHours(**hours.model_dump()) for hours in row.week]
        await scheduling.set_week(SYSTEM, demo_id(row.code), week)
    return created


async def _is_there(looking: Awaitable[object]) -> bool:
    try:
        await looking
    except NotFound:
        return False
    return True
