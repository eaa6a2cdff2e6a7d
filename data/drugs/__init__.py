"""The drug reference: medicines, how they are given, and what must not meet what. Files, their checks, and search.

Every fact is written down from general knowledge of its source and awaits a pharmacist's review (docs/prescription.md).
"""

from data.drugs.loading import load_reference, reference
from data.drugs.reference import Preparation, Reference
from data.drugs.rows import (
    ROUTES,
    AgeLimit,
    Contraindication,
    CrossReaction,
    Dose,
    DrugClass,
    Fact,
    Form,
    Frequency,
    Interaction,
    KidneyLimit,
    Lactation,
    Law,
    LiverLimit,
    Medicine,
    Pregnancy,
)

__all__ = [
    "ROUTES",
    "AgeLimit",
    "Contraindication",
    "CrossReaction",
    "Dose",
    "DrugClass",
    "Fact",
    "Form",
    "Frequency",
    "Interaction",
    "KidneyLimit",
    "Lactation",
    "Law",
    "LiverLimit",
    "Medicine",
    "Pregnancy",
    "Preparation",
    "Reference",
    "load_reference",
    "reference",
]
