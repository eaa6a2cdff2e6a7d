"""FHIR R4 in, plain facts out. Pure; the resources have been validated, their contents have not.

What was entered in error or refuted is left out. What refers to another patient is left out and counted: a server that
does not know a search parameter may ignore it (https://hl7.org/fhir/R4/search.html#errors) and give everybody's.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from backend.records.hospital.facts import (
    AllergyFact,
    ConditionFact,
    EncounterFact,
    HospitalHistory,
    MedicineFact,
    ReportFact,
    StudyFact,
)
from backend.records.hospital.observations import measurements
from backend.records.hospital.reading import (
    coded,
    day,
    has_code,
    instant,
    reference_of,
    subject_of,
    text_of,
)
from backend.records.hospital.validation import Resource

ICD10 = ("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3", "urn:oid:2.16.156.10011.2.3.3.11")
"""Beginnings of the systems of ICD-10: FHIR's (with national editions), HL7's, and China's WS/T 500."""
ATC = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")

_NO_KNOWN_ALLERGY = {"716186003", "409137002", "160244002"}  # SNOMED CT: no known allergy; to drugs; the older code
_NO_ALLERGY_WORDS = ("无过敏", "未发现过敏", "否认过敏", "无药物过敏", "否认药物过敏")
_ENDED = {"inactive", "resolved", "remission"}
_NOT_SO = {"refuted", "entered-in-error"}
_TAKEN = {"active", "intended", "on-hold", "unknown"}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LONGEST = 300
_LONGEST_CONCLUSION = 1200


def history_of(patient_id: str, found: dict[str, tuple[Resource, ...]]) -> HospitalHistory:
    """Give the history of a patient from what was found, by type of resource.

    Args:
        patient_id: the hospital's own identifier of the patient.
    """
    left_out = 0
    facts: dict[str, list[Any]] = {name: [] for name in _NAMES}
    for type_, resources in found.items():
        name, read = _READERS[type_]
        for resource in resources:
            if subject_of(resource) != patient_id:
                left_out += 1
                continue
            read_facts = read(resource)
            if read_facts is None:
                left_out += 1
                continue
            facts[name].extend(read_facts)
    none_known = max((fact.recorded or "?" for fact in facts["allergies"] if fact.substance == ""), default="")
    return HospitalHistory(
        allergies=_sorted((fact for fact in facts["allergies"] if fact.substance), "recorded"),
        no_known_allergies=none_known,
        conditions=_sorted(facts["conditions"], "recorded"),
        medicines=_sorted(facts["medicines"], "since"),
        measurements=_sorted(facts["measurements"], "taken"),
        encounters=_sorted(facts["encounters"], "start"),
        reports=_sorted(facts["reports"], "when"),
        studies=_sorted(facts["studies"], "when"),
        left_out=left_out,
    )


def medication_reference(resource: Resource) -> str:
    """Give the identifier of the Medication that a resource only points to; "" where it names it itself."""
    return "" if _medicine_name(resource) else reference_of(resource.get("medicationReference"), "Medication")


def _allergy(resource: Resource) -> list[AllergyFact] | None:
    """Give an allergy; one without a substance says that there are none."""
    if has_code(resource.get("verificationStatus"), _NOT_SO) or has_code(resource.get("clinicalStatus"), _ENDED):
        return []
    recorded = day(resource, "recordedDate", "lastOccurrence", "onsetDateTime")
    name = text_of(resource.get("code"))
    if has_code(resource.get("code"), _NO_KNOWN_ALLERGY) or any(words in name for words in _NO_ALLERGY_WORDS):
        return [AllergyFact("", "", "", False, recorded)]
    reactions = resource.get("reaction") or []
    if not name:
        name = next((text for one in reactions if (text := text_of(one.get("substance")))), "")
    if not name:
        return None
    manifestations = [text_of(shown) for one in reactions for shown in one.get("manifestation", [])]
    severe = resource.get("criticality") == "high" or any(one.get("severity") == "severe" for one in reactions)
    reaction = "、".join(dict.fromkeys(filter(None, manifestations)))
    return [AllergyFact(name, coded(resource.get("code"), ATC), reaction[:_LONGEST], severe, recorded)]


def _condition(resource: Resource) -> list[ConditionFact] | None:
    if has_code(resource.get("verificationStatus"), _NOT_SO):
        return []
    icd10, name = coded(resource.get("code"), ICD10), text_of(resource.get("code"))
    if not icd10 and not name:
        return None
    ended = has_code(resource.get("clinicalStatus"), _ENDED) or any(key.startswith("abatement") for key in resource)
    recorded = day(resource, "onsetDateTime", "recordedDate")
    return [ConditionFact(icd10, name or icd10, not ended, recorded)]


def _medicine(resource: Resource) -> list[MedicineFact] | None:
    if resource.get("status") not in _TAKEN or resource.get("doNotPerform") is True:
        return []
    name = _medicine_name(resource)
    if not name:
        return None
    concept = resource.get("medicationCodeableConcept")
    since = day(resource, "authoredOn", "effectiveDateTime", "effectivePeriod", "dateAsserted")
    instructions = resource.get("dosageInstruction") or resource.get("dosage") or []
    dose = "；".join(filter(None, (str(one.get("text", "")) for one in instructions)))
    return [MedicineFact(name, coded(concept, ATC), dose[:_LONGEST], since)]


def _medicine_name(resource: Resource) -> str:
    name = text_of(resource.get("medicationCodeableConcept"))
    reference = resource.get("medicationReference") or {}
    target = str(reference.get("reference", ""))
    if not name and target.startswith("#"):
        inside: Resource = next((one for one in resource.get("contained", []) if one.get("id") == target[1:]), {})
        name = text_of(inside.get("code"))
    return name or str(reference.get("display", ""))[:_LONGEST]


def _encounter(resource: Resource) -> list[EncounterFact]:
    if resource.get("status") in ("cancelled", "entered-in-error"):
        return []
    reasons = [text_of(one) for one in resource.get("reasonCode", [])]
    department = text_of(resource.get("serviceType")) or str((resource.get("serviceProvider") or {}).get("display", ""))
    period = resource.get("period") or {}
    return [
        EncounterFact(
            str((resource.get("class") or {}).get("code", "")),
            "、".join(filter(None, reasons))[:_LONGEST],
            department[:_LONGEST],
            str(period.get("start", "")),
            str(period.get("end", "")),
        )
    ]


def _report(resource: Resource) -> list[ReportFact] | None:
    if resource.get("status") in ("cancelled", "entered-in-error", "registered"):
        return []
    name = text_of(resource.get("code"))
    conclusion = str(resource.get("conclusion", "")) or "、".join(map(text_of, resource.get("conclusionCode", [])))
    if not name and not conclusion:
        return None
    return [
        ReportFact(name, conclusion[: _LONGEST * 4], day(resource, "effectiveDateTime", "effectivePeriod", "issued"))
    ]


def _study(resource: Resource) -> list[StudyFact]:
    if resource.get("status") in ("cancelled", "entered-in-error"):
        return []
    modalities = [str(one.get("code", "")) for one in resource.get("modality", [])]
    description = str(resource.get("description", "")) or "、".join(map(text_of, resource.get("procedureCode", [])))
    return [StudyFact("、".join(filter(None, modalities)), description[:_LONGEST], day(resource, "started"))]


_Reader = Callable[[Resource], Iterable[Any] | None]
_READERS: dict[str, tuple[str, _Reader]] = {
    "AllergyIntolerance": ("allergies", _allergy),
    "Condition": ("conditions", _condition),
    "MedicationStatement": ("medicines", _medicine),
    "MedicationRequest": ("medicines", _medicine),
    "Observation": ("measurements", measurements),
    "Encounter": ("encounters", _encounter),
    "DiagnosticReport": ("reports", _report),
    "ImagingStudy": ("studies", _study),
}
_NAMES = {name for name, _ in _READERS.values()}


def _sorted(facts: Iterable[Any], by: str) -> tuple[Any, ...]:
    """Give facts the newest first; those without a time come last."""
    return tuple(sorted(facts, key=lambda fact: instant(getattr(fact, by)) or _LONG_AGO, reverse=True))
