"""Who acts, and what each role may do: one table that the code reads, checked by every use case."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the platform; one person may be several."""

    PATIENT = "patient"
    GRASSROOTS_DOCTOR = "grassroots_doctor"
    EXPERT = "expert"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"  # the platform itself: timers, matching, delivery


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Args:
        person_id: the person; the platform itself has none.
        practitioner_id: the doctor or expert that this person is, if any.
        institution_id: where they work, if anywhere.
    """

    person_id: str
    roles: frozenset[Role]
    practitioner_id: str | None = None
    institution_id: str | None = None


SYSTEM = Actor(person_id="", roles=frozenset({Role.SYSTEM}))
"""The platform acting by itself."""
