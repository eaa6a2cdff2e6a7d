"""My consultations: the list, one of them, its timeline, cancelling and rating; and the institutions to choose from."""

from datetime import datetime

from pydantic import Field

from backend.consultation.rules import Status, Urgency
from backend.consultation.views import ConsultationSummary, ConsultationView
from miniprogram_api.bookings import BookingItem, booking_item
from miniprogram_api.endpoint import Call, Endpoint, Model, Number, Reason, Written

_PATH = {"consultation_id": "The consultation."}
_PLACE = r"^-?(90|[1-8]?[0-9](\.[0-9]{1,8})?),-?(180|(1[0-7][0-9]|[1-9]?[0-9])(\.[0-9]{1,8})?)$"


class Page(Model):
    """Which part of a list."""

    limit: int = Field(10, ge=1, le=50)
    offset: int = Field(0, ge=0, le=100_000)


class ListQuery(Page):
    """Which consultations."""

    status: Status | None = None


class ConsultationItem(Model):
    """A consultation as lists show it: nothing clinical."""

    id: str
    number: str
    status: Status
    status_label: str
    urgency: Urgency
    department: str
    patient: str
    doctor: str
    expert: str
    opened_at: datetime
    closed_at: datetime | None


class ConsultationList(Model):
    """A page of consultations, the newest first."""

    items: list[ConsultationItem]


class OpinionItem(Model):
    """The expert's opinion; told to patients as such once the consultation is closed."""

    icd10: str
    disease: str
    diagnosis: str
    plan: str


class ConsultationDetail(ConsultationItem):
    """A consultation with all that the reader may know."""

    institution: str
    record: dict[str, str]
    booking: BookingItem | None
    opinion: OpinionItem | None
    stars: int | None


class TimelineItem(Model):
    """One line of what happened."""

    at: datetime
    actor: str
    kind: str
    text: str


class Timeline(Model):
    """What happened, in order."""

    items: list[TimelineItem]


class CancelRequest(Model):
    """Why it is cancelled."""

    reason: Reason


class RatingRequest(Model):
    """How it was."""

    stars: Number = Field(ge=1, le=5)
    comment: Written = Field("", max_length=500)


class InstitutionQuery(Page):
    """Which institutions: all, or near a place, written `latitude,longitude` in degrees (GCJ-02)."""

    near: str | None = Field(None, pattern=_PLACE, examples=["30.12,114.25"])


class InstitutionItem(Model):
    """Where a consultation can begin."""

    id: str
    name: str
    region: str
    address: str
    distance_km: float | None


class InstitutionList(Model):
    """A page of institutions, the nearest first where a place was given."""

    items: list[InstitutionItem]


def _item(view: ConsultationSummary) -> dict[str, object]:
    return {
        "id": view.id,
        "number": view.number,
        "status": view.status,
        "status_label": view.status.label,
        "urgency": view.urgency,
        "department": view.department_name,
        "patient": view.patient_name,
        "doctor": view.doctor_name,
        "expert": view.expert_name,
        "opened_at": view.opened_at,
        "closed_at": view.closed_at,
    }


def _detail(view: ConsultationView) -> ConsultationDetail:
    opinion = None
    if view.opinion is not None and view.status is Status.COMPLETED:
        given = view.opinion
        opinion = OpinionItem(icd10=given.icd10, disease=given.disease, diagnosis=given.diagnosis, plan=given.plan)
    return ConsultationDetail.model_validate(
        {
            **_item(view),
            "institution": view.institution_name,
            "record": {name: str(text) for name, text in view.record.items()},
            "booking": None if view.booking is None else booking_item(view.booking),
            "opinion": opinion,
            "stars": None if view.rating is None else view.rating.stars,
        }
    )


async def _list(call: Call) -> ConsultationList:
    query = call.query
    views = await call.context.consultations.list_for(
        call.actor, status=query.status, limit=query.limit, offset=query.offset
    )
    return ConsultationList(items=[ConsultationItem.model_validate(_item(view)) for view in views])


async def _get(call: Call) -> ConsultationDetail:
    return _detail(await call.context.consultations.get(call.actor, call.path["consultation_id"]))


async def _timeline(call: Call) -> Timeline:
    entries = await call.context.consultations.timeline(call.actor, call.path["consultation_id"])
    return Timeline(
        items=[TimelineItem(at=line.at, actor=line.actor_name, kind=line.kind, text=line.text_zh) for line in entries]
    )


async def _cancel(call: Call) -> ConsultationDetail:
    consultation_id = call.path["consultation_id"]
    await call.context.consultations.cancel(call.actor, consultation_id, call.body.reason)
    return await _get(call)


async def _rate(call: Call) -> ConsultationDetail:
    await call.context.consultations.rate(
        call.actor, call.path["consultation_id"], stars=call.body.stars, comment=call.body.comment
    )
    return await _get(call)


async def _institutions(call: Call) -> InstitutionList:
    query = call.query
    near = None
    if query.near is not None:
        latitude, longitude = query.near.split(",")
        near = (float(latitude), float(longitude))
    found = await call.context.people.institutions(kind="township", near=near, limit=query.limit, offset=query.offset)
    return InstitutionList(
        items=[
            InstitutionItem(
                id=one.id, name=one.name, region=one.region, address=one.address, distance_km=one.distance_km
            )
            for one in found
        ]
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/consultations",
        "listConsultations",
        "My consultations, the newest first",
        _list,
        ConsultationList,
        query=ListQuery,
    ),
    Endpoint(
        "GET",
        "/api/v1/consultations/{consultation_id}",
        "getConsultation",
        "One of my consultations",
        _get,
        ConsultationDetail,
        path_parameters=_PATH,
    ),
    Endpoint(
        "GET",
        "/api/v1/consultations/{consultation_id}/timeline",
        "getTimeline",
        "What happened to it",
        _timeline,
        Timeline,
        path_parameters=_PATH,
    ),
    Endpoint(
        "POST",
        "/api/v1/consultations/{consultation_id}/cancellation",
        "cancelConsultation",
        "Cancel it",
        _cancel,
        ConsultationDetail,
        body=CancelRequest,
        path_parameters=_PATH,
    ),
    Endpoint(
        "POST",
        "/api/v1/consultations/{consultation_id}/rating",
        "rateConsultation",
        "Rate it once it is over",
        _rate,
        ConsultationDetail,
        body=RatingRequest,
        path_parameters=_PATH,
    ),
    Endpoint(
        "GET",
        "/api/v1/institutions",
        "listInstitutions",
        "Township institutions to begin at",
        _institutions,
        InstitutionList,
        query=InstitutionQuery,
    ),
)
