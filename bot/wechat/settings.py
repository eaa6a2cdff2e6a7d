"""Every number and name of WeChat's that may change, with the documented value as its default."""

import base64
import binascii
from dataclasses import dataclass, field, fields
from datetime import timedelta

_AES_KEY_CHARACTERS = 43
_API_URL = "https://api.weixin.qq.com"
_CODE_URL = "https://mp.weixin.qq.com"
_AUTHORIZE_URL = "https://open.weixin.qq.com"


@dataclass(frozen=True)
class WechatSettings:
    """The account and WeChat's limits (developers.weixin.qq.com, 公众号).

    Args:
        app_id, app_secret: of the account.
        token: signs callbacks.
        aes_key: 43 characters; encrypts callbacks (safe mode).
        previous_aes_key: accepted too while the key is being changed; empty at other times.
        api_url: where the platform listens; a local WeChat listens elsewhere.
        replay_window: how far the time stamp of a callback may lie from ours.
        largest_body: of a callback, in bytes.
        text_bytes: longest text, passive or pushed, in UTF-8.
        menu_messages: whether the account may send `msgmenu` (test accounts may not).
        templates: ids of template messages by our own kinds (`bot.templates`).
        subscriptions: ids of subscribe notifications by our own kinds, for those without a template message.
    """

    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    previous_aes_key: str = field(default="", repr=False)
    api_url: str = _API_URL
    replay_window: timedelta = timedelta(seconds=300)
    largest_body: int = 64 * 1024
    text_bytes: int = 2048
    menu_messages: bool = True
    templates: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)

    message_window: timedelta = timedelta(hours=48)
    message_quota: int = 5
    touch_window: timedelta = timedelta(minutes=1)
    touch_quota: int = 3
    # A push that leaves just before a window closes would arrive after it.
    window_margin: timedelta = timedelta(seconds=2)

    token_margin: timedelta = timedelta(minutes=4)
    forced_refresh_interval: timedelta = timedelta(seconds=30)
    connect_timeout: float = 2.0
    call_timeout: float = 5.0
    largest_medium: int = 10 * 1024 * 1024
    media_lifetime: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        for name in ("aes_key", "previous_aes_key"):
            value = getattr(self, name)
            if (value or name == "aes_key") and not _is_aes_key(value):
                raise ValueError(f"{name}: 43 characters of base64 without the closing '=' are needed")
        if not self.app_id or not self.token:
            raise ValueError("app_id and token are needed")
        for name in ("largest_body", "text_bytes", "message_quota", "touch_quota", "connect_timeout", "call_timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: more than 0 is needed")
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, timedelta) and value < timedelta():
                raise ValueError(f"{each.name}: a duration of 0 or more is needed")
        if not self.api_url.startswith(("https://", "http://")):
            raise ValueError("api_url: an http:// or https:// address is needed")

    @property
    def code_url(self) -> str:
        """Where pictures of QR codes are shown: another host than the API's at WeChat, the same in a local one.

        Source: developers.weixin.qq.com, 公众号 / 生成带参数的二维码.
        """
        return self._beside_the_api(_CODE_URL)

    @property
    def authorize_url(self) -> str:
        """Where a browser in WeChat is asked whose it is (公众号 / 网页授权): another host than the API's at WeChat."""
        return self._beside_the_api(_AUTHORIZE_URL)

    def _beside_the_api(self, host: str) -> str:
        return host if self.api_url.rstrip("/") == _API_URL else self.api_url.rstrip("/")


def _is_aes_key(value: str) -> bool:
    try:
        return len(value) == _AES_KEY_CHARACTERS and len(base64.b64decode(value + "=", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
