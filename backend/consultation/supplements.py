"""What the expert asks for in addition (需要补充资料), and the doctor's answer."""

from collections.abc import Sequence

from sqlalchemy import exists, select

from backend.consultation.reading import Reading
from backend.consultation.rules import STAYS, Step, require_text
from backend.consultation.tables import Consultation, Supplement
from backend.consultation.views import ConsultationSummary, SupplementView
from backend.errors import Conflict, InvalidInput
from backend.ids import new_id
from backend.security.policy import Action, Actor, require

_MOST_FILES = 20
_MOST_OPEN = 10
_LONGEST_LIST = 50


class Supplements(Reading):
    """Requests for more, each answered once, the oldest first."""

    async def request_supplement(self, actor: Actor, consultation_id: str, text: str) -> SupplementView:
        """Ask the doctor, as the expert, for what is missing; at most 500 characters.

        Raises:
            Conflict: ten requests wait for an answer already.
        """
        wanted = require_text(text, "需要补充的内容", longest=500)
        async with self._database.transaction() as session:
            action = Action.CONSULTATION_REQUEST_SUPPLEMENT
            case = await self._begin(session, actor, consultation_id, action, Step.REQUEST_SUPPLEMENT)
            waiting = select(Supplement.id).where(
                Supplement.consultation_id == case.id, Supplement.answered_at.is_(None)
            )
            if len((await session.scalars(waiting)).all()) >= _MOST_OPEN:
                raise Conflict("还有很多补充要求没有答复，请先等一等医生。")
            row = Supplement(
                id=new_id(),
                consultation_id=case.id,
                text=wanted,
                requested_at=self._clock.now(),
                file_ids=[],
            )
            session.add(row)
            await self._note(session, actor, case, "supplement_requested", "请基层医生补充资料")
            await self._publish(session, case, "supplement.requested", supplement_id=row.id)
            return _view(row)

    async def answer_supplement(
        self,
        actor: Actor,
        consultation_id: str,
        text: str = "",
        file_ids: Sequence[str] = (),
        *,
        supplement_id: str | None = None,
    ) -> SupplementView:
        """Answer a request with a text (at most 2 000 characters), files, or both.

        Args:
            supplement_id: which request; without it the oldest that waits.

        Raises:
            InvalidInput: neither text nor file. NotFound: no such file. Conflict: nothing waits for an answer.
        """
        answer = require_text(text, "补充说明", longest=2000, required=not file_ids)
        if len(file_ids) > _MOST_FILES:
            raise InvalidInput(f"一次最多补充{_MOST_FILES}个文件。")
        async with self._database.transaction() as session:
            action = Action.CONSULTATION_ANSWER_SUPPLEMENT
            case = await self._begin(session, actor, consultation_id, action, Step.ANSWER_SUPPLEMENT)
            for file_id in file_ids:
                await self._take_file(session, actor, case, file_id)
            query = select(Supplement).where(Supplement.consultation_id == case.id, Supplement.answered_at.is_(None))
            if supplement_id is not None:
                query = query.where(Supplement.id == supplement_id)
            row = await session.scalar(query.order_by(Supplement.requested_at, Supplement.id).limit(1))
            if row is None:
                raise Conflict("现在没有等待补充的要求。")
            row.answer, row.file_ids = answer, list(dict.fromkeys(file_ids))
            row.answered_by, row.answered_at = actor.practitioner_id or actor.person_id, self._clock.now()
            files = f"{len(row.file_ids)}份资料" if row.file_ids else ""
            what = "、".join(part for part in ("文字说明" if answer else "", files) if part)
            await self._note(session, actor, case, "supplement_answered", f"补充了资料：{what}")
            await self._publish(session, case, "supplement.answered", supplement_id=row.id)
            return _view(row)

    async def supplements(self, actor: Actor, consultation_id: str) -> list[SupplementView]:
        """Give all requests and their answers, the oldest first."""
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            rows = await session.scalars(
                select(Supplement)
                .where(Supplement.consultation_id == case.id)
                .order_by(Supplement.requested_at, Supplement.id)
                .limit(100)
            )
            return [_view(row) for row in rows]

    async def waiting_for_supplement(self, actor: Actor, limit: int = 5) -> list[ConsultationSummary]:
        """Give the doctor's consultations in which an expert waits for more, the newest first; at most 50."""
        require(actor, Action.CONSULTATION_LIST, patient_id=actor.person_id, participants=[actor.person_id])
        if actor.practitioner_id is None:
            return []
        waiting = exists().where(Supplement.consultation_id == Consultation.id, Supplement.answered_at.is_(None))
        found: list[Consultation] = []
        async with self._database.reading() as session:
            for status in STAYS[Step.ANSWER_SUPPLEMENT]:  # one query each, so that each reads its index from the end
                query = select(Consultation).where(
                    Consultation.doctor_id == actor.practitioner_id, Consultation.status == status, waiting
                )
                newest = query.order_by(Consultation.opened_at.desc(), Consultation.id.desc())
                found += await session.scalars(newest.limit(min(max(limit, 1), _LONGEST_LIST)))
        found.sort(key=lambda row: (row.opened_at, row.id), reverse=True)
        return await self._summaries(actor, found[:limit])


def _view(row: Supplement) -> SupplementView:
    return SupplementView(row.id, row.text, row.requested_at, row.answer or "", tuple(row.file_ids), row.answered_at)
