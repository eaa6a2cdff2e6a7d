"""The three-way conversation of a consultation, and which one a person's free text goes to."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.desk import role_in, speaker
from backend.consultation.reading import Reading
from backend.consultation.rules import Status, Step, require_text
from backend.consultation.tables import Consultation, Focus, MessageRow
from backend.consultation.views import MessageView
from backend.errors import InvalidInput, NotFound
from backend.security.policy import Action, Actor

_KINDS = ("text", "image", "voice")
_LONGEST_MESSAGE = 5000
_LONGEST_PAGE = 100
_MOST_RUNNING = 50


class Thread(Reading):
    """Messages between patient, doctor and expert while the consultation is held."""

    async def post(
        self, actor: Actor, consultation_id: str, *, kind: str = "text", text: str = "", file_id: str = ""
    ) -> MessageView:
        """Say something to the other two.

        Args:
            kind: text; image, with `file_id`; or voice, with its transcript as `text`, with `file_id`, or both.
            text: at most 5 000 characters.

        Raises:
            IllegalMove: the consultation is not being held. NotFound: no such file, or it is somebody else's.
            InvalidInput: nothing to say, or another kind.
        """
        if kind not in _KINDS:
            raise InvalidInput("会诊里可以发文字、图片和语音。", kind=kind[:16])
        if kind == "image" and not file_id:
            raise InvalidInput("图片没有收到，请重新发送。")
        said = require_text(text, "消息", longest=_LONGEST_MESSAGE, required=not file_id)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_POST, Step.POST)
            if file_id:
                await self._take_file(session, actor, case, file_id)
            row = MessageRow(
                consultation_id=case.id,
                sender_id=actor.person_id,
                sender_role=role_in(actor, case).value,
                kind=kind,
                text=said,
                file_id=file_id,
                sent_at=self._clock.now(),
            )
            session.add(row)
            await session.flush()
            await self._publish(session, case, "message.posted", message_id=row.id, sender_id=actor.person_id)
            return (await self._message_views([row]))[0]

    async def messages(self, actor: Actor, consultation_id: str, after: int = 0, limit: int = 50) -> list[MessageView]:
        """Give the messages after the one with the identifier `after`, the oldest first; at most 100."""
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            rows = await session.scalars(
                select(MessageRow)
                .where(MessageRow.consultation_id == case.id, MessageRow.id > after)
                .order_by(MessageRow.id)
                .limit(min(max(limit, 1), _LONGEST_PAGE))
            )
            return await self._message_views(list(rows))

    async def message(self, actor: Actor, consultation_id: str, message_id: int) -> MessageView:
        """Give one message."""
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            row = await session.get(MessageRow, message_id)
            if row is None or row.consultation_id != case.id:
                raise NotFound("没有找到这条消息。")
            return (await self._message_views([row]))[0]

    async def focus(self, actor: Actor) -> str | None:
        """Give the running consultation that the actor's free text goes to: the one they chose while it runs, else the
        one that began last; None where none runs."""
        async with self._database.reading() as session:
            chosen = await session.get(Focus, actor.person_id)
            if chosen is not None and await self._runs_for(session, actor, chosen.consultation_id):
                return chosen.consultation_id
            return await self._latest_running(session, actor)

    async def set_focus(self, actor: Actor, consultation_id: str) -> None:
        """Let the actor's free text go to this consultation.

        Raises:
            IllegalMove: it is not being held.
        """
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_FOCUS, Step.POST)
            chosen = await session.get(Focus, actor.person_id)
            if chosen is None:
                session.add(Focus(person_id=actor.person_id, consultation_id=case.id))
            else:
                chosen.consultation_id = case.id

    async def _runs_for(self, session: AsyncSession, actor: Actor, consultation_id: str) -> bool:
        case = await session.get(Consultation, consultation_id)
        if case is None or case.status is not Status.IN_PROGRESS:
            return False
        mine = {actor.person_id, actor.practitioner_id} - {None}
        return bool(mine & {case.speaker_id, case.doctor_id, case.expert_id})

    async def _latest_running(self, session: AsyncSession, actor: Actor) -> str | None:
        ways = [Consultation.speaker_id == actor.person_id]
        if actor.practitioner_id is not None:
            ways += [Consultation.doctor_id == actor.practitioner_id, Consultation.expert_id == actor.practitioner_id]
        # A query each, because none of the databases reads three indexes well for one OR.
        running: list[Consultation] = []
        for way in ways:
            query = select(Consultation).where(way, Consultation.status == Status.IN_PROGRESS)
            running += await session.scalars(query.order_by(Consultation.opened_at.desc()).limit(_MOST_RUNNING))
        latest = max(running, key=lambda case: (case.started_at or case.opened_at, case.id), default=None)
        return None if latest is None else latest.id

    async def _message_views(self, rows: list[MessageRow]) -> list[MessageView]:
        # Doctors and experts speak under the name that they practise by, not under what they call themselves in a chat.
        names = await self._people.practitioner_names({row.sender_id for row in rows})
        return [
            MessageView(
                id=row.id,
                consultation_id=row.consultation_id,
                sender_id=row.sender_id,
                sender_role=row.sender_role,
                sender_name=speaker(row.sender_role, names.get(row.sender_id, "")),
                kind=row.kind,
                text=row.text,
                file_id=row.file_id,
                sent_at=row.sent_at,
            )
            for row in rows
        ]
