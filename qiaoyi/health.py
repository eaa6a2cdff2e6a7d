"""Whether this process lives, and whether it can do its work: for load balancers and supervisors.

`/healthz` answers as long as the process does; `/readyz` answers 200 only while the database answers and every loop of
this process runs. It also tells whether a language server that is set is asked; one that is away makes nobody unready,
because the embedded provider serves. Neither tells anything of what is stored.
"""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.db import Database

_TIMEOUT_SECONDS = 2.0


class Health:
    """Answers `/healthz` and `/readyz`.

    Args:
        database: is asked for a sign of life.
        loops: the tasks of this process by name; one that has ended makes it unready.
        language: gives the state of the provider that understands what patients write.
    """

    def __init__(
        self,
        database: Database,
        loops: Mapping[str, asyncio.Task[None]],
        language: Callable[[], str] = lambda: "embedded",
    ) -> None:
        self._database = database
        self._loops = loops
        self._language = language

    def routes(self) -> list[web.RouteDef]:
        """Give the two routes."""
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        """GET /healthz."""
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """GET /readyz: 200, or 503 with the parts that are missing."""
        missing = [name for name, task in self._loops.items() if task.done()]
        if not await self._database_answers():
            missing.append("database")
        status = 503 if missing else 200
        told = {"status": "unready" if missing else "ok", "missing": missing, "language": self._language()}
        return web.json_response(told, status=status)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS), self._database.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True
