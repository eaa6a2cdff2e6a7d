"""The roster: who practises, with licence numbers and the day on which they run out, for those who manage them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import select

from backend.db import key_ring
from backend.people.context import LONGEST_PAGE
from backend.people.directory import practitioner_rows
from backend.people.invitations import Invitations
from backend.people.tables import Practitioner
from backend.people.views import PractitionerView
from backend.security.policy import Action, Actor, Relation, Role, granted, require


@dataclass(frozen=True)
class RosterEntry:
    """Somebody who practises; `licence_expires_on` is None where nobody has said."""

    practitioner: PractitionerView
    licence_number: str = field(repr=False)
    licence_expires_on: date | None


class Roster(Invitations):
    """The part of `PeopleService` about the roster."""

    async def roster(
        self,
        actor: Actor,
        *,
        institution_id: str | None = None,
        role: Role | None = None,
        licence_number: str = "",
        expiring_within: timedelta | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[RosterEntry]:
        """List who practises, those who have left too, in a stable order; an institution's administrator sees theirs.

        Args:
            licence_number: only who has this one. expiring_within: only those whose licence runs out within this time,
                or has run out.
            limit: at most 100.

        Raises:
            Forbidden: the actor manages no directory, or not that of this institution.
        """
        if Relation.ANY not in granted(actor, Action.PEOPLE_MANAGE_DIRECTORY):
            institution_id = institution_id or actor.institution_id
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=institution_id)
        query = practitioner_rows().order_by(Practitioner.id).limit(min(limit, LONGEST_PAGE)).offset(max(offset, 0))
        if institution_id is not None:
            query = query.where(Practitioner.institution_id == institution_id)
        if role is not None:
            query = query.where(Practitioner.role == role)
        if licence_number:
            index = key_ring().blind_index(licence_number, "practitioners.licence_number")
            query = query.where(Practitioner.licence_number_index == index)
        if expiring_within is not None:
            query = query.where(Practitioner.licence_expires_on <= self._today() + expiring_within)
        views = await self._practitioner_views(query)
        licences = select(Practitioner.id, Practitioner.licence_number, Practitioner.licence_expires_on)
        async with self._database.transaction() as session:
            found = await session.execute(licences.where(Practitioner.id.in_([view.id for view in views])))
            held = {row.id: row for row in found}
            subject = f"institution:{institution_id}" if institution_id else ""
            await self._audit.record(session, actor, Action.PEOPLE_MANAGE_DIRECTORY, subject=subject)
        return [RosterEntry(view, held[view.id].licence_number, held[view.id].licence_expires_on) for view in views]
