"""Learning: the case of the week, questions and their first answers, and what they bring in a year."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Forbidden, InvalidInput, NotFound
from backend.security.policy import Action, Actor, Role, require
from backend.teaching_cases.desk import NO_SUCH_CASE, LibraryDesk, question_view
from backend.teaching_cases.reviewing import set_week_timer
from backend.teaching_cases.rules import CaseState, points_of, week_of, year_of
from backend.teaching_cases.tables import (
    TeachingAnswer,
    TeachingCase,
    TeachingPick,
    TeachingPreference,
    TeachingQuestion,
)
from backend.teaching_cases.views import Answered, Points, Question

_GENERAL = "general_practice"
_PAGE = 100


class Learning(LibraryDesk):
    """The part of `TeachingCaseService` for those who learn.

    Events: `teaching_case.picked` (week, department_code, case_id).
    """

    async def question(self, actor: Actor, question_id: str) -> tuple[Question, str]:
        """Give a question of a published case, and the case's id. Raises NotFound where it is not there any more."""
        require(actor, Action.TEACHING_READ)
        async with self._database.reading() as session:
            row = await self._question(session, question_id)
            return question_view(row), row.case_id

    async def answer(self, actor: Actor, question_id: str, chosen: int) -> Answered:
        """Answer a question. The first answer counts; a later one is told whether it is right and changes nothing.

        Args:
            chosen: the position of the option, counted from 0.

        Raises:
            Forbidden: the actor neither treats nor is an expert. NotFound: as `question`.
            InvalidInput: there is no such option.
        """
        require(actor, Action.TEACHING_LEARN)
        practitioner_id = _practitioner(actor)
        async with self._database.transaction() as session:
            row = await self._question(session, question_id)
            if not 0 <= chosen < len(row.options):
                raise InvalidInput("没有这个选项，请点题目下面的按钮。")
            is_right = chosen == row.right_option
            first = await session.get(TeachingAnswer, (row.id, practitioner_id))
            is_first = first is None and await self._count(session, row, practitioner_id, chosen, is_right)
            if not is_first:
                first = await session.get(TeachingAnswer, (row.id, practitioner_id))
            points = points_of(is_right) if first is None else first.points
            next_id = await self._next(session, row.case_id, practitioner_id)
            return Answered(question_view(row), row.case_id, chosen, is_right, is_first, points, next_id)

    async def next_question(self, actor: Actor, case_id: str) -> str | None:
        """Give the first question of a case that the actor has not answered; None where there is none."""
        require(actor, Action.TEACHING_LEARN)
        async with self._database.reading() as session:
            await self._published(session, case_id)
            return await self._next(session, case_id, _practitioner(actor))

    async def own_points(self, actor: Actor) -> Points:
        """Give what the actor has learned in the present year."""
        require(actor, Action.TEACHING_LEARN)
        practitioner_id, year = _practitioner(actor), year_of(self._clock.now())
        found = await self._points(year, practitioner_id)
        return found[0] if found else Points(practitioner_id, year, 0, 0, 0)

    async def points(self, actor: Actor, year: int) -> list[Points]:
        """Give everybody's points of a year, the most first, to an administrator; the read is audited."""
        require(actor, Action.TEACHING_REVIEW)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.TEACHING_REVIEW, subject=f"teaching_points:{year}")
        return await self._points(year)

    async def wants_weekly(self, actor: Actor) -> bool:
        """Tell whether the actor gets the case of the week."""
        async with self._database.reading() as session:
            return await self._wants(session, _practitioner(actor))

    async def set_weekly(self, actor: Actor, wanted: bool) -> None:
        """Switch the case of the week on or off for the actor."""
        require(actor, Action.TEACHING_LEARN)
        practitioner_id, now = _practitioner(actor), self._clock.now()
        async with self._database.transaction() as session:
            held = await session.get(TeachingPreference, practitioner_id, with_for_update=True)
            if held is None:
                session.add(TeachingPreference(practitioner_id=practitioner_id, weekly=wanted, changed_at=now))
            else:
                held.weekly, held.changed_at = wanted, now

    async def readers(self, department_code: str) -> list[str]:
        """Give the persons of the township doctors of a department who have joined and want the case of the week."""
        found: list[str] = []
        offset = 0
        async with self._database.reading() as session:
            while page := await self._people.practitioners(
                role=Role.GRASSROOTS_DOCTOR,
                department_code=department_code,
                joined_only=True,
                limit=_PAGE,
                offset=offset,
            ):
                offset += len(page)
                query = select(TeachingPreference.practitioner_id).where(
                    TeachingPreference.practitioner_id.in_([one.id for one in page]),
                    TeachingPreference.weekly.is_(False),
                )
                off = set(await session.scalars(query))
                found += [one.person_id for one in page if one.id not in off and one.person_id is not None]
        return found

    async def _on_week(self, _payload: Mapping[str, Any]) -> None:
        """Pick the case of this week for every department of township doctors, and set the clock for the next."""
        now = self._clock.now()
        week = week_of(now)
        async with self._database.transaction() as session:
            for department_code in await self._departments():
                case_id = await self._pick(session, week, department_code)
                if case_id is not None:
                    await self._events.publish(
                        session, "teaching_case.picked", week=week, department_code=department_code, case_id=case_id
                    )
            await set_week_timer(session, self._timers, now)

    async def _departments(self) -> list[str]:
        codes: set[str] = set()
        offset = 0
        while page := await self._people.practitioners(
            role=Role.GRASSROOTS_DOCTOR, joined_only=True, limit=_PAGE, offset=offset
        ):
            offset += len(page)
            codes |= {one.department_code for one in page}
        return sorted(codes)

    async def _pick(self, session: AsyncSession, week: str, department_code: str) -> str | None:
        if await session.get(TeachingPick, (week, department_code)) is not None:
            return None
        picked = exists().where(
            TeachingPick.case_id == TeachingCase.id, TeachingPick.department_code == department_code
        )
        query = select(TeachingCase.id).where(TeachingCase.state == CaseState.PUBLISHED, ~picked)
        if department_code != _GENERAL:
            query = query.where(TeachingCase.department_code == department_code)
        case_id: str | None = await session.scalar(query.order_by(TeachingCase.published_at, TeachingCase.id).limit(1))
        if case_id is not None:
            session.add(
                TeachingPick(week=week, department_code=department_code, case_id=case_id, picked_at=self._clock.now())
            )
        return case_id

    async def _question(self, session: AsyncSession, question_id: str) -> TeachingQuestion:
        row = await session.get(TeachingQuestion, question_id)
        if row is None or not row.active:
            raise NotFound(NO_SUCH_CASE)
        await self._published(session, row.case_id)
        return row

    async def _count(
        self, session: AsyncSession, row: TeachingQuestion, practitioner_id: str, chosen: int, is_right: bool
    ) -> bool:
        """Write the first answer down; False where there is one already, which a second tap at the same time wrote."""
        now = self._clock.now()
        try:
            async with session.begin_nested():
                session.add(
                    TeachingAnswer(
                        question_id=row.id,
                        practitioner_id=practitioner_id,
                        chosen=chosen,
                        is_right=is_right,
                        points=points_of(is_right),
                        year=year_of(now),
                        answered_at=now,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def _next(self, session: AsyncSession, case_id: str, practitioner_id: str) -> str | None:
        answered = exists().where(
            TeachingAnswer.question_id == TeachingQuestion.id, TeachingAnswer.practitioner_id == practitioner_id
        )
        query = select(TeachingQuestion.id).where(
            TeachingQuestion.case_id == case_id, TeachingQuestion.active, ~answered
        )
        found: str | None = await session.scalar(
            query.order_by(TeachingQuestion.position, TeachingQuestion.id).limit(1)
        )
        return found

    async def _points(self, year: int, practitioner_id: str | None = None) -> list[Points]:
        points = func.sum(TeachingAnswer.points)
        right = func.sum(func.coalesce(TeachingAnswer.is_right, False))
        query = select(TeachingAnswer.practitioner_id, func.count(), right, points).where(TeachingAnswer.year == year)
        if practitioner_id is not None:
            query = query.where(TeachingAnswer.practitioner_id == practitioner_id)
        query = query.group_by(TeachingAnswer.practitioner_id).order_by(points.desc(), TeachingAnswer.practitioner_id)
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        return [Points(one, year, answered, int(good), int(sum_)) for one, answered, good, sum_ in rows]

    async def _wants(self, session: AsyncSession, practitioner_id: str) -> bool:
        held = await session.get(TeachingPreference, practitioner_id)
        return held is None or held.weekly


def _practitioner(actor: Actor) -> str:
    if actor.practitioner_id is None:
        raise Forbidden
    return actor.practitioner_id
