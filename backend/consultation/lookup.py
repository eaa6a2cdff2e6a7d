"""Which consultation is it? For subjects above this one that have a number or a patient, and no person who asks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from backend.consultation.desk import CaseDesk
from backend.consultation.rules import RUNNING
from backend.consultation.tables import Consultation
from backend.security.policy import Actor

_MOST = 10
_MOST_OF_INSTITUTION = 50
_MOST_OF_ONE = 50


@dataclass(frozen=True)
class CaseReference:
    """A consultation by its identifiers alone; nothing in it is clinical or tells who anybody is."""

    id: str
    number: str
    patient_id: str
    institution_id: str
    doctor_id: str
    expert_id: str | None
    running: bool

    @property
    def participants(self) -> tuple[str, ...]:
        """The practitioners who take part, for questions to the policy."""
        return tuple(filter(None, (self.doctor_id, self.expert_id)))


class Lookup(CaseDesk):
    """What subjects above this one need of a consultation.

    References to consultations. They tell identifiers alone, so no policy is asked and nothing is audited.
    """

    async def reference(self, consultation_id: str) -> CaseReference | None:
        """Give the consultation of this identifier."""
        found = await self._references(Consultation.id == consultation_id)
        return found[0] if found else None

    async def reference_by_number(self, number: str) -> CaseReference | None:
        """Give the consultation of this number (HZ20261121-0001)."""
        found = await self._references(Consultation.number == number)
        return found[0] if found else None

    async def running_references(self, patient_id: str, institution_id: str) -> list[CaseReference]:
        """Give the patient's running consultations at this institution, at most ten."""
        return await self._references(
            Consultation.patient_id == patient_id,
            Consultation.institution_id == institution_id,
            Consultation.status.in_(RUNNING),
        )

    async def references_of(self, patient_id: str) -> list[CaseReference]:
        """Give the patient's consultations, the newest first, at most fifty."""
        newest = Consultation.opened_at.desc()
        return await self._references(Consultation.patient_id == patient_id, order=newest, most=_MOST_OF_ONE)

    async def opened(self, ids: Collection[str]) -> dict[str, tuple[str, datetime]]:
        """Give number and time of opening of these consultations by their ids; one that nobody knows is left out."""
        query = select(Consultation.id, Consultation.number, Consultation.opened_at).where(Consultation.id.in_(ids))
        async with self._database.reading() as session:
            return {row.id: (row.number, row.opened_at) for row in await session.execute(query)}

    async def note(self, actor: Actor, consultation_id: str, kind: str, text: str) -> None:
        """Write into the timeline what `actor` did in a subject above this one, which has asked the policy and audited
        it; nothing clinical."""
        async with self._database.transaction() as session:
            await self._note(session, actor, await self._case(session, consultation_id), kind, text)

    async def running_at(self, institution_id: str) -> list[CaseReference]:
        """Give the running consultations of this institution, the newest first, at most fifty."""
        return await self._references(
            Consultation.institution_id == institution_id,
            Consultation.status.in_(RUNNING),
            order=Consultation.opened_at.desc(),
            most=_MOST_OF_INSTITUTION,
        )

    async def _references(
        self, *conditions: ColumnElement[bool], order: Any = Consultation.opened_at, most: int = _MOST
    ) -> list[CaseReference]:
        async with self._database.reading() as session:
            query = select(Consultation).where(*conditions).order_by(order).limit(most)
            return [
                CaseReference(
                    id=row.id,
                    number=row.number,
                    patient_id=row.patient_id,
                    institution_id=row.institution_id,
                    doctor_id=row.doctor_id,
                    expert_id=row.expert_id,
                    running=row.status in RUNNING,
                )
                for row in await session.scalars(query)
            ]
