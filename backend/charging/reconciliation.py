"""Each day and on demand: our ledger beside the insurer's list and the payment provider's bill."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import get_args

from sqlalchemy import select

from backend.charging.reconciliation_books import Books
from backend.charging.reconciliation_records import ReconciliationRecords
from backend.charging.reconciliation_rules import (
    Difference,
    DifferenceKind,
    Entry,
    Outcome,
    compared,
    digest_of,
    kept,
    unexplained,
)
from backend.charging.reconciliation_tables import ReconciliationLine, ReconciliationRun
from backend.charging.service import ChargingService
from backend.clock import LOCAL_ZONE, Clock, local
from backend.db import Database
from backend.ids import new_id
from backend.insurance.insurer import Insurer, InsurerRefused, InsurerUnclear, InsurerUnreachable
from backend.ledger import LedgerService
from backend.money import to_fen
from backend.payment.payments import (
    Notification,
    Payment,
    PaymentRefused,
    Payments,
    PaymentUnclear,
    PaymentUnreachable,
    Refund,
)
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require
from data.reconciliation import Book, Check, rules_for

log = logging.getLogger(__name__)

_BILL_READY = time(10, 30)  # WeChat Pay writes the bill of a day from nine to ten in the morning of the next
_LOOK_SECONDS = 60.0
_KEYS = {"payment": "pay", "refund": "refund", "settlement": "settle"}  # of postings, before their numbers
_ASK_AGAIN = timedelta(minutes=30)
_NO_ANSWER = (
    InsurerRefused,
    InsurerUnclear,
    InsurerUnreachable,
    PaymentRefused,
    PaymentUnclear,
    PaymentUnreachable,
)


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
        self._ledger = ledger
        self._insurer = insurer
        self._payments = payments
        self._charging = charging
        self._books = Books(database, people, ledger, insurer, payments)
        self._checks: Mapping[Check, Callable[[Book, Difference], Awaitable[bool]]] = {
            "posted_other_day": self._posted_other_day,
            "fetched": self._fetched,
            "known_there": self._known_there,
        }

    async def reconcile(self, actor: Actor, day: date) -> list[Report]:
        """Compare a day (as people in China count it) in both books; never inside a transaction.

        Where a side gives no answer, its report says that it is not complete.
        """
        require(actor, Action.CHARGE_RECONCILE)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.CHARGE_RECONCILE, subject=f"day:{day}")
        return [await self._compare("payment", day), await self._compare("insurer", day)]

    async def _compare(self, book: Book, day: date) -> Report:
        report = Report(book, day)
        run_id = new_id()
        async with self._database.transaction() as session:
            session.add(ReconciliationRun(id=run_id, day=day, book=book, began_at=self._clock.now()))
        try:
            async for difference in self._differences(book, day):
                report.entries += difference is None or difference.kind is not DifferenceKind.TOTALS
                if difference is not None:
                    await self._found(run_id, book, difference, report)
        except _NO_ANSWER as error:
            log.warning("not reconciled: book=%s day=%s error=%s", book, day, type(error).__name__)
            report.complete = False
        async with self._database.transaction() as session:
            run = await session.get_one(ReconciliationRun, run_id)
            run.entries, run.differences = report.entries, sum(report.differences.values())
            run.ended_at = self._clock.now() if report.complete else None
        return report

    async def _differences(self, book: Book, day: date) -> AsyncIterator[Difference | None]:
        """Give each number of either book, with how they differ; of the insurer its totals first asked, then those that
        its list does not explain."""
        books = self._books
        if book == "payment":
            async for difference in compared(books.our_payments(day), books.their_payments(day)):
                yield difference
            return
        totals = await books.totals(day)
        for one in totals:
            if one.differ:
                log.warning("totals differ: institution=%s day=%s", one.institution, day)
        async for difference in compared(books.our_settlements(day), books.their_settlements(day, totals)):
            yield difference
        for unlisted in unexplained(totals):
            yield unlisted

    async def _found(self, run_id: str, book: Book, difference: Difference, report: Report) -> None:
        outcome, rule = await self._outcome(book, difference)
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

    # rules, by their names in data/reconciliation

    async def _outcome(self, book: Book, difference: Difference) -> tuple[Outcome, str]:
        """Give what becomes of a difference, and what the rule says that did it: the first whose check holds."""
        for rule in rules_for(book, difference.kind):
            if await self._checks[rule.when](book, difference):
                return Outcome(rule.outcome), rule.says
        return Outcome.FOR_A_PERSON, ""

    async def _posted_other_day(self, _book: Book, difference: Difference) -> bool:
        there = difference.there
        return there is not None and await self._is_posted(there)

    async def _is_posted(self, entry: Entry) -> bool:
        return await self._ledger.by_key(f"{_KEYS[entry.kind]}:{entry.number}") is not None

    async def _fetched(self, _book: Book, difference: Difference) -> bool:
        """Post what the provider's bill has of ours and we have not: a notification was lost."""
        there = difference.there
        if there is None:
            return False
        about = await self._asked(there)
        if about is None or about.state not in ("paid", "done"):
            return False
        await self._charging.take(Notification(f"bill:{there.number}", about))
        return await self._is_posted(there)

    async def _known_there(self, book: Book, difference: Difference) -> bool:
        here = difference.here
        if here is None:
            return False
        if book == "insurer":
            settled = await self._insurer.settled(here.number)
            return settled is not None and to_fen(settled.split.insurance) == here.amounts[1]
        about = await self._asked(here)
        return about is not None and about.state in ("paid", "done") and about.amount == here.amounts[0]

    async def _asked(self, entry: Entry) -> Payment | Refund | None:
        if entry.kind == "payment":
            return await self._payments.query(entry.number)
        return await self._payments.refund_of(entry.number)

    # each day

    async def run(self) -> None:
        """Compare yesterday once each day, as soon as the provider's bill of it is there, until cancelled."""
        while True:
            day = await self.due()
            if day is not None:
                await self.reconcile(SYSTEM, day)
            await asyncio.sleep(_LOOK_SECONDS)

    async def due(self) -> date | None:
        """Give yesterday, if it is time to compare it: nobody has, or a side gave no answer half an hour ago."""
        now = local(self._clock.now())
        if now.time() < _BILL_READY:
            return None
        yesterday, run = now.date() - timedelta(days=1), ReconciliationRun
        since = datetime.combine(now.date(), _BILL_READY, LOCAL_ZONE)
        begun = select(run.book, run.began_at, run.ended_at).where(run.day == yesterday, run.began_at >= since)
        async with self._database.reading() as session:
            runs = (await session.execute(begun)).all()
        whole = {one.book for one in runs if one.ended_at is not None}
        lately = any(one.began_at > now - _ASK_AGAIN for one in runs)
        return None if lately or whole >= set(get_args(Book)) else yesterday
