"""The confirmed record becomes a case of the chosen institution's doctor."""

from backend.consultation.rules import Urgency
from backend.people.views import InstitutionView
from bot.dialogue import Turn
from bot.flows.intake_state import Intake
from bot.flows.record import record_of
from bot.flows.wording import clock_time
from bot.messages import Choice, Menu
from nlu.departments import suggest_department
from nlu.types import Relation
from nlu.urgency import assess_urgency
