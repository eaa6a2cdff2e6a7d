"""One message and its answer: written down, sent, checked, written down again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from backend.clock import Clock
from backend.db import Database
from backend.ids import new_id
from backend.insurance import inputs, outputs
from backend.insurance.dialects import DIALECTS
from backend.insurance.inputs import Registered
from backend.insurance.insurer import InsurerRefused, InsurerUnclear, InsurerUnreachable
from backend.insurance.message_log import Logged, MessageLog
from backend.insurance.messages import SUCCESS, Address, Json, Unverifiable, envelope, read_answer, signed
from backend.insurance.outputs import Output
from backend.insurance.settings import InsurerSettings
from backend.insurance.transport import Transport

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Output)

_OURS = {
    "not_looked_up": "还没有查过这个人的医保，请先查一次。",
    "not_insured": "没有查到可以用的医保，请到医保窗口问一问。",
    "not_registered": "这次就诊还没有登记医保。",
    "reversed": "这一步已经作废了，请重新来一次。",
}
"""What is refused before anything is sent."""


def refusal(code: str) -> InsurerRefused:
    """Give a refusal of our own."""
    return InsurerRefused(code, _OURS[code])


class Exchange:
    """The talk with one insurer. Close it when done.

    Each method raises InsurerUnreachable, InsurerUnclear or InsurerRefused.
    """

    def __init__(self, database: Database, clock: Clock, settings: InsurerSettings) -> None:
        self.dialect = DIALECTS[settings.dialect]
        self.log = MessageLog(database, clock)
        self._clock = clock
        self._key = settings.key.encode()
        self._transport = Transport(settings.url + self.dialect.path, settings.timeout)

    async def close(self) -> None:
        """End the connections."""
        await self._transport.close()

    async def ask(
        self, transaction: str, asked: Json, address: Address, message: str, kind: type[T], subject: str = ""
    ) -> tuple[T, Logged]:
        """Send a message, or give what it was answered before; with how it stands in the log."""
        logged = await self.log.begin(message, transaction, asked, address, subject)
        return await self._answered(logged, kind)

    async def ask_about(
        self, visit: str, transaction: str, ask: Callable[[Registered], Json], message: str, kind: type[T]
    ) -> tuple[T, Address]:
        """The same about a visit that is registered (else refused: not_registered)."""
        logged = await self.log.begin_about(visit, message, transaction, lambda of: ask(_registered(visit, of)))
        if logged is None:
            raise refusal("not_registered")
        told, logged = await self._answered(logged, kind)
        return told, logged.address

    async def enquire(self, transaction: str, asked: Json, address: Address, kind: type[T], subject: str) -> T:
        """Ask something that changes nothing; the answer is not kept."""
        logged = await self.log.begin(new_id(), transaction, asked, address, subject)
        told, _ = await self._send(logged, kind)
        await self.log.end(logged.id, "answered")
        return told

    async def registration(self, visit: str) -> tuple[Registered, Address] | None:
        """Give what a visit is registered as, None where it is not, as far as we know."""
        known = await self.log.last_answered(visit, "2201")
        return None if known is None else (_registered(visit, known), known.address)

    async def _answered(self, logged: Logged, kind: type[T]) -> tuple[T, Logged]:
        if logged.state == "reversed":
            raise refusal("reversed")
        if logged.state == "answered":
            return outputs.read(kind, logged.answer), logged
        told, content = await self._send(logged, kind)
        await self.log.end(logged.id, "answered", answer=content, subject=told.subject)
        return told, replace(logged, state="answered", answer=content)

    async def _send(self, logged: Logged, kind: type[T]) -> tuple[T, Json]:
        """Send a message; give what came back, checked, and as it came."""
        try:
            return await self._exchanged(logged, kind)
        except InsurerUnreachable:
            # An earlier try may have arrived; this one has not.
            certain = logged.state in (None, "unreachable", "refused")
            await self.log.end(logged.id, "unreachable" if certain else "unclear")
            log.warning("insurer: %s: unreachable", logged.transaction)
            raise
        except (InsurerUnclear, Unverifiable) as fault:
            reason = fault.reason if isinstance(fault, Unverifiable) else "no_answer"
            await self.log.end(logged.id, "unclear", code=reason)
            log.warning("insurer: %s: %s", logged.transaction, reason)
            raise InsurerUnclear(reason) from None
        except InsurerRefused as refused:
            await self.log.end(logged.id, "refused", code=refused.code)
            log.info("insurer: %s: refused with %s", logged.transaction, refused.code)
            raise

    async def _exchanged(self, logged: Logged, kind: type[T]) -> tuple[T, Json]:
        dialect = self.dialect
        message = envelope(
            logged.transaction,
            logged.msgid,
            logged.asked,
            logged.address,
            self._clock.now(),
            version=dialect.version,
            receiver=dialect.receiver,
            operator=dialect.operator,
        )
        body = await self._transport.post(signed(dialect.outgoing(message), self._key))
        answer = read_answer(body, logged.msgid, self._key)
        if answer.code != SUCCESS:
            raise InsurerRefused(answer.code, dialect.sentence(answer.code))
        content = dialect.incoming(answer.content or {})
        told = outputs.read(kind, content)
        told.check(logged.asked)
        return told, content


def _registered(visit: str, of: Logged) -> Registered:
    return inputs.registered(visit, of.asked, outputs.read(outputs.RegisterOutput, of.answer).number)
