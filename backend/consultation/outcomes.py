"""What a case came to, for figures: moments and codes, no text."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from backend.consultation.desk import CaseDesk
from backend.consultation.rules import Status
from backend.consultation.tables import ClinicalRecord, Consultation, Opinion, Rating


@dataclass(frozen=True)
class CaseOutcome:
    """One case.

    Attributes:
        suspected: the ICD-10 code with which the doctor asked. diagnosed: the expert's, once the case has ended.
        stars: 1 to 5, None while nobody has rated.
    """

    id: str
    institution_id: str
    department_code: str
    status: Status
    submitted_at: datetime | None
    assigned_at: datetime | None
    expert_id: str | None
    suspected: str
    diagnosed: str
    stars: int | None


class Outcomes(CaseDesk):
    """For subjects above this one that count: no person asks, so no policy is asked; nothing of it tells who it is."""

    async def outcome(self, consultation_id: str) -> CaseOutcome | None:
        """Give what the case of this identifier came to so far."""
        query = (
            select(Consultation, ClinicalRecord.icd10, Opinion.icd10, Rating.stars)
            .join(ClinicalRecord, ClinicalRecord.consultation_id == Consultation.id)
            .outerjoin(Opinion, Opinion.consultation_id == Consultation.id)
            .outerjoin(Rating, Rating.consultation_id == Consultation.id)
            .where(Consultation.id == consultation_id)
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            return None
        case, suspected, diagnosed, stars = found
        return CaseOutcome(
            id=case.id,
            institution_id=case.institution_id,
            department_code=case.department_code,
            status=case.status,
            submitted_at=case.submitted_at,
            assigned_at=case.assigned_at,
            expert_id=case.expert_id,
            suspected=suspected,
            diagnosed=diagnosed or "" if case.status is Status.COMPLETED else "",
            stars=stars,
        )
