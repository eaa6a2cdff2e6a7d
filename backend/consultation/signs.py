"""What a case shows, for counts of many: when and where it was opened, its symptoms and codes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from backend.consultation.desk import CaseDesk
from backend.consultation.tables import ClinicalRecord, Consultation, Opinion

_FEVER, _FEVER_FROM = "发烧", 37.3  # as nlu.facts writes and measures it


@dataclass(frozen=True)
class CaseSigns:
    """One case.

    Attributes:
        patient_id: to find out from which township they come, and for nothing else.
        symptoms: plain names of those that are there now. codes: ICD-10, the doctor's and the expert's.
    """

    patient_id: str = field(repr=False)
    institution_id: str
    opened_at: datetime
    symptoms: frozenset[str] = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    age_months: int | None = field(repr=False)


class Signs(CaseDesk):
    """For subjects above this one that count: no person asks, so no policy is asked, and nothing of it is kept with
    what tells who it is."""

    async def signs(self, consultation_id: str) -> CaseSigns | None:
        """Give what the case of this identifier shows so far."""
        query = (
            select(Consultation, ClinicalRecord.facts, ClinicalRecord.icd10, Opinion.icd10)
            .join(ClinicalRecord, ClinicalRecord.consultation_id == Consultation.id)
            .outerjoin(Opinion, Opinion.consultation_id == Consultation.id)
            .where(Consultation.id == consultation_id)
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            return None
        case, facts, suspected, diagnosed = found
        return CaseSigns(
            patient_id=case.patient_id,
            institution_id=case.institution_id,
            opened_at=case.opened_at,
            symptoms=_present(facts),
            codes=tuple(filter(None, (suspected, diagnosed))),
            age_months=facts.get("age_months"),
        )


def _present(facts: dict[str, Any]) -> frozenset[str]:
    told = facts.get("symptoms", ())
    found = {one["name"] for one in told if one.get("status") == "positive" and not one.get("past")}
    if (facts.get("temperature") or 0) >= _FEVER_FROM:
        found.add(_FEVER)
    return frozenset(found)
