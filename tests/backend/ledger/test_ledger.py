"""Double entry: nothing is lost, nothing is posted twice, nothing that is posted changes."""

import asyncio

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.clock import Clock
from backend.db import Database
from backend.ledger import BadPosting, LedgerService, Line
from backend.ledger.rules import checked, reversed_lines

EXPERT = "expert:" + "a" * 32
PAID = (Line("wechat_pay", 1500), Line("patient", -1500))


@pytest_asyncio.fixture
async def ledger(database: Database, clock: Clock) -> LedgerService:
    return LedgerService(database, clock)


async def test_a_balance_is_the_sum_of_what_was_posted(ledger: LedgerService) -> None:
    await ledger.post("pay:1", "payment", "charge:1", PAID)
    await ledger.post("pay:2", "payment", "charge:2", [Line("wechat_pay", 700), Line("patient", -700)])
    await ledger.post("share:1", "remuneration", "charge:1", [Line(EXPERT, 900), Line("wechat_pay", -900)])
    assert await ledger.balance("wechat_pay") == 1300
    assert await ledger.balance("wechat_pay", subject="charge:1") == 600
    assert await ledger.balance(EXPERT) == 900
    assert sum((await ledger.balances()).values()) == 0
    assert await ledger.unbalanced() == []
    assert [one.key for one in await ledger.of("charge:1")] == ["pay:1", "share:1"]


async def test_the_same_step_posts_once_and_another_one_cannot_take_its_key(ledger: LedgerService) -> None:
    first = await ledger.post("pay:1", "payment", "charge:1", PAID)
    assert await ledger.post("pay:1", "payment", "charge:1", list(reversed(PAID))) == first
    with pytest.raises(BadPosting):
        await ledger.post("pay:1", "payment", "charge:1", [Line("wechat_pay", 1), Line("patient", -1)])
    with pytest.raises(BadPosting):
        await ledger.post("pay:1", "payment", "charge:2", PAID)
    assert await ledger.balance("wechat_pay") == 1500


async def test_of_many_who_post_one_step_at_once_one_does(ledger: LedgerService) -> None:
    posted = await asyncio.gather(*(ledger.post("pay:1", "payment", "charge:1", PAID) for _ in range(5)))
    assert len({one.id for one in posted}) == 1
    assert await ledger.balance("wechat_pay") == 1500


async def test_what_was_wrong_is_taken_back_once_by_a_posting_that_says_so(ledger: LedgerService) -> None:
    wrong = await ledger.post("pay:1", "payment", "charge:1", PAID)
    back = await ledger.reverse("back:1", "correction", wrong)
    assert (back.corrects, back.subject) == (wrong.id, "charge:1")
    assert await ledger.reverse("back:1", "correction", wrong) == back
    with pytest.raises(BadPosting):
        await ledger.reverse("back:2", "correction", wrong)
    assert set((await ledger.balances()).values()) == {0}


async def test_all_postings_are_read_in_order_however_many(ledger: LedgerService) -> None:
    for number in range(1203):
        await ledger.post(f"pay:{number}", "payment", "charge:1", PAID)
    read = [posting async for posting in ledger.since()]
    assert [one.key for one in read] == [f"pay:{number}" for number in range(1203)]
    assert [one.key async for one in ledger.since(read[1200].id)] == ["pay:1201", "pay:1202"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_lines SET amount = 1",
        "DELETE FROM ledger_lines",
        "UPDATE ledger_postings SET kind = 'other'",
        "DELETE FROM ledger_postings",
    ],
)
async def test_the_database_itself_refuses_to_change_what_is_posted(
    ledger: LedgerService, database: Database, statement: str
) -> None:
    await ledger.post("pay:1", "payment", "charge:1", PAID)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Line("patient", 0)],
        [Line("patient", 100)],
        [Line("patient", 100), Line("wechat_pay", -99)],
        [Line("patient", 100), Line("patient", -100)],
        [Line("patient", 0), Line("wechat_pay", 0)],
        [Line("somebody", 100), Line("wechat_pay", -100)],
        [Line("expert:../..", 100), Line("wechat_pay", -100)],
        [Line("patient", 10**10), Line("wechat_pay", -(10**10))],
    ],
)
def test_what_is_no_posting_is_refused(lines: list[Line]) -> None:
    with pytest.raises(BadPosting):
        checked(lines)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_a_posting_and_its_reversal_leave_nothing(amounts: list[int]) -> None:
    accounts = ["patient", "insurer", "family_account", "treasury", "platform"]
    lines = [Line(account, amount) for account, amount in zip(accounts, amounts, strict=False)]
    posting = checked([*lines, Line("wechat_pay", -sum(amounts))])
    back = reversed_lines(posting)
    assert sorted(posting, key=lambda line: line.account) == sorted(
        (Line(line.account, -line.amount) for line in back), key=lambda line: line.account
    )
