"""What every part of the console's accounts works with."""

import asyncio
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import update

from backend.clock import Clock
from backend.console.rules import folded_name
from backend.console.tables import ConsoleAccount, ConsoleSession
from backend.console.views import AccountView
from backend.db import Database, key_ring
from backend.security.audit import AuditLog
from backend.security.policy import Actor

RECOMMENDED = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
"""Argon2id as the second recommended option of RFC 9106: 64 MiB and three passes."""

_AT_ONCE = 2  # or guessing would eat the memory


class AccountDesk:
    """Base of the parts of `ConsoleService`.

    Attributes:
        app_clock: the time by which authenticator apps make their codes: the system's, also where the local WeChat has
            moved the product's.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        hasher: PasswordHasher = RECOMMENDED,
        app_clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self.app_clock = app_clock or Clock()
        self._audit = audit
        self._hasher = hasher
        self._hashing = asyncio.Semaphore(_AT_ONCE)
        self._decoy = ""

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, held: str | None, password: str) -> bool:
        """Compare with the hash that is held; where there is none the same work is done for nothing."""
        if not self._decoy:
            self._decoy = await self._hash(secrets.token_hex(16))
        async with self._hashing:
            return await asyncio.to_thread(self._matches, held or self._decoy, password) and held is not None

    def _matches(self, held: str, password: str) -> bool:
        try:
            return self._hasher.verify(held, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _end_sessions(self, session: Any, account_id: str) -> None:
        query = update(ConsoleSession).where(ConsoleSession.account_id == account_id, ConsoleSession.ended_at.is_(None))
        await session.execute(query.values(ended_at=self._clock.now()))


def name_index(name: str) -> str:
    """Give the blind index by which an account is found."""
    return key_ring().blind_index(folded_name(name), "console_accounts.name")


def digest(value: str, purpose: str) -> str:
    """Give the keyed digest under which a code or a token is kept."""
    return key_ring().blind_index(value, f"console.{purpose}")


def actor_of(row: ConsoleAccount) -> Actor:
    """Give an account as somebody who acts."""
    return Actor(row.id, frozenset({row.role}), institution_id=row.institution_id)


def account_view(row: ConsoleAccount) -> AccountView:
    """Show an account."""
    return AccountView(
        id=row.id,
        name=row.name,
        role=row.role,
        institution_id=row.institution_id,
        active=row.active,
        ready=row.password_hash is not None,
        created_at=row.created_at,
    )
