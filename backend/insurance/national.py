"""An insurer on the national platform, in the dialect of a province.

Every message is written down before it leaves (`message_log`), in a transaction of its own. A message whose answer is
known is not sent again: the answer is given from the log.
"""

import logging
import re
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import TypeVar

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.ids import new_id
from backend.insurance import inputs, outputs
from backend.insurance.coverage import Split
from backend.insurance.dialects import DIALECTS
from backend.insurance.inputs import Registered
from backend.insurance.insurer import (
    InsurerRefused,
    InsurerUnclear,
    InsurerUnreachable,
    Person,
    SettledTotal,
    Settlement,
    Visit,
)
from backend.insurance.message_log import Logged, MessageLog
from backend.insurance.messages import SUCCESS, Address, Json, Unverifiable, envelope, read_answer, signed
from backend.insurance.outputs import Nothing, Output
from backend.insurance.settings import InsurerSettings
from backend.insurance.transport import Transport
from backend.money import to_fen

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Output)

_VISIT = re.compile(r"[0-9A-Za-z_-]{1,30}")
_REVERSIBLE = ("2201", "2204", "2207", "2208")
_PAGE = 200
_OURS = {
    "not_looked_up": "还没有查过这个人的医保，请先查一次。",
    "not_insured": "没有查到可以用的医保，请到医保窗口问一问。",
    "not_registered": "这次就诊还没有登记医保。",
    "reversed": "这一步已经作废了，请重新来一次。",
}
"""What is refused before anything is sent."""


class NationalInsurer:
    """`backend.insurance.insurer.Insurer` over HTTP. Close it when done."""

    def __init__(self, database: Database, clock: Clock, settings: InsurerSettings) -> None:
        self._clock = clock
        self._dialect = DIALECTS[settings.dialect]
        self._key = settings.key.encode()
        self._own = settings.institution
        self._log = MessageLog(database, clock)
        self._transport = Transport(settings.url + self._dialect.path, settings.timeout)

    async def close(self) -> None:
        """End the connections."""
        await self._transport.close()

    async def person(self, identity: str, name: str, *, message: str) -> Person:
        """Look a person up by identity number and name (1101)."""
        identity = identity.strip().upper()
        asked = inputs.person(identity, name)
        logged, told = await self._begin("1101", asked, self._at(self._own), message, "", outputs.PersonOutput)
        if told is None:
            told, content = await self._send(logged, outputs.PersonOutput)
            await self._log.end(logged.id, "answered", answer=content, subject=_person_index(told.base.number))
        return told.person(self._dialect.insurances, self._dialect.helped, self._dialect.medical_types)

    async def register(self, visit: Visit, *, message: str) -> None:
        """Register a visit (2201)."""
        if not _VISIT.fullmatch(visit.number):
            raise ValueError("a visit's number of 1 to 30 letters and digits")
        known = await self._log.last_answered(_person_index(visit.person), "1101")
        if known is None:
            raise _refusal("not_looked_up")
        own = outputs.read(outputs.PersonOutput, known.answer).standing(self._dialect.insurances)
        if own is None:
            raise _refusal("not_insured")
        certificate = known.asked["data"]["certno"]
        asked = inputs.register(visit, certificate, own.kind, self._dialect.medical_types[visit.service])
        address = self._at(visit.institution, own.region)
        await self._ask("2201", asked, address, message, visit.number, outputs.RegisterOutput)

    async def unregister(self, visit: str, *, message: str) -> None:
        """Take a registration back (2202)."""
        of, address = await self._registered(visit)
        await self._ask("2202", inputs.unregister(of), address, message, visit, Nothing)

    async def upload(self, visit: Visit, *, message: str) -> None:
        """Send what the visit is and its lines of fees (2203, 2204)."""
        inputs.require_fees(visit.fees)
        of, address = await self._registered(visit.number)
        about = inputs.visit_information(of, visit.at)
        await self._ask("2203", about, address, message, visit.number, Nothing)
        await self._ask("2204", inputs.details(of, visit), address, message, visit.number, Nothing)

    async def revoke_upload(self, visit: str, *, message: str) -> None:
        """Take the lines of fees back (2205)."""
        of, address = await self._registered(visit)
        await self._ask("2205", inputs.revoke_details(of), address, message, visit, Nothing)

    async def presettle(self, visit: Visit, *, message: str) -> Split:
        """Ask what a settlement would be (2206); changes nothing."""
        told, address = await self._settling("2206", visit, message, outputs.PresettleOutput)
        return told.amounts.split(_table(address))

    async def settle(self, visit: Visit, *, message: str) -> Settlement:
        """Settle (2207): from here on the insurer owes its part."""
        told, address = await self._settling("2207", visit, message, outputs.SettleOutput)
        return told.amounts.settlement(visit.number, message, _table(address))

    async def revoke(self, settlement: str, visit: str, *, message: str) -> None:
        """Take a settlement back (2208)."""
        of, address = await self._registered(visit)
        await self._ask("2208", inputs.revoke_settlement(of, settlement), address, message, visit, Nothing)

    async def reverse(self, original: str, *, message: str) -> None:
        """Undo whatever a message did whose answer was lost (2601). From here on that message is not sent again."""
        sent = await self._log.reverse(original, _REVERSIBLE)
        if sent is None:
            return
        asked = inputs.reversal(sent.transaction, sent.msgid, sent.asked)
        await self._ask("2601", asked, sent.address, message, "", Nothing)

    async def settled(self, visit: str) -> Settlement | None:
        """Ask whether a visit is settled now (5203)."""
        try:
            of, address = await self._registered(visit)
        except InsurerRefused:
            return None
        asked = inputs.settlement_query(of)
        told = await self._enquire("5203", asked, address, visit, outputs.SettledOutput)
        if told.amounts is None:
            return None
        messages = await self._log.messages_of([told.amounts.msgid])
        message = messages.get(told.amounts.msgid, told.amounts.msgid)
        return told.amounts.settlement(visit, message, _table(address))

    async def totals(self, institution: str, since: date, until: date) -> SettledTotal:
        """Ask for the totals of an institution (3201)."""
        asked = inputs.totals(since, until)
        told = await self._enquire("3201", asked, self._at(institution), institution, outputs.TotalsOutput)
        found = told.totals
        return SettledTotal(found.count, to_fen(found.total), to_fen(found.funds), to_fen(found.account))

    async def settlements(self, institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        """Give what was settled on a day, ordered by visit, page by page (3202).

        A message that is not of our log stands under the id by which the insurer knows it.
        """
        address, page, last = self._at(institution), 1, ""
        while True:
            asked = inputs.listing(day, page, _PAGE)
            lines = (await self._enquire("3202", asked, address, institution, outputs.ListOutput)).lines
            if lines and lines[0].ours < last:
                raise InsurerUnclear("wrong_order")
            messages = await self._log.messages_of([line.msgid for line in lines])
            if lines:
                yield [
                    line.settlement(line.ours, messages.get(line.msgid, line.msgid), _table(address)) for line in lines
                ]
            if len(lines) < _PAGE:
                return
            page, last = page + 1, lines[-1].ours

    def _at(self, institution: str, insured: str = "") -> Address:
        return Address(institution, self._dialect.region_of(institution), insured)

    async def _registered(self, visit: str) -> tuple[Registered, Address]:
        known = await self._log.last_answered(visit, "2201")
        if known is None:
            raise _refusal("not_registered")
        number = outputs.read(outputs.RegisterOutput, known.answer).number
        return inputs.registered(visit, known.asked, number), known.address

    async def _settling(self, transaction: str, visit: Visit, message: str, kind: type[T]) -> tuple[T, Address]:
        inputs.require_fees(visit.fees)
        of, address = await self._registered(visit.number)
        asked = inputs.settlement(of, visit)
        return await self._ask(transaction, asked, address, message, visit.number, kind), address

    async def _enquire(self, transaction: str, asked: Json, address: Address, subject: str, kind: type[T]) -> T:
        """Ask something that changes nothing; the answer is not kept."""
        logged, _ = await self._begin(transaction, asked, address, new_id(), subject, kind)
        told, _content = await self._send(logged, kind)
        await self._log.end(logged.id, "answered")
        return told

    async def _ask(
        self, transaction: str, asked: Json, address: Address, message: str, subject: str, kind: type[T]
    ) -> T:
        logged, told = await self._begin(transaction, asked, address, message, subject, kind)
        if told is None:
            told, content = await self._send(logged, kind)
            await self._log.end(logged.id, "answered", answer=content)
        return told

    async def _begin(
        self, transaction: str, asked: Json, address: Address, message: str, subject: str, kind: type[T]
    ) -> tuple[Logged, T | None]:
        """Write a message down; give what it was answered before, None where it has to be sent."""
        logged = await self._log.begin(message, transaction, asked, address, subject)
        if logged.state == "reversed":
            raise _refusal("reversed")
        return logged, outputs.read(kind, logged.answer) if logged.state == "answered" else None

    async def _send(self, logged: Logged, kind: type[T]) -> tuple[T, Json]:
        """Send a message; give what came back, checked, and as it came."""
        try:
            return await self._exchange(logged, kind)
        except InsurerUnreachable:
            # An earlier try may have arrived; this one has not.
            certain = logged.state in (None, "unreachable", "refused")
            await self._log.end(logged.id, "unreachable" if certain else "unclear")
            log.warning("insurer: %s: unreachable", logged.transaction)
            raise
        except (InsurerUnclear, Unverifiable) as fault:
            reason = fault.reason if isinstance(fault, Unverifiable) else "no_answer"
            await self._log.end(logged.id, "unclear", code=reason)
            log.warning("insurer: %s: %s", logged.transaction, reason)
            raise InsurerUnclear(reason) from None
        except InsurerRefused as refusal:
            await self._log.end(logged.id, "refused", code=refusal.code)
            log.info("insurer: %s: refused with %s", logged.transaction, refusal.code)
            raise

    async def _exchange(self, logged: Logged, kind: type[T]) -> tuple[T, Json]:
        dialect = self._dialect
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


def _refusal(code: str) -> InsurerRefused:
    return InsurerRefused(code, _OURS[code])


def _person_index(number: str) -> str:
    return key_ring().blind_index(number, "insurer_messages.subject")


def _table(address: Address) -> str:
    return f"insurer:{address.region}"
