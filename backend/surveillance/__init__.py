"""Disease surveillance: syndromes counted by area and day, and alarms where there are more than usual."""

from backend.surveillance.publication import Published, total
from backend.surveillance.rules import WHOLE, Alarm, DayCount
from backend.surveillance.service import SurveillanceService

__all__ = ["WHOLE", "Alarm", "DayCount", "Published", "SurveillanceService", "total"]
