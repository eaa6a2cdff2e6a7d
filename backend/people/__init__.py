"""Patients, doctors, experts and institutions; who consented to what; who was invited."""

from backend.people.rules import masked_name
from backend.people.service import PeopleService
from backend.people.views import ConsentView, InstitutionView, Invitation, PersonView, PractitionerView
from data.consent import ConsentKind

__all__ = [
    "ConsentKind",
    "ConsentView",
    "InstitutionView",
    "Invitation",
    "PeopleService",
    "PersonView",
    "PractitionerView",
    "masked_name",
]
