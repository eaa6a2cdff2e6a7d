"""What every part of the service of the people works with."""

from datetime import date

from backend.clock import Clock
from backend.db import Database
from backend.events import EventBus
from backend.security.audit import AuditLog

LONGEST_PAGE = 100


class PeopleContext:
    """Base of the parts of `PeopleService`."""

    def __init__(self, database: Database, clock: Clock, events: EventBus, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._audit = audit

    def _today(self) -> date:
        return self._clock.today().date()
