"""One person behind the account's chat and the mini-program's login, in whichever order they came."""

import asyncio

import pytest
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.events import EventBus
from backend.messaging.identities import Identities
from backend.messaging.rules import ContactView
from backend.messaging.service import MessagingService
from backend.messaging.tables import Contact
from backend.people import PeopleService
from backend.people.tables import Person
from backend.security.audit import AuditLog
from bot.identities import UnionIds
from bot.metrics import Metrics
from bot.wechat.client import WechatClient
from tests.support.sandbox import running_sandbox
from tests.support.transport import local_settings

HOME, MINI = "wechat", "miniprogram"
UNION = "union-of-wang"


@pytest.fixture
def people(database: Database, clock: Clock) -> PeopleService:
    """The people's service."""
    return PeopleService(database, clock, EventBus(database, clock), AuditLog(database, clock))


@pytest.fixture
def identities(database: Database, clock: Clock, people: PeopleService) -> Identities:
    """What is tested."""
    return Identities(database, clock, people, home_channel=HOME)


@pytest.fixture
def messaging(database: Database, clock: Clock, people: PeopleService) -> MessagingService:
    """What knows of contacts at home."""
    return MessagingService(database, clock, people)


async def at_home(identities: Identities, messaging: MessagingService, openid: str = "open-1") -> ContactView:
    """Somebody who has met the account; whose union id nobody has asked for yet."""
    await identities.person_at(HOME, openid, "")
    async with identities._database.transaction() as session:
        row = await session.scalar(select(Contact).where(Contact.channel == HOME).order_by(Contact.created_at.desc()))
        assert row is not None
        row.union_index = None
    found = await messaging.contact(HOME, openid)
    assert found is not None
    return found


async def test_who_is_known_at_home_logs_in_as_the_same_person(
    identities: Identities, messaging: MessagingService
) -> None:
    contact = await at_home(identities, messaging)
    await identities.learn(contact, UNION)
    assert await identities.person_at(MINI, "mini-1", UNION) == contact.person_id


async def test_who_logs_in_first_becomes_the_person_at_home_once_home_knows(
    identities: Identities, messaging: MessagingService
) -> None:
    early = await identities.person_at(MINI, "mini-1", UNION)
    contact = await at_home(identities, messaging)
    assert early != contact.person_id
    await identities.learn(contact, UNION)
    assert await identities.person_at(MINI, "mini-1", UNION) == contact.person_id


async def test_a_login_that_tells_its_union_id_later_is_united_then(
    identities: Identities, messaging: MessagingService
) -> None:
    early = await identities.person_at(MINI, "mini-1", "")
    contact = await at_home(identities, messaging)
    await identities.learn(contact, UNION)
    assert await identities.person_at(MINI, "mini-1", "") == early
    assert await identities.person_at(MINI, "mini-1", UNION) == contact.person_id


async def test_people_without_a_union_id_stay_apart(identities: Identities, messaging: MessagingService) -> None:
    contact = await at_home(identities, messaging)
    await identities.learn(contact, "")
    persons = {await identities.person_at(MINI, f"mini-{number}", "") for number in range(3)}
    assert len(persons | {contact.person_id}) == 4


async def test_two_first_logins_at_once_are_one_person(identities: Identities, database: Database) -> None:
    found = await asyncio.gather(*(identities.person_at(MINI, "mini-1", UNION) for _ in range(4)))
    assert len(set(found)) == 1
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1
        assert await session.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.parametrize("attempt", range(5))
async def test_a_login_at_the_moment_in_which_home_learns_is_one_person(
    identities: Identities, messaging: MessagingService, attempt: int
) -> None:
    contact = await at_home(identities, messaging)

    async def learn() -> None:
        for _ in range(attempt):
            await asyncio.sleep(0)
        await identities.learn(contact, UNION)

    await asyncio.gather(learn(), identities.person_at(MINI, "mini-1", UNION))
    assert await identities.person_at(MINI, "mini-1", UNION) == contact.person_id


async def test_union_ids_are_asked_of_wechat_once(
    identities: Identities, messaging: MessagingService, clock: Clock
) -> None:
    async with running_sandbox() as wechat:
        phone = await wechat.client.phone("王阿姨", following=True)
        contact = await at_home(identities, messaging, phone.openid)
        client = WechatClient(local_settings(wechat.base_url), clock, Metrics(), None)
        try:
            asker = UnionIds(identities, client)
            assert await asker.ask() == 1
            assert await asker.ask() == 0
        finally:
            await client.close()
        union = (await phone.describe())["unionid"]
    assert await identities.person_at(MINI, "mini-1", union) == contact.person_id
