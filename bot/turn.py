"""One turn: a message taken over, answered by the dialogue, and all that it changed, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database
from backend.errors import InvalidInput
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft, OutboxItem, Touch
from backend.messaging.service import Answered, Behind, MessagingService, Opened
from backend.photographs import CleanPicture
from bot.delivery import rules
from bot.delivery.sender import CHANNEL, Sender
from bot.dialogue import ConversationState
from bot.incoming import Incoming, Kind
from bot.messages import Message, Text, from_json, to_json
from bot.pictures import PictureFetcher
from bot.turns import Behind as MustWait
from bot.turns import Job, Reply, TurnSettings
from bot.wechat.replies import can_be_passive
from bot.wechat.settings import WechatSettings

SORRY = Text("抱歉，刚才没有处理好，请再发一次。")


class Responder(Protocol):
    """What answers: `bot.dialogue.Dialogue`."""

    async def prepare(self, incoming: Incoming) -> None:
        """Do, before the transaction begins, what answering would have to wait for."""

    async def respond(self, incoming: Incoming, state: ConversationState) -> list[Message]:
        """Answer `incoming`, changing `state`."""


class Files(Protocol):
    """What a turn needs of `backend.files`."""

    async def put_picture(self, picture: CleanPicture, owner: str, own_of: str | None = None) -> str:
        """Keep a picture under the key of whose own it is, and give its identifier."""


Followed = Callable[[str], Awaitable[None]]
"""Hears, inside the transaction of the turn, that a person has followed."""


class TurnPerformer:
    """Does turns: the only place where what comes in, what it changes and what is said are committed together."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        messaging: MessagingService,
        outbox: OutboxService,
        sender: Sender,
        dialogue: Responder,
        pictures: PictureFetcher,
        wechat: WechatSettings,
        settings: TurnSettings,
        files: Files | None = None,
        followed: Followed | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._messaging = messaging
        self._outbox = outbox
        self._sender = sender
        self._dialogue = dialogue
        self._pictures = pictures
        self._wechat = wechat
        self._settings = settings
        self._files = files
        self._followed = followed

    async def perform(self, job: Job) -> Reply:
        """Do the turn of `job`.

        Raises:
            bot.turns.Behind: earlier messages of the person wait, or the picture cannot be had just now.
        """
        if job.arrival.media_id and job.picture is None:
            job.picture = await self._pictures.fetch(job)
        if not job.prepared:
            job.prepared = True  # a turn that is tried again does not wait again
            await self._dialogue.prepare(job.arrival.incoming)
        return await self._turn(job, apology=False)

    async def apologise(self, job: Job) -> Reply:
        """Take the message of `job` over with an apology; the conversation stands where it stood."""
        return await self._turn(job, apology=True)

    async def _turn(self, job: Job, *, apology: bool) -> Reply:
        deferred_id = job.deferred.id if job.deferred is not None else 0
        arrival = job.arrival
        async with self._database.transaction() as session:
            if deferred_id and not await self._messaging.claim_deferred(session, deferred_id):
                return Reply(arrival.key, {})
            opened = await self._messaging.open(
                session, CHANNEL, arrival.openid, arrival.key, arrival.touch, deferred_id=deferred_id
            )
            if isinstance(opened, Answered):
                return Reply(arrival.key, opened.answer)
            if isinstance(opened, Behind):
                raise MustWait
            state = ConversationState.from_json(opened.state)
            said: list[Message] = [SORRY] if apology else await self._respond(job, opened, state)
            if self._followed is not None and arrival.incoming.kind is Kind.FOLLOW:
                await self._followed(opened.contact.person_id)
            reply = await self._say(session, job, opened, said)
            await self._messaging.finish(
                session, opened, arrival.key, state.to_json(), reply.answer, deferred_id=deferred_id
            )
            job.committing = True
        self._take_in_hand(reply)
        return reply

    async def _respond(self, job: Job, opened: Opened, state: ConversationState) -> list[Message]:
        incoming = replace(job.arrival.incoming, person_id=opened.contact.person_id)
        if incoming.kind is Kind.IMAGE:
            if isinstance(job.picture, InvalidInput):
                return [Text(job.picture.sentence)]
            if job.picture is None or self._files is None:  # WeChat does not give it any more
                incoming = replace(incoming, kind=Kind.OTHER)
            else:
                file_id = await self._files.put_picture(job.picture, incoming.person_id, own_of=incoming.person_id)
                incoming = replace(incoming, file_id=file_id)
        return await self._dialogue.respond(incoming, state)

    async def _say(self, session: AsyncSession, job: Job, opened: Opened, said: list[Message]) -> Reply:
        """Put what is said into the outbox: the first as the direct answer where that is possible, the rest pushed."""
        if job.arrival.touch is Touch.LEFT:  # whoever has left hears nothing
            return Reply(job.arrival.key, {}, opened.contact)
        messages = [piece for message in said for piece in rules.fit(message, self._wechat.text_bytes)]
        messages += await self._what_waited(session, opened, len(messages))
        person_id = opened.contact.person_id
        ours = self._sender.has_all(person_id, opened.pending)
        direct = bool(
            messages
            and job.deferred is None
            and ours
            and self._sender.is_idle(person_id)
            and can_be_passive(messages[0], self._wechat.text_bytes)
        )
        drafts = [Draft(to_json(message)) for message in messages]
        answer: dict[str, Any] = {}
        if direct:
            answer = {"message": drafts[0].content, "at": int(self._clock.now().timestamp())}
            drafts[0] = replace(drafts[0], answers=job.arrival.key)
        # Behind rows of another process these wait in the table, for whoever takes those.
        lease = self._settings.answer_wait if ours else self._settings.answer_wait * 0
        items = await self._outbox.put(session, person_id, drafts, lease=lease)
        if not ours:
            items = []
        return Reply(job.arrival.key, answer, opened.contact, items[0] if direct else None, items[1 if direct else 0 :])

    async def _what_waited(self, session: AsyncSession, opened: Opened, before: int) -> list[Message]:
        """Give what waited for this person, in as many messages as may be pushed after `before` others."""
        if not opened.held:
            return []
        # The first of all goes as the direct answer and costs nothing, but it need not be one that can.
        available = rules.room(opened.contact.reach, self._clock.now(), self._wechat) - before
        held = await self._outbox.held(session, opened.contact.person_id)
        now = self._clock.now()
        wanted = [item for item in held if item.expires_at is None or item.expires_at > now]
        shown = rules.digest([from_json(item.content) for item in wanted], available, self._wechat.text_bytes)
        if shown or not wanted:
            await self._outbox.drop(session, [item.id for item in held])
        return shown

    def _take_in_hand(self, reply: Reply) -> None:
        direct: list[OutboxItem] = [reply.direct] if reply.direct is not None else []
        self._sender.expect([*direct, *reply.pushed])
