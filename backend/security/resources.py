"""What the audit log hands out over FHIR: the source of `AuditEvent`, for administrators."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, true

from backend.fhir.rows import Filter, Made, RowSource, by_id, by_moment, by_reference
from backend.fhir.searching import ParameterType, Search, SearchParameter
from backend.fhir.systems import AUDITED_ACTION
from backend.security.fhir import audit_event
from backend.security.policy import Action, Actor, require
from backend.security.tables import AuditEntry


def _by_action() -> Filter:
    parameter = SearchParameter("subtype", ParameterType.TOKEN, "What was done")
    return Filter(parameter, lambda token: AuditEntry.action == (token.code if token.is_of(AUDITED_ACTION) else ""))


class AuditSource(RowSource):
    """Entries of the audit log, the newest first."""

    type = "AuditEvent"
    action = Action.AUDIT_READ
    order_columns = {
        "date": AuditEntry.id,
        "_id": AuditEntry.id,
    }  # they are numbered in the order in which they were written
    filters = {
        "_id": by_id(AuditEntry.id),
        "patient": by_reference("patient", "Patient", AuditEntry.patient_id, "Whose data it was"),
        "date": by_moment("date", AuditEntry.at, "When it was done"),
        "subtype": _by_action(),
    }

    def query(self) -> Any:
        return select(AuditEntry)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        require(actor, self.action)
        return [true()]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        return [
            (
                audit_event(row.id, row.at, row.actor_id, row.actor_roles, row.action, row.patient_id, row.subject),
                row.patient_id,
            )
            for (row,) in rows
        ]
