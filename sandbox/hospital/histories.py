"""The patients of the hospital: what is written down of each in ``histories.json``, as resources of FHIR R4.

Nobody of them exists: no region has the number 9999 with which their identity numbers begin. Days count back from the
present, so that a history never grows old.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.hospital.store import Resource, Store

IDENTITY = "urn:oid:2.16.156.10011.1.3"
"""The identity number's system in the health information standards of China (WS/T 500)."""

_ICD10 = "http://hl7.org/fhir/sid/icd-10"
_ATC = "http://www.whocc.no/atc"
_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_SNOMED = "http://snomed.info/sct"

# LOINC, name, UCUM, reference range, laboratory.
_KINDS: dict[str, tuple[str, str, str, float | None, float | None, bool]] = {
    "heart_rate": ("8867-4", "心率", "/min", 60, 100, False),
    "weight": ("29463-7", "体重", "kg", None, None, False),
    "temperature": ("8310-5", "体温", "Cel", 36.0, 37.2, False),
    "spo2": ("59408-5", "血氧饱和度", "%", 95, 100, False),
    "glucose": ("14771-0", "空腹血糖", "mmol/L", 3.9, 6.1, True),
    "hba1c": ("4548-4", "糖化血红蛋白", "%", 4.0, 6.0, True),
    "creatinine": ("14682-9", "肌酐", "umol/L", 41, 81, True),
    "potassium": ("2823-3", "血钾", "mmol/L", 3.5, 5.3, True),
    "alt": ("1742-6", "谷丙转氨酶", "U/L", 7, 40, True),
    "crp": ("1988-5", "C反应蛋白", "mg/L", 0, 10, True),
    "inr": ("6301-6", "国际标准化比值", "1", 2.0, 3.0, True),
    "tsh": ("3016-3", "促甲状腺激素", "m[IU]/L", 0.27, 4.2, True),
    "uric_acid": ("14933-6", "尿酸", "umol/L", 208, 428, True),
}
_CLASSES = {"AMB": "门诊", "EMER": "急诊", "IMP": "住院"}


def fill(store: Store, now: datetime) -> None:
    """Let the patients of ``histories.json`` be known in a hospital."""
    text = Path(__file__).with_name("histories.json").read_text(encoding="utf-8")
    for number, told in enumerate(json.loads(text), 1):
        for resource in _History(f"p{number}", told, now).resources():
            store.create(resource, resource["id"])


class _History:
    def __init__(self, patient: str, told: dict[str, Any], now: datetime) -> None:
        self._patient = patient
        self._told = told
        self._now = now
        self._count = 0

    def resources(self) -> list[Resource]:
        told = self._told
        return [
            self._person(),
            *(self._allergy(*row) for row in told["allergies"]),
            *([self._no_allergies()] if told["no_known_allergies"] else []),
            *(self._condition(*row) for row in told["conditions"]),
            *(self._medicine(*row) for row in told["medicines"]),
            *(self._measurement(kind, row) for kind, rows in told["measurements"] for row in rows),
            *(self._encounter(*row) for row in told["encounters"]),
            *(self._report(*row) for row in told["reports"]),
            *(self._study(*row) for row in told["studies"]),
        ]

    def _make(self, type_: str, **elements: Any) -> Resource:
        self._count += 1
        return {"resourceType": type_, "id": f"{self._patient}-{self._count}", **elements}

    def _ago(self, days: int) -> str:
        return (self._now - timedelta(days=days)).replace(microsecond=0).isoformat()

    @property
    def _subject(self) -> Resource:
        return {"reference": f"Patient/{self._patient}"}

    def _person(self) -> Resource:
        told = self._told
        return {
            "resourceType": "Patient",
            "id": self._patient,
            "active": True,
            "identifier": [{"system": IDENTITY, "value": told["identity"]}],
            "name": [{"use": "official", "text": told["name"]}],
            "gender": told["gender"],
            "birthDate": told["born"],
        }

    def _allergy(self, substance: str, atc: str, reaction: str, severity: str, days: int) -> Resource:
        return self._make(
            "AllergyIntolerance",
            clinicalStatus=_concept(f"{_TERMINOLOGY}/allergyintolerance-clinical", "active"),
            verificationStatus=_concept(f"{_TERMINOLOGY}/allergyintolerance-verification", "confirmed"),
            category=["medication"],
            criticality="high" if severity == "severe" else "low",
            code=_concept(_ATC, atc, substance),
            patient=self._subject,
            recordedDate=self._ago(days),
            reaction=[{"manifestation": [{"text": reaction}], "severity": severity}],
        )

    def _no_allergies(self) -> Resource:
        return self._make(
            "AllergyIntolerance",
            clinicalStatus=_concept(f"{_TERMINOLOGY}/allergyintolerance-clinical", "active"),
            code=_concept(_SNOMED, "716186003", "未发现过敏"),
            patient=self._subject,
            recordedDate=self._ago(30),
        )

    def _condition(self, code: str, name: str, status: str, days: int) -> Resource:
        return self._make(
            "Condition",
            clinicalStatus=_concept(f"{_TERMINOLOGY}/condition-clinical", status),
            verificationStatus=_concept(f"{_TERMINOLOGY}/condition-ver-status", "confirmed"),
            code=_concept(_ICD10, code, name),
            subject=self._subject,
            recordedDate=self._ago(days),
        )

    def _medicine(self, kind: str, name: str, atc: str, dose: str, days: int) -> Resource:
        common = {"medicationCodeableConcept": _concept(_ATC, atc, name), "subject": self._subject, "status": "active"}
        if kind == "statement":
            when = {"effectiveDateTime": self._ago(days)}
            return self._make("MedicationStatement", **common, **when, dosage=[{"text": dose}])
        when = {"authoredOn": self._ago(days), "intent": "order"}
        return self._make("MedicationRequest", **common, **when, dosageInstruction=[{"text": dose}])

    def _measurement(self, kind: str, row: list[Any]) -> Resource:
        if kind == "blood_pressure":
            days, systolic, diastolic = row
            parts = [("8480-6", "收缩压", systolic), ("8462-4", "舒张压", diastolic)]
            components = [
                {"code": _concept(_LOINC, code, name), "valueQuantity": _quantity(value, "mm[Hg]")}
                for code, name, value in parts
            ]
            panel = _concept(_LOINC, "85354-9", "血压")
            return self._observation(panel, days, "vital-signs", component=components)
        days, value = row
        code, name, unit, low, high, laboratory = _KINDS[kind]
        elements: dict[str, Any] = {"valueQuantity": _quantity(value, unit)}
        if low is not None and high is not None:
            elements["referenceRange"] = [{"low": _quantity(low, unit), "high": _quantity(high, unit)}]
            mark = "L" if value < low else "H" if value > high else "N"
            elements["interpretation"] = [_concept(f"{_TERMINOLOGY}/v3-ObservationInterpretation", mark)]
        category = "laboratory" if laboratory else "vital-signs"
        return self._observation(_concept(_LOINC, code, name), days, category, **elements)

    def _observation(self, code: Resource, days: int, category: str, **elements: Any) -> Resource:
        return self._make(
            "Observation",
            status="final",
            category=[_concept(f"{_TERMINOLOGY}/observation-category", category)],
            code=code,
            subject=self._subject,
            effectiveDateTime=self._ago(days),
            **elements,
        )

    def _encounter(self, class_: str, reason: str, department: str, first: int, last: int) -> Resource:
        return self._make(
            "Encounter",
            status="finished",
            **{"class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": class_, "display": _CLASSES[class_]}},
            subject=self._subject,
            period={"start": self._ago(first), "end": self._ago(last)},
            reasonCode=[{"text": reason}],
            serviceType={"text": department},
        )

    def _report(self, name: str, conclusion: str, days: int) -> Resource:
        return self._make(
            "DiagnosticReport",
            status="final",
            code={"text": name},
            subject=self._subject,
            effectiveDateTime=self._ago(days),
            conclusion=conclusion,
        )

    def _study(self, modality: str, description: str, days: int) -> Resource:
        return self._make(
            "ImagingStudy",
            status="available",
            modality=[{"system": _DICOM, "code": modality}],
            subject=self._subject,
            started=self._ago(days),
            description=description,
        )


def _concept(system: str, code: str, text: str = "") -> Resource:
    coding = {"system": system, "code": code} | ({"display": text} if text else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": _UCUM, "code": unit}
