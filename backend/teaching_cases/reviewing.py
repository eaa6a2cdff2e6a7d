"""Review: a person reads the draft, puts it right, publishes or rejects it; what is published can be withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.errors import Conflict, ConsentRequired, IllegalMove, InvalidInput
from backend.ids import new_id
from backend.people import ConsentKind
from backend.security.policy import Action, Actor, require
from backend.teaching_cases.desk import LibraryDesk, question_view
from backend.teaching_cases.rules import (
    LONGEST_TITLE,
    MOST_QUESTIONS,
    CaseState,
    QuestionText,
    Tag,
    checked_codes,
    checked_question,
    checked_sections,
    next_monday_noon,
    week_of,
)
from backend.teaching_cases.searching import forget_terms, index
from backend.teaching_cases.tables import TeachingCase, TeachingQuestion
from backend.teaching_cases.views import Content, Reviewed, ReviewedPage, Taken
from backend.timers import Timers

WEEK_TIMER = "teaching_cases.week"
_CHANGED = "这份病例刚在别的地方改过，请重新打开再改。"
_LONGEST_REASON = 500
_LONGEST_PAGE = 50


async def set_week_timer(session: AsyncSession, timers: Timers, now: datetime) -> None:
    """Let the next Monday noon be heard of. A week has its own timer, so that a late one is not moved on."""
    due_at = next_monday_noon(now)
    await timers.set(session, WEEK_TIMER, week_of(due_at), due_at)


class Reviewing(LibraryDesk):
    """The part of `TeachingCaseService` for reviewers.

    Events: `teaching_case.published`, `teaching_case.rejected`, `teaching_case.withdrawn`.

    Raises (all methods):
        Forbidden: the actor is no administrator of the platform. NotFound: there is no such case.
        Conflict: the case changed after `revision` was read.
    """

    async def cases(
        self, actor: Actor, *, state: CaseState | None = None, limit: int = 20, cursor: str = ""
    ) -> ReviewedPage:
        """List recommended cases, the latest first, without what was taken out of them."""
        require(actor, Action.TEACHING_REVIEW)
        limit = min(limit, _LONGEST_PAGE)
        query = select(TeachingCase).order_by(TeachingCase.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(TeachingCase.state == state)
        if cursor:
            query = query.where(TeachingCase.id < cursor)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
            items = [await self._reviewed(session, row, with_taken=False) for row in rows[:limit]]
        return ReviewedPage(tuple(items), items[-1].id if len(rows) > limit else "")

    async def review(self, actor: Actor, case_id: str) -> Reviewed:
        """Give a case with what was taken out of it; the read is audited."""
        require(actor, Action.TEACHING_REVIEW)
        async with self._database.transaction() as session:
            row = await self._case(session, case_id)
            await self._record(session, actor, Action.TEACHING_REVIEW, row)
            return await self._reviewed(session, row)

    async def edit(
        self,
        actor: Actor,
        case_id: str,
        *,
        revision: int,
        title: str,
        sections: Mapping[str, str],
        codes: Sequence[str],
        tags: Sequence[Tag],
        questions: Sequence[QuestionText],
    ) -> Reviewed:
        """Change a draft as a whole.

        Raises:
            IllegalMove: it is no draft. InvalidInput: a text, code or question is none.
        """
        checked = [checked_question(one) for one in questions]
        if len(set(checked)) < len(checked):
            raise InvalidInput("有两道题一模一样，请改一道。")
        if len(checked) > MOST_QUESTIONS:
            raise InvalidInput(f"一个病例最多{MOST_QUESTIONS}道题。")
        name = require_text(title, "标题", longest=LONGEST_TITLE)
        parts, icd10 = checked_sections(sections), checked_codes(codes)
        async with self._database.transaction() as session:
            row = await self._in(session, actor, case_id, revision, CaseState.DRAFT)
            held = Content.from_json(row.content)
            row.content = Content(name, parts, icd10, tuple(dict.fromkeys(tags)), held.signs).to_json()
            await self._keep_questions(session, row, checked)
            return await self._reviewed(session, row)

    async def publish(self, actor: Actor, case_id: str, *, revision: int) -> Reviewed:
        """Put a draft into the library; what was taken out of it is thrown away.

        Raises:
            IllegalMove: it is no draft. ConsentRequired: the patient does not agree any more.
        """
        async with self._database.transaction() as session:
            row = await self._in(session, actor, case_id, revision, CaseState.DRAFT)
            if not await self._people.has_consent(row.patient_id, ConsentKind.CASES):
                raise ConsentRequired("患者没有同意用于教学，不能发布。")
            now = self._clock.now()
            row.state, row.published_at, row.removed = CaseState.PUBLISHED, now, []
            await index(session, row)
            await set_week_timer(session, self._timers, now)
            await self._publish(session, "teaching_case.published", actor, row)
            return await self._reviewed(session, row)

    async def reject(self, actor: Actor, case_id: str, *, revision: int, reason: str) -> Reviewed:
        """Leave a draft out of the library and throw its text away. Raises IllegalMove where it is no draft."""
        said = require_text(reason, "理由", longest=_LONGEST_REASON)
        async with self._database.transaction() as session:
            row = await self._in(session, actor, case_id, revision, CaseState.DRAFT)
            row.state, row.decision_reason, row.content, row.removed = CaseState.REJECTED, said, {}, []
            await self._publish(session, "teaching_case.rejected", actor, row)
            return await self._reviewed(session, row)

    async def withdraw(self, actor: Actor, case_id: str, *, revision: int, reason: str) -> Reviewed:
        """Take a published case out of the library at once. Raises IllegalMove where it is not published."""
        said = require_text(reason, "理由", longest=_LONGEST_REASON)
        async with self._database.transaction() as session:
            row = await self._in(session, actor, case_id, revision, CaseState.PUBLISHED)
            row.state, row.decision_reason, row.published_at = CaseState.WITHDRAWN, said, None
            await forget_terms(session, row)
            await self._publish(session, "teaching_case.withdrawn", actor, row)
            return await self._reviewed(session, row)

    async def reopen(self, actor: Actor, case_id: str, *, revision: int) -> Reviewed:
        """Make a draft of a case again: of a withdrawn one with its text, of a rejected one anew.

        Raises:
            IllegalMove: it is neither. ConsentRequired: the patient does not agree.
        """
        async with self._database.transaction() as session:
            row = await self._in(session, actor, case_id, revision, CaseState.WITHDRAWN, CaseState.REJECTED)
            if not await self._people.has_consent(row.patient_id, ConsentKind.CASES):
                raise ConsentRequired("患者没有同意用于教学，不能再用。")
            row.state = CaseState.DRAFT if row.content else CaseState.QUEUED
            row.decision_reason = ""
            if row.state is CaseState.QUEUED:
                await self._publish(session, "teaching_case.queued", actor, row)
            return await self._reviewed(session, row)

    async def _in(
        self, session: AsyncSession, actor: Actor, case_id: str, revision: int, *states: CaseState
    ) -> TeachingCase:
        """Begin a change of a case that stands in one of these states."""
        require(actor, Action.TEACHING_REVIEW)
        row = await self._case(session, case_id, lock=True)
        if row.revision != revision:
            raise Conflict(_CHANGED, revision=row.revision)
        if row.state not in states:
            raise IllegalMove(f"这份病例现在是“{row.state.label}”，不能这样做。")
        row.revision += 1
        row.reviewed_by = actor.person_id
        await self._record(session, actor, Action.TEACHING_REVIEW, row)
        return row

    async def _keep_questions(self, session: AsyncSession, row: TeachingCase, wanted: Sequence[QuestionText]) -> None:
        """Write the questions anew; one that stays as it was keeps its answers, one that goes keeps them unseen."""
        held = {question_view(one).text: one for one in await self._questions(session, row.id)}
        for text, question in held.items():
            question.active = text in wanted
        for position, text in enumerate(wanted):
            if text in held:
                held[text].position = position
                continue
            session.add(
                TeachingQuestion(
                    id=new_id(),
                    case_id=row.id,
                    position=position,
                    stem=text.stem,
                    options=list(text.options),
                    right_option=text.right,
                    explanation=text.explanation,
                    source=text.source,
                )
            )
        await session.flush()

    async def _reviewed(self, session: AsyncSession, row: TeachingCase, *, with_taken: bool = True) -> Reviewed:
        reference = await self._consultations.reference(row.consultation_id)
        return Reviewed(
            id=row.id,
            number=reference.number if reference is not None else "",
            state=row.state,
            revision=row.revision,
            department_code=row.department_code,
            proposed_at=row.proposed_at,
            proposed_reason=row.proposed_reason,
            published_at=row.published_at,
            decision_reason=row.decision_reason,
            content=Content.from_json(row.content),
            taken=tuple(Taken(**one) for one in row.removed) if with_taken else (),
            questions=tuple(map(question_view, await self._questions(session, row.id))),
        )
