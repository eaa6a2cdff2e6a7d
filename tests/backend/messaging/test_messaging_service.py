"""Who writes, what was heard before, where the conversation stands, on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict
from backend.ids import new_id
from backend.messaging.rules import Allowance, Deferral, Reach, Touch
from backend.messaging.service import Answered, Behind, MessagingService, Opened
from backend.messaging.tables import Contact, InboundMessage

CHANNEL, ADDRESS = "wechat", "oTestUser_0001"


class Registry:
    """People who are only identifiers."""

    async def register(self, display_name: str = "") -> str:
        return new_id()


@pytest.fixture
def messaging(database: Database, clock: Clock) -> MessagingService:
    return MessagingService(database, clock, Registry())


async def turn(
    database: Database, messaging: MessagingService, key: str, touch: Touch = Touch.MESSAGE, address: str = ADDRESS
) -> Opened | Answered | Behind:
    """A whole turn that counts itself in the state."""
    async with database.transaction() as session:
        opened = await messaging.open(session, CHANNEL, address, key, touch)
        if isinstance(opened, Opened):
            number = (opened.state or {"number": 0})["number"] + 1
            await messaging.finish(session, opened, key, {"number": number}, {"said": number})
    return opened


async def test_a_person_is_made_with_the_first_message_and_found_with_the_next(
    database: Database, messaging: MessagingService
) -> None:
    first, second = await turn(database, messaging, "k1"), await turn(database, messaging, "k2")
    assert isinstance(first, Opened)
    assert isinstance(second, Opened)
    assert first.contact.person_id == second.contact.person_id
    assert (first.state, second.state) == (None, {"number": 1})
    found = await messaging.contact(CHANNEL, ADDRESS)
    assert found is not None
    assert found.person_id == first.contact.person_id
    assert await messaging.contact(CHANNEL, "oNobody_0001") is None


async def test_a_message_seen_before_gets_its_stored_answer(database: Database, messaging: MessagingService) -> None:
    await turn(database, messaging, "k1")
    assert await turn(database, messaging, "k1") == Answered({"said": 1})
    assert await messaging.answer("k1") == {"said": 1}
    assert await messaging.answer("k2") is None


async def test_a_turn_that_fails_leaves_no_trace(database: Database, messaging: MessagingService) -> None:
    async def failing() -> None:
        async with database.transaction() as session:
            await messaging.open(session, CHANNEL, ADDRESS, "k1", Touch.MESSAGE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await messaging.contact(CHANNEL, ADDRESS) is None
    assert isinstance(await turn(database, messaging, "k1"), Opened)


async def test_the_turns_of_a_person_in_two_processes_run_one_after_another(
    database: Database, messaging: MessagingService
) -> None:
    await turn(database, messaging, "k0")
    await asyncio.gather(*(turn(database, messaging, f"k{number}") for number in range(1, 9)))
    last = await turn(database, messaging, "k9")
    assert isinstance(last, Opened)
    assert last.state == {"number": 9}


async def test_a_conversation_changed_meanwhile_is_a_conflict(database: Database, messaging: MessagingService) -> None:
    stale = await turn(database, messaging, "k1")
    assert isinstance(stale, Opened)
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await messaging.finish(session, stale, "k2", {}, {})


async def test_windows_follow_what_the_person_does(
    database: Database, messaging: MessagingService, clock: Clock
) -> None:
    await turn(database, messaging, "k1", Touch.CLICK)
    opened = await turn(database, messaging, "k2", Touch.MESSAGE)
    assert isinstance(opened, Opened)
    reach = opened.contact.reach
    assert reach.last_touch_at is not None
    assert reach.last_message_at is not None
    assert reach.last_touch_at <= reach.last_message_at <= clock.now()
    await messaging.mark_unreachable(opened.contact.id)
    found = await messaging.contact(CHANNEL, ADDRESS)
    assert found is not None
    assert not found.reach.reachable
    back = await turn(database, messaging, "k3")
    assert isinstance(back, Opened)
    assert back.contact.reach.reachable
    left = await turn(database, messaging, "k4", Touch.LEFT)
    assert isinstance(left, Opened)
    assert not left.contact.reach.reachable


async def test_a_stored_message_keeps_later_ones_of_the_same_person_back_and_nobody_else(
    database: Database, messaging: MessagingService
) -> None:
    lane = messaging.lane(CHANNEL, ADDRESS)
    await messaging.defer([Deferral("k1", lane, {"text": "一"}), Deferral("k2", lane, {"text": "二"})])
    assert isinstance(await turn(database, messaging, "k3"), Behind)
    assert isinstance(await turn(database, messaging, "k4", address="oOther_0001"), Opened)
    assert await turn(database, messaging, "k1") == Answered({})


async def test_stored_messages_are_served_in_order_and_once(database: Database, messaging: MessagingService) -> None:
    lane = messaging.lane(CHANNEL, ADDRESS)
    await messaging.defer([Deferral(f"k{number}", lane, {"number": number}) for number in range(3)])
    await messaging.defer([Deferral("k0", lane, {"number": "again"})])
    served = []
    while items := await messaging.deferred():
        (item,) = items
        async with database.transaction() as session:
            assert await messaging.claim_deferred(session, item.id)
            opened = await messaging.open(session, CHANNEL, ADDRESS, item.key, Touch.MESSAGE, deferred_id=item.id)
            assert isinstance(opened, Opened)
            await messaging.finish(session, opened, item.key, {}, {}, deferred_id=item.id)
        served.append(item.content["number"])
        async with database.transaction() as session:
            assert not await messaging.claim_deferred(session, item.id)
    assert served == [0, 1, 2]
    assert isinstance(await turn(database, messaging, "k3"), Opened)


async def test_old_answers_are_forgotten_but_not_those_of_stored_messages(
    database: Database, messaging: MessagingService, clock: Clock
) -> None:
    await turn(database, messaging, "k1")
    await messaging.defer([Deferral("k2", messaging.lane(CHANNEL, "oOther_0001"), {})])
    clock.advance(timedelta(days=8))
    assert await messaging.forget(clock.now() - timedelta(days=7)) == 1
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(InboundMessage)) == 1


async def test_an_address_is_encrypted_at_rest(database: Database, messaging: MessagingService) -> None:
    await turn(database, messaging, "k1")
    async with database.engine.connect() as connection:
        (row,) = (await connection.exec_driver_sql("SELECT * FROM contacts")).all()
    assert all(ADDRESS.encode() not in (value if isinstance(value, bytes) else str(value).encode()) for value in row)
    async with database.reading() as session:
        assert await session.scalar(select(Contact.address)) == ADDRESS


def test_a_push_counts_against_the_allowance_that_it_was_taken_from(clock: Clock) -> None:
    now = clock.now()
    reach = Reach().after(Touch.MESSAGE, now).after(Touch.CLICK, now)
    assert reach.sent(Allowance(Touch.MESSAGE, now)).sent_after_message == 1
    assert reach.sent(Allowance(Touch.CLICK, now)).sent_after_touch == 1
    assert reach.sent(Allowance(Touch.MESSAGE, now - timedelta(hours=1))) == reach
