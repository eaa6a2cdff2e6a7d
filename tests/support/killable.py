"""The transport as a process of its own that kills itself at a named step: for the tests of crashes."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta
from functools import partial
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


async def _script(dies: bool, incoming: Incoming, state: ConversationState) -> list[Message]:
    if incoming.text.startswith("慢") and not dies:
        return [Text(f"{incoming.text}的答复")]
    if incoming.text.startswith("慢"):
        await asyncio.Event().wait()
    number = state.data.get("number", 0) + 1
    state.data = {"number": number}
    return [Text(f"{incoming.text}:{number}:一"), Text(f"{incoming.text}:{number}:二")]


async def main(say: Callable[[str], None], address: str, sandbox_url: str, port: int, step: str) -> None:
    """Carry messages until told to end, or killed at `step`; say when it is ready."""
    install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
    if step:
        class_, name, before = STEPS[step]
        die_at(class_, name, before=before)
    database = Database(address)
    turns = TurnSettings(deadline=0.4, answer_wait=timedelta(seconds=1.5))
    sender = SenderSettings(lease=timedelta(seconds=2), lease_margin=timedelta(seconds=0.5))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    dialogue = ScriptedDialogue(partial(_script, bool(step)))
    settings = local_settings(sandbox_url)
    async with running_transport(database, Clock(), settings, dialogue, turns=turns, sender=sender, port=port):
        say("ready")
        await stop.wait()
    await database.close()
