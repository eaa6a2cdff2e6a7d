"""Images on their way: what arrived, what goes where, what does not and why; a dead end is tried once more."""

from datetime import datetime

from backend.imaging import (
    QUARANTINE_WORDS,
    REASON_WORDS,
    TRANSFER_SENTENCES,
    Failure,
    Purpose,
    Route,
    Sent,
    StudyFilter,
    StudyOverview,
    StudyState,
)
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.lists import Counted, PageQuery, SpanQuery, institution_names, places, span_of
from miniprogram_api.endpoint import Model, Nothing

_PATH = "/console/api/imaging"
_ROUTE = {"destination_id": "The destination."}
_STATES = {
    StudyState.QUARANTINED: "等医生认领",
    StudyState.LINKED: "已归到会诊",
    StudyState.REJECTED: "医生说不是会诊的",
}
_PURPOSES = {Purpose.CARE: "会诊", Purpose.TEACHING: "教学"}


class StudiesQuery(SpanQuery, PageQuery):
    """Which studies; days are those of the first arrival."""

    state: StudyState | None = None
    failed: bool = False


class SentItem(Model):
    """How far a study is on its way to one destination, in images; `failure_name` is why it does not go on."""

    destination: str
    purpose_name: str
    total: int
    arrived: int
    dead: int
    retried: int
    failure: Failure | None
    failure_name: str


class StudyItem(Model):
    """A study in a list: nothing of its headers; the patient's name is the consultation's, masked."""

    id: str
    state: StudyState
    state_name: str
    reason_name: str
    institution_name: str
    patient_name: str
    consultation_id: str | None
    modalities: list[str]
    images: int
    bytes: int
    created_at: datetime
    last_at: datetime | None
    sent: list[SentItem]


class StudyItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[StudyItem]
    next_cursor: str


class RouteItem(Model):
    """A destination, and how it goes there; `errors` are instances that have not arrived, by code."""

    id: str
    label: str
    institution_name: str
    purpose_name: str
    active: bool
    waiting: int
    arrived: int
    dead: int
    retried: int
    oldest_at: datetime | None
    failures: int
    resume_at: datetime | None
    errors: list[Counted]


class RefusalItem(Model):
    """How many instances of an institution were not taken for a reason, and how often they were sent."""

    institution_name: str
    reason: str
    reason_name: str
    instances: int
    times: int
    last_at: datetime


class RoutesAnswer(Model):
    """Where studies go, and what was not taken when it arrived."""

    now: datetime
    routes: list[RouteItem]
    refusals: list[RefusalItem]


class Resent(Model):
    """How many instances are tried once more."""

    count: int


async def _studies(call: ConsoleCall) -> StudyItems:
    since, until = span_of(call)
    wanted = StudyFilter(call.query.state, await places(call), since, until, call.query.failed)
    page = await call.context.imaging.studies_overseen(
        call.actor, wanted, limit=call.query.limit, cursor=call.query.cursor
    )
    names = await institution_names(call, {one.institution_id for one in page.items})
    return StudyItems(items=[_study(one, names) for one in page.items], next_cursor=page.next_cursor)


async def _routes(call: ConsoleCall) -> RoutesAnswer:
    routes = await call.context.imaging.routes(call.actor)
    refusals = await call.context.imaging.refusals(call.actor)
    ids = {one.institution_id for one in routes} | {one.institution_id for one in refusals}
    names = await institution_names(call, ids)
    return RoutesAnswer(
        now=call.context.clock.now(),
        routes=[_route(one, names) for one in routes],
        refusals=[
            RefusalItem(
                institution_name=names[one.institution_id],
                reason=one.reason,
                reason_name=REASON_WORDS[one.reason],
                instances=one.instances,
                times=one.times,
                last_at=one.last_at,
            )
            for one in refusals
        ],
    )


async def _resend(call: ConsoleCall) -> Resent:
    return Resent(count=await call.context.imaging.resend(call.actor, call.path["destination_id"]))


def _study(one: StudyOverview, names: dict[str, str]) -> StudyItem:
    return StudyItem(
        id=one.id,
        state=one.state,
        state_name=_STATES[one.state],
        reason_name=QUARANTINE_WORDS[one.reason] if one.reason and one.state is StudyState.QUARANTINED else "",
        institution_name=names[one.institution_id],
        patient_name=one.patient_name,
        consultation_id=one.consultation_id,
        modalities=list(one.modalities),
        images=one.images,
        bytes=one.bytes,
        created_at=one.created_at,
        last_at=one.last_at,
        sent=[_sent(way) for way in one.sent],
    )


def _sent(way: Sent) -> SentItem:
    return SentItem(
        destination=way.destination,
        purpose_name=_PURPOSES[way.purpose],
        total=way.total,
        arrived=way.arrived,
        dead=way.dead,
        retried=way.retried,
        failure=way.failure,
        failure_name=TRANSFER_SENTENCES[way.failure] if way.failure else "",
    )


def _route(one: Route, names: dict[str, str]) -> RouteItem:
    return RouteItem(
        id=one.id,
        label=one.label,
        institution_name=names[one.institution_id],
        purpose_name=_PURPOSES[one.purpose],
        active=one.active,
        waiting=one.waiting,
        arrived=one.arrived,
        dead=one.dead,
        retried=one.retried,
        oldest_at=one.oldest_at,
        failures=one.failures,
        resume_at=one.resume_at,
        errors=[
            Counted(key=code, name=TRANSFER_SENTENCES[code], count=count)
            for code, count in sorted(one.errors.items(), key=lambda pair: -pair[1])
        ],
    )


ENDPOINTS = (
    ConsoleEndpoint(
        "GET", f"{_PATH}/studies", "overseenStudies", "Studies that arrived", _studies, StudyItems, query=StudiesQuery
    ),
    ConsoleEndpoint("GET", f"{_PATH}/routes", "imagingRoutes", "Where they go", _routes, RoutesAnswer, query=Nothing),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/routes/{{destination_id}}/resend",
        "resendImages",
        "Try what came to a dead end once more",
        _resend,
        Resent,
        path_parameters=_ROUTE,
    ),
)
