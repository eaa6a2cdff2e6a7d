"""Steering cases from above: looking for them, seeing what waits, giving one to another expert. Nothing clinical."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select

from backend import paging
from backend.consultation.desk import NOBODY
from backend.consultation.lifecycle import Lifecycle
from backend.consultation.rules import RUNNING, Status, Step, Urgency, require_text
from backend.consultation.tables import Consultation, Offer, OfferState
from backend.consultation.views import ConsultationView
from backend.consultation.visibility import case_ways
from backend.errors import Conflict, InvalidInput
from backend.people import masked_name
from backend.scheduling import BookingState
from backend.security.policy import Action, Actor, Role

_LONGEST_QUEUE = 50
_NUMBER = re.compile(r"HZ?|HZ[0-9][0-9-]{0,21}|-?[0-9][0-9-]{0,22}")
_NO_NUMBER = "会诊编号是HZ、数字和“-”，比如 HZ20261121-0001，也可以只填其中连着的几位数字。"
_FEW = 200
_DAY_ENDS = len("HZ20261121")


@dataclass(frozen=True)
class CaseFilter:
    """Which cases; what is None or empty does not matter.

    Attributes:
        number: a part of it, with or without its dash. since, until: of the opening; `until` itself is not among them.
    """

    status: Status | None = None
    institution_ids: Collection[str] | None = None
    department_code: str | None = None
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CaseOverview:
    """A case as who steers it sees it in a list; the patient's name is masked."""

    id: str
    number: str
    status: Status
    urgency: Urgency
    department_code: str
    institution_id: str
    patient_name: str = field(repr=False)
    doctor_name: str
    expert_name: str
    opened_at: datetime
    submitted_at: datetime | None
    assigned_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class CasePage:
    """A page of a list, and what the next one is asked with; empty at the end."""

    items: list[CaseOverview]
    next_cursor: str


@dataclass(frozen=True)
class CaseQueue:
    """What is running: how many in each status, and those that wait for an expert, the longest waiting first; `late`
    of all that wait have waited longer than was asked about."""

    counts: dict[Status, int]
    late: int
    waiting: list[CaseOverview]


class Steering(Lifecycle):
    """What an administrator does with cases beside `Lifecycle`."""

    async def search(self, actor: Actor, wanted: CaseFilter, *, limit: int = 20, cursor: str = "") -> CasePage:
        """List cases, the latest opened first.

        Raises:
            Forbidden: the actor may list none. InvalidInput: the number or the cursor has not the shape of one.
        """
        query = select(Consultation).where(*self._conditions(actor, wanted)).order_by(*_LATEST)
        if wanted.number:
            query = query.where(await self._numbered(wanted.number.strip().upper()))
        if cursor:
            query = query.where(paging.older(cursor, Consultation.opened_at, Consultation.id))
        limit = min(max(limit, 1), paging.LONGEST)
        rows = await self._listed(actor, query.limit(limit + 1))
        page, more = paging.cut(rows, limit)
        return CasePage(await self._overviews(page), paging.cursor(page[-1].opened_at, page[-1].id) if more else "")

    async def overviews(self, actor: Actor, ids: Collection[str]) -> list[CaseOverview]:
        """Give those of these cases that the actor may list, in the order of `ids`."""
        query = select(Consultation).where(Consultation.id.in_(ids), *self._conditions(actor, CaseFilter()))
        found = {row.id: row for row in await self._listed(actor, query)}
        return await self._overviews([found[one] for one in ids if one in found])

    async def queue(
        self,
        actor: Actor,
        institution_ids: Collection[str] | None = None,
        *,
        late_after: timedelta,
        department_code: str | None = None,
    ) -> CaseQueue:
        """Give what is running now, of these institutions and this department or of all that the actor may list."""
        wanted = CaseFilter(institution_ids=institution_ids, department_code=department_code)
        conditions = self._conditions(actor, wanted)
        waits = [Consultation.status == Status.PENDING, *conditions]
        counted = select(Consultation.status, func.count()).where(Consultation.status.in_(RUNNING), *conditions)
        late = select(func.count()).where(*waits, Consultation.submitted_at < self._clock.now() - late_after)
        async with self._database.reading() as session:
            counts = {row[0]: row[1] for row in await session.execute(counted.group_by(Consultation.status))}
            late_count = await session.scalar(late) or 0
        listed = select(Consultation).where(*waits).order_by(Consultation.submitted_at).limit(_LONGEST_QUEUE)
        rows = await self._listed(actor, listed)
        in_order = {status: counts.get(status, 0) for status in Status if status in RUNNING}
        return CaseQueue(in_order, late_count, await self._overviews(rows))

    async def reassign(self, actor: Actor, consultation_id: str, expert_id: str, reason: str) -> ConsultationView:
        """Give a case that has not begun to an expert, also where another has it: that one's booking goes with it.

        Args:
            reason: what doctor and patient read where an expert is replaced, at most 200 characters.

        Raises:
            IllegalMove: it has begun or ended, or was not submitted. Conflict: this expert has it already.
            InvalidInput: that practitioner is no active expert.
        """
        why = require_text(reason, "更换原因", longest=200)
        async with self._database.transaction() as session:
            case = await self._case(session, consultation_id, lock=True)
            self._allow(actor, Action.CONSULTATION_ASSIGN, case)
            if case.status is Status.ASSIGNED:
                if case.expert_id == expert_id:
                    raise Conflict("这位专家已经在负责这次会诊了。")
                expert = await self._people.practitioner(expert_id)
                if expert.role is not Role.EXPERT or not expert.active:
                    raise InvalidInput("请选择一位在职的专家。", field="expert_id")
                await self._take_back(actor, case, why)
            return await self.assign_expert(actor, consultation_id, expert_id)

    async def _take_back(self, actor: Actor, case: Consultation, why: str) -> None:
        async with self._database.transaction() as session:
            before = case.expert_id or ""
            await self._record(session, actor, Action.CONSULTATION_ASSIGN, case, reason=why)
            booking = await self._end_booking(session, case, BookingState.CANCELLED)
            text = f"管理员请{await self._name(before)}专家退出这次会诊，原因：{why}"
            await self._move(session, actor, case, Step.GIVE_BACK, text, **NOBODY)
            await session.refresh(case)
            held = await session.scalar(
                select(Offer).where(Offer.consultation_id == case.id, Offer.expert_id == before)
            )
            if held is not None:
                held.state, held.accepted_for, held.answered_at = OfferState.GIVEN_BACK, None, self._clock.now()
            await self._publish(
                session,
                case,
                "consultation.given_back",
                actor_id=actor.person_id,
                expert_id=before,
                booking_cancelled=booking is not None,
            )

    async def _numbered(self, said: str) -> ColumnElement[bool]:
        """Give the condition that a number begins as is said, or, where no letters are said, has these digits in a
        row."""
        if not _NUMBER.fullmatch(said):
            raise InvalidInput(_NO_NUMBER, field="number")
        if said.startswith("H"):
            dashed = said if "-" in said or len(said) <= _DAY_ENDS else f"{said[:_DAY_ENDS]}-{said[_DAY_ENDS:]}"
            return Consultation.number.between(dashed, dashed + "~")
        has_them = func.instr(func.replace(Consultation.number, "-", ""), said.replace("-", "")) > 0
        # Few are read off the index of the numbers at once; where many have them, the list finds a page of them soon.
        async with self._database.reading() as session:
            few = (await session.scalars(select(Consultation.number).where(has_them).limit(_FEW + 1))).all()
        return Consultation.number.in_(few) if len(few) <= _FEW else has_them

    def _conditions(self, actor: Actor, wanted: CaseFilter) -> list[ColumnElement[bool]]:
        conditions = [or_(*case_ways(actor, Action.CONSULTATION_LIST))]
        if wanted.status is not None:
            conditions.append(Consultation.status == wanted.status)
        if wanted.institution_ids is not None:
            conditions.append(Consultation.institution_id.in_(wanted.institution_ids))
        if wanted.department_code is not None:
            conditions.append(Consultation.department_code == wanted.department_code)
        if wanted.since is not None:
            conditions.append(Consultation.opened_at >= wanted.since)
        if wanted.until is not None:
            conditions.append(Consultation.opened_at < wanted.until)
        return conditions

    async def _listed(self, actor: Actor, query: Select[Consultation]) -> Sequence[Consultation]:
        """Read the rows of a list, with its audit entry."""
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.CONSULTATION_LIST, subject=f"consultations:{len(rows)}")
        return rows

    async def _overviews(self, rows: Sequence[Consultation]) -> list[CaseOverview]:
        names = await self._people.names(
            {one for row in rows for one in (row.patient_id, row.doctor_id, row.expert_id) if one}
        )
        return [
            CaseOverview(
                id=row.id,
                number=row.number,
                status=row.status,
                urgency=row.urgency,
                department_code=row.department_code,
                institution_id=row.institution_id,
                patient_name=masked_name(names.get(row.patient_id, "")),
                doctor_name=names.get(row.doctor_id, ""),
                expert_name=names.get(row.expert_id or "", ""),
                opened_at=row.opened_at,
                submitted_at=row.submitted_at,
                assigned_at=row.assigned_at,
                closed_at=row.closed_at,
            )
            for row in rows
        ]


_LATEST = (Consultation.opened_at.desc(), Consultation.id.desc())
