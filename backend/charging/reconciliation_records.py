"""What comparisons of books have found: read by those who oversee money, and noted as dealt with by a person."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from backend import paging
from backend.charging.reconciliation_rules import DifferenceKind, Outcome
from backend.charging.reconciliation_tables import ReconciliationLine, ReconciliationNote, ReconciliationRun
from backend.clock import Clock
from backend.consultation.rules import require_text
from backend.db import Database
from backend.errors import Conflict, IllegalMove, NotFound
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, require


@dataclass(frozen=True)
class RunView:
    """One comparison of a day in one book.

    Attributes:
        complete: both sides have given all they know. outcomes: how many differences came to each.
        open: how many of them wait for a person still.
    """

    id: str
    day: date
    book: str
    began_at: datetime
    complete: bool
    entries: int
    outcomes: dict[Outcome, int]
    open: int


@dataclass(frozen=True)
class NoteView:
    """That a person has dealt with a difference."""

    reason: str = field(repr=False)
    noted_by: str
    noted_at: datetime


@dataclass(frozen=True)
class DifferenceView:
    """One number about which the books did not agree; `here` and `there` are kind and amounts in fen, or None.

    Attributes:
        superseded: the day was compared once more, to the end: what differed then stands there.
    """

    id: int
    day: date
    book: str
    kind: DifferenceKind
    number: str
    here: list[Any] | None
    there: list[Any] | None
    outcome: Outcome
    rule: str
    at: datetime
    superseded: bool
    note: NoteView | None

    @property
    def waits(self) -> bool:
        """Whether a person has to look at it."""
        return self.outcome is Outcome.FOR_A_PERSON and self.note is None and not self.superseded


class ReconciliationRecords:
    """The part of `ReconciliationService` about what was found."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    async def runs(self, actor: Actor, *, limit: int = 20, cursor: str = "") -> tuple[list[RunView], str]:
        """Give the comparisons, the latest begun first, and what the next page is asked with.

        Raises:
            Forbidden: the policy refuses. InvalidInput: it is no cursor.
        """
        require(actor, Action.RECONCILIATION_READ)
        run = ReconciliationRun
        query = select(run).order_by(run.began_at.desc(), run.id.desc())
        if cursor:
            query = query.where(paging.older(cursor, run.began_at, run.id))
        limit = min(max(limit, 1), paging.LONGEST)
        async with self._database.reading() as session:
            rows, more = paging.cut(list(await session.scalars(query.limit(limit + 1))), limit)
            ids = [row.id for row in rows]
            line = ReconciliationLine
            counted = select(line.run_id, line.outcome, func.count()).where(line.run_id.in_(ids))
            outcomes: dict[str, dict[Outcome, int]] = defaultdict(dict)
            for run_id, outcome, count in await session.execute(counted.group_by(line.run_id, line.outcome)):
                outcomes[run_id][outcome] = count
            waiting = select(run.id, func.count(line.id)).join(line, line.run_id == run.id)
            waiting = waiting.where(run.id.in_(ids), *_open()).group_by(run.id)
            still = {row[0]: row[1] for row in await session.execute(waiting)}
        views = [_run(row, outcomes[row.id], still.get(row.id, 0)) for row in rows]
        return views, paging.cursor(rows[-1].began_at, rows[-1].id) if more else ""

    async def differences(
        self, actor: Actor, *, run_id: str | None = None, limit: int = 20, before: int | None = None
    ) -> list[DifferenceView]:
        """Give differences, the latest found first: those of one comparison, else all that wait for a person.

        Args:
            before: the identifier of the last one of the page before.
        """
        require(actor, Action.RECONCILIATION_READ)
        line, run = ReconciliationLine, ReconciliationRun
        conditions: Sequence[ColumnElement[bool]] = _open() if run_id is None else [line.run_id == run_id]
        if before is not None:
            conditions = [*conditions, line.id < before]
        query = select(line, run, ReconciliationNote, _later()).join(run, run.id == line.run_id)
        query = query.outerjoin(ReconciliationNote, ReconciliationNote.digest == line.digest).where(*conditions)
        async with self._database.reading() as session:
            found = await session.execute(query.order_by(line.id.desc()).limit(min(max(limit, 1), paging.LONGEST)))
            return [_difference(*row) for row in found]

    async def settle(self, actor: Actor, line_id: int, reason: str) -> None:
        """Note that a person has dealt with a difference, and how; audited. Nothing is posted by it.

        Raises:
            NotFound: no such difference. IllegalMove: it does not wait for a person. Conflict: somebody has noted it.
            InvalidInput: no reason.
        """
        require(actor, Action.CHARGE_RECONCILE)
        why = require_text(reason, "原因", longest=200)
        try:
            async with self._database.transaction() as session:
                line = await session.get(ReconciliationLine, line_id)
                if line is None:
                    raise NotFound("没有找到这条差异。")
                if line.outcome is not Outcome.FOR_A_PERSON:
                    raise IllegalMove("这条差异已经按规则处理，不用人再处理。")
                now, by = self._clock.now(), actor.person_id
                session.add(
                    ReconciliationNote(digest=line.digest, line_id=line.id, reason=why, noted_by=by, noted_at=now)
                )
                await session.flush()
                subject = f"reconciliation_line:{line.id}"
                await self._audit.record(session, actor, "charge.settle_difference", subject=subject, reason=why)
        except IntegrityError:
            raise Conflict("这条差异已经有人处理过了，请刷新后再看。") from None


def _later() -> ColumnElement[bool]:
    """A complete comparison of the same day and book was begun after the one that a query is about."""
    later, run = aliased(ReconciliationRun), ReconciliationRun
    same = (later.day == run.day, later.book == run.book, later.ended_at.is_not(None), later.began_at > run.began_at)
    return exists().where(*same)


def _open() -> list[ColumnElement[bool]]:
    note = aliased(ReconciliationNote)
    noted = exists().where(note.digest == ReconciliationLine.digest)
    return [ReconciliationLine.outcome == Outcome.FOR_A_PERSON, ~noted, ~_later()]


def _run(row: ReconciliationRun, outcomes: dict[Outcome, int], still_open: int) -> RunView:
    return RunView(
        id=row.id,
        day=row.day,
        book=row.book,
        began_at=row.began_at,
        complete=row.ended_at is not None,
        entries=row.entries,
        outcomes=outcomes,
        open=still_open,
    )


def _difference(
    line: ReconciliationLine, run: ReconciliationRun, note: ReconciliationNote | None, is_later: bool
) -> DifferenceView:
    return DifferenceView(
        id=line.id,
        day=run.day,
        book=run.book,
        kind=line.kind,
        number=line.number,
        here=line.here,
        there=line.there,
        outcome=line.outcome,
        rule=line.rule,
        at=line.at,
        superseded=bool(is_later),
        note=None if note is None else NoteView(note.reason, note.noted_by, note.noted_at),
    )
