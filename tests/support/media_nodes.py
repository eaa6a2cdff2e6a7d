"""Media processes that tests only tell of."""

from datetime import timedelta

from sqlalchemy import update

from backend.db import Database
from backend.video.nodes import DEAD_AFTER
from backend.video.tables import MediaNode


async def fall_silent(database: Database, node_id: str, for_: timedelta = DEAD_AFTER) -> None:
    """Let a media process have been unheard for so long. No clock of a test is moved for that: whether a process lives
    is told by the database's own."""
    async with database.transaction() as session:
        node = await session.get(MediaNode, node_id)
        assert node is not None
        await session.execute(update(MediaNode).where(MediaNode.id == node_id).values(seen_at=node.seen_at - for_))
