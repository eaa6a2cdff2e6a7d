"""What prescriptions hand out over FHIR: the source of `MedicationRequest`, of what was approved.

A prescription gives as many resources as it has lines. A search names a patient, a consultation or the resource.
"""

from collections.abc import Mapping
from dataclasses import replace
from json import loads
from typing import Any

from sqlalchemy import select, true

from backend.consultation.visibility import case_ids
from backend.db import Database
from backend.errors import InvalidInput, NotFound
from backend.fhir.rows import Filter, of_patient, page_of
from backend.fhir.searching import (
    Criterion,
    Found,
    FoundPage,
    ParameterType,
    Position,
    Search,
    SearchParameter,
    Token,
)
from backend.prescription.fhir import Approved, medication_requests
from backend.prescription.formulary import Formulary, ReferenceUnreadable
from backend.prescription.tables import Prescription, SignedVersion
from backend.security.policy import Action, Actor, Role

_MOST_PRESCRIPTIONS = 500


class MedicationRequestSource:
    """Medicines of approved prescriptions."""

    type = "MedicationRequest"
    action = Action.PRESCRIPTION_READ
    orders: tuple[str, ...] = ("_lastUpdated", "_id")

    def __init__(self, database: Database, formulary: Formulary) -> None:
        self._database = database
        self._formulary = formulary
        by_id = SearchParameter("_id", ParameterType.TOKEN, "Logical id")
        status = SearchParameter("status", ParameterType.TOKEN, "Whether it can be dispensed")
        encounter = SearchParameter("encounter", ParameterType.REFERENCE, "In which consultation", target="Encounter")
        self._filters = {
            "_id": Filter(by_id, test=lambda resource, token: resource["id"] == token.code),
            **{name: Filter(one.parameter) for name, one in of_patient(Prescription.patient_id).items()},
            "encounter": Filter(encounter),
            "status": Filter(status, test=lambda resource, token: resource["status"] == token.code),
        }
        self.parameters: Mapping[str, SearchParameter] = {name: one.parameter for name, one in self._filters.items()}

    async def read(self, actor: Actor, resource_id: str) -> Found:
        """See `ResourceSource`."""
        criterion = Criterion("_id", (Token(None, resource_id),))
        page = await self.search(actor, Search((criterion,), "_id", descending=True, after=None, count=1))
        if not page.items:
            raise NotFound
        return page.items[0]

    async def search(self, actor: Actor, search: Search) -> FoundPage:
        """See `ResourceSource`."""
        every = await self._approved(actor, search)
        every.sort(key=lambda one: (one.position.key, one.position.id), reverse=search.descending)
        return page_of(every, search, self._filters)

    async def _approved(self, actor: Actor, search: Search) -> list[Found]:
        ids = [one.code.rpartition("-")[0] for one in search.values("_id") if isinstance(one, Token)]
        asked = {
            Prescription.id: ids,
            Prescription.patient_id: search.patients,
            Prescription.consultation_id: search.values("encounter"),
        }
        conditions = [column.in_(values) for column, values in asked.items() if values]
        if not conditions:
            raise InvalidInput("要写明是哪位患者（patient）。", field="patient")
        # Pharmacists read what they review on their own page, by another relation than that of the consultation.
        reader = replace(actor, roles=actor.roles - {Role.PHARMACIST})
        cases = case_ids(reader, self.action, search.patients)
        query = (
            select(Prescription, SignedVersion.document)
            .join(
                SignedVersion,
                (SignedVersion.prescription_id == Prescription.id) & (SignedVersion.version == Prescription.version),
            )
            .where(
                Prescription.approved_at.is_not(None),
                true() if cases is None else Prescription.consultation_id.in_(cases),
                *conditions,
            )
            .order_by(Prescription.id.desc())
            .limit(_MOST_PRESCRIPTIONS)
        )
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        return [one for row, document in rows for one in self._found(row, loads(document), search.order)]

    def _found(self, row: Prescription, document: dict[str, Any], order: str) -> list[Found]:
        changed_at = max(at for at in (row.updated_at, row.approved_at, row.revoked_at) if at is not None)
        approved = Approved(
            id=row.id,
            state=row.state,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            approved_at=row.approved_at or row.updated_at,
            valid_until=row.valid_until,
            updated_at=changed_at,
            document=document,
            atc=[self._atc(line["preparation"]) for line in document["lines"]],
        )
        return [
            Found(one, Position(one["id"] if order == "_id" else changed_at, one["id"]), row.patient_id)
            for one in medication_requests(approved)
        ]

    def _atc(self, preparation: str) -> str:
        try:
            known = self._formulary.reference.preparations.get(preparation)
        except ReferenceUnreadable:  # nothing is written without it, but what was signed can be read
            return ""
        return known.medicine.atc if known else ""
