"""Our ledger beside the books of insurer and payment provider: what differs is named, repaired by rule, or listed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from backend.charging import ChargeState
from backend.charging.reconciliation import ReconciliationService, Report
from backend.charging.reconciliation_rules import Difference, DifferenceKind, Entry, Outcome, compared
from backend.charging.reconciliation_tables import ReconciliationLine
from backend.clock import local
from backend.errors import Forbidden
from backend.insurance.insurer import SettledTotal, Settlement
from backend.payment.payments import BillLine, PaymentRefused
from backend.security.policy import SYSTEM
from tests.support.till import Till


def reconciliation(till: Till) -> ReconciliationService:
    clinic = till.clinic
    return ReconciliationService(
        clinic.database,
        clinic.clock,
        clinic.audit,
        clinic.people,
        till.ledger,
        till.insurer,
        till.payments,
        till.charging,
    )


def today(till: Till) -> date:
    return local(till.clinic.clock.now()).date()


async def lines(till: Till) -> list[tuple[DifferenceKind, Outcome, str]]:
    async with till.clinic.database.reading() as session:
        rows = await session.scalars(select(ReconciliationLine).order_by(ReconciliationLine.id))
        return [(row.kind, row.outcome, row.rule) for row in rows]


async def settled_charges(till: Till, count: int) -> None:
    for _ in range(count):
        charge = await till.paid(await till.insured())
        await till.finish(charge.consultation_id)
        await till.settle_down()


async def test_books_that_agree_have_no_line(till: Till) -> None:
    await settled_charges(till, 2)
    patient = await till.insured()
    await till.charging.cancel(patient, (await till.paid(patient)).id)
    await till.settle_down()
    assert await reconciliation(till).reconcile(SYSTEM, today(till)) == [
        Report("payment", today(till), entries=4),
        Report("insurer", today(till), entries=2),
    ]
    assert await lines(till) == []


async def test_what_the_platform_bears_is_no_difference_to_the_insurer(till: Till) -> None:
    charge = await till.paid(await till.insured())
    till.insurer.cheat = Decimal(10)
    await till.complete(charge)
    await till.settle_down()
    await till.charging.decide(await till.clinic.administrator(), charge.id, "bear", "核对过")
    await till.settle_down()
    await reconciliation(till).reconcile(SYSTEM, today(till))
    assert await lines(till) == []


async def test_a_payment_of_which_nobody_told_is_fetched_and_posted(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    till.payments.notifications.clear()
    [payment, _insurer] = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert payment.differences == {DifferenceKind.MISSING_HERE: 1}
    assert await lines(till) == [(DifferenceKind.MISSING_HERE, Outcome.REPAIRED, "fetched and posted")]
    assert (await till.now(charge)).state is ChargeState.CONFIRMED


async def test_what_no_rule_knows_is_listed_and_nothing_is_changed(till: Till) -> None:
    await settled_charges(till, 3)
    balances = await till.ledger.balances()
    first, second, third = till.payments.accounts.values()
    first.payment = replace(first.payment, amount=1)
    second.payment = replace(second.payment, paid_at=None, amount=0, state="closed")
    strange = replace(third.payment, number="f" * 32)
    till.payments.accounts["f" * 32] = replace(third, payment=strange)
    entry = next(iter(till.insurer.visits.values()))
    assert entry.settlement is not None
    parts = replace(entry.settlement.split, insurance=entry.settlement.split.insurance + Decimal(1))
    entry.settlement = replace(entry.settlement, split=parts)
    payment, insurer = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert payment.differences == {
        DifferenceKind.AMOUNT: 1,
        DifferenceKind.MISSING_THERE: 1,
        DifferenceKind.MISSING_HERE: 1,
    }
    assert insurer.differences == {DifferenceKind.AMOUNT: 1}
    assert (payment.for_a_person, insurer.for_a_person) == (3, 1)
    assert await till.ledger.balances() == balances


async def test_midnight_between_two_clocks_is_no_difference_for_a_person(till: Till) -> None:
    await settled_charges(till, 1)
    [account] = till.payments.accounts.values()
    assert account.payment.paid_at is not None
    account.payment = replace(account.payment, paid_at=account.payment.paid_at - timedelta(days=1))
    service = reconciliation(till)
    before, after = today(till) - timedelta(days=1), today(till)
    assert (await service.reconcile(SYSTEM, before))[0].for_a_person == 0
    assert (await service.reconcile(SYSTEM, after))[0].for_a_person == 0
    assert {outcome for _kind, outcome, _rule in await lines(till)} == {Outcome.OTHER_DAY}


async def test_a_side_that_is_down_makes_the_report_incomplete_and_it_is_asked_again(till: Till) -> None:
    await settled_charges(till, 1)
    service = reconciliation(till)
    till.insurer.wire.down = True
    payment, insurer = await service.reconcile(SYSTEM, today(till))
    assert (payment.complete, insurer.complete) == (True, False)
    till.insurer.wire.down = False
    assert (await service.reconcile(SYSTEM, today(till)))[1].complete


async def test_totals_that_no_list_explains_are_for_a_person(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    await settled_charges(till, 2)
    asked: list[str] = []
    honest, listed = till.insurer.totals, till.insurer.settlements

    async def wrong(institution: str, since: date, until: date) -> SettledTotal:
        asked.append("totals")
        total = await honest(institution, since, until)
        return replace(total, count=total.count + 1, insurance=total.insurance + 14_000)

    def lists(institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        asked.append("list")
        return listed(institution, day)

    monkeypatch.setattr(till.insurer, "totals", wrong)
    monkeypatch.setattr(till.insurer, "settlements", lists)
    _payment, insurer = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert asked == ["totals", "list"]
    assert (insurer.entries, insurer.differences, insurer.for_a_person) == (2, {DifferenceKind.TOTALS: 1}, 1)
    assert await lines(till) == [(DifferenceKind.TOTALS, Outcome.FOR_A_PERSON, "")]
    async with till.clinic.database.reading() as session:
        [line] = await session.scalars(select(ReconciliationLine))
    assert line.number == "H36000000001"
    assert (line.here, line.there) == (["totals", 2, 40_000, 28_000, 0], ["totals", 3, 40_000, 42_000, 0])


async def test_totals_that_differ_as_the_details_do_are_told_by_the_details(till: Till) -> None:
    await settled_charges(till, 2)
    visit = next(number for number, entry in till.insurer.visits.items() if entry.settlement is not None)
    del till.insurer.visits[visit]
    _payment, insurer = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert insurer.differences == {DifferenceKind.MISSING_THERE: 1}
    assert await lines(till) == [(DifferenceKind.MISSING_THERE, Outcome.FOR_A_PERSON, "")]


async def test_totals_are_of_insurance_alone_and_of_what_stands(till: Till) -> None:
    await settled_charges(till, 1)
    for patient in (await till.insured("special", account="10"), await till.insured(None, refusal="停保了。")):
        charge = await till.paid(patient)
        await till.finish(charge.consultation_id)
        await till.settle_down()
    undone = await till.paid(await till.insured())
    await till.finish(undone.consultation_id)
    await till.settle_down()
    administrator = await till.clinic.administrator()
    await till.charging.decide(administrator, undone.id, "reverse", "重复开单")
    await till.settle_down()
    _payment, insurer = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert insurer == Report("insurer", today(till), entries=2)


async def test_yesterday_is_due_until_both_books_are_compared(till: Till) -> None:
    service, yesterday = reconciliation(till), today(till) - timedelta(days=1)
    assert await service.due() is None  # eight in the morning
    till.clinic.clock.advance(timedelta(hours=3))
    assert await service.due() == yesterday
    await till.begun(await till.clinic.patient())  # from now on somebody has charged
    till.insurer.wire.down = True
    await service.reconcile(SYSTEM, yesterday)
    assert await service.due() is None  # just asked
    till.clinic.clock.advance(timedelta(minutes=31))
    assert await service.due() == yesterday
    till.insurer.wire.down = False
    await service.reconcile(SYSTEM, yesterday)
    till.clinic.clock.advance(timedelta(hours=2))
    assert await service.due() is None


async def test_a_bill_that_is_refused_is_asked_for_again(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_day: date) -> AsyncIterator[Sequence[BillLine]]:
        raise PaymentRefused("STATEMENT_CREATING")
        yield []

    monkeypatch.setattr(till.payments, "bill", refused)
    payment, insurer = await reconciliation(till).reconcile(SYSTEM, today(till))
    assert (payment.complete, insurer.complete) == (False, True)


async def test_patients_do_not_reconcile(till: Till) -> None:
    with pytest.raises(Forbidden):
        await reconciliation(till).reconcile(await till.insured(), today(till))


entries = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=3), st.sampled_from(["payment", "refund"]), st.integers(1, 3)),
    max_size=12,
)


async def given_one_after_the_other(listed: list[Entry]) -> AsyncIterator[Entry]:
    for one in listed:
        yield one


@given(entries, entries)
async def test_every_number_of_either_book_is_looked_at(
    ours: list[tuple[str, str, int]], theirs: list[tuple[str, str, int]]
) -> None:
    here = sorted({number: Entry(number, kind, (amount,)) for number, kind, amount in ours}.items())
    there = sorted((Entry(number, kind, (amount,)) for number, kind, amount in theirs), key=lambda one: one.number)
    found = [
        one
        async for one in compared(
            given_one_after_the_other([entry for _number, entry in here]), given_one_after_the_other(there)
        )
    ]
    known, first = dict(here), {one.number: one for one in reversed(there)}
    differing = [one for one in found if one is not None]
    assert len(found) == len(known.keys() | first.keys()) + len(there) - len(first)
    for number in known.keys() | first.keys():
        mine, other = known.get(number), first.get(number)
        if mine == other:
            kinds = []
        elif mine is None:
            kinds = [DifferenceKind.MISSING_HERE]
        elif other is None:
            kinds = [DifferenceKind.MISSING_THERE]
        else:
            kinds = [DifferenceKind.STATE if mine.kind != other.kind else DifferenceKind.AMOUNT]
        named = [one.kind for one in differing if one.number == number and one.kind is not DifferenceKind.DUPLICATE]
        assert named == kinds
    duplicates = [one for one in differing if isinstance(one, Difference) and one.kind is DifferenceKind.DUPLICATE]
    assert len(duplicates) == len(there) - len(first)


async def test_a_list_out_of_order_is_refused() -> None:
    wrong = [Entry("b", "payment", (1,)), Entry("a", "payment", (1,))]
    with pytest.raises(ValueError, match="ordered"):
        [one async for one in compared(given_one_after_the_other(wrong), given_one_after_the_other([]))]
