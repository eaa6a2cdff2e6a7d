"""Who may enter which room, and when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.meetings import MeetingPerson, MeetingView
from backend.consultation.ranking import describe_time
from backend.consultation.rules import Status
from backend.errors import DomainError, Forbidden, InvalidInput
from backend.events import Event
from backend.security.policy import SYSTEM, Action, Actor
from backend.video import rules
from backend.video.nodes import Nodes
from backend.video.recordings import Recordings
from backend.video.rules import Opening, RoomRole, RoomState
from backend.video.tables import VideoRoom
from backend.video.visits import Visits

CONSUMER = "video"
LARGEST_SNAPSHOT = 2 * 1024 * 1024
"""Bytes of a picture that is kept from a room."""

_LOOKED_AT = 10
MAY_CLOSE = (
    "consultation.completed",
    "consultation.cancelled",
    "consultation.given_back",
    "booking.changed",
    "booking.cancelled",
    "booking.no_show",
)
"""What may end the time of a room."""


class RoomEarly(DomainError):
    """The room is not open yet; `opens_at` tells when it will be, where that is known."""

    code = "room_early"
    sentence = "会诊室还没有开。定好时间后，我会在微信里提前叫您。"


class RoomClosed(DomainError):
    """The room is over."""

    code = "room_closed"
    sentence = "这次视频会诊已经结束，会诊室关了。有事请回公众号里说。"


@dataclass(frozen=True)
class RoomPerson:
    """Somebody as the others in the room see them."""

    person: str
    name: str
    label: str
    role: RoomRole


@dataclass(frozen=True)
class RoomView:
    """A room before somebody enters it, or after.

    Args:
        expected: the others who take part, each with name and label.
        recorded: whether there is something to look at again.
    """

    consultation_id: str
    number: str
    opening: Opening
    you: RoomPerson
    expected: tuple[tuple[str, str], ...]
    recorded: bool


@dataclass(frozen=True)
class RoomAdmission:
    """What lets somebody in.

    Args:
        admitted: a guest who was let in before need not wait again.
        until: when they are sent home at the latest.
        node_id, url: the media process that carries the room, and where its WebSocket is.
    """

    room: str
    person: RoomPerson
    admitted: bool
    until: datetime
    node_id: str
    url: str


class Rooms(Visits, Recordings, Nodes):
    """Rooms as those see them who want to enter."""

    async def room(self, actor: Actor, consultation_id: str) -> RoomView:
        """Show the room of a consultation to one of those who meet there."""
        found = await self._consultations.meeting(actor, consultation_id, Action.VIDEO_ENTER)
        others = [one for one in found.people if one.person_id != actor.person_id and one.role is not found.you.role]
        async with self._database.reading() as session:
            recorded = await self._was_recorded(session, consultation_id)
        return RoomView(
            consultation_id=found.id,
            number=found.number,
            opening=self._opening(found),
            you=_shown(found.you),
            expected=tuple((one.name, rules.LABELS[one.role]) for one in others),
            recorded=recorded,
        )

    async def door(self, actor: Actor, consultation_id: str) -> RoomView:
        """Show a room that is open now.

        Raises:
            RoomEarly, RoomClosed: it is not.
        """
        view = await self.room(actor, consultation_id)
        self._require_open(view.opening)
        return view

    async def open_rooms(self, actor: Actor) -> list[RoomView]:
        """Give the rooms that are open to one of those who meet there, of their latest consultations."""
        found: dict[str, RoomView] = {}
        for role in rules.ROOM_ROLES:
            for status in (Status.IN_PROGRESS, Status.ASSIGNED):
                if role in actor.roles:
                    cases = await self._consultations.list_for(actor, status=status, role=role, limit=_LOOKED_AT)
                    found |= {case.id: await self.room(actor, case.id) for case in cases}
        return [view for view in found.values() if view.opening.state is RoomState.OPEN]

    async def enter(self, actor: Actor, consultation_id: str) -> RoomAdmission:
        """Let somebody into the room of a consultation, and say which media process carries it.

        Raises:
            NotFound, Forbidden: it is none of the actor's business. ConsentRequired: the patient has not agreed.
            RoomEarly, RoomClosed: not now. RoomBusy: no process can take it.
        """
        async with self._database.transaction() as session:
            found = await self._consultations.meeting(actor, consultation_id, Action.VIDEO_ENTER)
            opening = self._opening(found)
            self._require_open(opening)
            found.require_consent()
            room = await self._room(session, consultation_id)
            before = room.node_id
            node = await self._pin(session, room, found.region)
            if before != node.id:
                await self._close_lost(session, consultation_id)
                await self._close_recordings(session, consultation_id)
            you = _shown(found.you)
            admitted = you.role is RoomRole.GUEST and await self._was_admitted(session, consultation_id, you.person)
            assert opening.until is not None  # noqa: S101  # of every room that is open
            return RoomAdmission(consultation_id, you, admitted, opening.until, node.id, node.url)

    async def keep_snapshot(self, actor: Actor, consultation_id: str, jpeg: bytes) -> str:
        """Keep a picture from the room among the consultation's material and give the attachment's identifier.

        Raises:
            Forbidden: only doctors and experts may. RoomEarly, RoomClosed: nobody can be in the room now.
            InvalidInput: no JPEG, or more than 2 MiB.
        """
        if len(jpeg) > LARGEST_SNAPSHOT:
            raise InvalidInput("截图太大了，最大2MB。", limit=LARGEST_SNAPSHOT)
        found = await self._consultations.meeting(actor, consultation_id, Action.VIDEO_ENTER)
        self._require_open(self._opening(found))
        if rules.ROOM_ROLES[found.you.role] is not RoomRole.HOST:
            raise Forbidden("视频截图只能由医生或专家来存。")
        picture = await self._files.clean(jpeg, "image/jpeg")
        async with self._database.transaction():
            file_id = await self._files.put_picture(picture, actor.person_id)
            return (await self._consultations.attach(actor, consultation_id, file_id, "视频截图")).id

    # inside

    def _opening(self, found: MeetingView) -> Opening:
        return rules.opening(found.status, found.booking, found.started_at, self._clock.now())

    def _require_open(self, opening: Opening) -> None:
        if opening.state is RoomState.CLOSED:
            raise RoomClosed
        if opening.state is RoomState.EARLY:
            if opening.opens_at is None:
                raise RoomEarly
            when = describe_time(opening.opens_at, self._clock.now())
            raise RoomEarly(f"会诊室{when}开门，到时候再点进来就行。", opens_at=opening.opens_at)

    async def _room(self, session: AsyncSession, consultation_id: str) -> VideoRoom:
        """Give the row of an open room, locked: two who come at once are led to the same process."""
        query = select(VideoRoom).where(VideoRoom.consultation_id == consultation_id)
        query = query.with_for_update().execution_options(populate_existing=True)
        room = await session.scalar(query)
        if room is None:
            try:
                async with session.begin_nested():
                    session.add(VideoRoom(consultation_id=consultation_id, opened_at=self._clock.now()))
            except IntegrityError:
                pass  # somebody else came at this moment
            room = (await session.scalars(query)).one()
        if room.closed_at is not None:  # it opens again: a case that was given back has a new expert and a new time
            room.opened_at, room.closed_at, room.node_id = self._clock.now(), None, None
        return room

    async def _on_case_changed(self, event: Event) -> None:
        """Close the room of a case whose time is over; the process that carries it hears of it within a second."""
        async with self._database.transaction() as session:
            consultation_id = event.payload["consultation_id"]
            room = await session.get(VideoRoom, consultation_id, with_for_update=True)
            if room is None or room.closed_at is not None:
                return
            found = await self._consultations.meeting(SYSTEM, consultation_id, Action.CONSULTATION_VIEW)
            if self._opening(found).state is RoomState.OPEN:
                return
            room.closed_at = self._clock.now()
            await self._end_if_empty(session, room)


def _shown(person: MeetingPerson) -> RoomPerson:
    return RoomPerson(person.person_id or "", person.name, rules.LABELS[person.role], rules.ROOM_ROLES[person.role])
