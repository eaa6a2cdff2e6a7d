"""Patients, doctors, experts and institutions; who consented to what; who was invited."""

from backend.people.areas import AreaView
from backend.people.import_rows import ImportPreview
from backend.people.office_tables import read_table
from backend.people.roster import RosterEntry, RosterFilter, RosterPage
from backend.people.rules import masked_name
from backend.people.service import PeopleService
from backend.people.views import ConsentView, InstitutionView, Invitation, PersonView, PractitionerView
from data.consent import ConsentKind

__all__ = [
    "AreaView",
    "ConsentKind",
    "ConsentView",
    "ImportPreview",
    "InstitutionView",
    "Invitation",
    "PeopleService",
    "PersonView",
    "PractitionerView",
    "RosterEntry",
    "RosterFilter",
    "RosterPage",
    "masked_name",
    "read_table",
]
