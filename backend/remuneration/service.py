"""Experts' pay and township institutions' subsidies: counted month by month, explained, and posted to the ledger.

A month is closed three hours after its end, once: what was settled in it is shared by the formula that held on the day
of the consultation. What is reversed before then pays nothing; what is reversed later is taken back in a later month,
by an entry that says so. Where that is more than the month's pay, the rest is carried on: nobody is asked to pay back.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging import ChargingService
from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import NotFound
from backend.events import Event, EventBus
from backend.ledger import LedgerService
from backend.money import to_fen, to_yuan
from backend.people import PeopleService
from backend.remuneration import rules
from backend.remuneration.closing import Closing
from backend.remuneration.counting import Counted, Counting, Sums, as_counted, sums_of
from backend.remuneration.rules import Payee
from backend.remuneration.tables import ClosedMonth, EntryRow, PaidCase, StatementRow
from backend.remuneration.views import EntryView, StatementView
from backend.reporting import ReportService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, only_institution, require
from backend.timers import Timers
from data.remuneration import Formula

CONSUMER = "remuneration"
CLOSE_TIMER = "remuneration.close"

CLOSED_AFTER = timedelta(hours=3)
"""After the end of a month: the nightly reconciliation of its last day is over by then."""

_MOST_MONTHS = 12


class RemunerationService:
    """Notes what is settled and reversed, closes months, and gives statements.

    Events: `remuneration.closed` (month) for administrators, and `remuneration.stated` (month, practitioner_id) for
    each expert of a month that was closed.

    Args:
        formulas: the formulas of pay, the earliest first; the shipped ones where None.
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
        reports: ReportService,
        ledger: LedgerService,
        charging: ChargingService,
        *,
        formulas: tuple[Formula, ...] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._charging = charging
        self._counting = Counting(consultations, reports, formulas)
        self._closing = Closing(clock, events, ledger, self._counting)
        events.subscribe(CONSUMER, ["charge.settled", "charge.reversed"], self._on_event)
        timers.on(CLOSE_TIMER, self._on_timer)

    async def statement(self, actor: Actor, practitioner_id: str, month: str) -> StatementView:
        """Give what an expert gets for a month; the running one as far as it is known now. The read is audited.

        Args:
            month: "2026-11".

        Raises:
            Forbidden: the actor is neither that expert nor an administrator. InvalidInput: it is no month.
        """
        require(actor, Action.REMUNERATION_READ, participants=[practitioner_id])
        rules.end_of(month)
        async with self._database.transaction() as session:
            await self._audit.record(
                session, actor, Action.REMUNERATION_READ, subject=f"practitioner:{practitioner_id}:{month}"
            )
            closed = await session.get(ClosedMonth, month)
            entries = await self._entries(session, month, closed, practitioner_id)
            return await self._statement(session, month, closed, Payee.EXPERT, practitioner_id, entries)

    async def months(self, actor: Actor, practitioner_id: str) -> list[str]:
        """Give the months in which an expert has a statement or something to be counted, the latest first."""
        require(actor, Action.REMUNERATION_READ, participants=[practitioner_id])
        async with self._database.reading() as session:
            stated = select(StatementRow.month).where(StatementRow.payee_id == practitioner_id)
            open_ones = select(PaidCase.month).where(PaidCase.expert_id == practitioner_id, PaidCase.counted.is_(False))
            found = set(await session.scalars(stated)) | set(await session.scalars(open_ones))
        return sorted(found, reverse=True)[:_MOST_MONTHS]

    async def statements(self, actor: Actor, month: str, institution_id: str | None = None) -> list[StatementView]:
        """Give everybody's statement of a month to who may list them, experts first; the read is audited.

        Args:
            institution_id: of its experts and of itself alone.

        Raises:
            Forbidden: the actor may not list these. InvalidInput: it is no month.
        """
        require(actor, Action.REMUNERATION_LIST, institution_id=institution_id)
        rules.end_of(month)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.REMUNERATION_LIST, subject=f"month:{month}")
            closed = await session.get(ClosedMonth, month)
            entries = await self._entries(session, month, closed)
            of_payee: dict[tuple[Payee, str], list[Counted]] = defaultdict(list)
            for entry in entries:
                of_payee[entry.payee, entry.payee_id].append(entry)
            found = [
                await self._statement(session, month, closed, payee, payee_id, own)
                for (payee, payee_id), own in of_payee.items()
                if institution_id is None or await self._institution_of(payee, payee_id) == institution_id
            ]
        return sorted(found, key=lambda one: (one.payee, one.institution_name, one.name, one.payee_id))

    async def closed_months(self, actor: Actor) -> list[str]:
        """Give the last months that were closed, the latest first, to who may list statements somewhere."""
        only_institution(actor, Action.REMUNERATION_LIST)
        async with self._database.reading() as session:
            query = select(ClosedMonth.month).order_by(ClosedMonth.month.desc()).limit(_MOST_MONTHS)
            return list(await session.scalars(query))

    async def _on_event(self, event: Event) -> None:
        if event.type == "charge.settled":
            await self._note_settled(event.payload["charge_id"], event.payload["expert_id"])
        else:
            await self._note_reversed(event.payload["charge_id"])

    async def _note_settled(self, charge_id: str, expert_id: str | None) -> None:
        charge = await self._charging.view(SYSTEM, charge_id)
        if charge.settled_at is None or expert_id is None:
            return
        case = await self._consultations.get(SYSTEM, charge.consultation_id)
        expert = await self._people.practitioner(expert_id)
        async with self._database.transaction() as session:
            if await session.get(PaidCase, charge_id) is not None:
                return
            month = await self._open_month(session, rules.month_of(charge.settled_at))
            session.add(
                PaidCase(
                    charge_id=charge_id,
                    consultation_id=charge.consultation_id,
                    expert_id=expert_id,
                    hospital_id=expert.institution_id,
                    institution_id=case.institution_id,
                    fee=to_fen(charge.fee),
                    settled_at=charge.settled_at,
                    month=month,
                )
            )
            await self._set_timer(session, month)

    async def _note_reversed(self, charge_id: str) -> None:
        async with self._database.transaction() as session:
            case = await session.get(PaidCase, charge_id, with_for_update=True)
            if case is None or case.reversed_month is not None:
                return
            case.reversed_month = await self._open_month(session, rules.month_of(self._clock.now()))
            await self._set_timer(session, case.reversed_month)

    async def _open_month(self, session: AsyncSession, month: str) -> str:
        """Give the first month from this one on that is not closed."""
        while await session.get(ClosedMonth, month) is not None:
            month = rules.next_month(month)
        return month

    async def _set_timer(self, session: AsyncSession, month: str) -> None:
        due_at = rules.end_of(month) + CLOSED_AFTER
        await self._timers.set(session, CLOSE_TIMER, month, due_at, month=month)

    async def _on_timer(self, payload: Any) -> None:
        async with self._database.transaction() as session:
            await self._closing.close(session, payload["month"])

    async def _entries(
        self, session: AsyncSession, month: str, closed: ClosedMonth | None, expert_id: str | None = None
    ) -> list[Counted]:
        """Give the entries of a month, of one expert where one is named: as they were written, or as they would be
        written now."""
        if closed is None:
            found = await self._counted_now(session, month, expert_id)
        else:
            query = select(EntryRow).where(EntryRow.month == month).order_by(EntryRow.id)
            found = [as_counted(row) for row in await session.scalars(query)]
        return [one for one in found if expert_id in (None, one.payee_id)]

    async def _counted_now(self, session: AsyncSession, month: str, expert_id: str | None) -> list[Counted]:
        whose = [] if expert_id is None else [PaidCase.expert_id == expert_id]
        query = select(PaidCase).where(*whose).order_by(PaidCase.settled_at, PaidCase.charge_id)
        cases = await session.scalars(query.where(PaidCase.counted.is_(False), PaidCase.month == month))
        back = PaidCase.counted.is_(True), PaidCase.corrected.is_(False), PaidCase.reversed_month == month
        return await self._counting.entries(session, cases.all(), (await session.scalars(query.where(*back))).all())

    async def _sums(
        self, session: AsyncSession, month: str, closed: ClosedMonth | None, payee_id: str, entries: Sequence[Counted]
    ) -> Sums:
        if closed is None:
            return await sums_of(session, month, payee_id, entries)
        row = await session.get(StatementRow, (month, payee_id))
        return Sums(0, 0, 0, 0) if row is None else Sums(row.earned, row.carried_in, row.payable, row.carried_out)

    async def _statement(
        self,
        session: AsyncSession,
        month: str,
        closed: ClosedMonth | None,
        payee: Payee,
        payee_id: str,
        entries: Sequence[Counted],
    ) -> StatementView:
        sums = await self._sums(session, month, closed, payee_id, entries)
        name, institution = await self._names(payee, payee_id)
        return StatementView(
            month=month,
            payee=payee,
            payee_id=payee_id,
            name=name,
            institution_name=institution,
            entries=tuple([await self._entry(entry) for entry in entries]),
            earned=to_yuan(sums.earned),
            carried_in=to_yuan(sums.carried_in),
            payable=to_yuan(sums.payable),
            carried_out=to_yuan(sums.carried_out),
            closed_at=None if closed is None else closed.closed_at,
        )

    async def _entry(self, entry: Counted) -> EntryView:
        case = await self._consultations.reference(entry.consultation_id)
        if case is None:
            raise NotFound
        return EntryView(
            entry.kind, entry.consultation_id, case.number, to_yuan(entry.amount), entry.formula, entry.lines
        )

    async def _institution_of(self, payee: Payee, payee_id: str) -> str:
        if payee is Payee.INSTITUTION:
            return payee_id
        return (await self._people.practitioner(payee_id)).institution_id

    async def _names(self, payee: Payee, payee_id: str) -> tuple[str, str]:
        if payee is Payee.INSTITUTION:
            name = (await self._people.institution(payee_id)).name
            return name, name
        expert = await self._people.practitioner(payee_id)
        return expert.name, expert.institution_name
