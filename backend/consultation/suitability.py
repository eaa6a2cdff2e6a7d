"""Which departments treat a patient of this age and sex: nobody else is asked. Pure.

Chinese hospitals send patients under fourteen to paediatrics, and many let them stay there until eighteen: both kinds
of department treat the years between.
"""

from collections.abc import Collection
from dataclasses import dataclass

from data.departments import departments

CHILD_MONTHS = 14 * 12
"""Below this age paediatrics is preferred to departments for adults."""

ADULT_MONTHS = 18 * 12
"""From this age on paediatrics treats nobody."""


@dataclass(frozen=True)
class Patient:
    """What decides which departments treat somebody.

    Args:
        age_months: None where it is not known: then every department may be asked.
        sex: "male", "female", or empty where it is not known.
    """

    age_months: int | None = None
    sex: str = ""

    @property
    def is_child(self) -> bool:
        """Whether this is somebody under fourteen."""
        return self.age_months is not None and self.age_months < CHILD_MONTHS


ANYBODY = Patient()
"""Somebody of whom nothing is known."""


def treats(department_code: str, patient: Patient, *, has_paediatrics: bool) -> bool:
    """Tell whether the department treats such a patient.

    Args:
        department_code: a department that the reference data does not have treats everybody.
        has_paediatrics: whether a department for children could be asked; where none can, adults' ones see children.
    """
    department = departments().get(department_code)
    if department is None:
        return True
    if department.sex == "female" and patient.sex == "male":
        return False
    if patient.age_months is None:
        return True
    if department.patients == "children":
        return patient.age_months < ADULT_MONTHS
    return not (department.patients == "adults" and patient.is_child and has_paediatrics)


def stands_in(department_code: str, wanted_code: str, patient: Patient) -> bool:
    """Tell whether the department sees this patient in place of the `wanted_code`, which is for adults: paediatrics
    for a child."""
    known = departments()
    if department_code not in known or wanted_code not in known or not patient.is_child:
        return False
    return known[wanted_code].patients == "adults" and known[department_code].patients == "children"


def any_paediatrics(department_codes: Collection[str]) -> bool:
    """Tell whether one of the departments is for children."""
    known = departments()
    return any(code in known and known[code].patients == "children" for code in department_codes)
