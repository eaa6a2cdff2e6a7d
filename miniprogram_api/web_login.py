"""Who opens a page inside WeChat: web authorisation of the official account, scope `snsapi_base`, which asks nothing.

Source: developers.weixin.qq.com, 公众号 / 网页授权. WeChat sends the browser back to the page with a code, which is
good for five minutes and for once, and with the `state` that we gave: at most 128 letters and digits.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import aiohttp

from backend.clock import Clock
from miniprogram_api.login import LoginRefused, WeChatIdentity, ask_identity

VALID_FOR = timedelta(minutes=10)
PAGE = r"^/h5/(rooms|recordings|viewer|reports|prescriptions|history|studies|quarantine|pay)/[0-9a-f]{32}$"
"""Paths of the pages that WeChat may lead back to."""
_STATE = re.compile(r"(?P<until>[0-9a-f]{8})(?P<proof>[0-9a-f]{64})")


class WebLogin:
    """Leads a page through WeChat's authorisation.

    Args:
        api_url: of api.weixin.qq.com or a local WeChat.
        authorize_url: where WeChat asks who opens a page; another host than the API's.
        app_id, app_secret: of the official account.
        public_url: under which the pages are reached.
        key: 32 bytes, known to every process of the product; signs `state`.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        clock: Clock,
        api_url: str,
        authorize_url: str,
        app_id: str,
        app_secret: str,
        public_url: str,
        key: bytes,
    ) -> None:
        self._http = http
        self._clock = clock
        self._token_url = f"{api_url}/sns/oauth2/access_token"
        self._authorize_url = f"{authorize_url}/connect/oauth2/authorize"
        self._app_id = app_id
        self._app_secret = app_secret
        self._public_url = public_url
        self._key = key

    def address(self, path: str) -> tuple[str, str]:
        """Give WeChat's address that leads back to `path` (a `PAGE`), and the `state` with which it does."""
        until = int((self._clock.now() + VALID_FOR).timestamp())
        state = f"{until:08x}{self._proof(path, until)}"
        query = {
            "appid": self._app_id,
            "redirect_uri": f"{self._public_url}{path}",
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{self._authorize_url}?{urlencode(query)}#wechat_redirect", state

    async def identify(self, code: str, state: str, path: str) -> WeChatIdentity:
        """Give the person who opened `path`, as the official account knows them.

        Raises:
            LoginRefused: the code is unknown, old or used, or `state` was not made for this page or is old.
            LoginUnavailable: WeChat could not be asked.
        """
        self._require_state(state, path)
        query = {"appid": self._app_id, "secret": self._app_secret, "code": code, "grant_type": "authorization_code"}
        return await ask_identity(self._http, self._token_url, query)

    def _require_state(self, state: str, path: str) -> None:
        parts = _STATE.fullmatch(state)
        if parts is None:
            raise LoginRefused
        until = int(parts["until"], 16)
        genuine = hmac.compare_digest(self._proof(path, until), parts["proof"])
        if not genuine or self._clock.now() >= datetime.fromtimestamp(until, self._clock.now().tzinfo):
            raise LoginRefused

    def _proof(self, path: str, until: int) -> str:
        return hmac.new(self._key, f"web-login\0{path}\0{until}".encode(), hashlib.sha256).hexdigest()
