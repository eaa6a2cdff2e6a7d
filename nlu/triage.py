"""Which department a case belongs to, and how urgent it is."""

from collections import defaultdict

from data.clinical_language import clinical_language
from data.departments import departments
from data.urgency import urgency_rules
from nlu.conditions import evidence
from nlu.facts import CaseFacts
from nlu.types import DepartmentSuggestion, RedFlag, Sex, Status, Urgency

CHILD_BELOW_MONTHS = 14 * 12
"""Paediatrics sees patients up to 14 years (国家卫生健康委《医疗机构诊疗科目名录》, 儿科)."""

URGENCY_NAMES = {1: "危急", 2: "急重", 3: "急症", 4: "亚急症或非急症"}
"""The four levels of 《急诊预检分诊专家共识》(2018)."""

_FIRST_COMPLAINT = 1.5
_MAXIMUM = 5
_FALLBACK = "general_practice"


def suggest_department(facts: CaseFacts) -> list[DepartmentSuggestion]:
    """At most five departments, best first, their weights adding up to at most 1.

    Every present symptom and known disease votes with the weights of the reference data, the complaint told first half
    as much again; children go to paediatrics instead of the departments for adults, pregnancy brings in obstetrics.
    """
    votes: dict[str, float] = defaultdict(float)
    reasons: dict[str, list[str]] = defaultdict(list)
    for rank, name in enumerate(facts.present):
        for code, weight in _symptom_departments().get(name, {}).items():
            votes[code] += weight * (_FIRST_COMPLAINT if rank == 0 else 1.0)
            reasons[code].append(name)
    for disease in facts.diseases:
        if disease.status is Status.POSITIVE:
            for code, weight in _disease_departments().get(disease.name, {}).items():
                votes[code] += weight * 0.5
                reasons[code].append(disease.name)
    if facts.pregnancy is not None and facts.pregnancy.status is Status.POSITIVE:
        votes["obstetrics"] += 1.0
        reasons["obstetrics"].append("怀孕")
    _respect_patient(facts, votes, reasons)
    if not votes:
        return [DepartmentSuggestion(code=_FALLBACK, weight=1.0, reason="还不清楚主要问题，先由全科看")]
    total = sum(votes.values())
    best = sorted(votes, key=lambda code: (-votes[code], code))[:_MAXIMUM]
    return [
        DepartmentSuggestion(
            code=code,
            weight=round(votes[code] / total, 3),
            reason="因为" + "、".join(dict.fromkeys(reasons[code])),
        )
        for code in best
    ]


def assess_urgency(facts: CaseFacts, red_flags: list[RedFlag]) -> Urgency:
    """The most urgent level that a red flag or a rule of ``data/nlu/urgency.json`` calls for, with its reasons."""
    reasons: dict[int, list[str]] = defaultdict(list)
    for flag in red_flags:
        reasons[flag.level].append(flag.title)
    for rule in urgency_rules():
        found = next((met for condition in rule.when if (met := evidence(condition, facts))), ())
        if found:
            reasons[rule.level].append(f"{rule.reason}（{'、'.join(found)}）")
    level = min(reasons, default=4)
    return Urgency(level=level, name=URGENCY_NAMES[level], reasons=tuple(reasons[level]) or ("没有发现紧急情况",))


def _respect_patient(facts: CaseFacts, votes: dict[str, float], reasons: dict[str, list[str]]) -> None:
    """Move what is not for this patient's age or sex to where it belongs."""
    child = facts.age_months is not None and facts.age_months < CHILD_BELOW_MONTHS
    for code in list(votes):
        patients = departments()[code].patients
        if child and patients == "adults":
            votes["pediatrics"] += votes.pop(code)
            reasons["pediatrics"] += reasons.pop(code)
        elif not child and facts.age_months is not None and patients == "children":
            votes[_FALLBACK] += votes.pop(code)
            reasons[_FALLBACK] += reasons.pop(code)
        elif facts.sex is Sex.MALE and code in ("gynecology", "obstetrics"):
            del votes[code]


def _symptom_departments() -> dict[str, dict[str, float]]:
    return {row.name: row.departments for row in clinical_language().symptoms}


def _disease_departments() -> dict[str, dict[str, float]]:
    language = clinical_language()
    return {row.name: row.departments for row in (*language.findings, *language.diseases)}
