"""Diseases in which a medicine does harm."""

from collections.abc import Iterator

from backend.prescription.checks.case import VERDICTS, Case, advise, finding
from backend.prescription.rules import Finding


def check(case: Case) -> Iterator[Finding]:
    """Each line against what the patient has and what the order is for."""
    for item in case.items:
        for fact in item.medicine.avoid:
            met = [one.name for one in case.diseases_in(fact.icd)]
            if met:
                verdict = VERDICTS[fact.severity]
                sentence = f"病人有{'、'.join(met)}，{item.name}{verdict}：{fact.why}。"
                source = case.reference.cite(fact.source, item.medicine)
                subject = "+".join(fact.icd)
                advice = advise(fact)
                yield finding("disease", item, fact.severity, sentence, source=source, advice=advice, subject=subject)
