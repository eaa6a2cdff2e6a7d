"""What speaks for and against a disease in a case, in the words of a record. For doctors only."""

from functools import cache

import numpy as np

from data.clinical_language import clinical_language
from data.diseases import Disease
from nlu.disease_model import OTHER, DiseaseModel, disease_model
from nlu.facts import CaseFacts
from nlu.summary import record_term
from nlu.types import Sex, Status
from nlu.vital_evidence import HIGH_SIGNS, measure_ratio, measured, measured_signs

_TELLS = float(np.log(1.5))
"""A finding is evidence from this likelihood ratio on, either way."""

_SHARES = ((0.9, "几乎都有"), (0.7, "多数有"), (0.5, "约一半有"), (0.3, "部分有"))
"""How a band is read (``data.diseases.BANDS``); what fewer patients have is no evidence when it is missing."""

_VALUES = {
    "temperature": "体温{:g}℃",
    "systolic": "收缩压{:g}mmHg",
    "diastolic": "舒张压{:g}mmHg",
    "glucose": "血糖{:g}mmol/L",
    "heart_rate": "心率{:g}次/分",
    "respiratory_rate": "呼吸{:g}次/分",
    "spo2": "血氧{:g}%",
}


def explain(name: str, facts: CaseFacts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Findings for and against the disease, each as Chinese words, what tells most first.

    Raises ``KeyError`` where the knowledge base lacks the disease; ``其他`` has neither.
    """
    model = disease_model()
    column = model.column(name)
    if name == OTHER:
        return (), ()
    disease = model.rows[column]
    weighed = [*_symptoms(model, column, facts), *_values(model, column, facts), *_person(disease, facts)]
    weighed.sort(key=lambda pair: -abs(pair[0]))
    supporting = tuple(dict.fromkeys(words for weight, words in weighed if weight > 0))
    opposing = tuple(dict.fromkeys(words for weight, words in weighed if weight < 0))
    return supporting, opposing


def _symptoms(model: DiseaseModel, column: int, facts: CaseFacts) -> list[tuple[float, str]]:
    disease = model.rows[column]
    by_value = set(measured_signs(facts))
    found: list[tuple[float, str]] = []
    for symptom in dict.fromkeys((*facts.present, *facts.absent)):
        row = model.row_of.get(symptom)
        if row is None or symptom in by_value:
            continue
        share = max((disease.symptoms.get(name, 0.0) for name in _with_kinds(symptom)), default=0.0)
        if facts.has(symptom):
            ratio = float(np.log(model.alone[row, column] / max(model.base[row], 1e-3)))
            if share and ratio >= _TELLS:
                found.append((ratio, record_term(symptom)))
            elif ratio <= -_TELLS:
                found.append((ratio, f"{record_term(symptom)}少见于此病"))
        elif words := next((words for limit, words in _SHARES if share >= limit), ""):
            found.append((float(np.log1p(-model.alone[row, column])), f"无{record_term(symptom)}（{words}）"))
    return found


def _values(model: DiseaseModel, column: int, facts: CaseFacts) -> list[tuple[float, str]]:
    """Each measured value that a finding or its sign weighs."""
    signs = measured_signs(facts)
    found: list[tuple[float, str]] = []
    for measure, value in measured(facts).items():
        weight = float(measure_ratio(model, measure, value, signs)[column])
        sign = HIGH_SIGNS.get(measure, "")
        share = model.rows[column].symptoms.get(sign, 0.0)
        if share >= _SHARES[-1][0] and sign in signs:
            weight += (1.0 if signs[sign] else -1.0) * share
        if abs(weight) >= _SHARES[-1][0]:
            found.append((weight, _VALUES[measure].format(value)))
    return found


def _person(disease: Disease, facts: CaseFacts) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    low, high = disease.usual_ages
    if facts.age_months is not None:
        if (low is not None and facts.age_months < low) or (high is not None and facts.age_months >= high):
            found.append((-1.0, "此年龄少见"))
        if not _occurs(disease.ages, facts.age_months):
            found.append((-9.0, "此年龄不发病"))
    if facts.sex is not None and disease.sex != "all" and facts.sex.value != disease.sex:
        found.append((-9.0, "男性不发病" if facts.sex is Sex.MALE else "女性不发病"))
    if disease.pregnancy and facts.pregnancy is not None:
        known = facts.pregnancy.status
        if known is not Status.UNKNOWN:
            found.append((2.0, "妊娠") if known is Status.POSITIVE else (-2.0, "自述未孕"))
    for told in (*facts.diseases, *facts.operations):
        if told.status is Status.POSITIVE and told.name in disease.risks:
            found.append((float(np.log(disease.risks[told.name])), f"有{told.name}史"))
        elif told.status is Status.POSITIVE and told.name == disease.name:
            found.append((2.0, f"既往{told.name}"))
    return found


def _occurs(ages: tuple[int | None, int | None], months: int) -> bool:
    low, high = ages
    return (low is None or months >= low) and (high is None or months < high)


@cache
def _with_kinds(symptom: str) -> tuple[str, ...]:
    """The symptom and everything that is a kind of it."""
    kinds = clinical_language().kinds
    return (symptom, *(kind for name in kinds if kinds[name] == symptom for kind in _with_kinds(name)))
