"""A process that carries rooms and records them, to be killed.

python -m tests.support.recorded_room DATABASE FOLDER
"""

import asyncio
import sys
import time
from pathlib import Path

from aiohttp import web

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.security.keyring import KeyRing
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from qiaoyi.recordings import KeptSegments
from tests.support.house import wire

_MINT = TokenMint(b"k" * 32, time.time)


def token(room: str, person: str) -> str:
    """What lets a host into a room of this process."""
    return _MINT.mint(Pass(room, person, Role.HOST, person, "", time.time() + 3600))


async def _main(address: str, folder: Path) -> None:
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
    rooms = Rooms(_MINT, segments=KeptSegments(wire(Database(address), Clock(), folder).services.video))
    application = web.Application()
    application.router.add_get("/rooms", rooms.handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await rooms.run()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
