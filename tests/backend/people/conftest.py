"""The service of the people on a real database."""

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.events import EventBus
from backend.people.service import PeopleService
from backend.security.audit import AuditLog


@pytest.fixture
def events(database: Database, clock: Clock) -> EventBus:
    return EventBus(database, clock)


@pytest.fixture
def people(database: Database, clock: Clock, events: EventBus) -> PeopleService:
    return PeopleService(database, clock, events, AuditLog(database, clock))
