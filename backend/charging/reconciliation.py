"""Each day and on demand: our ledger beside the insurer's list and the payment provider's bill."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from backend.charging.reconciliation_records import ReconciliationRecords
from backend.charging.reconciliation_rules import (
    Book,
    Difference,
    DifferenceKind,
    Entry,
    Outcome,
    compared,
    digest_of,
    kept,
)
from backend.charging.reconciliation_tables import ReconciliationLine, ReconciliationRun
from backend.charging.service import ChargingService
from backend.charging.tables import Charge
from backend.clock import LOCAL_ZONE, Clock, local
from backend.db import Database
from backend.ids import new_id
from backend.insurance.insurer import Insurer, InsurerUnclear, InsurerUnreachable
from backend.ledger import LedgerService, Posting
from backend.money import to_fen
from backend.payment.payments import (
    Notification,
    Payment,
    Payments,
    PaymentUnclear,
    PaymentUnreachable,
    Refund,
)
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require

log = logging.getLogger(__name__)

_BILL_READY = time(10, 30)  # WeChat Pay writes the bill of a day from nine to ten in the morning of the next
_LOOK_SECONDS = 60.0
_DOWN = (InsurerUnclear, InsurerUnreachable, PaymentUnclear, PaymentUnreachable)


@dataclass
class Report:
    """What a comparison found."""

    book: Book
    day: date
    entries: int = 0
    differences: dict[str, int] = field(default_factory=dict)
    for_a_person: int = 0
    complete: bool = True


class ReconciliationService(ReconciliationRecords):
    """Compares books, repairs what a rule knows, and lists the rest; nothing is corrected without a line.

    What was found is read, and noted as dealt with, by the methods of `ReconciliationRecords`.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        people: PeopleService,
        ledger: LedgerService,
        insurer: Insurer,
        payments: Payments,
        charging: ChargingService,
    ) -> None:
        super().__init__(database, clock, audit)
        self._people = people
        self._ledger = ledger
        self._insurer = insurer
        self._payments = payments
        self._charging = charging

    async def reconcile(self, actor: Actor, day: date) -> list[Report]:
        """Compare a day (as people in China count it) in both books; never inside a transaction.

        Where a side gives no answer, its report says that it is not complete.
        """
        require(actor, Action.CHARGE_RECONCILE)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.CHARGE_RECONCILE, subject=f"day:{day}")
        payment = await self._compare("payment", day, self._our_payments(day), self._their_payments(day))
        insurer = await self._compare("insurer", day, self._our_settlements(day), self._their_settlements(day))
        return [payment, insurer]

    async def _compare(self, book: Book, day: date, here: AsyncIterator[Entry], there: AsyncIterator[Entry]) -> Report:
        report = Report(book, day)
        run_id = new_id()
        async with self._database.transaction() as session:
            session.add(ReconciliationRun(id=run_id, day=day, book=book, began_at=self._clock.now()))
        try:
            async for difference in compared(here, there):
                report.entries += 1
                if difference is not None:
                    await self._found(run_id, book, difference, report)
        except _DOWN:
            log.warning("not reconciled: book=%s day=%s", book, day)
            report.complete = False
        async with self._database.transaction() as session:
            run = await session.get_one(ReconciliationRun, run_id)
            run.entries, run.differences = report.entries, sum(report.differences.values())
            run.ended_at = self._clock.now() if report.complete else None
        return report

    async def _found(self, run_id: str, book: Book, difference: Difference, report: Report) -> None:
        repair = self._repaired_payment if book == "payment" else self._repaired_settlement
        outcome, rule = await repair(difference)
        report.differences[difference.kind] = report.differences.get(difference.kind, 0) + 1
        report.for_a_person += outcome is Outcome.FOR_A_PERSON
        async with self._database.transaction() as session:
            session.add(
                ReconciliationLine(
                    run_id=run_id,
                    kind=difference.kind,
                    number=difference.number[:64],
                    digest=digest_of(book, report.day, difference),
                    here=kept(difference.here),
                    there=kept(difference.there),
                    outcome=outcome,
                    rule=rule,
                    at=self._clock.now(),
                )
            )

    # rules

    async def _repaired_payment(self, difference: Difference) -> tuple[Outcome, str]:
        there, here = difference.there, difference.here
        if difference.kind is DifferenceKind.MISSING_HERE and there is not None:
            return await self._fetched(there)
        if difference.kind is DifferenceKind.MISSING_THERE and here is not None and await self._is_known_there(here):
            return Outcome.OTHER_DAY, "in the bill of another day"
        return Outcome.FOR_A_PERSON, ""

    async def _fetched(self, there: Entry) -> tuple[Outcome, str]:
        """Post what the provider's bill has of ours and we have not: a notification was lost."""
        key = f"{'pay' if there.kind == 'payment' else 'refund'}:{there.number}"
        if await self._ledger.by_key(key) is not None:
            return Outcome.OTHER_DAY, "posted on another day"
        about: Payment | Refund | None
        if there.kind == "payment":
            about = await self._payments.query(there.number)
        else:
            about = await self._payments.refund_of(there.number)
        if about is not None and about.state in ("paid", "done"):
            await self._charging.take(Notification(f"bill:{there.number}", about))
            if await self._ledger.by_key(key) is not None:
                return Outcome.REPAIRED, "fetched and posted"
        return Outcome.FOR_A_PERSON, ""

    async def _is_known_there(self, here: Entry) -> bool:
        about: Payment | Refund | None
        if here.kind == "payment":
            about = await self._payments.query(here.number)
            return about is not None and (about.state, about.amount) == ("paid", here.amounts[0])
        about = await self._payments.refund_of(here.number)
        return about is not None and (about.state, about.amount) == ("done", here.amounts[0])

    async def _repaired_settlement(self, difference: Difference) -> tuple[Outcome, str]:
        posting = await self._ledger.by_key(f"settle:{difference.number}")
        if difference.kind is DifferenceKind.MISSING_HERE and posting is not None:
            return Outcome.OTHER_DAY, "posted on another day"
        here = difference.here
        if difference.kind is DifferenceKind.MISSING_THERE and here is not None:
            settled = await self._insurer.settled(here.number)
            if settled is not None and to_fen(settled.split.insurance) == here.amounts[1]:
                return Outcome.OTHER_DAY, "in the list of another day"
        return Outcome.FOR_A_PERSON, ""

    # the books

    async def _our_payments(self, day: date) -> AsyncIterator[Entry]:
        """Payments and refunds in the ledger; a number of ours is never both, so that one order does for both."""
        async for posting in self._ledger.between(("payment", "refund"), *_span(day)):
            number = posting.key.partition(":")[2]
            yield Entry(number, posting.kind, (abs(_amount(posting, "wechat_pay")),))

    async def _their_payments(self, day: date) -> AsyncIterator[Entry]:
        async for page in self._payments.bill(day):
            for line in page:
                yield Entry(line.number, line.kind, (line.amount,))

    async def _our_settlements(self, day: date) -> AsyncIterator[Entry]:
        """Settlements that insurance took part in, and that were not taken back."""
        async for posting in self._ledger.between(("settlement",), *_span(day), standing=True):
            insurance, account = _amount(posting, "insurer"), _amount(posting, "family_account")
            subsidy, cash = _amount(posting, "treasury"), _amount(posting, "patient")
            number = posting.key.partition(":")[2]
            if insurance or account or subsidy:
                yield Entry(number, "settlement", (insurance + account + subsidy + cash, insurance, account))

    async def _their_settlements(self, day: date) -> AsyncIterator[Entry]:
        async for entry in _merged([self._one_list(code, day) for code in await self._institutions()]):
            yield entry

    async def _institutions(self) -> list[str]:
        """Give the codes of the institutions that have ever charged."""
        async with self._database.reading() as session:
            ids = list(await session.scalars(select(Charge.institution_id).distinct()))
        codes = [(await self._people.institution(one)).insurance_code for one in ids]
        return sorted(filter(None, codes))

    async def _one_list(self, institution: str, day: date) -> AsyncIterator[Entry]:
        async for page in self._insurer.settlements(institution, day):
            for one in page:
                amounts = (to_fen(one.split.total), to_fen(one.split.insurance), to_fen(one.split.account))
                yield Entry(one.visit, "settlement", amounts)

    # each day

    async def run(self) -> None:
        """Compare yesterday once each day, as soon as the provider's bill of it is there, until cancelled."""
        while True:
            day = await self.due()
            if day is not None:
                await self.reconcile(SYSTEM, day)
            await asyncio.sleep(_LOOK_SECONDS)

    async def due(self) -> date | None:
        """Give yesterday, if it is time to compare it and nobody has."""
        now = local(self._clock.now())
        if now.time() < _BILL_READY:
            return None
        yesterday = now.date() - timedelta(days=1)
        begun = select(ReconciliationRun.id).where(
            ReconciliationRun.day == yesterday,
            ReconciliationRun.began_at >= datetime.combine(now.date(), _BILL_READY, LOCAL_ZONE),
        )
        async with self._database.reading() as session:
            return yesterday if await session.scalar(begun.limit(1)) is None else None


def _span(day: date) -> tuple[datetime, datetime]:
    since = datetime.combine(day, time(), LOCAL_ZONE)
    return since, since + timedelta(days=1)


def _amount(posting: Posting, account: str) -> int:
    return next((line.amount for line in posting.lines if line.account == account), 0)


async def _merged(lists: list[AsyncIterator[Entry]]) -> AsyncIterator[Entry]:
    """Give the entries of ordered lists as one ordered list."""
    heads = [(await anext(one, None), one) for one in lists]
    while True:
        left = [(head, one) for head, one in heads if head is not None]
        if not left:
            return
        least = min(left, key=lambda pair: pair[0].number)
        yield least[0]
        heads = [(await anext(one, None), one) if one is least[1] else (head, one) for head, one in left]
