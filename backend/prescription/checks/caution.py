"""What everybody who gives a medicine should mind."""

from collections.abc import Iterator

from backend.prescription.checks.case import Case, finding
from backend.prescription.rules import Finding


def check(case: Case) -> Iterator[Finding]:
    """One note for each line that there is something to say of."""
    for item in case.items:
        if item.medicine.mind:
            sentence = f"{item.name}：{'；'.join(item.medicine.mind)}。"
            source = case.reference.cite(item.medicine.source, item.medicine)
            yield finding("mind", item, "note", sentence, source=source)
