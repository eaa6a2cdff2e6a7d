"""Accounts of the console: made, listed, closed, and the links by which their people begin."""

import secrets
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.console import rules
from backend.console.desk import AccountDesk, account_view, actor_of, digest, name_index
from backend.console.tables import ConsoleAccount, ConsoleLink, RecoveryCode, SignInAttempts
from backend.console.views import AccountView, Enrolment, Link, LinkRefused
from backend.errors import Conflict, InvalidInput, NotFound
from backend.ids import new_id
from backend.security.policy import Action, Actor, Role, require

_CODE_BYTES = 24
_MOST_ACCOUNTS = 500


class Accounts(AccountDesk):
    """The part of `ConsoleService` about accounts and enrolment."""

    async def create_account(self, actor: Actor, name: str, role: Role, institution_id: str | None = None) -> Link:
        """Make an account that nobody can sign in to yet, and give the link by which its person begins.

        Raises:
            Forbidden: the actor manages no accounts.
            InvalidInput: no name of an account, no role of the console, or an institution too few or too many.
            Conflict: somebody has this name.
        """
        require(actor, Action.CONSOLE_MANAGE_ACCOUNTS)
        name = rules.valid_account_name(name)
        if role not in rules.CONSOLE_ROLES:
            raise InvalidInput("请选择一个角色。", field="role")
        if (institution_id is not None) != (role is Role.INSTITUTION_ADMINISTRATOR):
            raise InvalidInput("机构管理员要选一家机构，其他角色不选。", field="institution_id")
        row = ConsoleAccount(
            id=new_id(),
            name=name,
            name_index=name_index(name),
            role=role,
            institution_id=institution_id,
            active=True,
            totp_step=0,
            created_at=self._clock.now(),
        )
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(row)
                    await session.flush()
            except IntegrityError:
                raise Conflict("这个用户名已经有人用了，请换一个。", field="name") from None
            await self._note(session, actor, row.id)
            return await self._new_link(session, row)

    async def account_named(self, name: str) -> AccountView | None:
        """Give the account of this name."""
        async with self._database.reading() as session:
            row = await session.scalar(select(ConsoleAccount).where(ConsoleAccount.name_index == name_index(name)))
        return None if row is None else account_view(row)

    async def accounts(self, actor: Actor) -> list[AccountView]:
        """List all accounts, the newest first."""
        require(actor, Action.CONSOLE_MANAGE_ACCOUNTS)
        query = select(ConsoleAccount).order_by(ConsoleAccount.created_at.desc(), ConsoleAccount.id)
        async with self._database.reading() as session:
            return [account_view(row) for row in await session.scalars(query.limit(_MOST_ACCOUNTS))]

    async def names(self, account_ids: Collection[str]) -> dict[str, str]:
        """Give the names of those of the accounts that there are; the caller has asked the policy."""
        async with self._database.reading() as session:
            query = select(ConsoleAccount.id, ConsoleAccount.name).where(ConsoleAccount.id.in_(set(account_ids)))
            return {row.id: row.name for row in await session.execute(query)}

    async def renew_link(self, actor: Actor, account_id: str) -> Link:
        """Let an account's person begin anew: password, second factor, recovery codes and sessions of before end."""
        require(actor, Action.CONSOLE_MANAGE_ACCOUNTS)
        async with self._database.transaction() as session:
            row = await self._account(session, account_id)
            row.password_hash, row.totp_secret = None, None
            await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == row.id))
            await self._end_sessions(session, row.id)
            await self._note(session, actor, row.id)
            return await self._new_link(session, row)

    async def set_active(self, actor: Actor, account_id: str, active: bool) -> None:
        """Close an account, which ends its sessions, or open it again.

        Raises:
            Conflict: it is the actor's own.
        """
        require(actor, Action.CONSOLE_MANAGE_ACCOUNTS)
        if account_id == actor.person_id:
            raise Conflict("不能停用自己的账号，请让另一位管理员来做。")
        async with self._database.transaction() as session:
            row = await self._account(session, account_id)
            row.active = active
            await self._end_sessions(session, row.id)
            await session.execute(delete(ConsoleLink).where(ConsoleLink.account_id == row.id))
            await self._note(session, actor, row.id)

    async def enrolment(self, code: str) -> Enrolment:
        """Tell what a link is for. Raises LinkRefused where it is none, used or over."""
        async with self._database.reading() as session:
            link, row = await self._link(session, code)
            address = rules.totp_address(link.totp_secret, row.name)
            return Enrolment(row.name, row.role, link.totp_secret, address)

    async def enrol(self, code: str, password: str, totp_code: str) -> list[str]:
        """Set password and second factor, use up the link, and give the recovery codes, which are shown once.

        Raises:
            LinkRefused: see `enrolment`.
            InvalidInput: a password that is too easy, or a code that is not the app's.
        """
        async with self._database.reading() as session:
            _, row = await self._link(session, code)
        plain = rules.valid_password(password, row.name)
        hashed = await self._hash(plain)
        codes = [rules.new_recovery_code() for _ in range(rules.RECOVERY_CODES)]
        async with self._database.transaction() as session:
            link, row = await self._link(session, code, lock=True)
            step = rules.accepted_step(link.totp_secret, rules.normal_code(totp_code), self.app_clock.now(), 0)
            if step is None:
                raise InvalidInput("验证码不对，请看手机上现在显示的6位数字。", field="totp_code")
            row.password_hash, row.totp_secret, row.totp_step = hashed, link.totp_secret, step
            await session.delete(link)
            await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == row.id))
            await session.execute(delete(SignInAttempts).where(SignInAttempts.name_index == row.name_index))
            session.add_all(
                RecoveryCode(digest=digest(rules.normal_code(one), "recovery"), account_id=row.id) for one in codes
            )
            await self._audit.record(session, actor_of(row), "console.enrol", subject=f"console_account:{row.id}")
        return codes

    async def _link(
        self, session: AsyncSession, code: str, *, lock: bool = False
    ) -> tuple[ConsoleLink, ConsoleAccount]:
        query = select(ConsoleLink).where(ConsoleLink.code_digest == digest(code, "link"))
        link = await session.scalar(query.with_for_update() if lock else query)
        if link is None or link.expires_at <= self._clock.now():
            raise LinkRefused
        return link, await session.get_one(ConsoleAccount, link.account_id)

    async def _new_link(self, session: AsyncSession, row: ConsoleAccount) -> Link:
        await session.execute(delete(ConsoleLink).where(ConsoleLink.account_id == row.id))
        code = secrets.token_urlsafe(_CODE_BYTES)
        expires_at = self._clock.now() + rules.LINK_VALID
        secret = rules.new_totp_secret()
        session.add(
            ConsoleLink(account_id=row.id, code_digest=digest(code, "link"), totp_secret=secret, expires_at=expires_at)
        )
        return Link(row.id, code, expires_at)

    async def _account(self, session: AsyncSession, account_id: str) -> ConsoleAccount:
        row = await session.get(ConsoleAccount, account_id, with_for_update=True)
        if row is None:
            raise NotFound("没有找到这个账号。")
        return row

    async def _note(self, session: AsyncSession, actor: Actor, account_id: str) -> None:
        subject = f"console_account:{account_id}"
        await self._audit.record(session, actor, Action.CONSOLE_MANAGE_ACCOUNTS, subject=subject)
