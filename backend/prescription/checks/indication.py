"""Whether the order says what it is for, and its medicines are for that."""

import re
from collections.abc import Iterator

from backend.prescription.checks.case import Case, finding, within
from backend.prescription.rules import Finding, Severity

_ICD = re.compile(r"[A-Z]\d\d(\.[0-9A-Z]+)?")


def check(case: Case) -> Iterator[Finding]:
    """A diagnosis, of a code that there is, in the indications of each line where those are known."""
    law = case.reference.laws["diagnosis"].source
    diagnoses = [code.strip().upper().rstrip("+*") for code in case.order.diagnoses]
    good = [code for code in diagnoses if _ICD.fullmatch(code)]
    if not diagnoses:
        sentence = "还没有写诊断，没有诊断不能开药。"
        yield Finding("diagnosis.missing", "order", Severity.STOP, (), sentence, "请先写上诊断。", law)
    for code in diagnoses:
        if code not in good:
            sentence = "有一个诊断编码不对，没法核对。"
            yield Finding("diagnosis.unknown", code, Severity.STOP, (), sentence, "请重新选这个诊断。", law)
    for item in case.items:
        spans = item.medicine.indications
        if good and spans and not any(within(code, span) for code in good for span in spans):
            sentence = f"处方上的诊断里，没有{item.name}通常治的病。"
            source = case.reference.cite(item.medicine.source, item.medicine)
            advice = "请核对诊断是否写全，或换一种药；确实要用，请写明理由。"
            yield finding("indication", item, "warning", sentence, source=source, advice=advice)
