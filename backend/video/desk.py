"""What every use case of the video rooms needs."""

from datetime import timedelta

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.events import EventBus
from backend.files import FileStore
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.timers import Timers

KEPT = timedelta(days=1096)
"""How long a recording is kept unless the settings say otherwise: three years, with their leap day.

The rules for internet diagnosis (互联网诊疗监管细则（试行）, 2022) ask for 15 years for the record itself and for
at least three for sound and picture of how it came about; those for consultations between institutions (远程医疗服务
管理规范（试行）, 2018) ask for neither sound nor picture.
"""


class VideoDesk:
    """Base of the groups of use cases that make up `VideoService`; none of its methods is public.

    Args:
        keep_recordings: how long a recording is kept after its beginning.
    """

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
        keep_recordings: timedelta = KEPT,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._files = files
        self._keep_recordings = keep_recordings
