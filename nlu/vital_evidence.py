"""What measured values say: the signs that they settle (fever, high pressure …) and the likelihood ratios beyond these.

A measured value decides its sign, whatever was said in words; findings of the knowledge base then refine it. For a
finding with share q of a disease and the share b of all patients with such a value, the ratio is q / b where the value
is there and (1 − q) / (1 − b) where it is not, within limits. Where the measure has a sign (38.5 ℃ is a fever), both
shares are taken among those who have it, so that the fever does not count twice.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from data.diseases import Disease, VitalFinding
from nlu.disease_model import DiseaseModel, Floats
from nlu.facts import FEVER, FEVER_FROM, CaseFacts
from nlu.types import GlucoseTiming

HIGH_PRESSURE = "血压高"
LOW_PRESSURE = "血压低"
HIGH_GLUCOSE = "血糖高"
LOW_GLUCOSE = "低血糖"
SLOW_HEART = "心跳慢"

SYSTOLIC_FROM, DIASTOLIC_FROM = 140, 90
"""Hypertension in the clinic (《国家基层高血压防治管理指南（2020版）》), mmHg."""
SYSTOLIC_BELOW = 90
FASTING_FROM, RANDOM_FROM, GLUCOSE_BELOW = 7.0, 11.1, 3.9
"""Diabetes and hypoglycaemia (《国家基层糖尿病防治管理指南（2022）》), mmol/L."""
HEART_RATE_BELOW = 50

_ADULT_MONTHS = 14 * 12
"""Limits of pressure hold from here on; those of children depend on age and height."""

HIGH_SIGNS = {"temperature": FEVER, "systolic": HIGH_PRESSURE, "diastolic": HIGH_PRESSURE, "glucose": HIGH_GLUCOSE}
"""The sign of a measure that is too high."""

_PATIENTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "temperature": ((37.3, 38.0, 38.5, 39.0, 40.0, 41.0), (0.25, 0.17, 0.12, 0.07, 0.015, 0.002)),
    "systolic": ((90, 110, 120, 130, 140, 160, 180, 200), (0.985, 0.85, 0.65, 0.4, 0.25, 0.08, 0.02, 0.005)),
    "diastolic": ((60, 70, 80, 90, 100, 110, 120), (0.97, 0.85, 0.5, 0.2, 0.08, 0.02, 0.005)),
    "glucose": ((3.9, 5.0, 6.1, 7.0, 11.1, 16.7, 25), (0.98, 0.8, 0.35, 0.2, 0.07, 0.02, 0.003)),
    "heart_rate": ((50, 60, 70, 80, 90, 100, 120, 150), (0.985, 0.95, 0.8, 0.5, 0.25, 0.12, 0.03, 0.004)),
    "respiratory_rate": ((12, 16, 20, 24, 30, 40), (0.99, 0.85, 0.35, 0.12, 0.04, 0.01)),
    "spo2": ((80, 85, 90, 93, 95, 97, 99), (0.998, 0.995, 0.98, 0.96, 0.9, 0.7, 0.25)),
}
"""Share of a clinic's patients whose value is at least so high: orders of magnitude, a judgement."""

_RATIO_LIMITS = (0.1, 20.0)


def measured_signs(facts: CaseFacts) -> dict[str, bool]:
    """The signs that measured values settle, each present or absent."""
    signs: dict[str, bool] = {}
    vitals = facts.vitals
    if facts.temperature is not None and (facts.temperature >= FEVER_FROM or facts.status(FEVER) is None):
        signs[FEVER] = facts.temperature >= FEVER_FROM  # a fever that was told may have gone down since
    if vitals.systolic is not None and (facts.age_months is None or facts.age_months >= _ADULT_MONTHS):
        signs[HIGH_PRESSURE] = vitals.systolic >= SYSTOLIC_FROM or (vitals.diastolic or 0) >= DIASTOLIC_FROM
        signs[LOW_PRESSURE] = vitals.systolic < SYSTOLIC_BELOW
    if vitals.glucose is not None:
        high = FASTING_FROM if vitals.glucose_timing is GlucoseTiming.FASTING else RANDOM_FROM
        if vitals.glucose >= high or vitals.glucose < FASTING_FROM:
            signs[HIGH_GLUCOSE] = vitals.glucose >= high
        signs[LOW_GLUCOSE] = vitals.glucose < GLUCOSE_BELOW
    if vitals.heart_rate is not None:
        signs[SLOW_HEART] = vitals.heart_rate < HEART_RATE_BELOW
    return signs


def vital_ratio(facts: CaseFacts, model: DiseaseModel) -> Floats:
    """log v(d) of all measured values, one a disease (the last is ``OTHER``, 0)."""
    total = np.zeros(len(model.diseases))
    values = measured(facts)
    if values:
        signs = measured_signs(facts)
        for measure, value in values.items():
            total += measure_ratio(model, measure, value, signs)
    return total


def measure_ratio(model: DiseaseModel, measure: str, value: float, signs: dict[str, bool]) -> Floats:
    """log of the likelihood ratio of this value for each disease: of its findings the one that tells most.

    Where the disease lists the sign of the measure and the value does not make it, the sign has said everything: 0.
    """
    most, least = np.zeros(len(model.diseases)), np.zeros(len(model.diseases))
    table = _findings(model).get(measure)
    if table is None:
        return most
    there = (value >= table.limits) == table.upward
    ratios = np.where(there, table.there, table.missing)
    if not signs.get(HIGH_SIGNS.get(measure, ""), False):
        ratios = np.where(table.given_sign, 0.0, ratios)
    np.maximum.at(most, table.columns, ratios)
    np.minimum.at(least, table.columns, ratios)
    return np.where(most >= -least, most, least)


def measured(facts: CaseFacts) -> dict[str, float]:
    """Every value that was measured, by the name of its measure."""
    values = {
        "temperature": facts.temperature,
        "systolic": facts.vitals.systolic,
        "diastolic": facts.vitals.diastolic,
        "glucose": facts.vitals.glucose,
        "heart_rate": facts.vitals.heart_rate,
        "respiratory_rate": facts.vitals.respiratory_rate,
        "spo2": facts.vitals.spo2,
    }
    return {measure: float(value) for measure, value in values.items() if value is not None}


@dataclass(frozen=True)
class _Findings:
    """All findings of one measure: whose each is, its limit and direction, and its log ratios there and missing.

    ``given_sign`` marks those whose shares are among the patients who have the sign.
    """

    columns: NDArray[np.intp]
    limits: Floats
    upward: NDArray[np.bool_]
    there: Floats
    missing: Floats
    given_sign: NDArray[np.bool_]


@cache
def _findings(model: DiseaseModel) -> dict[str, _Findings]:
    """The findings of all diseases by measure."""
    found = [(column, disease, finding) for column, disease in enumerate(model.rows) for finding in disease.vitals]
    measures = {finding.measure for _, _, finding in found}
    return {measure: _table([row for row in found if row[2].measure == measure]) for measure in measures}


def _table(found: list[tuple[int, Disease, VitalFinding]]) -> _Findings:
    given_sign = [_given_sign(disease, finding) for _, disease, finding in found]
    ratios = [_log_ratios(disease, finding) for _, disease, finding in found]
    return _Findings(
        columns=np.array([column for column, _, _ in found], dtype=np.intp),
        limits=np.array([_limit(finding) for _, _, finding in found]),
        upward=np.array([finding.minimum is not None for _, _, finding in found]),
        there=np.array([there for there, _ in ratios]),
        missing=np.array([missing for _, missing in ratios]),
        given_sign=np.array(given_sign),
    )


def _limit(finding: VitalFinding) -> float:
    limit = finding.minimum if finding.minimum is not None else finding.below
    return float(limit or 0.0)


def _given_sign(disease: Disease, finding: VitalFinding) -> bool:
    return finding.minimum is not None and HIGH_SIGNS.get(finding.measure) in disease.symptoms


def _log_ratios(disease: Disease, finding: VitalFinding) -> tuple[float, float]:
    """log of q / b and of (1 − q) / (1 − b)."""
    share, everyone = finding.share, _share_of_patients(finding)
    if _given_sign(disease, finding):
        share = min(share / disease.symptoms[HIGH_SIGNS[finding.measure]], 0.95)
        everyone = min(everyone / _share_with(finding.measure), 0.95)
    low, high = _RATIO_LIMITS
    there, missing = (min(max(ratio, low), high) for ratio in (share / everyone, (1 - share) / (1 - everyone)))
    return math.log(there), math.log(missing)


def _share_of_patients(finding: VitalFinding) -> float:
    limits, shares = _PATIENTS[finding.measure]
    at_least = float(np.interp(_limit(finding), limits, shares))
    return at_least if finding.minimum is not None else 1 - at_least


def _share_with(measure: str) -> float:
    """Share of patients whose value makes the sign of the measure."""
    limit = {"temperature": FEVER_FROM, "systolic": SYSTOLIC_FROM, "diastolic": DIASTOLIC_FROM, "glucose": RANDOM_FROM}
    return float(np.interp(limit[measure], *_PATIENTS[measure]))
