"""The books that are compared: our ledger, the insurer's list and totals, the payment provider's bill."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from backend.charging.reconciliation_rules import Entry, Sums, Totals
from backend.charging.tables import Charge
from backend.clock import LOCAL_ZONE
from backend.db import Database
from backend.insurance.insurer import Insurer
from backend.ledger import LedgerService, Posting
from backend.money import to_fen
from backend.payment.payments import Payments
from backend.people import PeopleService

_INSURANCE = ("insurer", "family_account", "treasury")


class Books:
    """Reads the books of a day (as people in China count it), each ordered by number and never held as a whole."""

    def __init__(
        self,
        database: Database,
        people: PeopleService,
        ledger: LedgerService,
        insurer: Insurer,
        payments: Payments,
    ) -> None:
        self._database = database
        self._people = people
        self._ledger = ledger
        self._insurer = insurer
        self._payments = payments

    async def our_payments(self, day: date) -> AsyncIterator[Entry]:
        """Payments and refunds in the ledger; a number of ours is never both, so that one order does for both."""
        async for posting in self._ledger.between(("payment", "refund"), *_span(day)):
            number = posting.key.partition(":")[2]
            yield Entry(number, posting.kind, (abs(_amount(posting, "wechat_pay")),))

    async def their_payments(self, day: date) -> AsyncIterator[Entry]:
        """Payments and refunds in the provider's bill."""
        async for page in self._payments.bill(day):
            for line in page:
                yield Entry(line.number, line.kind, (line.amount,))

    async def our_settlements(self, day: date) -> AsyncIterator[Entry]:
        """Settlements that insurance took part in, and that were not taken back."""
        async for posting in self._ledger.between(("settlement",), *_span(day), standing=True):
            insurance, account = _amount(posting, "insurer"), _amount(posting, "family_account")
            subsidy = _amount(posting, "treasury")
            # The insurer does not know that the platform pays a part of what it leaves to the patient.
            left = _amount(posting, "patient") + _amount(posting, "platform")
            number = posting.key.partition(":")[2]
            if insurance or account or subsidy:
                yield Entry(number, "settlement", (insurance + account + subsidy + left, insurance, account))

    async def their_settlements(self, day: date, totals: list[Totals]) -> AsyncIterator[Entry]:
        """Settlements in the insurer's lists (3202); what each list comes to is added to its `totals`."""
        async for entry in _merged([self._one_list(one, day) for one in totals]):
            yield entry

    async def totals(self, day: date) -> list[Totals]:
        """Give what the settlements of each institution come to, here and by the insurer's word (3201)."""
        ours = await self._ledger.summed("settlement", *_span(day), by="institution:", having=_INSURANCE)
        found = []
        for institution_id, code in await self.institutions():
            there = await self._insurer.totals(code, day, day)
            sums = Sums(there.count, there.total, there.insurance, there.account)
            found.append(Totals(code, _sums(ours.get(f"institution:{institution_id}", {})), sums))
        return found

    async def institutions(self) -> list[tuple[str, str]]:
        """Give the institutions that have ever charged and can claim, with the insurer's codes, by code."""
        async with self._database.reading() as session:
            ids = list(await session.scalars(select(Charge.institution_id).distinct()))
        codes = [(one, (await self._people.institution(one)).insurance_code) for one in ids]
        return sorted(((one, code) for one, code in codes if code), key=lambda pair: pair[1])

    async def _one_list(self, totals: Totals, day: date) -> AsyncIterator[Entry]:
        async for page in self._insurer.settlements(totals.institution, day):
            for one in page:
                whole, account = to_fen(one.split.total), to_fen(one.split.account)
                insurance, subsidy = to_fen(one.split.insurance), to_fen(one.split.subsidy)
                totals.listed += Sums(1, whole, insurance + subsidy, account)
                yield Entry(one.visit, "settlement", (whole, insurance, account))


def _span(day: date) -> tuple[datetime, datetime]:
    since = datetime.combine(day, time(), LOCAL_ZONE)
    return since, since + timedelta(days=1)


def _amount(posting: Posting, account: str) -> int:
    return next((line.amount for line in posting.lines if line.account == account), 0)


def _sums(accounts: Mapping[str, tuple[int, int]]) -> Sums:
    count = max((count for count, _amount in accounts.values()), default=0)
    insurance, account, subsidy, cash, borne = (
        accounts.get(name, (0, 0))[1] for name in ("insurer", "family_account", "treasury", "patient", "platform")
    )
    return Sums(count, insurance + account + subsidy + cash + borne, insurance + subsidy, account)


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
