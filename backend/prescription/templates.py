"""Templates that come with the platform: courses that primary care writes every day, in usual doses.

They are a start that saves typing: the checks run over them as over anything else, on the patient that they are for.
"""

from backend.prescription.views import TemplateView

SHIPPED: tuple[TemplateView, ...] = ()
