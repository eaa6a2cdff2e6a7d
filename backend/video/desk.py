"""What every use case of the video rooms needs."""

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.events import EventBus
from backend.files import FileStore
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.timers import Timers


class VideoDesk:
    """Base of the groups of use cases that make up `VideoService`; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        files: FileStore,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._files = files
