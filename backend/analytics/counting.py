"""Keeping figures up: the facts of cases by their events, and the sums of them."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any, Protocol

from sqlalchemy import Case, ColumnElement, case, delete, func, insert, literal, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.analytics import rules
from backend.analytics.savings import Place, basis, saving
from backend.analytics.tables import ConsultationFact, DailyFigure
from backend.charging import ChargeState, ChargeView
from backend.clock import Clock, local
from backend.consultation import CaseOutcome, ConsultationService, Status
from backend.db import Database
from backend.errors import NotFound
from backend.events import Event, EventBus
from backend.money import to_fen
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor
from backend.timers import Timers
from backend.worker_processes import WorkerProcesses
from data.savings import Parameters, parameters, parameters_on

CONSUMER = "analytics"
_TYPES = (
    "consultation.submitted",
    "consultation.assigned",
    "consultation.given_back",
    "consultation.completed",
    "consultation.cancelled",
    "consultation.rated",
    "charge.paid",
    "charge.settled",
    "charge.refunding",
    "charge.reversed",
)
PLAIN = (
    *("asked", "completed", "answered", "answer_seconds", "compared", "agreed", "rated", "satisfied"),
    *("reckoned", "metres_instead", "metres_gone", "fen_instead", "fen_spent"),
)
BUCKETS = (*(f"within_{minutes}" for minutes in rules.BUCKET_MINUTES), "longer")


class Charges(Protocol):
    """Gives the charge that a consultation has now, else the last it had; `ChargingService` is one."""

    @property
    def of_consultation(self) -> Callable[[Actor, str], Awaitable[ChargeView | None]]: ...


class Counting:
    """The part of `AnalyticsService` that keeps facts and sums up.

    Args:
        charges: what consultations cost; None where nothing is charged.
        known: parameters of what is spared, the earliest first; the shipped ones where nothing is said.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        charges: Charges | None,
        *,
        known: tuple[Parameters, ...] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self._parameters = known
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._charges = charges
        self._printer = WorkerProcesses(1, niceness=5)
        events.subscribe(CONSUMER, _TYPES, self._on_event)

    def close(self) -> None:
        """End the process that prints."""
        self._printer.close()

    async def _on_event(self, event: Event) -> None:
        outcome = await self._consultations.outcome(event.payload["consultation_id"])
        if outcome is not None and outcome.submitted_at is not None:
            await self._count(outcome, outcome.submitted_at)

    async def _count(self, outcome: CaseOutcome, asked_at: datetime) -> None:
        fact = _fact(outcome, asked_at) | await self._savings(outcome, asked_at)
        cell = (fact["day"], fact["institution_id"], fact["department_code"])
        async with self._database.transaction() as session:
            # Whoever changes a fact of a day holds the row of the day: the sums are made of all facts, one by one.
            await self._lock(session, fact["day"])
            await session.execute(
                delete(ConsultationFact).where(ConsultationFact.consultation_id == fact["consultation_id"])
            )
            await session.execute(insert(ConsultationFact), [fact])
            await add_up(session, cell)

    async def _lock(self, session: AsyncSession, day: date) -> None:
        whole_day = (DailyFigure.day == day, DailyFigure.institution_id == "", DailyFigure.department_code == "")
        query = select(DailyFigure.day).where(*whole_day).with_for_update()
        if await session.scalar(query) is not None:
            return
        try:
            async with session.begin_nested():
                session.add(DailyFigure(day=day, institution_id="", department_code=""))
                await session.flush()
        except IntegrityError:  # the day's first two facts came in the same moment
            await session.scalar(query)

    async def _savings(self, outcome: CaseOutcome, asked_at: datetime) -> dict[str, Any]:
        """Give the columns about what a completed case spared its patient; without figures where a way is not known."""
        if outcome.status is not Status.COMPLETED or outcome.expert_id is None:
            return {}
        hospital_id = await self._hospital(outcome)
        if hospital_id is None:
            return {}
        charge = None if self._charges is None else await self._charges.of_consultation(SYSTEM, outcome.id)
        paid = 0 if charge is None else to_fen(_own_part(charge))
        found: dict[str, Any] = {"hospital_id": hospital_id, "paid_fen": paid}
        held = parameters_on(local(asked_at).date(), self._known_parameters())
        centre, hospital = [await self._place_of(one) for one in (outcome.institution_id, hospital_id)]
        if held is None or centre is None or hospital is None:
            return found
        reckoned = {"parameters": held.code, "reckoned_with": basis(held, centre, hospital)}
        return found | reckoned | asdict(saving(held, centre, hospital, paid))

    async def _hospital(self, outcome: CaseOutcome) -> str | None:
        """Give where the expert practised when the case was completed, however often they have moved since."""
        async with self._database.reading() as session:
            query = select(ConsultationFact.hospital_id).where(ConsultationFact.consultation_id == outcome.id)
            before = await session.scalar(query)
        if before is not None:
            return before
        try:
            return (await self._people.practitioner(outcome.expert_id or "")).institution_id
        except NotFound:
            return None

    async def _place_of(self, institution_id: str) -> Place | None:
        try:
            return (await self._people.institution(institution_id)).place
        except NotFound:
            return None

    def _known_parameters(self) -> tuple[Parameters, ...]:
        return parameters() if self._parameters is None else self._parameters


def _own_part(charge: ChargeView) -> Decimal:
    """Give what the patient pays of a charge, in yuan: what was received and is not given back, and what was settled
    from their account."""
    account = Decimal(0)
    if charge.state is ChargeState.SETTLED and charge.settled is not None:
        account = charge.settled.account
    return charge.paid - charge.refunding - charge.refunded + account


Cell = tuple[date, str | None, str | None]
"""A day, an institution and a department; None for each of them."""


async def add_up(session: AsyncSession, cell: Cell | None = None) -> None:
    """Make the sums of a day, an institution and a department, and those that they are part of, anew out of the facts;
    all sums there are where none is named."""
    for is_of_institution, is_of_department in product((True, False), repeat=2):
        institution = ConsultationFact.institution_id if is_of_institution else literal("")
        department = ConsultationFact.department_code if is_of_department else literal("")
        facts: list[ColumnElement[bool]] = []
        sums = [
            DailyFigure.institution_id != "" if is_of_institution else DailyFigure.institution_id == "",
            DailyFigure.department_code != "" if is_of_department else DailyFigure.department_code == "",
        ]
        if cell is not None:
            day, institution_id, department_code = cell
            facts, sums = [ConsultationFact.day == day], [*sums, DailyFigure.day == day]
            if is_of_institution and institution_id is not None:
                facts.append(ConsultationFact.institution_id == institution_id)
                sums.append(DailyFigure.institution_id == institution_id)
            if is_of_department and department_code is not None:
                facts.append(ConsultationFact.department_code == department_code)
                sums.append(DailyFigure.department_code == department_code)
        await session.execute(delete(DailyFigure).where(*sums))
        query = select(ConsultationFact.day, institution.label("place"), department.label("part"), *_summed()).where(
            *facts
        )
        keys: list[Any] = [ConsultationFact.day]
        keys += [ConsultationFact.institution_id] if is_of_institution else []
        keys += [ConsultationFact.department_code] if is_of_department else []
        columns = ["day", "institution_id", "department_code", *PLAIN, *BUCKETS]
        await session.execute(insert(DailyFigure).from_select(columns, query.group_by(*keys)))


def _summed() -> list[Any]:
    """Give the sums of facts under the names of the columns of `DailyFigure`."""
    fact = ConsultationFact

    def count(condition: ColumnElement[bool]) -> Case[int]:
        return case((condition, 1), else_=0)

    parts: dict[str, Any] = {
        "asked": count(true()),
        "completed": count(fact.completed.is_(True)),
        "answered": count(fact.answer_seconds.is_not(None)),
        "answer_seconds": fact.answer_seconds,
        "compared": count(fact.agreed.is_not(None)),
        "agreed": count(fact.agreed.is_(True)),
        "rated": count(fact.stars.is_not(None)),
        "satisfied": count(fact.stars >= rules.SATISFIED_FROM),
        "reckoned": count(fact.metres_instead.is_not(None)),
        "metres_instead": fact.metres_instead,
        "metres_gone": fact.metres_gone,
        "fen_instead": fact.fen_instead,
        "fen_spent": fact.fen_spent,
    }
    bounds = [-1, *(minutes * 60 for minutes in rules.BUCKET_MINUTES)]
    for name, over, to in zip(BUCKETS, bounds, [*bounds[1:], None], strict=True):
        within = fact.answer_seconds > over
        parts[name] = count(within if to is None else within & (fact.answer_seconds <= to))
    return [func.coalesce(func.sum(part), 0).label(name) for name, part in parts.items()]


def _fact(outcome: CaseOutcome, asked_at: datetime) -> dict[str, Any]:
    assigned_at = outcome.assigned_at
    return {
        "consultation_id": outcome.id,
        "day": local(asked_at).date(),
        "institution_id": outcome.institution_id,
        "department_code": outcome.department_code,
        "asked_at": asked_at,
        "completed": outcome.status is Status.COMPLETED,
        "answer_seconds": None if assigned_at is None else max(int((assigned_at - asked_at).total_seconds()), 0),
        "agreed": rules.same_disease(outcome.suspected, outcome.diagnosed),
        "stars": outcome.stars,
    }
