"""When experts have time: weekly hours, absences, slots and their bookings."""

from backend.scheduling.rules import WeeklyHours
from backend.scheduling.service import SchedulingService
from backend.scheduling.tables import BookingState, SlotState
from backend.scheduling.views import Availability, BookingView, SlotView

__all__ = ["Availability", "BookingState", "BookingView", "SchedulingService", "SlotState", "SlotView", "WeeklyHours"]
