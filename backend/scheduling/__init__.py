"""When experts have time: weekly hours, single days, absences, slots and their bookings."""

from backend.scheduling.holidays import CalendarDay, calendar_day
from backend.scheduling.hours import BookedTimes, Knowing, ScheduleChanged
from backend.scheduling.rules import WeeklyHours
from backend.scheduling.service import SchedulingService
from backend.scheduling.tables import BookingState, SlotState
from backend.scheduling.views import AbsenceView, Availability, BookingView, ScheduleView, SlotView

__all__ = [
    "AbsenceView",
    "Availability",
    "BookedTimes",
    "BookingState",
    "BookingView",
    "CalendarDay",
    "Knowing",
    "ScheduleChanged",
    "ScheduleView",
    "SchedulingService",
    "SlotState",
    "SlotView",
    "WeeklyHours",
    "calendar_day",
]
