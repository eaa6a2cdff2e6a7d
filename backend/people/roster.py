"""The roster: who practises, with licence numbers and the day on which they run out, for those who manage them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.db import key_ring
from backend.errors import InvalidInput
from backend.people.context import LONGEST_PAGE
from backend.people.invitations import Invitations
from backend.people.tables import Institution, Practitioner
from backend.people.views import PractitionerView
from backend.security.policy import Action, Actor, Relation, Role, granted, require
from data.sounds import pinyin

_Key = tuple[str, tuple[str, ...], str, str]


@dataclass(frozen=True)
class RosterFilter:
    """Who; what is None or empty does not matter.

    Attributes:
        name: a part of it. licence_number: the whole. joined: in WeChat, or not yet.
        expiring_within: whose licence runs out within this time, or has run out.
    """

    institution_id: str | None = None
    role: Role | None = None
    name: str = field(default="", repr=False)
    licence_number: str = field(default="", repr=False)
    joined: bool | None = None
    expiring_within: timedelta | None = None


@dataclass(frozen=True)
class RosterEntry:
    """Somebody who practises; `licence_expires_on` is None where nobody has said."""

    practitioner: PractitionerView
    licence_number: str = field(repr=False)
    licence_expires_on: date | None


@dataclass(frozen=True)
class RosterPage:
    """A page of the roster, and what the next one is asked with; empty at the end."""

    items: list[RosterEntry]
    next_cursor: str


class Roster(Invitations):
    """The part of `PeopleService` about the roster."""

    async def roster(self, actor: Actor, wanted: RosterFilter, *, limit: int = 50, cursor: str = "") -> RosterPage:
        """List who practises, those who have left too: institution by institution in the order of their codes, there by
        name as it is said; an institution's administrator sees theirs. Whoever comes or goes meanwhile moves nobody to
        another page.

        Args:
            limit: at most 100.

        Raises:
            Forbidden: the actor manages no directory, or not that of this institution. InvalidInput: it is no cursor.
        """
        place = wanted.institution_id
        if Relation.ANY not in granted(actor, Action.PEOPLE_MANAGE_DIRECTORY):
            place = place or actor.institution_id
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=place)
        conditions = [*self._wanted(wanted), *([Practitioner.institution_id == place] if place else [])]
        limit = min(max(limit, 1), LONGEST_PAGE)
        async with self._database.reading() as session:
            after = await _place_of(session, cursor, place) if cursor else None
            keys = await _in_order(session, conditions, wanted.name.strip(), after, limit + 1)
        page, more = paging.cut(keys, limit)
        return RosterPage(await self._entries(actor, page, place), page[-1][-1] if more else "")

    def _wanted(self, wanted: RosterFilter) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if wanted.role is not None:
            conditions.append(Practitioner.role == wanted.role)
        if wanted.licence_number:
            index = key_ring().blind_index(wanted.licence_number, "practitioners.licence_number")
            conditions.append(Practitioner.licence_number_index == index)
        if wanted.joined is not None:
            has = Practitioner.person_id.is_not(None)
            conditions.append(has if wanted.joined else ~has)
        if wanted.expiring_within is not None:
            conditions.append(Practitioner.licence_expires_on <= self._today() + wanted.expiring_within)
        return conditions

    async def _entries(self, actor: Actor, page: Sequence[_Key], place: str | None) -> list[RosterEntry]:
        ids = [key[-1] for key in page]
        views = await self.practitioners_by_id(ids)
        licences = select(Practitioner.id, Practitioner.licence_number, Practitioner.licence_expires_on)
        async with self._database.transaction() as session:
            held = {row.id: row for row in await session.execute(licences.where(Practitioner.id.in_(ids)))}
            subject = f"institution:{place}" if place else ""
            await self._audit.record(session, actor, Action.PEOPLE_MANAGE_DIRECTORY, subject=subject)
        return [RosterEntry(views[one], held[one].licence_number, held[one].licence_expires_on) for one in ids]


async def _place_of(session: AsyncSession, cursor: str, place: str | None) -> _Key:
    """Give where the last one of the page before stands."""
    row = await session.get(Practitioner, cursor)
    if row is None or place not in (None, row.institution_id):
        raise InvalidInput("翻页的位置不对，请从第一页重新看。", field="cursor")
    institution = await session.get_one(Institution, row.institution_id)
    return _key(institution.code, row.name, row.id)


async def _in_order(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], name: str, after: _Key | None, count: int
) -> list[_Key]:
    """Give the first ones after a place. Names are encrypted, so that no database can sort them: those of as many
    institutions are read as have so many people."""
    there = Institution.id == Practitioner.institution_id
    counted = select(Institution.code, func.count()).join(Practitioner, there).where(*conditions)
    if after is not None:
        counted = counted.where(Institution.code >= after[0])
    places = (await session.execute(counted.group_by(Institution.code).order_by(Institution.code))).all()
    # Of the first institution some may have been shown already.
    before = [0, *accumulate((number for _, number in places[1:]), initial=0)]
    codes = [code for (code, _), found in zip(places, before, strict=False) if name or found < count]
    query = select(Institution.code, Practitioner.name, Practitioner.id).join(Institution, there)
    rows = await session.execute(query.where(*conditions, Institution.code.in_(codes)))
    keys = sorted(_key(*row) for row in rows if name in row.name)
    return [key for key in keys if after is None or key > after][:count]


def _key(code: str, name: str, practitioner_id: str) -> _Key:
    sounds = pinyin()
    return code, tuple(sounds.get(character, (character,))[0] for character in name), name, practitioner_id
