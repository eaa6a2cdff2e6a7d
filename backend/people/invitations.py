"""Invitations: how the person behind a doctor or expert joins, by scanning a QR code with a one-time scene."""

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import key_ring
from backend.errors import Conflict, InvalidInput, NotFound
from backend.ids import new_id
from backend.people.directory import Directory, managed_by
from backend.people.tables import Invitation as InvitationRow
from backend.people.tables import Person, PersonRole, Practitioner
from backend.people.views import Invitation, PractitionerView
from backend.security.policy import Action, Actor, Role, require

_LONGEST_VALIDITY = timedelta(days=30)  # WeChat's temporary QR codes live no longer
_RANDOM_BYTES = 24


class Invitations(Directory):
    """The part of `PeopleService` about joining."""

    async def create_invitation(
        self, actor: Actor, practitioner_id: str, valid_for: timedelta = timedelta(days=7)
    ) -> Invitation:
        """Make a one-time scene (at most 64 characters, as WeChat's QR codes take) for a practitioner.

        Raises:
            Forbidden: the actor may not invite.
            NotFound: there is no such practitioner.
            Conflict: somebody has joined as this practitioner already.
            InvalidInput: `valid_for` is not between nothing and thirty days.
        """
        if not timedelta() < valid_for <= _LONGEST_VALIDITY:
            raise InvalidInput("邀请的有效期最长30天。", field="valid_for")
        scene = f"join-{secrets.token_urlsafe(_RANDOM_BYTES)}"
        now = self._clock.now()
        async with self._database.transaction() as session:
            practitioner = await session.get(Practitioner, practitioner_id)
            place = managed_by(Role(practitioner.role), practitioner.institution_id) if practitioner else None
            require(actor, Action.PEOPLE_INVITE, institution_id=place)
            if practitioner is None or not practitioner.active:
                raise NotFound("没有找到这位医生。", practitioner_id=practitioner_id)
            if practitioner.person_id is not None:
                raise Conflict("这位医生已经加入，不需要再邀请。", practitioner_id=practitioner_id)
            row = InvitationRow(
                id=new_id(),
                scene_digest=_digest(scene),
                practitioner_id=practitioner_id,
                created_at=now,
                expires_at=now + valid_for,
            )
            session.add(row)
            await self._audit.record(session, actor, Action.PEOPLE_INVITE, subject=f"practitioner:{practitioner_id}")
        return Invitation(scene, row.expires_at)

    async def accept_invitation(self, person_id: str, scene: str) -> PractitionerView:
        """Let the person join as the practitioner that `scene` invites; scanning one's own code again is harmless.

        Raises:
            NotFound: no invitation has this scene, or nobody this id.
            Conflict: it is used or has expired, or the person or the practitioner has joined otherwise.
        """
        async with self._database.transaction() as session:
            invitation = await session.scalar(
                select(InvitationRow).where(InvitationRow.scene_digest == _digest(scene)).with_for_update()
            )
            if invitation is None:
                raise NotFound("没有找到这个邀请，请向管理员要一个新的二维码。")
            if invitation.used_by != person_id:
                await self._join(session, person_id, invitation)
            return await self.practitioner(invitation.practitioner_id)

    async def _join(self, session: AsyncSession, person_id: str, invitation: InvitationRow) -> None:
        now = self._clock.now()
        if invitation.used_at is not None:
            raise Conflict("这个邀请已经用过了，请向管理员要一个新的二维码。")
        if invitation.expires_at <= now:
            raise Conflict("这个邀请已经过期了，请向管理员要一个新的二维码。")
        if await session.get(Person, person_id) is None:
            raise NotFound(person_id=person_id)
        if await session.scalar(select(Practitioner.id).where(Practitioner.person_id == person_id)) is not None:
            raise Conflict("您已经用另一个医生身份加入了，如需更换请联系管理员。")
        binding: CursorResult[Any] = await session.execute(  # type: ignore[assignment]  # what an UPDATE gives
            update(Practitioner)
            .where(Practitioner.id == invitation.practitioner_id, Practitioner.person_id.is_(None), Practitioner.active)
            .values(person_id=person_id)
        )
        if binding.rowcount != 1:
            raise Conflict("这位医生的名额已经有人加入了，请联系管理员。")
        practitioner = await session.get_one(Practitioner, invitation.practitioner_id, populate_existing=True)
        invitation.used_at, invitation.used_by = now, person_id
        session.add(PersonRole(person_id=person_id, role=practitioner.role))
        joined = Actor(person_id, frozenset({Role(practitioner.role)}), practitioner.id, practitioner.institution_id)
        subject = f"practitioner:{practitioner.id}"
        await self._audit.record(session, joined, "people.accept_invitation", subject=subject)
        await self._events.publish(session, "practitioner.joined", practitioner_id=practitioner.id, person_id=person_id)


def _digest(scene: str) -> str:
    return key_ring().blind_index(scene, "invitations.scene")
