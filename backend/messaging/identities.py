"""One person behind several addresses: a channel's account and its mini-program, tied by the channel's union id.

Source: developers.weixin.qq.com, UnionID 机制说明: the same person has one union id in every application of one
open-platform account, and another open id in each.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, Owned, is_transient, key_ring
from backend.ids import new_id
from backend.messaging.rules import ContactView
from backend.messaging.service import Registry, contact_view, lane_of
from backend.messaging.tables import Contact

_PURPOSE = "contacts.union"
_ATTEMPTS = 5

T = TypeVar("T")


class Identities:
    """Finds the person behind an address, and learns which addresses are the same person's.

    Args:
        home_channel: the channel on which people are treated; a person known there is who they are everywhere.
    """

    def __init__(self, database: Database, clock: Clock, people: Registry, home_channel: str) -> None:
        self._database = database
        self._clock = clock
        self._people = people
        self._home = home_channel

    async def person_at(self, channel: str, address: str, union: str) -> str:
        """Give the person at an address of another channel than the home one.

        Whoever has the same `union` at home, else the person who came by this address before, else somebody new, until
        home tells better.
        """
        return await _tried_again(lambda: self._person_at(channel, address, union))

    async def _person_at(self, channel: str, address: str, union: str) -> str:
        index = lane_of(channel, address)
        at_address = (Contact.channel == channel, Contact.address_index == index)
        async with self._database.transaction() as session:
            known = (
                await session.execute(select(Contact.person_id, Contact.union_index).where(*at_address))
            ).one_or_none()
            if known is None:
                person_id = await self._at_home(session, union) or await self._people.register()
                contact = insert(Contact).values(
                    id=new_id(),
                    channel=channel,
                    address=Owned(person_id, address),
                    address_index=index,
                    person_id=person_id,
                    union_index=_index(union),
                    created_at=self._clock.now(),
                )
                await session.execute(contact)
            elif union and known.union_index != _index(union):
                await session.execute(update(Contact).where(*at_address).values(union_index=_index(union)))
            else:
                return str(known.person_id)
            await self._unite(session, union)
            found: str = await session.scalar(select(Contact.person_id).where(*at_address)) or ""
        return found

    async def unasked(self, limit: int) -> list[ContactView]:
        """Give contacts at home whose union id was not asked for yet."""
        query = select(Contact).where(Contact.union_index.is_(None), Contact.channel == self._home).limit(limit)
        async with self._database.reading() as session:
            return [contact_view(row) for row in await session.scalars(query)]

    async def learn(self, contact: ContactView, union: str) -> None:
        """Keep the union id of a contact at home ("" where the channel knows none).

        Whoever came by another channel first was somebody new then; from now on they are the person at home.
        """
        await _tried_again(lambda: self._learn(contact, union))

    async def _learn(self, contact: ContactView, union: str) -> None:
        async with self._database.transaction() as session:
            found = update(Contact).where(Contact.id == contact.id).values(union_index=_index(union))
            await session.execute(found)
            await self._unite(session, union)

    async def _at_home(self, session: AsyncSession, union: str) -> str | None:
        if not union:
            return None
        # Locked: what another transaction is learning about home just now is waited for.
        at_home = (Contact.channel == self._home, Contact.union_index == _index(union))
        found: str | None = await session.scalar(select(Contact.person_id).where(*at_home).limit(1).with_for_update())
        return found

    async def _unite(self, session: AsyncSession, union: str) -> None:
        """Let everybody with this union id be the person at home, if home knows it.

        Called after the own row was written, by whoever learns of either side: of two at the same time, one waits for
        the other's row and so sees it.
        """
        person_id = await self._at_home(session, union)
        if person_id is not None:
            elsewhere = (Contact.channel != self._home, Contact.union_index == _index(union))
            others = select(Contact.id, Contact.address).where(*elsewhere, Contact.person_id != person_id)
            # Locked: a visit that is being written just now looked at home before home was known.
            for row in (await session.execute(others.with_for_update())).all():
                address = Owned(person_id, row.address)  # under the key of whom they turned out to be
                mine = update(Contact).where(Contact.id == row.id).values(person_id=person_id, address=address)
                await session.execute(mine)


async def _tried_again(work: Callable[[], Awaitable[T]]) -> T:
    """Do `work`, a whole transaction, again where another was in its way: the second look finds what that one wrote.

    Two first visits at once break a unique constraint; a visit and what home learns at that moment may lock each other.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return await work()
        except DBAPIError as error:
            if not (isinstance(error, IntegrityError) or is_transient(error)):
                raise
    return await work()


def _index(union: str) -> str:
    return key_ring().blind_index(union, _PURPOSE) if union else ""
