"""The access token: one refresh at a time across all processes, however many find it missing or refused.

Source: developers.weixin.qq.com, 公众号 / 获取稳定版接口调用凭据: 7200 s, a forced refresh 20 times a day and 30 s
apart.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from backend.clock import Clock
from bot.wechat.settings import WechatSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Token:
    """An access token and the moment from which it is not used any more."""

    value: str
    expires_at: datetime


class TokenRefused(Exception):
    """WeChat refuses the token that it gives: an operator has to look."""


class TokenStore(Protocol):
    """Where the processes of an installation share the token."""

    async def load(self) -> Token | None:
        """Give the token kept last."""

    async def save(self, token: Token) -> None:
        """Keep `token`."""

    def flight(self) -> AbstractAsyncContextManager[Any]:
        """Give the lock under which the token is refreshed."""


class MemoryTokenStore:
    """Keeps the token of one process."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def load(self) -> Token | None:
        """Give the token kept last."""
        return self._token

    async def save(self, token: Token) -> None:
        """Keep `token`."""
        self._token = token

    def flight(self) -> AbstractAsyncContextManager[Any]:
        """Give the lock of this process."""
        return self._lock


class RedisTokenStore:
    """Keeps the token for all processes that share a Redis.

    Args:
        redis: a `redis.asyncio.Redis`.
        name: tells accounts that share a Redis apart.
    """

    _FLIGHT_SECONDS = 15.0

    def __init__(self, redis: Any, name: str) -> None:
        self._redis = redis
        self._key = f"qiaoyi:token:{name}"

    async def load(self) -> Token | None:
        """Give the token kept last, by whichever process."""
        held = await self._redis.get(self._key)
        if held is None:
            return None
        value, expires_at = json.loads(held)
        return Token(value, datetime.fromtimestamp(expires_at, UTC))

    async def save(self, token: Token) -> None:
        """Keep `token` for every process."""
        held = json.dumps([token.value, token.expires_at.timestamp()])
        await self._redis.set(self._key, held, ex=timedelta(hours=2))

    def flight(self) -> AbstractAsyncContextManager[Any]:
        """Give the lock of all processes; it opens by itself after 15 s, when its holder has died."""
        lock: AbstractAsyncContextManager[Any] = self._redis.lock(
            f"{self._key}:flight", timeout=self._FLIGHT_SECONDS, blocking_timeout=self._FLIGHT_SECONDS
        )
        return lock


class TokenSource:
    """Gives the access token.

    Args:
        fetch: asks WeChat: takes whether a refresh is forced, gives the token and its remaining seconds.
    """

    def __init__(
        self,
        settings: WechatSettings,
        clock: Clock,
        fetch: Callable[[bool], Awaitable[tuple[str, int]]],
        store: TokenStore | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._fetch = fetch
        self._store: TokenStore = store or MemoryTokenStore()
        self._held: Token | None = None
        self._forced_at: datetime | None = None

    async def get(self) -> str:
        """Give the token, asking WeChat only where none is at hand that lasts."""
        if self._held is not None and self._held.expires_at > self._clock.now():
            return self._held.value
        return await self._refresh(refused="")

    async def renew(self, refused: str) -> str:
        """Give a token other than `refused`, which WeChat does not accept any more.

        Raises:
            TokenRefused: WeChat keeps giving the token that it refuses.
        """
        if self._held is not None and self._held.value != refused:
            return self._held.value
        return await self._refresh(refused)

    async def _refresh(self, refused: str) -> str:
        async with self._store.flight():
            shared = await self._store.load()
            if shared is not None and shared.value != refused and shared.expires_at > self._clock.now():
                self._held = shared
                return shared.value
            value, seconds = await self._fetch(False)
            if value == refused:
                value, seconds = await self._force(refused)
            margin = min(self._settings.token_margin, timedelta(seconds=seconds / 2))
            self._held = Token(value, self._clock.now() + timedelta(seconds=seconds) - margin)
            await self._store.save(self._held)
            return value

    async def _force(self, refused: str) -> tuple[str, int]:
        now = self._clock.now()
        if self._forced_at is not None and now - self._forced_at < self._settings.forced_refresh_interval:
            raise TokenRefused("a forced refresh was done a moment ago")
        self._forced_at = now
        value, seconds = await self._fetch(True)
        if value == refused:
            raise TokenRefused("a forced refresh gave the refused token again")
        return value, seconds
