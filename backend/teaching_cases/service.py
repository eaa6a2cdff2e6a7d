"""The use cases of the case library, put together (docs/case-library.md)."""

from typing import Any

from backend.teaching_cases.learning import Learning
from backend.teaching_cases.proposing import CONSENTS, Proposing
from backend.teaching_cases.reviewing import WEEK_TIMER, Reviewing
from backend.teaching_cases.searching import Searching

CONSUMER = "teaching_cases"


class TeachingCaseService(Proposing, Reviewing, Searching, Learning):
    """Cases are recommended (`proposing`), reviewed (`reviewing`), found (`searching`), learned from (`learning`)."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._events.subscribe(CONSUMER, ["teaching_case.queued"], self._on_queued)
        self._events.subscribe(CONSUMER, CONSENTS, self._on_consent)
        self._timers.on(WEEK_TIMER, self._on_week)
