"""Codes that say who somebody is: of the mini-program, and of web pages.

Source: developers.weixin.qq.com, 小程序 / 小程序登录 (code2Session), 公众号 / 网页授权.
"""

import base64
import secrets
from dataclasses import dataclass, field

from sandbox.clock import MovableClock
from sandbox.wechat.errors import WechatError

LIFETIME_SECONDS = 300
MAX_CODES = 10_000


@dataclass(slots=True)
class Logins:
    """Codes given out: code to openid of the official account, time, and whether it was used."""

    clock: MovableClock
    codes: dict[str, tuple[str, float, bool]] = field(default_factory=dict)

    def issue(self, openid: str) -> str:
        """A code for a phone: five minutes, single use."""
        code = "0" + secrets.token_urlsafe(24)[:31]
        self.codes[code] = (openid, self.clock.now(), False)
        if len(self.codes) > MAX_CODES:
            del self.codes[next(iter(self.codes))]
        return code

    def redeem(self, code: str) -> tuple[str, str]:
        """Openid and a new session key; 40029 for an unknown or late code, 40163 for a used one."""
        openid, issued_at, used = self.codes.get(code, ("", 0.0, False))
        if used:
            raise WechatError(40163)
        if not openid or self.clock.now() - issued_at >= LIFETIME_SECONDS:
            raise WechatError(40029)
        self.codes[code] = (openid, issued_at, True)
        return openid, base64.b64encode(secrets.token_bytes(16)).decode()
