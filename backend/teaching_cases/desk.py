"""What every part of the case library works with."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import NotFound
from backend.events import EventBus
from backend.people import PeopleService
from backend.reporting import ReportService
from backend.security.audit import AuditLog
from backend.security.policy import Actor
from backend.teaching_cases.rules import CaseState, QuestionText
from backend.teaching_cases.tables import TeachingCase, TeachingQuestion
from backend.teaching_cases.views import Content, Published, Question
from backend.timers import Timers

NO_SUCH_CASE = "没有找到这个病例，可能已经撤下来了。"


class LibraryDesk:
    """Base of the parts of `TeachingCaseService`; none of its methods is public."""

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
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._reports = reports

    async def _case(self, session: AsyncSession, case_id: str, *, lock: bool = False) -> TeachingCase:
        row = await session.get(TeachingCase, case_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(NO_SUCH_CASE)
        return row

    async def _published(self, session: AsyncSession, case_id: str) -> TeachingCase:
        row = await self._case(session, case_id)
        if row.state is not CaseState.PUBLISHED:
            raise NotFound(NO_SUCH_CASE)
        return row

    async def _questions(self, session: AsyncSession, case_id: str) -> list[TeachingQuestion]:
        query = select(TeachingQuestion).where(TeachingQuestion.case_id == case_id, TeachingQuestion.active)
        return list(await session.scalars(query.order_by(TeachingQuestion.position, TeachingQuestion.id)))

    async def _record(self, session: AsyncSession, actor: Actor, action: str, row: TeachingCase) -> None:
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=f"teaching_case:{row.id}")

    async def _publish(self, session: AsyncSession, type_: str, actor: Actor, row: TeachingCase) -> None:
        await self._events.publish(
            session,
            type_,
            case_id=row.id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            proposed_by=row.proposed_by,
            actor_id=actor.person_id,
        )


def question_view(row: TeachingQuestion) -> Question:
    """Show a question."""
    text = QuestionText(row.stem, tuple(row.options), row.right_option, row.explanation, row.source)
    return Question(row.id, text)


def published_view(row: TeachingCase, questions: Sequence[TeachingQuestion] = ()) -> Published:
    """Show a published case."""
    if row.published_at is None:
        raise NotFound(NO_SUCH_CASE)
    return Published(
        row.id,
        row.department_code,
        row.published_at,
        Content.from_json(row.content),
        tuple(map(question_view, questions)),
    )
