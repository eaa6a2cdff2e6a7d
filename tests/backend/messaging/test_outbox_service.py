"""The outbox: order, leases, keys, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Allowance, Draft, Touch
from backend.messaging.tables import DeadLetter, OutboxMessage

LEASE = timedelta(seconds=30)


@pytest.fixture
def outbox(database: Database, clock: Clock) -> OutboxService:
    return OutboxService(database, clock)


async def put(database: Database, outbox: OutboxService, person: str, *texts: str, lease: timedelta = timedelta()):  # type: ignore[no-untyped-def]
    async with database.transaction() as session:
        return await outbox.put(session, person, [Draft({"text": text}) for text in texts], lease=lease)


def texts(items: object) -> list[str]:
    return [item.content["text"] for item in items]  # type: ignore[attr-defined]


async def test_rows_are_claimed_in_the_order_in_which_they_were_put(database: Database, outbox: OutboxService) -> None:
    await put(database, outbox, "p1", *(str(number) for number in range(20)))
    assert texts(await outbox.claim(LEASE)) == [str(number) for number in range(20)]


async def test_a_claimed_row_is_not_claimed_again_before_its_lease_ends(
    database: Database, outbox: OutboxService, clock: Clock
) -> None:
    await put(database, outbox, "p1", "一")
    assert len(await outbox.claim(LEASE)) == 1
    assert await outbox.claim(LEASE) == []
    clock.advance(LEASE + timedelta(seconds=1))
    assert len(await outbox.claim(LEASE)) == 1


async def test_rows_behind_one_that_another_process_is_sending_wait(
    database: Database, outbox: OutboxService, clock: Clock
) -> None:
    await put(database, outbox, "p1", "一", lease=LEASE)
    await put(database, outbox, "p1", "二")
    await put(database, outbox, "p2", "别人的")
    assert texts(await outbox.claim(LEASE)) == ["别人的"]
    clock.advance(LEASE + timedelta(seconds=1))
    assert [item.content["text"] for item in await outbox.claim(LEASE) if item.person_id == "p1"] == ["一", "二"]


async def test_rows_behind_one_that_was_put_off_wait_and_a_held_one_keeps_nobody_back(
    database: Database, outbox: OutboxService, clock: Clock
) -> None:
    held, first, _ = await put(database, outbox, "p1", "留着", "一", "二")
    await outbox.hold(held)
    await outbox.put_off(first.id, clock.now() + timedelta(seconds=9), 1)
    assert await outbox.claim(LEASE) == []
    clock.advance(timedelta(seconds=10))
    taken = await outbox.claim(LEASE)
    assert texts(taken) == ["一", "二"]
    assert taken[0].attempts == 1
    async with database.reading() as session:
        assert texts(await outbox.held(session, "p1")) == ["留着"]


async def test_people_whose_first_row_was_put_off_do_not_keep_others_from_being_found(
    database: Database, outbox: OutboxService, clock: Clock
) -> None:
    for number in range(5):
        first, _ = await put(database, outbox, f"p{number}", "一", "二")
        await outbox.put_off(first.id, clock.now() + timedelta(hours=1), 1)
    clock.advance(timedelta(seconds=1))
    await put(database, outbox, "p9", "别人的")
    assert texts(await outbox.claim(LEASE, limit=5)) == ["别人的"]
    clock.advance(timedelta(hours=1))
    assert len(await outbox.claim(LEASE)) == 11


async def test_a_lost_lease_cannot_be_renewed(database: Database, outbox: OutboxService, clock: Clock) -> None:
    await put(database, outbox, "p1", "一")
    (mine,) = await outbox.claim(LEASE)
    assert await outbox.renew(mine, LEASE) is not None
    clock.advance(LEASE * 3)
    await outbox.claim(LEASE)
    assert await outbox.renew(mine, LEASE) is None


async def test_a_key_is_new_once_and_a_rolled_back_key_is_new_again(database: Database, outbox: OutboxService) -> None:
    async def failing() -> None:
        async with database.transaction() as session:
            assert await outbox.is_new(session, "reminder:1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    async with database.transaction() as session:
        assert await outbox.is_new(session, "reminder:1")
    async with database.transaction() as session:
        assert not await outbox.is_new(session, "reminder:1")


async def test_a_replaced_row_keeps_its_place(database: Database, outbox: OutboxService) -> None:
    _, middle, _ = await put(database, outbox, "p1", "一", "二", "三")
    await outbox.replace(middle, [Draft({"text": "二甲"}), Draft({"text": "二乙"})])
    assert texts(await outbox.claim(LEASE)) == ["一", "二甲", "二乙", "三"]


async def test_a_buried_row_keeps_its_content_and_reason(database: Database, outbox: OutboxService) -> None:
    (item,) = await put(database, outbox, "p1", "坏的")
    await outbox.bury(item, "wechat:47003")
    assert await outbox.waiting() == 0
    async with database.reading() as session:
        letter = (await session.scalars(select(DeadLetter))).one()
    assert (letter.content, letter.reason) == ({"text": "坏的"}, "wechat:47003")


async def test_released_rows_can_be_claimed_at_once(database: Database, outbox: OutboxService) -> None:
    items = await put(database, outbox, "p1", "一", "二", lease=LEASE)
    assert await outbox.claim(LEASE) == []
    await outbox.release([item.id for item in items])
    assert texts(await outbox.claim(LEASE)) == ["一", "二"]


async def test_a_push_out_of_an_allowance_that_was_renewed_counts_no_more(
    database: Database, outbox: OutboxService, clock: Clock
) -> None:
    (item,) = await put(database, outbox, "p1", "一")
    gone = Allowance(Touch.MESSAGE, clock.now())
    await outbox.acknowledge([item.id], {("no-such-contact", gone): 1})
    async with database.reading() as session:
        assert (await session.scalars(select(OutboxMessage))).all() == []


async def test_words_are_encrypted_at_rest(database: Database, outbox: OutboxService) -> None:
    await put(database, outbox, "p1", "高血压")
    async with database.engine.connect() as connection:
        (stored,) = (await connection.exec_driver_sql("SELECT content FROM outbox_messages")).one()
    assert "高血压".encode() not in bytes(stored)
