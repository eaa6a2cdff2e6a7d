"""Use cases of exports for research: asked for with a purpose, made by a worker, taken away, and kept as proof."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.consultation.rules import require_text
from backend.db import Database, after_commit
from backend.errors import Conflict, InvalidInput, NotFound
from backend.ids import new_id
from backend.people import PeopleService
from backend.print_queue import PrintQueue
from backend.research.rules import ExportState, MadeTable, RefusedTable, Wish
from backend.research.source import CaseSource
from backend.research.table import make_table
from backend.research.tables import ResearchExport
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Role, require
from backend.timers import Timers

KEPT = timedelta(days=7)
"""How long the file of an export can be taken away."""

LARGEST_BYTES = 12 * 1024 * 1024
"""More does not fit into a row of every database that is served."""

_TIMER = "research.expire"
_LEASE = timedelta(hours=1)
_LONGEST_SPAN = timedelta(days=366 * 5)
_MOST_K = 1000
_BATCH = 200
_TOO_LARGE = "表格太大，请把日期范围分成几段导出。"


@dataclass(frozen=True)
class ExportView:
    """An export as it is listed: what of, what for, and what became of it; never the table itself."""

    id: str
    asked_by: str
    asked_at: datetime
    purpose: str = field(repr=False)
    wish: Wish
    state: ExportState
    manifest: Mapping[str, Any] | None
    refusal: str
    done_at: datetime | None


class ResearchExports:
    """The exports.

    Args:
        least_k: how many people have to be alike at least, whatever somebody asks for.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        least_k: int = 5,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self.least_k = least_k
        self.queue = PrintQueue(database, clock, ResearchExport.id, self.make, lease=_LEASE)
        timers.on(_TIMER, self._expire)

    async def ask(self, actor: Actor, purpose: str, wish: Wish) -> ExportView:
        """Ask for a table; it is made when it is its turn.

        Args:
            purpose: what it is for, in words, at most 200 characters; kept and audited.

        Raises:
            Forbidden: the actor may export nothing.
            InvalidInput: no purpose; the span ends before it begins or is longer than five years; k is too small.
        """
        require(actor, Action.RESEARCH_EXPORT)
        said = require_text(purpose, "用途", longest=200)
        if not timedelta() <= wish.until - wish.since <= _LONGEST_SPAN:
            raise InvalidInput("日期不对：结束要在开始之后，最长五年。", field="until")
        if not self.least_k <= wish.k <= _MOST_K:
            raise InvalidInput(f"每组至少的人数要在{self.least_k}到{_MOST_K}之间。", field="k")
        now = self._clock.now()
        row = ResearchExport(
            id=new_id(),
            asked_by=actor.person_id,
            asked_at=now,
            purpose=said,
            wish=_written(wish),
            state=ExportState.WAITING,
            due_at=now,
        )
        async with self._database.transaction() as session:
            session.add(row)
            await self._audit.record(session, actor, Action.RESEARCH_EXPORT, subject=_subject(row.id), reason=said)
            after_commit(session, self.queue.wake)
        return _view(row)

    async def exports(self, actor: Actor, *, limit: int = 50) -> Sequence[ExportView]:
        """List the latest exports, the newest first. Raises Forbidden."""
        require(actor, Action.RESEARCH_READ_EXPORTS)
        query = select(ResearchExport).order_by(ResearchExport.asked_at.desc(), ResearchExport.id.desc())
        async with self._database.reading() as session:
            return [_view(row) for row in await session.scalars(query.limit(min(limit, 100)))]

    async def take(self, actor: Actor, export_id: str) -> bytes:
        """Give the table as Parquet; that it was taken is audited.

        Raises:
            Forbidden, NotFound: as their names say. Conflict: it is not made, or not kept any more.
        """
        require(actor, Action.RESEARCH_EXPORT)
        async with self._database.transaction() as session:
            found = (
                await session.execute(
                    select(ResearchExport.state, ResearchExport.file).where(ResearchExport.id == export_id)
                )
            ).one_or_none()
            if found is None:
                raise NotFound("没有找到这次导出。")
            if found.file is None:
                raise Conflict(f"现在不能下载：{found.state.label}。")
            await self._audit.record(session, actor, Action.RESEARCH_EXPORT, subject=_subject(export_id), reason="下载")
        content: bytes = found.file
        return content

    async def make(self, export_id: str) -> ExportView:
        """Make the table of an export and keep it, or why there is none; what is done already stays."""
        async with self._database.reading() as session:
            row = await session.get_one(ResearchExport, export_id)
        if row.state is not ExportState.WAITING:
            return _view(row)
        source, wish = CaseSource(self._consultations, self._people), _read(row.wish)
        cases = [case async for case in source.cases(wish)]
        try:
            made = await self.queue.printer.run(make_table, cases, wish)
        finally:
            self.queue.printer.kill()  # with it goes what led from the table back to people
        if isinstance(made, MadeTable) and len(made.content) > LARGEST_BYTES:
            made = RefusedTable(_TOO_LARGE, len(source.patients), 0.0)
        if isinstance(made, MadeTable):
            await self._record_patients(row, source.patients)
        return await self._keep(export_id, made)

    async def _record_patients(self, row: ResearchExport, patients: Sequence[str]) -> None:
        """Write into the log of each patient that theirs was used, for they may ask who did so."""
        actor = Actor(row.asked_by, frozenset({Role.ADMINISTRATOR}))
        for begin in range(0, len(patients), _BATCH):
            async with self._database.transaction() as session:
                for patient_id in patients[begin : begin + _BATCH]:
                    await self._audit.record(
                        session, actor, Action.RESEARCH_EXPORT, patient_id=patient_id, subject=_subject(row.id)
                    )

    async def _keep(self, export_id: str, made: MadeTable | RefusedTable) -> ExportView:
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get_one(ResearchExport, export_id)
            row.due_at, row.done_at = None, now
            if isinstance(made, MadeTable):
                row.state, row.manifest, row.file = ExportState.MADE, dict(made.manifest), made.content
                await self._timers.set(session, _TIMER, export_id, now + KEPT, export_id=export_id)
            else:
                row.state, row.refusal = ExportState.REFUSED, made.sentence
                row.manifest = {"people": made.people, "suppressed": round(made.suppressed, 4)}
        return _view(row)

    async def _expire(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            await session.execute(
                update(ResearchExport)
                .where(ResearchExport.id == payload["export_id"])
                .values(state=ExportState.EXPIRED, file=None)
            )


def _subject(export_id: str) -> str:
    return f"research_export:{export_id}"


def _written(wish: Wish) -> dict[str, Any]:
    return asdict(wish) | {"since": wish.since.isoformat(), "until": wish.until.isoformat()}


def _read(written: Mapping[str, Any]) -> Wish:
    told = Wish(**written)
    return replace(told, since=date.fromisoformat(written["since"]), until=date.fromisoformat(written["until"]))


def _view(row: ResearchExport) -> ExportView:
    return ExportView(
        row.id,
        row.asked_by,
        row.asked_at,
        row.purpose,
        _read(row.wish),
        row.state,
        row.manifest,
        row.refusal,
        row.done_at,
    )
