"""The media processes: which of them live, how loaded they are, and which one carries a room."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import DomainError
from backend.video.desk import VideoDesk
from backend.video.tables import MediaNode, NodeState, VideoRoom

DEAD_AFTER = timedelta(seconds=4)
"""A process that has not been heard for so long carries nothing any more; it speaks each second."""


class RoomBusy(DomainError):
    """No media process can take the room now."""

    code = "room_busy"
    sentence = "视频会诊室现在人多，正在为您排队，请稍等，不用退出。"


@dataclass(frozen=True)
class NodeReport:
    """How a media process is.

    Args:
        id: fresh at each start of the process.
        url: where pages reach its WebSocket.
        capacity: rooms that it may carry; none while it takes no more.
        cpu: share of one core that it uses (0–1 and more). loop_lag: seconds by which its event loop is late.
    """

    id: str
    region: str
    url: str
    state: NodeState
    capacity: int
    rooms: int
    people: int
    cpu: float
    loop_lag: float


class Nodes(VideoDesk):
    """Which process carries which room."""

    async def report_node(self, report: NodeReport) -> list[str]:
        """Write down that a media process lives; give the consultations pinned to it whose rooms are to be closed."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get(MediaNode, report.id)
            if row is None:
                session.add(MediaNode(**vars(report), started_at=now, seen_at=now))
            else:
                for name, value in vars(report).items():
                    setattr(row, name, value)
                row.seen_at = now
            over = select(VideoRoom.consultation_id).where(
                VideoRoom.node_id == report.id, VideoRoom.closed_at.is_not(None)
            )
            return list(await session.scalars(over))

    async def forget_node(self, node_id: str) -> None:
        """A media process has ended by itself; its rooms, if any are left, may be taken by another at once."""
        async with self._database.transaction() as session:
            row = await session.get(MediaNode, node_id)
            if row is not None:
                await session.delete(row)

    # inside

    async def _pin(self, session: AsyncSession, room: VideoRoom, region: str) -> MediaNode:
        """Give the process that carries `room`: the one that it is pinned to while that lives, else the least loaded
        living one, in `region` where there is one, to which it is pinned from now on.

        Raises:
            RoomBusy: none can take it.
        """
        now = self._clock.now()
        alive = (await session.scalars(select(MediaNode).where(MediaNode.seen_at > now - DEAD_AFTER))).all()
        pinned = next((node for node in alive if node.id == room.node_id), None)
        if pinned is not None:
            return pinned
        free = [node for node in alive if node.state is NodeState.SERVING and node.rooms < node.capacity]
        if not free:
            raise RoomBusy
        best = min(free, key=lambda node: (node.region != region, node.rooms / node.capacity, node.id))
        room.node_id, room.pinned_at = best.id, now
        return best
