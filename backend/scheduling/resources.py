"""What scheduling hands out over FHIR: the source of `Appointment`."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, true

from backend.db import Database
from backend.fhir.rows import (
    Made,
    RowSource,
    by_code,
    by_id,
    by_identifier,
    by_moment,
    by_reference,
)
from backend.fhir.searching import Search
from backend.people import PeopleService
from backend.scheduling.fhir import APPOINTMENT_STATUS, appointment
from backend.scheduling.tables import Booking, BookingState
from backend.scheduling.views import BookingView
from backend.security.policy import Action, Actor

CasesOf = Callable[[Actor, Action, Collection[str]], Any]
"""Gives the query of the consultations to which an actor may do an action, None for all; the subject above knows."""


def _inverted() -> dict[str, list[BookingState]]:
    codes: dict[str, list[BookingState]] = {}
    for state, code in APPOINTMENT_STATUS.items():
        codes.setdefault(code, []).append(state)
    return codes


class AppointmentSource(RowSource):
    """Bookings of consultations."""

    type = "Appointment"
    action = Action.CONSULTATION_VIEW
    order_columns = {"date": Booking.starts_at, "_id": Booking.id}
    filters = {
        "_id": by_id(Booking.id),
        "identifier": by_identifier(Booking.id, {}),
        "patient": by_reference("patient", "Patient", Booking.patient_id, "Who comes"),
        "practitioner": by_reference("practitioner", "Practitioner", Booking.expert_id, "The expert"),
        "date": by_moment("date", Booking.starts_at, "When it begins"),
        "status": by_code("status", Booking.state, _inverted(), "What became of it"),
    }

    def __init__(self, database: Database, people: PeopleService, cases_of: CasesOf) -> None:
        super().__init__(database)
        self._people = people
        self._cases_of = cases_of

    def query(self) -> Any:
        return select(Booking)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        cases = self._cases_of(actor, self.action, search.patients)
        return [true() if cases is None else Booking.consultation_id.in_(cases)]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        bookings: list[Booking] = [row for (row,) in rows]
        names = await self._people.names({one for row in bookings for one in (row.patient_id, row.expert_id)})
        return [(appointment(BookingView.of(row), names), row.patient_id) for row in bookings]
