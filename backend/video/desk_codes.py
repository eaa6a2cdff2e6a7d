"""Desk codes: eight digits by which somebody goes on at a desktop browser with what they opened on their phone."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from backend.db import key_ring
from backend.errors import DomainError
from backend.security.policy import Action, Actor
from backend.video.desk import VideoDesk
from backend.video.tables import DeskCode

VALID_FOR = timedelta(minutes=5)
DIGITS = 8
_PURPOSE = "desk_codes.digest"
_ATTEMPTS = 5


class DeskPage(StrEnum):
    """The pages of a consultation to which a code may lead."""

    ROOM = "room"
    STUDIES = "studies"
    REPORTS = "reports"


class DeskCodeRefused(DomainError):
    """A code that leads nowhere: wrong, used or over."""

    code = "desk_code_refused"
    sentence = "数字不对，或者已经过了5分钟。请在手机上重新取一组数字。"


@dataclass(frozen=True)
class DeskCodeView:
    """A code that was made; it is shown once and never stored."""

    code: str
    expires_at: datetime


@dataclass(frozen=True)
class DeskVisitor:
    """Whom a code stood for, and where it leads."""

    person_id: str
    consultation_id: str
    page: DeskPage


class DeskCodes(VideoDesk):
    """The part of `VideoService` about the way from a phone to a desktop."""

    async def desk_code(self, actor: Actor, consultation_id: str, page: DeskPage = DeskPage.ROOM) -> DeskCodeView:
        """Make a code for the actor: five minutes, once; one that they had before is worth nothing any more."""
        async with self._database.transaction() as session:
            await self._consultations.meeting(actor, consultation_id, Action.VIDEO_ENTER)
            now = self._clock.now()
            await session.execute(
                delete(DeskCode).where((DeskCode.person_id == actor.person_id) | (DeskCode.expires_at <= now))
            )
            for _ in range(_ATTEMPTS):
                code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
                try:
                    async with session.begin_nested():
                        session.add(
                            DeskCode(
                                digest=_digest(code),
                                person_id=actor.person_id,
                                consultation_id=consultation_id,
                                page=page,
                                expires_at=now + VALID_FOR,
                            )
                        )
                except IntegrityError:
                    continue  # somebody else has it just now
                return DeskCodeView(code, now + VALID_FOR)
            raise DomainError

    async def redeem_desk_code(self, code: str) -> DeskVisitor:
        """Give whom `code` stands for, and use it up. How often somebody may guess is limited where they ask.

        Raises:
            DeskCodeRefused: wrong, used or over.
        """
        digest = _digest(code)
        async with self._database.transaction() as session:
            row = await session.scalar(select(DeskCode).where(DeskCode.digest == digest))
            used = await session.execute(delete(DeskCode).where(DeskCode.digest == digest))
            # Of two who redeem it at once, one removes the row.
            if row is None or used.rowcount != 1 or row.expires_at <= self._clock.now():  # type: ignore[attr-defined]
                raise DeskCodeRefused
            actor = await self._people.actor(row.person_id)
            subject = f"consultation:{row.consultation_id}"
            await self._audit.record(session, actor, "video.redeem_desk_code", subject=subject)
            return DeskVisitor(row.person_id, row.consultation_id, DeskPage(row.page))


def _digest(code: str) -> str:
    return key_ring().blind_index(code, _PURPOSE)
