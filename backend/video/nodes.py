"""The media processes: which of them live, how loaded they are, and which one carries a room.

Whether a process lives is told by the database's own clock, which is one for all machines and which no sandbox moves.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import DomainError, NotFound
from backend.security.policy import Action, Actor, require
from backend.video.desk import VideoDesk
from backend.video.tables import MediaNode, NodeState, VideoRoom

DEAD_AFTER = timedelta(seconds=4)
"""A process that has not been heard for so long carries nothing any more; it speaks each second."""

_SETTLED_AFTER = timedelta(seconds=5)
"""Until then a room that was pinned somewhere is on its way there, and counts although nobody is in it yet."""

_FORGOTTEN_AFTER = timedelta(days=1)


class RoomBusy(DomainError):
    """No media process can take the room now."""

    code = "room_busy"
    sentence = "视频会诊室现在人多，正在为您排队，请稍等，不用退出。"


@dataclass(frozen=True)
class NodeReport:
    """How a media process is.

    Args:
        id: fresh at each start of the process.
        region: the beginning of the names of the regions that it is near to, such as 青岚县; empty: of all.
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


@dataclass(frozen=True)
class NodeOrders:
    """What a media process is to do.

    Args:
        over: rooms whose consultation is over. elsewhere: rooms that another process carries by now.
        draining: it is to take no new rooms.
    """

    over: tuple[str, ...]
    elsewhere: tuple[str, ...]
    draining: bool


@dataclass(frozen=True)
class NodeView(NodeReport):
    """A media process as administrators see it; `alive` as long as it is heard."""

    started_at: datetime
    seen_at: datetime
    alive: bool


class Nodes(VideoDesk):
    """Which process carries which room."""

    async def report_node(self, report: NodeReport, carried: Collection[str]) -> NodeOrders:
        """Write down that a media process lives and which rooms (by their consultations) it carries; give its orders.

        One that others took for dead for a moment learns here which of its rooms are elsewhere now.
        """
        async with self._database.transaction() as session:
            now = await _now(session)
            row = await session.get(MediaNode, report.id, with_for_update=True)
            if row is None:
                await session.execute(delete(MediaNode).where(MediaNode.seen_at < now - _FORGOTTEN_AFTER))
                session.add(MediaNode(**vars(report), started_at=now, seen_at=now))
                draining = report.state is NodeState.DRAINING
            else:
                draining = NodeState.DRAINING in (row.state, report.state)
                for name, value in vars(report).items():
                    setattr(row, name, value)
                row.state, row.seen_at = (NodeState.DRAINING if draining else NodeState.SERVING), now
            over, elsewhere = await self._settle(session, report.id, set(carried))
            return NodeOrders(over, elsewhere, draining)

    async def end_node(self, node_id: str) -> bool:
        """A media process ends by itself: its rooms may be taken by another at once. Give whether there is another."""
        async with self._database.transaction() as session:
            ended = {"state": NodeState.ENDED, "seen_at": await _now(session)}
            await session.execute(update(MediaNode).where(MediaNode.id == node_id).values(ended))
            return any(node.state is NodeState.SERVING for node in await self._alive(session))

    async def nodes(self, actor: Actor) -> list[NodeView]:
        """List the media processes of the last day.

        Raises:
            Forbidden: only administrators may.
        """
        require(actor, Action.VIDEO_MANAGE_NODES)
        async with self._database.reading() as session:
            now = await _now(session)
            rows = await session.scalars(select(MediaNode).order_by(MediaNode.region, MediaNode.started_at))
            names = [column.name for column in MediaNode.__table__.columns]
            return [NodeView(**{name: getattr(row, name) for name in names}, alive=_lives(row, now)) for row in rows]

    async def drain(self, actor: Actor, node_id: str) -> None:
        """Let a media process keep the rooms that it has and take no new ones, until it ends.

        Raises:
            Forbidden: only administrators may. NotFound: no such process lives.
        """
        require(actor, Action.VIDEO_MANAGE_NODES)
        async with self._database.transaction() as session:
            node = await session.get(MediaNode, node_id, with_for_update=True)
            if node is None or not _lives(node, await _now(session)):
                raise NotFound("没有这个视频服务进程，或者它已经停了。")
            node.state = NodeState.DRAINING
            await self._audit.record(session, actor, Action.VIDEO_MANAGE_NODES, subject=f"media_node:{node_id}")

    # inside

    async def _pin(self, session: AsyncSession, room: VideoRoom, region: str) -> MediaNode:
        """Give the process that carries `room`, whose row the caller has locked.

        It is the one that it is pinned to, as long as that lives and either has people in the room or takes more. Else
        the room is pinned to the nearest to `region` that takes one more, the least loaded of these.

        Raises:
            RoomBusy: none can take it.
        """
        now = await _now(session)
        alive = await self._alive(session, now)
        coming = await self._coming(session, room, now)
        serving = [node for node in alive if node.state is NodeState.SERVING]
        free = [node for node in serving if node.rooms + coming[node.id] < node.capacity]
        pinned = next((node for node in alive if node.id == room.node_id), None)
        if pinned is not None and (room.begun or pinned in free):
            return pinned
        if not free:
            raise RoomBusy

        def preference(node: MediaNode) -> tuple[int, float, str]:
            return -nearness(node.region, region), (node.rooms + coming[node.id]) / node.capacity, node.id

        best = min(free, key=preference)
        room.node_id, room.pinned_at, room.begun = best.id, now, False
        return best

    async def _alive(self, session: AsyncSession, now: datetime | None = None) -> list[MediaNode]:
        now = now or await _now(session)
        heard = await session.scalars(select(MediaNode).where(MediaNode.seen_at > now - DEAD_AFTER))
        return [node for node in heard if _lives(node, now)]

    async def _coming(self, session: AsyncSession, room: VideoRoom, now: datetime) -> Counter[str]:
        """Count for each process the other rooms that are on their way to it and not in its reports yet."""
        query = select(VideoRoom.node_id).where(
            VideoRoom.pinned_at > now - _SETTLED_AFTER,
            VideoRoom.begun.is_(False),
            VideoRoom.consultation_id != room.consultation_id,
        )
        return Counter(node_id for node_id in await session.scalars(query) if node_id is not None)

    async def _settle(
        self, session: AsyncSession, node_id: str, carried: set[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Note which rooms have begun at this process; give those that are over, and those that are elsewhere."""
        mine = and_(VideoRoom.node_id == node_id, VideoRoom.begun.is_(True))
        rooms = (
            await session.scalars(select(VideoRoom).where(or_(mine, VideoRoom.consultation_id.in_(carried))))
        ).all()
        for room in rooms:
            here = room.consultation_id in carried
            if room.node_id == node_id and room.begun is not here:
                # Only while it is still pinned here: whoever comes in at this moment may be pinning it elsewhere.
                still = and_(VideoRoom.consultation_id == room.consultation_id, VideoRoom.node_id == node_id)
                await session.execute(update(VideoRoom).where(still).values(begun=here))
        present = [room for room in rooms if room.consultation_id in carried]
        over = tuple(room.consultation_id for room in present if room.closed_at is not None)
        elsewhere = tuple(
            room.consultation_id for room in present if room.closed_at is None and room.node_id != node_id
        )
        return over, elsewhere


def nearness(served: str, region: str) -> int:
    """Tell how near a process that serves `served` is to `region`.

    Names of regions go from the large to the small, so whoever serves 青岚县 is near to 青岚县石桥镇, and nearer than
    whoever serves all (an empty name): as near as the name has characters; -1 where the region lies elsewhere.
    """
    return len(served) if region.startswith(served) else -1


async def silence(session: AsyncSession, node_id: str) -> timedelta | None:
    """Tell how long ago a process that is gone was last heard, at least; None where it lives."""
    node, now = await session.get(MediaNode, node_id), await _now(session)
    if node is None:
        return _FORGOTTEN_AFTER
    return None if _lives(node, now) else now - node.seen_at


def _lives(node: MediaNode, now: datetime) -> bool:
    return node.state is not NodeState.ENDED and node.seen_at > now - DEAD_AFTER


async def _now(session: AsyncSession) -> datetime:
    """Give the moment by the database's clock; with SQLite all processes are on one machine."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = (await session.scalars(text("SELECT UTC_TIMESTAMP(6)"))).one()
    return moment.replace(tzinfo=UTC)
