"""Calls to WeChat's platform: every one bounded in time, with the token refreshed once where WeChat refuses it.

wechatpy's client is not used: it blocks, and a lasting 40001 makes it fetch tokens without end.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp

from backend import tracing
from backend.clock import Clock
from bot.metrics import Metrics
from bot.wechat.errors import Action, WechatError, WechatUnavailable
from bot.wechat.settings import WechatSettings
from bot.wechat.token import TokenRefused, TokenSource, TokenStore

log = logging.getLogger(__name__)

_TOKEN_PATH = "/cgi-bin/stable_token"  # noqa: S105 -- a path
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/bmp": "bmp"}
# Answers beyond this are no JSON of WeChat's.
_LARGEST_ANSWER = 1024 * 1024

Result = TypeVar("Result")


class WechatClient:
    """The sending side of one account.

    Args:
        store: shares the token between processes; by default it stays in this one.
    """

    def __init__(
        self, settings: WechatSettings, clock: Clock, metrics: Metrics, store: TokenStore | None = None
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self.tokens = TokenSource(settings, clock, self._fetch_token, store)
        self._timeout = aiohttp.ClientTimeout(total=settings.call_timeout, connect=settings.connect_timeout)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=64)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

    async def call(self, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        """Post `body` to `path` (get it where there is none) and give WeChat's answer.

        Raises:
            WechatError: WeChat refused.
            WechatUnavailable: no answer in time, or none that can be read.
        """
        encoded = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

        async def post(token: str) -> bytes:
            return await self._request(path, {**query, "access_token": token}, encoded)

        return _read_json(path, await self._authorised(path, post))

    async def _authorised(self, path: str, perform: Callable[[str], Awaitable[Result]]) -> Result:
        token = await self._token(path)
        try:
            return await perform(token)
        except WechatError as error:
            if error.action is not Action.REFRESH_TOKEN:
                raise
        return await perform(await self._token(path, refused=token))

    async def _token(self, path: str, refused: str = "") -> str:
        try:
            return await (self.tokens.renew(refused) if refused else self.tokens.get())
        except TokenRefused as error:
            raise WechatError(40001, path) from error

    async def _fetch_token(self, force: bool) -> tuple[str, int]:
        body = {
            "grant_type": "client_credential",
            "appid": self._settings.app_id,
            "secret": self._settings.app_secret,
            "force_refresh": force,
        }
        answer = _read_json(_TOKEN_PATH, await self._request(_TOKEN_PATH, {}, json.dumps(body).encode()))
        try:
            return str(answer["access_token"]), int(answer["expires_in"])
        except (KeyError, ValueError) as error:
            raise WechatUnavailable(_TOKEN_PATH, "no token in the answer", maybe_done=False) from error

    async def _request(self, path: str, query: dict[str, str], data: Any, limit: int = _LARGEST_ANSWER) -> bytes:
        content, _ = await self._fetch(path, query, data, limit)
        return content

    async def _fetch(self, path: str, query: dict[str, str], data: Any, limit: int) -> tuple[bytes, str]:
        with tracing.inner("wechat", path=path):
            return await self._exchange(path, query, data, limit)

    async def _exchange(self, path: str, query: dict[str, str], data: Any, limit: int) -> tuple[bytes, str]:
        method = "GET" if data is None else "POST"
        url = self._settings.api_url.rstrip("/") + path
        try:
            async with self._http().request(method, url, params=query, data=data, allow_redirects=False) as response:
                content = await _read_bounded(response, path, limit)
                status, content_type = response.status, response.content_type
        except aiohttp.ClientConnectorError as error:
            self._metrics.count("wechat_calls", path=path, outcome="unreachable")
            raise WechatUnavailable(path, "connection", maybe_done=False) from error
        except (TimeoutError, aiohttp.ClientError) as error:
            self._metrics.count("wechat_calls", path=path, outcome="lost")
            raise WechatUnavailable(path, type(error).__name__, maybe_done=True) from error
        if status != 200:
            self._metrics.count("wechat_calls", path=path, outcome=status)
            raise WechatUnavailable(path, f"status {status}", maybe_done=True)
        code = _error_code(content)
        self._metrics.count("wechat_calls", path=path, outcome=code)
        tracing.note(code=code)
        if code:
            refusal = WechatError(code, path)
            if refusal.action in (Action.ALARM, Action.REFRESH_TOKEN, Action.DISABLE):
                log.error("WeChat refuses: path=%s code=%d action=%s", path, code, refusal.action)
            raise refusal
        return content, content_type

    async def upload_image(self, data: bytes, media_type: str) -> str:
        """Upload a picture as temporary media (kept three days by WeChat) and give its media id."""
        path = "/cgi-bin/media/upload"
        name = f"picture.{_EXTENSIONS.get(media_type, 'jpg')}"

        async def post(token: str) -> bytes:
            form = aiohttp.FormData()
            form.add_field("media", data, filename=name, content_type=media_type)
            return await self._request(path, {"type": "image", "access_token": token}, form)

        answer = _read_json(path, await self._authorised(path, post))
        if not isinstance(answer.get("media_id"), str):
            raise WechatUnavailable(path, "no media id in the answer", maybe_done=True)
        return str(answer["media_id"])

    async def download(self, media_id: str) -> tuple[bytes, str]:
        """Give the bytes of a medium that a person sent, and its type.

        Raises:
            WechatError: 40007 where WeChat does not keep it any more.
        """
        path = "/cgi-bin/media/get"
        limit = self._settings.largest_medium

        async def get(token: str) -> tuple[bytes, str]:
            return await self._fetch(path, {"media_id": media_id, "access_token": token}, None, limit)

        return await self._authorised(path, get)

    async def create_qr_code(self, scene: str, seconds: int) -> str:
        """Make a QR code that brings `scene` (1 to 64 characters) for `seconds` (≤ 30 days); give its picture's URL."""
        body = {
            "expire_seconds": seconds,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        answer = await self.call("/cgi-bin/qrcode/create", body)
        return f"{self._settings.code_url}/cgi-bin/showqrcode?{urlencode({'ticket': answer['ticket']})}"


async def _read_bounded(response: aiohttp.ClientResponse, path: str, limit: int) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        content += chunk
        if len(content) > limit:
            raise WechatUnavailable(path, "answer too large", maybe_done=True)
    return bytes(content)


def _error_code(content: bytes) -> int:
    if not content.startswith(b"{") or b'"errcode"' not in content[:_LARGEST_ANSWER]:
        return 0
    try:
        return int(json.loads(content)["errcode"])
    except (ValueError, KeyError, TypeError):
        return 0


def _read_json(path: str, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise WechatUnavailable(path, "no JSON", maybe_done=True) from error
    if not isinstance(answer, dict):
        raise WechatUnavailable(path, "no JSON object", maybe_done=True)
    return answer
