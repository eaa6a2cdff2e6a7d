"""Templates that come with the platform: courses that primary care writes every day, in usual doses.

They are a start that saves typing: the checks run over them as over anything else, on the patient that they are for.
"""

from functools import cache

from backend.prescription.formulary import ReferenceUnreadable
from backend.prescription.rules import Line
from backend.prescription.views import TemplateView
from data.errors import DataError
from data.prescribing import PrescriptionTemplate, prescription_templates


@cache
def shipped() -> tuple[TemplateView, ...]:
    """Give the shipped templates.

    Raises:
        ReferenceUnreadable: their file, or the drug reference, is damaged.
    """
    try:
        return tuple(_view(one) for one in prescription_templates())
    except DataError:
        raise ReferenceUnreadable from None


def _view(template: PrescriptionTemplate) -> TemplateView:
    lines = (Line(one.preparation, one.dose, one.frequency, one.route, one.days, one.note) for one in template.lines)
    return TemplateView(template.code, template.name, tuple(lines), template.chronic, own=False)
