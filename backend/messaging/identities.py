"""One person behind several addresses: a channel's account and its mini-program, tied by the channel's union id.

Source: developers.weixin.qq.com, UnionID 机制说明: the same person has one union id in every application of one
open-platform account, and another open id in each.
"""

from sqlalchemy import insert, select, update

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.ids import new_id
from backend.messaging.rules import ContactView
from backend.messaging.service import Registry, contact_view, lane_of
from backend.messaging.tables import Contact

_PURPOSE = "contacts.union"


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

        Known there: that person. New: whoever has the same `union` at home, else somebody new, until home tells better.
        """
        index = lane_of(channel, address)
        async with self._database.transaction() as session:
            known = await session.scalar(select(Contact.person_id).where(Contact.address_index == index))
            if known is not None:
                return known
            person_id = await session.scalar(
                select(Contact.person_id).where(Contact.channel == self._home, Contact.union_index == _index(union))
            )
            if person_id is None or not union:
                person_id = await self._people.register()
            contact = insert(Contact).values(
                id=new_id(),
                channel=channel,
                address=address,
                address_index=index,
                person_id=person_id,
                union_index=_index(union),
                created_at=self._clock.now(),
            )
            await session.execute(contact)
        return person_id

    async def unasked(self, limit: int) -> list[ContactView]:
        """Give contacts at home whose union id was not asked for yet."""
        query = select(Contact).where(Contact.union_index.is_(None), Contact.channel == self._home).limit(limit)
        async with self._database.reading() as session:
            return [contact_view(row) for row in await session.scalars(query)]

    async def learn(self, contact: ContactView, union: str) -> None:
        """Keep the union id of a contact at home ("" where the channel knows none).

        Whoever came by another channel first was somebody new then; from now on they are the person at home.
        """
        async with self._database.transaction() as session:
            found = update(Contact).where(Contact.id == contact.id).values(union_index=_index(union))
            await session.execute(found)
            if union:
                elsewhere = update(Contact).where(Contact.channel != self._home, Contact.union_index == _index(union))
                await session.execute(elsewhere.values(person_id=contact.person_id))


def _index(union: str) -> str:
    return key_ring().blind_index(union, _PURPOSE) if union else ""
