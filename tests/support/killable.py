"""The transport as a process of its own that kills itself at a named step: for the tests of crashes.

python -m tests.support.killable DATABASE SANDBOX_URL PORT [STEP]
"""

import asyncio
import contextlib
import signal
import sys
from datetime import timedelta
from typing import Any

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.messaging.outbox import OutboxService
from backend.messaging.service import MessagingService
from backend.security.keyring import KeyRing
from bot.delivery.courier import Courier
from bot.delivery.sender import SenderSettings
from bot.dialogue import ConversationState
from bot.gateway import Gateway
from bot.incoming import Incoming
from bot.messages import Message, Text
from bot.turn import TurnPerformer
from bot.turns import TurnRunner, TurnSettings
from tests.support.dying import die_at
from tests.support.transport import ScriptedDialogue, local_settings, running_transport

# Step → the method at which it happens, and whether before or after it.
STEPS: dict[str, tuple[type[Any], str, bool]] = {
    "callback received": (TurnRunner, "answer", True),
    "turn begun": (MessagingService, "open", False),
    "replies in the outbox, not committed": (MessagingService, "finish", False),
    "committed": (TurnPerformer, "perform", False),
    "before the answer is written": (Gateway, "_write", True),
    "answer written": (TurnRunner, "delivered", True),
    "before a message is sent": (Courier, "deliver", True),
    "message sent": (Courier, "deliver", False),
    "before the acknowledgement": (OutboxService, "acknowledge", True),
    "acknowledged": (OutboxService, "acknowledge", False),
    "message stored for later": (MessagingService, "defer", False),
    "stored message claimed": (MessagingService, "claim_deferred", False),
}


async def _script(incoming: Incoming, state: ConversationState) -> list[Message]:
    if incoming.text.startswith("慢") and not sys.argv[4:]:
        return [Text(f"{incoming.text}的答复")]
    if incoming.text.startswith("慢"):
        await asyncio.Event().wait()
    number = state.data.get("number", 0) + 1
    state.data = {"number": number}
    return [Text(f"{incoming.text}:{number}:一"), Text(f"{incoming.text}:{number}:二")]


async def _main() -> None:
    address, sandbox_url, port = sys.argv[1:4]
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
    if sys.argv[4:]:
        class_, name, before = STEPS[sys.argv[4]]
        die_at(class_, name, before=before)
    database = Database(address)
    turns = TurnSettings(deadline=0.4, answer_wait=timedelta(seconds=1.5))
    sender = SenderSettings(lease=timedelta(seconds=2), lease_margin=timedelta(seconds=0.5))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with running_transport(
        database, Clock(), local_settings(sandbox_url), ScriptedDialogue(_script), turns=turns, sender=sender,
        port=int(port),
    ):  # fmt: skip
        print("ready", flush=True)
        await stop.wait()
    await database.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
