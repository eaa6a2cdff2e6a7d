"""Signing in to the console, and the sessions that come of it."""

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.console import rules
from backend.console.accounts import Accounts
from backend.console.desk import actor_of, digest, name_index
from backend.console.tables import ConsoleAccount, ConsoleSession, RecoveryCode, SignInAttempts
from backend.console.views import SessionOver, SessionView, SignedIn, SignInLocked, SignInRefused
from backend.db import key_ring
from backend.errors import NotFound
from backend.ids import new_id
from backend.security.policy import Actor

_TOKEN_BYTES = 32
_SEEN_EVERY = timedelta(minutes=1)
_FORGOTTEN_AFTER = timedelta(days=1)
_LONGEST_BROWSER = 200
_NOBODY = Actor("", frozenset())


class ConsoleService(Accounts):
    """Accounts (`accounts`), and signing in.

    A try is counted before it is checked, so that many at once are not more than many in a row.
    """

    async def sign_in(
        self, name: str, password: str, code: str, address: str = "", browser: str = ""
    ) -> tuple[str, SignedIn]:
        """Begin a session with name, password and a code of the app or a recovery code; give its token.

        Raises:
            SignInLocked: the name was tried too often in vain. SignInRefused: something of it is wrong.
        """
        index = name_index(name)
        await self._count_try(index)
        async with self._database.reading() as session:
            row = await session.scalar(select(ConsoleAccount).where(ConsoleAccount.name_index == index))
        usable = row is not None and row.active and row.totp_secret is not None
        plain = rules.normal_password(password[: 4 * rules.LONGEST_PASSWORD])
        is_right = await self._verify(row.password_hash if row is not None and usable else None, plain)
        if row is not None and is_right:
            signed_in = await self._begin(row.id, rules.normal_code(code), address, browser)
            if signed_in is not None:
                return signed_in
        async with self._database.transaction() as session:
            who = actor_of(row) if row is not None else _NOBODY
            await self._audit.record(session, who, "console.sign_in_failed", subject=f"console_name:{index[:32]}")
        raise SignInRefused

    async def signed_in(self, token: str) -> SignedIn:
        """Give who has this token, and note that they are there. Raises SessionOver where nobody has it any more."""
        now = self._clock.now()
        query = (
            select(ConsoleSession, ConsoleAccount)
            .join(ConsoleAccount, ConsoleAccount.id == ConsoleSession.account_id)
            .where(ConsoleSession.token_digest == digest(token, "session"))
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None or not found[1].active or not _lives(found[0], now):
            raise SessionOver
        held, row = found
        if now - held.seen_at > _SEEN_EVERY:
            async with self._database.transaction() as session:
                await session.execute(update(ConsoleSession).where(ConsoleSession.id == held.id).values(seen_at=now))
        return _signed_in(held, row)

    def csrf_token(self, session_id: str) -> str:
        """Give what every changing call of this session carries."""
        return hmac.digest(key_ring().derive("console-csrf"), session_id.encode(), "sha256").hex()

    async def sessions(self, who: SignedIn) -> list[SessionView]:
        """List the account's sessions that have not ended, the latest first."""
        now = self._clock.now()
        query = select(ConsoleSession).where(
            ConsoleSession.account_id == who.actor.person_id, ConsoleSession.ended_at.is_(None)
        )
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(ConsoleSession.began_at.desc()).limit(100))
            return [
                SessionView(row.id, row.began_at, row.seen_at, row.address, row.browser)
                for row in rows
                if _lives(row, now)
            ]

    async def end_session(self, who: SignedIn, session_id: str) -> None:
        """End one of the account's own sessions. Raises NotFound where it has none of this id."""
        async with self._database.transaction() as session:
            row = await session.get(ConsoleSession, session_id)
            if row is None or row.account_id != who.actor.person_id:
                raise NotFound("没有找到这个登录。")
            row.ended_at = row.ended_at or self._clock.now()
            subject = f"console_session:{session_id}"
            await self._audit.record(session, who.actor, "console.end_session", subject=subject)

    async def _count_try(self, index: str) -> None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            await session.execute(delete(SignInAttempts).where(SignInAttempts.last_at < now - _FORGOTTEN_AFTER))
            row = await self._attempts(session, index)
            if row.locked_until is not None and row.locked_until > now:
                left = int((row.locked_until - now).total_seconds()) + 1
                raise SignInLocked(f"试的次数太多了，请过{_said(left)}再试。", retry_after=left)
            row.failures += 1
            row.last_at = now
            lock = rules.lock_after(row.failures)
            row.locked_until = now + lock if lock else None

    async def _attempts(self, session: AsyncSession, index: str) -> SignInAttempts:
        query = select(SignInAttempts).where(SignInAttempts.name_index == index).with_for_update()
        row = await session.scalar(query)
        if row is not None:
            return row
        try:
            async with session.begin_nested():
                session.add(SignInAttempts(name_index=index, failures=0, last_at=self._clock.now()))
                await session.flush()
        except IntegrityError:  # two first tries in the same moment
            pass
        return (await session.scalars(query.execution_options(populate_existing=True))).one()

    async def _begin(self, account_id: str, code: str, address: str, browser: str) -> tuple[str, SignedIn] | None:
        """Use up the code and begin a session; None where the code is not right."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get_one(ConsoleAccount, account_id, with_for_update=True, populate_existing=True)
            if not row.active or not await self._use_code(session, row, code):
                return None
            await session.execute(delete(SignInAttempts).where(SignInAttempts.name_index == row.name_index))
            token = secrets.token_urlsafe(_TOKEN_BYTES)
            held = ConsoleSession(
                id=new_id(),
                account_id=row.id,
                token_digest=digest(token, "session"),
                began_at=now,
                seen_at=now,
                ends_at=now + rules.LONGEST,
                address=address,
                browser=browser[:_LONGEST_BROWSER],
            )
            session.add(held)
            subject = f"console_session:{held.id}"
            await self._audit.record(session, actor_of(row), "console.sign_in", subject=subject)
        return token, _signed_in(held, row)

    async def _use_code(self, session: AsyncSession, row: ConsoleAccount, code: str) -> bool:
        if row.totp_secret is None:
            return False
        if rules.is_totp_code(code):
            step = rules.accepted_step(row.totp_secret, code, self.app_clock.now(), row.totp_step)
            if step is not None:
                row.totp_step = step
            return step is not None
        found = delete(RecoveryCode).where(
            RecoveryCode.digest == digest(code, "recovery"), RecoveryCode.account_id == row.id
        )
        return (await session.execute(found)).rowcount == 1  # type: ignore[attr-defined, no-any-return]  # of a DELETE


def _lives(held: ConsoleSession, now: datetime) -> bool:
    # A clock that was set back by more than a break ends a session too: nothing else would.
    return held.ended_at is None and now < held.ends_at and abs(now - held.seen_at) < rules.IDLE


def _signed_in(held: ConsoleSession, row: ConsoleAccount) -> SignedIn:
    return SignedIn(held.id, row.name, actor_of(row), held.ends_at)


def _said(seconds: int) -> str:
    return f"{seconds}秒" if seconds < 60 else f"{-(-seconds // 60)}分钟"
