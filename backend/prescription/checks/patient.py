"""Whether it is known for whom the prescription is: no pharmacy may dispense one without."""

from collections.abc import Iterator

from backend.prescription.checks.case import Case
from backend.prescription.rules import Finding, Severity


def check(case: Case) -> Iterator[Finding]:
    """Name and sex, which a prescription has to state; `age.check` asks for the birth date."""
    law = case.reference.laws["patient"].source
    if not case.patient.named:
        sentence = "不知道病人的姓名，处方上要写明。"
        yield Finding("missing.name", "order", Severity.STOP, (), sentence, "请先补上姓名。", law)
    if case.patient.sex == "unknown":
        sentence = "不知道病人的性别，处方上要写明。"
        yield Finding("missing.sex", "order", Severity.STOP, (), sentence, "请先补上性别。", law)
