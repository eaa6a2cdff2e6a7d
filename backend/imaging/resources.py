"""What imaging hands out over FHIR: the source of `ImagingStudy`. A list leaves out the instances, and says so."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, true

from backend.clock import local
from backend.consultation.visibility import case_ids
from backend.fhir.elements import hl7
from backend.fhir.rows import Filter, Made, RowSource, by_id, by_moment, of_patient, uuid_of
from backend.fhir.searching import Moment, ParameterType, Prefix, Search, SearchParameter, Token
from backend.fhir.systems import URI
from backend.imaging.fhir import DICOM_UID, imaging_study
from backend.imaging.quarantine import study_views
from backend.imaging.retrieval import instance_view
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy
from backend.imaging.views import InstanceView, SeriesView
from backend.security.policy import Action, Actor

_MOST_INSTANCES = 5000
_INSTANT = timedelta(microseconds=1)


def _by_uid() -> Filter:
    parameter = SearchParameter("identifier", ParameterType.TOKEN, "Study Instance UID as urn:oid, or urn:uuid")

    def condition(token: Token) -> ColumnElement[bool]:
        by_uid = ImagingStudy.study_uid == token.code.removeprefix("urn:oid:")
        by_uuid = ImagingStudy.id == uuid_of(token.code)
        return or_(by_uid if token.is_of(DICOM_UID) else false(), by_uuid if token.is_of(URI) else false())

    return Filter(parameter, condition)


def _by_modality() -> Filter:
    def condition(token: Token) -> ColumnElement[bool]:
        return ImagingStudy.id.in_(select(ImagingSeries.study_id).where(ImagingSeries.modality == token.code))

    return Filter(SearchParameter("modality", ParameterType.TOKEN, "Modality, such as CT"), condition)


def _by_day() -> Filter:
    """Search by the day of the examination, which the tables hold as DICOM writes it."""

    def condition(moment: Moment) -> ColumnElement[bool]:
        first, last = (f"{local(one):%Y%m%d}" for one in (moment.start, moment.end - _INSTANT))
        day = ImagingStudy.study_date
        comparisons: dict[Prefix, ColumnElement[bool]] = {
            Prefix.EQUAL: day.between(first, last),
            Prefix.NOT_EQUAL: ~day.between(first, last),
            Prefix.GREATER: day > last,
            Prefix.STARTS_AFTER: day > last,
            Prefix.LESS: day < first,
            Prefix.ENDS_BEFORE: day < first,
            Prefix.GREATER_OR_EQUAL: day >= first,
            Prefix.LESS_OR_EQUAL: day <= last,
        }
        return (day != "") & comparisons[moment.prefix]

    return Filter(SearchParameter("started", ParameterType.DATE, "Day of the examination"), condition)


class ImagingStudySource(RowSource):
    """Studies that belong to a consultation."""

    type = "ImagingStudy"
    action = Action.IMAGING_READ
    order_columns = {
        "_lastUpdated": ImagingStudy.created_at,
        "started": ImagingStudy.study_date,
        "_id": ImagingStudy.id,
    }
    filters = {
        "_id": by_id(ImagingStudy.id),
        "_lastUpdated": by_moment("_lastUpdated", ImagingStudy.created_at, "When it came"),
        **of_patient(ImagingStudy.patient_id),
        "identifier": _by_uid(),
        "modality": _by_modality(),
        "started": _by_day(),
    }

    def query(self) -> Any:
        return select(ImagingStudy).where(ImagingStudy.state == StudyState.LINKED)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        cases = case_ids(actor, self.action, search.patients)
        return [true() if cases is None else ImagingStudy.consultation_id.in_(cases)]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        studies: list[ImagingStudy] = [row for (row,) in rows]
        async with self._database.reading() as session:
            views = await study_views(session, studies)
            series = await self._series(session, [row.id for row in studies])
            instances = await self._instances(session, views[0].id, views[0].study_uid) if whole and views else {}
        items: list[Made] = []
        for row, view in zip(studies, views, strict=True):
            shown = [(one, instances.get(one.series_uid, [])) for one in series.get(row.id, [])]
            resource = imaging_study(view, shown)
            if not whole:
                resource["meta"]["tag"] = [hl7("v3-ObservationValue", "SUBSETTED", "subsetted")]
            items.append((resource, row.patient_id))
        return items

    async def _series(self, session: Any, ids: list[str]) -> dict[str, list[SeriesView]]:
        """Give the series of several studies, with two queries for all of them."""
        counted = select(ImagingInstance.series_id, func.count()).where(ImagingInstance.study_id.in_(ids))
        instances = {row[0]: row[1] for row in await session.execute(counted.group_by(ImagingInstance.series_id))}
        query = select(ImagingSeries).where(ImagingSeries.study_id.in_(ids))
        found: dict[str, list[SeriesView]] = {}
        for row in await session.scalars(query.order_by(ImagingSeries.number, ImagingSeries.id)):
            view = SeriesView(
                row.series_uid, row.modality, row.number, row.description, row.body_part, instances.get(row.id, 0)
            )
            found.setdefault(row.study_id, []).append(view)
        return found

    async def _instances(self, session: Any, study_id: str, study_uid: str) -> dict[str, list[InstanceView]]:
        """Give the instances of a study by their series, the first 5 000."""
        query = select(ImagingInstance, ImagingSeries.series_uid).where(ImagingInstance.study_id == study_id)
        query = query.join(ImagingSeries, ImagingSeries.id == ImagingInstance.series_id)
        query = query.order_by(ImagingInstance.number, ImagingInstance.id).limit(_MOST_INSTANCES)
        found: dict[str, list[InstanceView]] = {}
        for row, series_uid in await session.execute(query):
            found.setdefault(series_uid, []).append(instance_view(study_uid, row, series_uid))
        return found
