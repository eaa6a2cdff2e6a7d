"""An insurer on the national platform, in the dialect of a province.

Every message is written down before it leaves (`message_log`), in a transaction of its own. A message whose answer is
known is not sent again: the answer is given from the log.
"""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import partial

from backend.clock import Clock
from backend.db import Database
from backend.insurance import inputs, outputs
from backend.insurance.coverage import Split
from backend.insurance.exchange import Exchange, refusal
from backend.insurance.insurer import InsurerUnclear, Person, SettledTotal, Settlement, Visit
from backend.insurance.messages import Address
from backend.insurance.outputs import Nothing
from backend.insurance.settings import InsurerSettings
from backend.money import to_fen

_VISIT = re.compile(r"[0-9A-Za-z_-]{1,30}")
_REVERSIBLE = ("2201", "2204", "2207", "2208")
_PAGE = 200


class NationalInsurer:
    """`backend.insurance.insurer.Insurer` over HTTP. Close it when done."""

    def __init__(self, database: Database, clock: Clock, settings: InsurerSettings) -> None:
        self._own = settings.institution
        self._exchange = Exchange(database, clock, settings)
        self._dialect = self._exchange.dialect

    async def close(self) -> None:
        """End the connections."""
        await self._exchange.close()

    async def person(self, identity: str, name: str, *, message: str) -> Person:
        """Look a person up by identity number and name (1101)."""
        asked = inputs.person(identity.strip().upper(), name)
        told, _ = await self._exchange.ask("1101", asked, self._at(self._own), message, outputs.PersonOutput)
        return told.person(self._dialect.insurances, self._dialect.helped, self._dialect.medical_types)

    async def register(self, visit: Visit, *, message: str) -> None:
        """Register a visit (2201)."""
        if not _VISIT.fullmatch(visit.number):
            raise ValueError("a visit's number of 1 to 30 letters and digits")
        known = await self._exchange.log.last_answered(outputs.person_index(visit.person), "1101")
        if known is None:
            raise refusal("not_looked_up")
        own = outputs.read(outputs.PersonOutput, known.answer).standing(self._dialect.insurances)
        if own is None:
            raise refusal("not_insured")
        certificate = known.asked["data"]["certno"]
        asked = inputs.register(visit, certificate, own.kind, self._dialect.medical_types[visit.service])
        address = self._at(visit.institution, own.region)
        await self._exchange.ask("2201", asked, address, message, outputs.RegisterOutput, visit.number)

    async def unregister(self, visit: str, *, message: str) -> None:
        """Take a registration back (2202)."""
        await self._exchange.ask_about(visit, "2202", inputs.unregister, message, Nothing)

    async def upload(self, visit: Visit, *, message: str) -> None:
        """Send what the visit is and its lines of fees (2203, 2204)."""
        inputs.require_fees(visit.fees)
        about = partial(inputs.visit_information, at=visit.at)
        await self._exchange.ask_about(visit.number, "2203", about, message, Nothing)
        details = partial(inputs.details, visit=visit)
        await self._exchange.ask_about(visit.number, "2204", details, message, Nothing)

    async def revoke_upload(self, visit: str, *, message: str) -> None:
        """Take the lines of fees back (2205)."""
        await self._exchange.ask_about(visit, "2205", inputs.revoke_details, message, Nothing)

    async def presettle(self, visit: Visit, *, message: str) -> Split:
        """Ask what a settlement would be (2206); changes nothing."""
        inputs.require_fees(visit.fees)
        asked = partial(inputs.settlement, visit=visit)
        told, address = await self._exchange.ask_about(visit.number, "2206", asked, message, outputs.PresettleOutput)
        return told.amounts.split(_table(address))

    async def settle(self, visit: Visit, *, message: str) -> Settlement:
        """Settle (2207): from here on the insurer owes its part."""
        inputs.require_fees(visit.fees)
        asked = partial(inputs.settlement, visit=visit)
        told, address = await self._exchange.ask_about(visit.number, "2207", asked, message, outputs.SettleOutput)
        return told.amounts.settlement(visit.number, message, _table(address))

    async def revoke(self, settlement: str, visit: str, *, message: str) -> None:
        """Take a settlement back (2208)."""
        asked = partial(inputs.revoke_settlement, settled=settlement)
        await self._exchange.ask_about(visit, "2208", asked, message, Nothing)

    async def reverse(self, original: str, *, message: str) -> None:
        """Undo whatever a message did whose answer was lost (2601). From here on that message is not sent again."""
        sent = await self._exchange.log.reverse(original, _REVERSIBLE)
        if sent is not None:
            asked = inputs.reversal(sent.transaction, sent.msgid, sent.asked)
            await self._exchange.ask("2601", asked, sent.address, message, Nothing)

    async def settled(self, visit: str) -> Settlement | None:
        """Ask whether a visit is settled now (5203)."""
        registration = await self._exchange.registration(visit)
        if registration is None:
            return None
        of, address = registration
        asked = inputs.settlement_query(of)
        told = await self._exchange.enquire("5203", asked, address, outputs.SettledOutput, visit)
        if told.amounts is None:
            return None
        messages = await self._exchange.log.messages_of([told.amounts.msgid])
        message = messages.get(told.amounts.msgid, told.amounts.msgid)
        return told.amounts.settlement(visit, message, _table(address))

    async def totals(self, institution: str, since: date, until: date) -> SettledTotal:
        """Ask for the totals of an institution (3201)."""
        asked = inputs.totals(since, until)
        told = await self._exchange.enquire("3201", asked, self._at(institution), outputs.TotalsOutput, institution)
        found = told.totals
        return SettledTotal(found.count, to_fen(found.total), to_fen(found.funds), to_fen(found.account))

    async def settlements(self, institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        """Give what was settled on a day, ordered by visit, page by page (3202).

        A message that is not of our log stands under the id by which the insurer knows it.
        """
        address, page, last = self._at(institution), 1, ""
        while True:
            asked = inputs.listing(day, page, _PAGE)
            lines = (await self._exchange.enquire("3202", asked, address, outputs.ListOutput, institution)).lines
            if lines and lines[0].ours < last:
                raise InsurerUnclear("wrong_order")
            known = await self._exchange.log.messages_of([line.msgid for line in lines])
            if lines:
                yield [line.settlement(line.ours, known.get(line.msgid, line.msgid), _table(address)) for line in lines]
            if len(lines) < _PAGE:
                return
            page, last = page + 1, lines[-1].ours

    def _at(self, institution: str, insured: str = "") -> Address:
        return Address(institution, self._dialect.region_of(institution), insured)


def _table(address: Address) -> str:
    return f"insurer:{address.region}"
