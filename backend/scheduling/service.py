"""The scheduling service: one name for hours, slots and bookings, a file each."""

from typing import Any

from backend.scheduling.bookings import HOLD_TIMER, Bookings
from backend.scheduling.hours import Hours


class SchedulingService(Hours, Bookings):
    """When experts have time, and who has it.

    * `hours`: schedule, change, set_week, set_days, add_absence, remove_absence
    * `slots`: week, slots, slot, is_available, next_free, availability, make_slots
    * `bookings`: book, release, hold, let_go, booking, calendar; the end of a hold
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(HOLD_TIMER, self._on_hold_ends)
