"""When experts have time: weekly hours, single days, absences, slots and their bookings."""

from backend.scheduling.holidays import CalendarDay, calendar_day
from backend.scheduling.hours import Away, BookedTimes, Change, Knowing, ScheduleChanged
from backend.scheduling.rules import Span, WeeklyHours, check_week, with_hours, without_hours
from backend.scheduling.service import SchedulingService
from backend.scheduling.tables import BookingState, SlotState
from backend.scheduling.views import AbsenceView, Availability, BookingView, ScheduleView, SlotView

__all__ = [
    "AbsenceView",
    "Availability",
    "Away",
    "BookedTimes",
    "BookingState",
    "BookingView",
    "CalendarDay",
    "Change",
    "Knowing",
    "ScheduleChanged",
    "ScheduleView",
    "SchedulingService",
    "SlotState",
    "SlotView",
    "Span",
    "WeeklyHours",
    "calendar_day",
    "check_week",
    "with_hours",
    "without_hours",
]
