"""The invented county is loaded once, and loading it again undoes nothing."""

from datetime import timedelta

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.events import EventBus
from backend.people import PeopleService
from backend.scheduling import SchedulingService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Role
from backend.seed import Seeded, demo_id, seed
from backend.timers import Timers


@pytest.fixture
def people(database: Database, clock: Clock) -> PeopleService:
    return PeopleService(database, clock, EventBus(database, clock), AuditLog(database, clock))


@pytest.fixture
def scheduling(database: Database, clock: Clock, people: PeopleService) -> SchedulingService:
    return SchedulingService(database, clock, Timers(database, clock), AuditLog(database, clock), people)


async def test_the_county_is_there_after_it_was_loaded(
    database: Database, people: PeopleService, scheduling: SchedulingService, clock: Clock
) -> None:
    assert await seed(database, people, scheduling) == Seeded(institutions=11, practitioners=45, patients=5)
    assert len(await people.institutions(kind="township")) == 6
    experts = await people.practitioners(role=Role.EXPERT, limit=100)
    assert len(experts) == 30
    assert (await people.person(SYSTEM, demo_id("PAT-01"))).name == "王秀英"
    for expert in experts:
        slots = await scheduling.slots(expert.id, clock.now(), clock.now() + timedelta(days=14), 1)
        assert slots, expert.title


async def test_loading_again_makes_nothing_new_and_undoes_nothing(
    database: Database, people: PeopleService, scheduling: SchedulingService
) -> None:
    await seed(database, people, scheduling)
    expert = demo_id("EXP-01")
    await people.set_on_call(SYSTEM, expert, True)
    await scheduling.set_week(SYSTEM, expert, [])
    person_id = await people.register("陈怀远")
    await people.accept_invitation(person_id, (await people.create_invitation(SYSTEM, expert)).scene)
    assert await seed(database, people, scheduling) == Seeded(0, 0, 0)
    view = await people.practitioner(expert)
    assert (view.on_call, view.person_id) == (True, person_id)
    assert await scheduling.week(expert) == []
