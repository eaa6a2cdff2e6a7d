"""Whether it runs: messages that did not arrive, every part of the process, what waits; and who did what."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.clock import LOCAL_ZONE
from backend.rights.words import deed_for_auditors, kind_and_reason
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.endpoint import Model

_MESSAGE = {"message_id": "A message that was given up."}


class FailuresQuery(Model):
    """Which failures: of one reason, and before the one of this identifier."""

    reason: Annotated[str, StringConstraints(max_length=48)] = ""
    before: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    limit: int = Field(20, ge=1, le=100)


class FailureItem(Model):
    """A message that was given up."""

    id: str
    person_name: str
    reason: str
    at: datetime


class ReasonCount(Model):
    """How many were given up for a reason."""

    reason: str
    count: int


class DeliveriesAnswer(Model):
    """What is on its way, and what was given up."""

    now: datetime
    waiting: int
    held: int
    oldest_due_at: datetime | None
    reasons: list[ReasonCount]
    items: list[FailureItem]


class PartItem(Model):
    """A loop of this process."""

    name: str
    running: bool


class BacklogItem(Model):
    """Work that waits in the database."""

    name: str
    due: int
    failing: int
    oldest_due_at: datetime | None


class HealthAnswer(Model):
    """Every part of this process, and the backlogs of all."""

    now: datetime
    parts: list[PartItem]
    backlogs: list[BacklogItem]


class AuditQuery(Model):
    """Which entries: about one patient, by one person, until the end of a day, and before this number."""

    patient_id: Id | None = None
    actor_id: Id | None = None
    until: date | None = None
    before: int | None = Field(None, ge=1)
    limit: int = Field(50, ge=1, le=200)


class AuditItem(Model):
    """An entry of the audit log; `kind` and `deed` are its roles and its action in words."""

    id: int
    at: datetime
    actor_id: str
    actor_name: str
    actor_roles: str
    kind: str
    action: str
    deed: str
    patient_id: str | None
    subject: str
    reason: str


class AuditItems(Model):
    """Entries, the newest first."""

    items: list[AuditItem]


async def _deliveries(call: ConsoleCall) -> DeliveriesAnswer:
    wanted, undelivered = call.query, call.context.undelivered
    overview = await undelivered.overview(call.actor)
    rows = await undelivered.failures(call.actor, reason=wanted.reason, limit=wanted.limit, before=wanted.before)
    return DeliveriesAnswer(
        now=call.context.clock.now(),
        waiting=overview.waiting,
        held=overview.held,
        oldest_due_at=overview.oldest_due_at,
        reasons=[ReasonCount(reason=reason, count=count) for reason, count in overview.failures.items()],
        items=[FailureItem(**vars(row)) for row in rows],
    )


async def _resend(call: ConsoleCall) -> Done:
    await call.context.undelivered.resend(call.actor, call.path["message_id"])
    return Done()


async def _health(call: ConsoleCall) -> HealthAnswer:
    backlogs = await call.context.operations.backlogs(call.actor)
    return HealthAnswer(
        now=call.context.clock.now(),
        parts=[PartItem(name=name, running=running) for name, running in call.context.parts().items()],
        backlogs=[BacklogItem(**vars(one)) for one in backlogs],
    )


async def _audit(call: ConsoleCall) -> AuditItems:
    wanted = call.query
    end = datetime.combine(wanted.until + timedelta(days=1), time(), LOCAL_ZONE) if wanted.until else None
    found = await call.context.audit.entries(
        call.actor,
        patient_id=wanted.patient_id,
        actor_id=wanted.actor_id,
        until=end,
        limit=wanted.limit,
        before=wanted.before,
    )
    ids, people = {one.actor_id for one in found}, call.context.people
    names = await people.names(ids) | await people.practitioner_names(ids) | await call.context.console.names(ids)
    return AuditItems(
        items=[
            AuditItem(
                id=one.id,
                at=one.at,
                actor_id=one.actor_id,
                actor_name=names.get(one.actor_id, ""),
                actor_roles=one.actor_roles,
                kind=kind_and_reason(one.actor_roles)[0] if one.actor_id else "",
                action=one.action,
                deed=deed_for_auditors(one.action),
                patient_id=one.patient_id,
                subject=one.subject,
                reason=one.reason,
            )
            for one in found
        ]
    )


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        "/console/api/deliveries",
        "deliveries",
        "Messages on their way, and given up",
        _deliveries,
        DeliveriesAnswer,
        query=FailuresQuery,
    ),
    ConsoleEndpoint(
        "POST",
        "/console/api/deliveries/{message_id}/resend",
        "resendMessage",
        "Send once more",
        _resend,
        Done,
        path_parameters=_MESSAGE,
    ),
    ConsoleEndpoint("GET", "/console/api/health", "health", "Every part", _health, HealthAnswer),
    ConsoleEndpoint("GET", "/console/api/audit", "auditEntries", "Who did what", _audit, AuditItems, query=AuditQuery),
)
