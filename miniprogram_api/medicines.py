"""What a prescription is written of: preparations, how often they are taken, diagnoses."""

from typing import Annotated

from pydantic import Field

from data.icd10 import search
from miniprogram_api.endpoint import Call, Endpoint, Model
from miniprogram_api.prescription_items import DiagnosisItem, MedicineItem, medicine_item

_FOUND = 10


class SearchQuery(Model):
    """Words: a name, a part of it, pinyin or initials."""

    q: Annotated[str, Field(min_length=1, max_length=40)]


class MedicineList(Model):
    """Preparations, the closest first."""

    items: list[MedicineItem]


class FrequencyItem(Model):
    """How often."""

    code: str
    name: str


class FrequencyList(Model):
    """Every frequency that a line may have."""

    items: list[FrequencyItem]


class DiagnosisList(Model):
    """Diseases, the closest first."""

    items: list[DiagnosisItem]


async def _search(call: Call) -> MedicineList:
    found = call.context.prescriptions.formulary.search(call.query.q, _FOUND)
    return MedicineList(items=[medicine_item(one) for one in found])


async def _frequencies(call: Call) -> FrequencyList:
    known = call.context.prescriptions.formulary.reference.frequencies.values()
    return FrequencyList(items=[FrequencyItem(code=one.code, name=one.name) for one in known])


async def _diagnoses(call: Call) -> DiagnosisList:
    return DiagnosisList(items=[DiagnosisItem(code=one.code, name=one.name) for one in search(call.query.q, _FOUND)])


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/medicines", "searchMedicines", "Find preparations", _search, MedicineList, query=SearchQuery
    ),
    Endpoint(
        "GET",
        "/api/v1/medicine-frequencies",
        "medicineFrequencies",
        "How often medicines are taken",
        _frequencies,
        FrequencyList,
    ),
    Endpoint(
        "GET",
        "/api/v1/diagnoses",
        "searchDiagnoses",
        "Find diseases by name or code",
        _diagnoses,
        DiagnosisList,
        query=SearchQuery,
    ),
)
