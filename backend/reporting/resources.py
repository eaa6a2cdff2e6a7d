"""What reporting hands out over FHIR: the source of `DiagnosticReport`, the newest signed version of each report."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, true

from backend.consultation.visibility import case_ids
from backend.db import Database
from backend.fhir.rows import (
    Filter,
    Made,
    RowSource,
    by_id,
    by_identifier,
    by_moment,
    by_reference,
    of_patient,
)
from backend.fhir.searching import ParameterType, Search, SearchParameter
from backend.fhir.systems import REPORT_NUMBER
from backend.imaging import ImagingService
from backend.imaging.fhir import dicom_moment
from backend.people import PeopleService
from backend.reporting.fhir import CATEGORY, CODE, diagnostic_report
from backend.reporting.rules import ReportState
from backend.reporting.tables import Report
from backend.reporting.versions import view_of
from backend.security.policy import Action, Actor


def _fixed(name: str, *codings: dict[str, str]) -> Filter:
    """Search by what is the same in every report."""
    parameter = SearchParameter(name, ParameterType.TOKEN, "; ".join(one["code"] for one in codings))

    def condition(token: Any) -> Any:
        fits = any(token.is_of(one["system"]) and token.code == one["code"] for one in codings)
        return Report.id.is_not(None) if fits else Report.id.is_(None)

    return Filter(parameter, condition)


def _by_status() -> Filter:
    parameter = SearchParameter("status", ParameterType.TOKEN, "final, or amended from the second version on")
    conditions = {"final": Report.version == 1, "amended": Report.version > 1}
    return Filter(parameter, lambda token: conditions.get(token.code, Report.id.is_(None)))


class DiagnosticReportSource(RowSource):
    """Signed reports.

    Args:
        pdf_url: gives where whoever may read a report gets its PDF.
    """

    type = "DiagnosticReport"
    action = Action.REPORT_READ
    order_columns = {"issued": Report.signed_at, "_lastUpdated": Report.signed_at, "_id": Report.study_id}
    filters = {
        "_id": by_id(Report.study_id),
        "_lastUpdated": by_moment("_lastUpdated", Report.signed_at, "When it was signed"),
        **of_patient(Report.patient_id),
        "identifier": by_identifier(Report.study_id, {REPORT_NUMBER: Report.number}),
        "encounter": by_reference("encounter", "Encounter", Report.consultation_id, "In which consultation"),
        "issued": by_moment("issued", Report.signed_at, "When it was signed"),
        "status": _by_status(),
        "category": _fixed("category", CATEGORY),
        "code": _fixed("code", CODE),
    }

    def __init__(
        self, database: Database, people: PeopleService, imaging: ImagingService, pdf_url: Callable[[str], str]
    ) -> None:
        super().__init__(database)
        self._people = people
        self._imaging = imaging
        self._pdf_url = pdf_url

    def query(self) -> Any:
        return select(Report).where(Report.state == ReportState.SIGNED)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        cases = case_ids(actor, self.action, search.patients)
        return [true() if cases is None else Report.consultation_id.in_(cases)]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        reports: list[Report] = [row for (row,) in rows]
        authors = await self._people.practitioners_by_id({row.author_id for row in reports})
        moments = await self._imaging.study_moments([row.study_id for row in reports])
        items: list[Made] = []
        for row in reports:
            examined, author = dicom_moment(*moments[row.study_id]), authors[row.author_id]
            resource = diagnostic_report(view_of(row), examined, author, self._pdf_url(row.id))
            items.append((resource, row.patient_id))
        return items
