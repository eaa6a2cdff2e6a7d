"""Access tokens and the jsapi ticket.

Source: developers.weixin.qq.com, 公众号 / 获取稳定版接口调用凭据 and 获取 access_token: 7200 s; 5 min before its end a
new one is given out; an old one is good for 5 min after the change; a forced refresh happens at most 20 times a day and
not within 30 s of the last one; the tokens of the two ways of asking are separate.
"""

import secrets
from dataclasses import dataclass, field

from sandbox.clock import MovableClock
from sandbox.wechat.errors import WechatError

LIFETIME_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCED_PER_DAY = 20
FORCED_INTERVAL_SECONDS = 30
REMEMBERED_TOKENS = 200


@dataclass(slots=True)
class Issued:
    """A credential and its end, in seconds since the epoch."""

    value: str
    expires_at: float


@dataclass(slots=True)
class Tokens:
    """The credentials of the account."""

    clock: MovableClock
    known: dict[str, float] = field(default_factory=dict)
    stable: Issued | None = None
    plain: Issued | None = None
    ticket: Issued | None = None
    forced_at: float = 0.0
    forced_day: int = 0
    forced_today: int = 0

    def give_stable(self, force: bool) -> tuple[str, int]:
        """The stable token and its remaining seconds; raises 45009 when the forced refreshes of the day are spent."""
        now = self.clock.now()
        if force and now - self.forced_at >= FORCED_INTERVAL_SECONDS:
            self._count_forced(now)
            self.stable = self._replace(self.stable)
        elif self.stable is None or self.stable.expires_at - now <= OVERLAP_SECONDS:
            self.stable = self._replace(self.stable)
        return self.stable.value, max(1, int(self.stable.expires_at - now))

    def give_plain(self) -> tuple[str, int]:
        """A new token of the old way of asking; the one before is good for five minutes more."""
        self.plain = self._replace(self.plain)
        return self.plain.value, LIFETIME_SECONDS

    def give_ticket(self) -> tuple[str, int]:
        """The jsapi ticket and its remaining seconds."""
        now = self.clock.now()
        if self.ticket is None or self.ticket.expires_at <= now:
            self.ticket = Issued(secrets.token_urlsafe(64)[:86], now + LIFETIME_SECONDS)
        return self.ticket.value, max(1, int(self.ticket.expires_at - now))

    def check(self, value: str | None) -> None:
        """Raise 41001 without a token, 40001 for one never issued or replaced, 42001 for one that ran out."""
        if not value:
            raise WechatError(41001)
        expires_at = self.known.get(value)
        if expires_at is None:
            raise WechatError(40001)
        if self.clock.now() >= expires_at:
            raise WechatError(42001)

    def clear_quota(self) -> None:
        """Give the forced refreshes of the day back."""
        self.forced_today = 0

    def expire_all(self) -> None:
        """Let every token given out run out now, as if 7200 s had passed: a test's shortcut."""
        now = self.clock.now()
        self.known = dict.fromkeys(self.known, now)
        self.stable = self.plain = None

    def _count_forced(self, now: float) -> None:
        day = int((now + 8 * 3600) // 86400)
        if day != self.forced_day:
            self.forced_day, self.forced_today = day, 0
        if self.forced_today >= FORCED_PER_DAY:
            raise WechatError(45009)
        self.forced_today += 1
        self.forced_at = now

    def _replace(self, old: Issued | None) -> Issued:
        now = self.clock.now()
        if old is not None:
            self.known[old.value] = min(old.expires_at, now + OVERLAP_SECONDS)
        new = Issued("99_" + secrets.token_urlsafe(96), now + LIFETIME_SECONDS)
        self.known[new.value] = new.expires_at
        while len(self.known) > REMEMBERED_TOKENS:
            del self.known[next(iter(self.known))]
        return new
