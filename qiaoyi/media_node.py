"""This process among the media processes: says each second that it lives, does what it is told, and takes its leave."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from backend.video.nodes import NodeReport, Nodes
from backend.video.tables import NodeState
from media.load import Admission
from media.signalling import Rooms

log = logging.getLogger(__name__)

_REPORT_SECONDS = 1.0
_ANSWER_SECONDS = 3.0
_AWAY = (SQLAlchemyError, OSError, TimeoutError)


class MediaNode:
    """Reports on the rooms of this process.

    While the database is away the rooms go on; who is in them notices nothing.

    Args:
        admission: measures the load and decides about new rooms; is told to drain.
        node_id: fresh at each start. url: where pages reach the rooms. region: as `NodeReport` tells.
    """

    def __init__(self, nodes: Nodes, rooms: Rooms, admission: Admission, node_id: str, url: str, region: str) -> None:
        self.id = node_id
        self._nodes = nodes
        self._rooms = rooms
        self._admission = admission
        self._url = url
        self._region = region
        self._is_heard = True
        self._has_left = False
        self._speaking = asyncio.Lock()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self._report()
            await asyncio.sleep(_REPORT_SECONDS)

    async def leave(self) -> None:
        """The process ends: its rooms may begin elsewhere from now on, and its pages go there if there is a place."""
        self._admission.draining = True
        async with self._speaking:
            if self._has_left:
                return
            self._has_left = True
            others = False
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    others = await self._nodes.end_node(self.id)
            except _AWAY as error:
                log.warning("the database does not hear that this media process ends: %s", type(error).__name__)
        self._rooms.end("moving" if others else "closing")

    async def _report(self) -> None:
        async with self._speaking:
            if self._has_left:
                return
            carried = list(self._rooms.rooms)
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    orders = await self._nodes.report_node(self._state(), carried)
            except _AWAY as error:
                if self._is_heard:
                    log.warning("the database does not hear of this media process: %s", type(error).__name__)
                self._is_heard = False
                return
        if not self._is_heard:
            log.info("the database hears of this media process again")
        self._is_heard = True
        self._admission.draining = self._admission.draining or orders.draining
        for room in orders.over:
            await self._rooms.close_room(room)
        for room in orders.elsewhere:
            await self._rooms.close_room(room, "moving")

    def _state(self) -> NodeReport:
        held, admission = self._rooms.rooms.values(), self._admission
        return NodeReport(
            id=self.id,
            region=self._region,
            url=self._url,
            state=NodeState.DRAINING if admission.draining else NodeState.SERVING,
            capacity=admission.capacity if admission.takes_another(len(held)) else 0,
            rooms=len(held),
            people=sum(len(room.members) for room in held),
            cpu=admission.load.cpu,
            loop_lag=admission.load.loop_lag,
        )
