"""The scheduling service: one name for hours, slots and bookings, a file each."""

from backend.scheduling.bookings import Bookings


class SchedulingService(Bookings):
    """When experts have time, and who has it.

    * `slots`: set_week, week, add_absence, slots, slot, is_available, next_free, availability, make_slots
    * `bookings`: book, release, booking, calendar
    """
