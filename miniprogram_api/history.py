"""What is known of a consultation's patient, on one page for those who treat."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from backend.records.hospital.summary import HistorySummary, HospitalLine, Line, shown_day
from backend.records.hospital.trends import MeasurementLine, Trend
from backend.records.hospital.views import Outcome
from miniprogram_api.endpoint import Call, Endpoint, Model

_CONSULTATION = {"consultation_id": "The consultation."}


class KnownItem(Model):
    """One thing that is known.

    Attributes:
        when: a day in Chinese, empty where none is stated. hospitals: who says so. severe: it threatens life.
    """

    text: str
    detail: str
    when: str
    hospitals: list[str]
    severe: bool


class PointItem(Model):
    """A value at a moment."""

    at: datetime
    value: float


class MeasuredItem(Model):
    """The newest value of something that was measured, and the one before it.

    Attributes:
        mark: H (too high), L (too low), A (abnormal), HH and LL (critical), empty for none.
        points: the latest values, oldest first.
    """

    name: str
    value: str
    unit: str
    reference: str
    mark: str
    trend: Trend
    when: str
    previous: str
    previous_when: str
    points: list[PointItem]
    hospital: str


class HospitalItem(Model):
    """How it stands with one hospital, in a sentence; `asking` while it is being asked."""

    name: str
    outcome: Outcome
    asking: bool
    sentence: str
    fetched_at: datetime | None


class ToldItem(Model):
    """A section of the record of this case."""

    title: str
    text: str


class MoreItem(Model):
    """How many kinds of measurements, visits, reports and studies are known and not shown."""

    vitals: int
    laboratory: int
    encounters: int
    reports: int
    studies: int


class HistoryPage(Model):
    """Everything on the page.

    Attributes:
        identified: an identity number is known, by which hospitals are asked.
        may_identify: the reader may write it down.
        none_known: a sentence that says who noted that there are no allergies; empty where nobody did.
        asking: a hospital is being asked; ask again in a moment.
    """

    number: str
    name: str
    sex: str
    age: int | None
    identified: bool
    may_identify: bool
    asking: bool
    allergies: list[KnownItem]
    none_known: str
    conditions: list[KnownItem]
    past_conditions: list[KnownItem]
    medicines: list[KnownItem]
    vitals: list[MeasuredItem]
    laboratory: list[MeasuredItem]
    encounters: list[KnownItem]
    reports: list[KnownItem]
    studies: list[KnownItem]
    told: list[ToldItem]
    hospitals: list[HospitalItem]
    more: MoreItem
    made_at: datetime


class IdentityRequest(Model):
    """A citizen identity number, as it stands on the card."""

    number: Annotated[str, StringConstraints(min_length=15, max_length=40)]


async def _read(call: Call) -> HistoryPage:
    history, consultation_id = call.context.history, call.path["consultation_id"]
    summary = await history.summary(call.actor, consultation_id)
    return _page(summary, await history.may_register_identity(call.actor, consultation_id))


async def _refresh(call: Call) -> HistoryPage:
    await call.context.history.refresh(call.actor, call.path["consultation_id"])
    return await _read(call)


async def _identify(call: Call) -> HistoryPage:
    await call.context.history.register_identity(call.actor, call.path["consultation_id"], call.body.number)
    return await _read(call)


def _page(summary: HistorySummary, may_identify: bool) -> HistoryPage:
    return HistoryPage(
        number=summary.number,
        name=summary.name,
        sex=summary.sex,
        age=summary.age,
        identified=summary.identified,
        may_identify=may_identify,
        asking=summary.asking,
        allergies=[_known(line) for line in summary.allergies],
        none_known=summary.none_known,
        conditions=[_known(line) for line in summary.conditions],
        past_conditions=[_known(line) for line in summary.past_conditions],
        medicines=[_known(line) for line in summary.medicines],
        vitals=[_measured(line) for line in summary.vitals],
        laboratory=[_measured(line) for line in summary.laboratory],
        encounters=[_known(line) for line in summary.encounters],
        reports=[_known(line) for line in summary.reports],
        studies=[_known(line) for line in summary.studies],
        told=[ToldItem(title=title, text=text) for title, text in summary.told],
        hospitals=[_hospital(line) for line in summary.hospitals],
        more=MoreItem(**summary.more),
        made_at=summary.made_at,
    )


def _known(line: Line) -> KnownItem:
    return KnownItem(
        text=line.text, detail=line.detail, when=line.when, hospitals=list(line.hospitals), severe=line.severe
    )


def _measured(line: MeasurementLine) -> MeasuredItem:
    return MeasuredItem(
        name=line.name,
        value=line.value,
        unit=line.unit,
        reference=line.reference,
        mark=line.mark,
        trend=line.trend,
        when=shown_day(line.taken),
        previous=line.previous,
        previous_when=shown_day(line.previous_taken),
        points=[PointItem(at=point.at, value=point.value) for point in line.points],
        hospital=line.hospital,
    )


def _hospital(line: HospitalLine) -> HospitalItem:
    return HospitalItem(
        name=line.name,
        outcome=line.outcome,
        asking=line.asking,
        sentence=line.sentence,
        fetched_at=line.fetched_at,
    )


_PATH = "/api/v1/consultations/{consultation_id}/history"

ENDPOINTS = (
    Endpoint(
        "GET",
        _PATH,
        "readHistory",
        "What is known of the patient; what is old is asked for again behind it",
        _read,
        HistoryPage,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/refresh",
        "refreshHistory",
        "Ask the hospitals again now",
        _refresh,
        HistoryPage,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/identity",
        "identifyPatient",
        "Write down the patient's identity number, and ask the hospitals",
        _identify,
        HistoryPage,
        body=IdentityRequest,
        path_parameters=_CONSULTATION,
    ),
)
