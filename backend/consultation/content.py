"""What a consultation has learned of its patient, for subjects above this one that keep it."""

from dataclasses import dataclass, field
from typing import Any

from backend.consultation.desk import CaseDesk

_SELF = "本人"


@dataclass(frozen=True)
class CaseContent:
    """The measured values and the facts of a case as they stand.

    Args:
        vitals: by the codes of `vitals.VITAL_SIGNS`. facts: as whoever asked the patient wrote them.
    """

    patient_id: str
    vitals: dict[str, Any] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)


class Contents(CaseDesk):
    """The part of `ConsultationService` that hands on what a case has learned."""

    async def content(self, consultation_id: str) -> CaseContent | None:
        """Give what a case knows of its patient; for the platform itself, so no policy is asked.

        None where the words are about somebody else than the patient of the case: a mother who told of her child in a
        case of her own must not get the child's fever into her own record.
        """
        async with self._database.transaction() as session:
            case = await self._case(session, consultation_id)
            clinical = await self._clinical(session, case)
        if case.speaker_id == case.patient_id and clinical.facts.get("relation", _SELF) != _SELF:
            return None
        return CaseContent(case.patient_id, clinical.vitals, clinical.facts)
