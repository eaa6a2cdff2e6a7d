"""Who came into a room and when they went, as the media processes tell it, and what is made of that at the end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import Status
from backend.security.policy import SYSTEM, Action, Role
from backend.video import rules
from backend.video.desk import VideoDesk
from backend.video.nodes import silence
from backend.video.rules import Stay
from backend.video.tables import Recording, RoomVisit, VideoRoom

EMPTY_TIMER = "video.empty"
EMPTY_FOR = timedelta(minutes=2)
"""How long a room stands empty until its meeting counts as over."""

_COMES, _ENTERS, _GOES = "waiting", ("joined", "admitted"), ("left", "refused")


class Visits(VideoDesk):
    """What happened in the rooms."""

    async def happened(self, kind: str, consultation_id: str, person_id: str, at: datetime, node_id: str) -> None:
        """Take over what a media process tells of a room.

        A process tells in order, each moment later than the one before; what it tells again, or too late, changes
        nothing. What is none of the visits' (recordings) is passed over.

        Args:
            kind: waiting, joined, admitted, left or refused.
            node_id: the process; what one tells says nothing of somebody's stay at another.
        """
        if kind not in (_COMES, *_ENTERS, *_GOES):
            return
        async with self._database.transaction() as session:
            room = await session.get(VideoRoom, consultation_id, with_for_update=True)
            if room is None:
                return
            visits = await self._visits(session, consultation_id, person_id=person_id, node_id=node_id)
            if at <= max((_latest(visit) for visit in visits), default=datetime.min.replace(tzinfo=at.tzinfo)):
                return
            present = next((visit for visit in visits if visit.left_at is None), None)
            if kind in _GOES:
                if present is not None:
                    await self._goes(session, room, present, at)
                return
            if present is None:
                present = await self._comes(session, room, person_id, at, node_id)
            if kind == _COMES:
                await self._tell(session, room, present, "room.waiting")
            elif present.entered_at is None:
                await self._enters(session, room, present, at)

    async def _comes(
        self, session: AsyncSession, room: VideoRoom, person_id: str, at: datetime, node_id: str
    ) -> RoomVisit:
        role = await self._role(person_id, room.consultation_id)
        visit = RoomVisit(
            consultation_id=room.consultation_id, person_id=person_id, role=role, came_at=at, node_id=node_id
        )
        session.add(visit)
        await session.flush()
        return visit

    async def _enters(self, session: AsyncSession, room: VideoRoom, visit: RoomVisit, at: datetime) -> None:
        visit.entered_at = at
        await self._timers.cancel(session, EMPTY_TIMER, room.consultation_id)
        await self._tell(session, room, visit, "room.joined")
        await session.flush()
        await self._begin_consultation(session, room)

    async def _begin_consultation(self, session: AsyncSession, room: VideoRoom) -> None:
        """Where expert and patient are together the consultation has begun, whether the expert has said so or not."""
        found = await self._consultations.meeting(SYSTEM, room.consultation_id, Action.CONSULTATION_VIEW)
        person = {one.role: one.person_id for one in found.people}
        expert = person.get(Role.EXPERT)
        inside = await self._inside(session, room.consultation_id)
        if found.status is Status.ASSIGNED and expert is not None and {expert, person[Role.PATIENT]} <= set(inside):
            await self._consultations.start(await self._people.actor(expert), room.consultation_id)

    async def _goes(self, session: AsyncSession, room: VideoRoom, visit: RoomVisit, at: datetime) -> None:
        visit.left_at = at
        await self._tell(session, room, visit, "room.left")
        if await self._inside(session, room.consultation_id):
            return
        if room.closed_at is not None:
            await self._end(session, room)
        elif visit.entered_at is not None:
            await self._look_again(session, room)

    async def _role(self, person_id: str, consultation_id: str) -> Role:
        """Whoever was let in and is neither patient nor expert came as the doctor, or stands in for them."""
        found = await self._consultations.meeting(SYSTEM, consultation_id, Action.CONSULTATION_VIEW)
        return next((one.role for one in found.people if one.person_id == person_id), Role.GRASSROOTS_DOCTOR)

    async def _tell(self, session: AsyncSession, room: VideoRoom, visit: RoomVisit, type_: str) -> None:
        """Publish what happened. `meeting` tells the meetings of one case apart."""
        await self._consultations.publish_meeting(
            session,
            room.consultation_id,
            type_,
            actor_id=visit.person_id,
            role=visit.role.value,
            meeting=_meeting(room),
        )

    # the end

    async def _look_again(self, session: AsyncSession, room: VideoRoom) -> None:
        due_at = self._clock.now() + EMPTY_FOR
        case = room.consultation_id
        await self._timers.set(session, EMPTY_TIMER, case, due_at, consultation_id=case)

    async def _on_empty(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            room = await session.get_one(VideoRoom, payload["consultation_id"], with_for_update=True)
            await self._end_if_empty(session, room)

    async def _end_if_empty(self, session: AsyncSession, room: VideoRoom) -> None:
        """End the meeting where nobody is inside; who is inside a closed room is sent home just now, or was carried by
        a process that dies just now."""
        await self._close_lost(session, room.consultation_id)
        if not await self._inside(session, room.consultation_id):
            await self._end(session, room)
        elif room.closed_at is not None:
            await self._look_again(session, room)

    async def _end(self, session: AsyncSession, room: VideoRoom) -> None:
        """The meeting is over: its line goes into the timeline, and its people hear of it."""
        await self._timers.cancel(session, EMPTY_TIMER, room.consultation_id)
        visits = await self._visits(session, room.consultation_id)
        held = rules.attendance(
            Stay(visit.role, visit.entered_at, visit.left_at)
            for visit in visits
            if visit.entered_at is not None and visit.left_at is not None
            if room.ended_at is None or visit.entered_at > room.ended_at
        )
        if held is None:
            return
        meeting, room.ended_at = _meeting(room), held.ends
        await self._consultations.note_meeting(room.consultation_id, held.sentence())
        await self._consultations.publish_meeting(
            session,
            room.consultation_id,
            "room.ended",
            meeting=meeting,
            met=held.met,
            minutes=held.minutes,
            recorded=await self._was_recorded(session, room.consultation_id, since=held.begins),
        )

    async def _was_recorded(self, session: AsyncSession, consultation_id: str, since: datetime | None = None) -> bool:
        query = select(Recording.id).where(Recording.consultation_id == consultation_id)
        if since is not None:
            query = query.where(Recording.started_at >= since)
        return await session.scalar(query.limit(1)) is not None

    async def _close_lost(self, session: AsyncSession, consultation_id: str) -> None:
        """Close the stays at processes that are gone: nobody is there since they were last heard."""
        lost = [visit for visit in await self._visits(session, consultation_id) if visit.left_at is None]
        for visit in lost:
            silent_for = await silence(session, visit.node_id)
            if silent_for is not None:
                visit.left_at = max(self._clock.now() - silent_for, _latest(visit))

    # reading

    async def people_inside(self, consultation_id: str) -> list[str]:
        """Give the persons who are in the room of a consultation now."""
        async with self._database.reading() as session:
            return await self._inside(session, consultation_id)

    async def _visits(
        self,
        session: AsyncSession,
        consultation_id: str,
        *,
        person_id: str | None = None,
        node_id: str | None = None,
    ) -> Sequence[RoomVisit]:
        query = select(RoomVisit).where(RoomVisit.consultation_id == consultation_id)
        if person_id is not None:
            query = query.where(RoomVisit.person_id == person_id)
        if node_id is not None:
            query = query.where(RoomVisit.node_id == node_id)
        return (await session.scalars(query.order_by(RoomVisit.id))).all()

    async def _inside(self, session: AsyncSession, consultation_id: str) -> list[str]:
        """Give the persons who are inside now."""
        query = select(RoomVisit.person_id).where(
            RoomVisit.consultation_id == consultation_id,
            RoomVisit.entered_at.is_not(None),
            RoomVisit.left_at.is_(None),
        )
        return sorted(set(await session.scalars(query)))

    async def _was_admitted(self, session: AsyncSession, consultation_id: str, person_id: str) -> bool:
        query = select(RoomVisit.id).where(
            RoomVisit.consultation_id == consultation_id,
            RoomVisit.person_id == person_id,
            RoomVisit.entered_at.is_not(None),
        )
        return await session.scalar(query.limit(1)) is not None


def _latest(visit: RoomVisit) -> datetime:
    return max(moment for moment in (visit.came_at, visit.entered_at, visit.left_at) if moment is not None)


def _meeting(room: VideoRoom) -> str:
    return room.ended_at.isoformat() if room.ended_at is not None else "first"
