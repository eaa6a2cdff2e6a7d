"""Consultations from above: looked for, seen, given to another expert, cancelled. Nothing clinical."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.analytics.rules import ANSWER_TARGET_MINUTES
from backend.clock import LOCAL_ZONE
from backend.consultation import CaseFilter, CaseOverview, CaseQueue, ConsultationView, Status
from backend.security.policy import Action, Role, allowed, require
from miniprogram_api.console import reference
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.console.lists import institution_names, midnight
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model, Reason

_PATH = "/console/api/consultations"
_QUEUE = "/console/api/queue"
_CASE = {"consultation_id": "The consultation."}
_MOST_EXPORTED = 5_000
_PAGE = 100
CASE_HEADINGS = ("编号", "状态", "紧急程度", "机构", "科室", "患者", "医生", "专家", "发起", "提交", "专家接受", "结束")


class PlaceQuery(Model):
    """Where."""

    region: Annotated[str, StringConstraints(max_length=64)] | None = None
    institution_id: Id | None = None


class DepartmentQuery(PlaceQuery):
    """Where, and of which department."""

    department_code: Annotated[str, StringConstraints(max_length=32)] | None = None


class ExportCasesQuery(DepartmentQuery):
    """Which cases; days are those of the opening."""

    status: Status | None = None
    number: Annotated[str, StringConstraints(max_length=24)] = ""
    since: date | None = None
    until: date | None = None


class CasesQuery(ExportCasesQuery):
    """Which cases, and which page of them."""

    limit: int = Field(20, ge=1, le=100)
    cursor: Annotated[str, StringConstraints(max_length=80)] = ""


class CaseItem(Model):
    """A case in a list; the patient's name is masked."""

    id: str
    number: str
    status: Status
    status_name: str
    urgency: str
    urgency_name: str
    department_name: str
    institution_name: str
    patient_name: str
    doctor_name: str
    expert_name: str
    opened_at: datetime
    submitted_at: datetime | None
    assigned_at: datetime | None
    closed_at: datetime | None


class CaseItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[CaseItem]
    next_cursor: str


class QueueCount(Model):
    """How many stand in a status."""

    status: Status
    status_name: str
    count: int


class QueueAnswer(Model):
    """What is running at this moment; `late` of those that wait for an expert have waited longer than is aimed at, and
    `waiting` lists the fifty that wait longest."""

    now: datetime
    counts: list[QueueCount]
    late: int
    waiting: list[CaseItem]


class CaseLine(Model):
    """One line of the timeline."""

    at: datetime
    actor_name: str
    kind: str
    text: str


class CaseAnswer(Model):
    """One case, without what is clinical, and what may be done with it."""

    id: str
    number: str
    status: Status
    status_name: str
    urgency_name: str
    department_name: str
    institution_name: str
    patient_name: str
    doctor_name: str
    expert_id: str | None
    expert_name: str
    opened_at: datetime
    submitted_at: datetime | None
    assigned_at: datetime | None
    started_at: datetime | None
    closed_at: datetime | None
    booked_for: datetime | None
    may_assign: bool
    may_cancel: bool
    timeline: list[CaseLine]


class ExpertItem(Model):
    """An expert who may take the case; `fits` where they are of its department."""

    id: str
    name: str
    title: str
    department_name: str
    institution_name: str
    on_call: bool
    fits: bool


class ExpertItems(Model):
    """Experts, those of the case's department first."""

    items: list[ExpertItem]


class Reassignment(Model):
    """Who is to have the case, and why."""

    expert_id: Id
    reason: Reason


class Cancellation(Model):
    """Why."""

    reason: Reason


async def _cases(call: ConsoleCall) -> CaseItems:
    page = await call.context.consultations.search(
        call.actor, await _filter(call), limit=call.query.limit, cursor=call.query.cursor
    )
    return CaseItems(items=await case_items(call, page.items), next_cursor=page.next_cursor)


async def _export(call: ConsoleCall) -> File:
    wanted, cursor = await _filter(call), ""
    rows: list[CaseItem] = []
    while len(rows) < _MOST_EXPORTED:
        page = await call.context.consultations.search(call.actor, wanted, limit=_PAGE, cursor=cursor)
        rows += await case_items(call, page.items)
        cursor = page.next_cursor
        if not cursor:
            break
    return csv_file("会诊列表.csv", CASE_HEADINGS, [case_cells(one) for one in rows])


def case_cells(one: CaseItem) -> tuple[str, ...]:
    """Give a case as a row under `CASE_HEADINGS`."""
    people = (one.patient_name, one.doctor_name, one.expert_name)
    moments = (one.opened_at, one.submitted_at, one.assigned_at, one.closed_at)
    said = (moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else "" for moment in moments)
    place = (one.institution_name, one.department_name)
    return (one.number, one.status_name, one.urgency_name, *place, *people, *said)


async def _queue(call: ConsoleCall) -> QueueAnswer:
    found = await _running(call)
    return QueueAnswer(
        now=call.context.clock.now(),
        counts=[QueueCount(status=one, status_name=one.label, count=count) for one, count in found.counts.items()],
        late=found.late,
        waiting=await case_items(call, found.waiting),
    )


async def _export_queue(call: ConsoleCall) -> File:
    found, now = await _running(call), call.context.clock.now()
    rows = [
        (*case_cells(one), int((now - (one.submitted_at or now)).total_seconds() // 60))
        for one in await case_items(call, found.waiting)
    ]
    return csv_file("等专家接的会诊.csv", (*CASE_HEADINGS, "已等（分钟）"), rows)


async def _running(call: ConsoleCall) -> CaseQueue:
    query = call.query
    places = await reference.chosen(call.context, call.actor, query.institution_id, query.region)
    target = timedelta(minutes=ANSWER_TARGET_MINUTES)
    return await call.context.consultations.queue(
        call.actor, places, department_code=query.department_code, late_after=target
    )


async def _case(call: ConsoleCall) -> CaseAnswer:
    return await _shown(call, await call.context.consultations.get(call.actor, call.path["consultation_id"]))


async def _shown(call: ConsoleCall, case: ConsultationView) -> CaseAnswer:
    lines = await call.context.consultations.timeline(call.actor, case.id)

    def may(action: Action) -> bool:
        return allowed(call.actor, action, institution_id=case.institution_id)

    return CaseAnswer(
        id=case.id,
        number=case.number,
        status=case.status,
        status_name=case.status.label,
        urgency_name=case.urgency.label,
        department_name=case.department_name,
        institution_name=case.institution_name,
        patient_name=case.patient_name,
        doctor_name=case.doctor_name,
        expert_id=case.expert_id,
        expert_name=case.expert_name,
        opened_at=case.opened_at,
        submitted_at=case.submitted_at,
        assigned_at=case.assigned_at,
        started_at=case.started_at,
        closed_at=case.closed_at,
        booked_for=case.booking.starts_at if case.booking else None,
        may_assign=case.status in (Status.PENDING, Status.ASSIGNED) and may(Action.CONSULTATION_ASSIGN),
        may_cancel=case.status not in (Status.COMPLETED, Status.CANCELLED) and may(Action.CONSULTATION_CANCEL),
        timeline=[
            CaseLine(at=line.at, actor_name=line.actor_name, kind=line.kind, text=line.text_zh) for line in lines
        ],
    )


async def _experts(call: ConsoleCall) -> ExpertItems:
    case = await call.context.consultations.get(call.actor, call.path["consultation_id"])
    require(call.actor, Action.CONSULTATION_ASSIGN, institution_id=case.institution_id)
    people = call.context.people
    fitting = await people.practitioners(role=Role.EXPERT, department_code=case.department_code, limit=_PAGE)
    others = await people.practitioners(role=Role.EXPERT, limit=_PAGE)
    found = {one.id: one for one in (*fitting, *others) if one.id != case.expert_id}
    return ExpertItems(
        items=[
            ExpertItem(
                id=one.id,
                name=one.name,
                title=one.title,
                department_name=one.department_name,
                institution_name=one.institution_name,
                on_call=one.on_call,
                fits=one.department_code == case.department_code,
            )
            for one in found.values()
        ]
    )


async def _reassign(call: ConsoleCall) -> CaseAnswer:
    wanted = call.body
    case_id = call.path["consultation_id"]
    case = await call.context.consultations.reassign(call.actor, case_id, wanted.expert_id, wanted.reason)
    return await _shown(call, case)


async def _cancel(call: ConsoleCall) -> Done:
    await call.context.consultations.cancel(call.actor, call.path["consultation_id"], call.body.reason)
    return Done()


async def _filter(call: ConsoleCall) -> CaseFilter:
    wanted = call.query
    return CaseFilter(
        status=wanted.status,
        institution_ids=await reference.chosen(call.context, call.actor, wanted.institution_id, wanted.region),
        department_code=wanted.department_code,
        number=wanted.number,
        since=midnight(wanted.since) if wanted.since else None,
        until=midnight(wanted.until + timedelta(days=1)) if wanted.until else None,
    )


async def case_items(call: ConsoleCall, found: Sequence[CaseOverview]) -> list[CaseItem]:
    """Show cases in a list, with the names of whoever asked: a hospital sees cases of others too."""
    names = await institution_names(call, {one.institution_id for one in found})
    return [_item(one, names[one.institution_id]) for one in found]


def _item(one: CaseOverview, institution_name: str) -> CaseItem:
    return CaseItem(
        id=one.id,
        number=one.number,
        status=one.status,
        status_name=one.status.label,
        urgency=one.urgency,
        urgency_name=one.urgency.label,
        department_name=reference.department_name(one.department_code),
        institution_name=institution_name,
        patient_name=one.patient_name,
        doctor_name=one.doctor_name,
        expert_name=one.expert_name,
        opened_at=one.opened_at,
        submitted_at=one.submitted_at,
        assigned_at=one.assigned_at,
        closed_at=one.closed_at,
    )


ENDPOINTS = (
    ConsoleEndpoint("GET", _QUEUE, "queue", "What is running now", _queue, QueueAnswer, query=DepartmentQuery),
    ConsoleEndpoint(
        "GET",
        f"{_QUEUE}/export",
        "exportQueue",
        "What waits for an expert as a table",
        _export_queue,
        File,
        query=DepartmentQuery,
        media_type=CSV,
    ),
    ConsoleEndpoint("GET", _PATH, "searchCases", "Look for consultations", _cases, CaseItems, query=CasesQuery),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/export",
        "exportCases",
        "Consultations as a table",
        _export,
        File,
        query=ExportCasesQuery,
        media_type=CSV,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/{{consultation_id}}",
        "steeredCase",
        "One consultation",
        _case,
        CaseAnswer,
        path_parameters=_CASE,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/{{consultation_id}}/experts",
        "expertsForCase",
        "Who may take it",
        _experts,
        ExpertItems,
        path_parameters=_CASE,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/{{consultation_id}}/expert",
        "reassignCase",
        "Give it to an expert",
        _reassign,
        CaseAnswer,
        body=Reassignment,
        path_parameters=_CASE,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/{{consultation_id}}/cancellation",
        "cancelCase",
        "Cancel it",
        _cancel,
        Done,
        body=Cancellation,
        path_parameters=_CASE,
    ),
)
