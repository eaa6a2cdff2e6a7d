"""What every use case of imaging needs."""

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.events import EventBus
from backend.files import FileStore
from backend.imaging.arrivals import Arrivals
from backend.imaging.objects import SealedObjects
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.timers import Timers


class ImagingDesk:
    """Base of the groups of use cases that make up `ImagingService`; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        objects: SealedObjects,
        files: FileStore,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._objects = objects
        self._files = files
        self._arrivals = Arrivals()
