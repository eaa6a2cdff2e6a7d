"""Logging in with the code that `wx.login` gives (code2session): five minutes, single use."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from backend.errors import DomainError

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=5)
# 40029: unknown or late; 40163: used before; 40226: WeChat keeps this person out of mini-programs.
_REFUSED = {40029, 40163, 40226}


class LoginRefused(DomainError):
    """WeChat does not know the code, or it was used before."""

    code = "login_refused"
    sentence = "登录已失效，请退出后重新打开。"


class LoginUnavailable(DomainError):
    """WeChat did not answer, or answered with an error of its own."""

    code = "login_unavailable"
    sentence = "微信登录暂时不可用，请稍后再试。"


@dataclass(frozen=True)
class WeChatIdentity:
    """Who WeChat says it is.

    Args:
        openid: the person within the mini-program.
        unionid: the same person within every application of one open-platform account; empty where there is none.
    """

    openid: str
    unionid: str


class Code2Session:
    """Asks WeChat whom a login code belongs to.

    Args:
        base_url: of api.weixin.qq.com or the local sandbox.
        app_id, app_secret: of the mini-program.
    """

    def __init__(self, http: aiohttp.ClientSession, base_url: str, app_id: str, app_secret: str) -> None:
        self._http = http
        self._url = f"{base_url}/sns/jscode2session"
        self._app_id = app_id
        self._app_secret = app_secret

    async def identify(self, code: str) -> WeChatIdentity:
        """Give the person whom `code` was made for.

        Raises:
            LoginRefused: the code is unknown, old or used.
            LoginUnavailable: WeChat could not be asked; a code may be used once, so the page gets a fresh one.
        """
        if not self._app_id:
            log.warning("a login without a mini-program: set mini_app_id and mini_app_secret")
            raise LoginUnavailable
        query = {"appid": self._app_id, "secret": self._app_secret, "js_code": code, "grant_type": "authorization_code"}
        return await ask_identity(self._http, self._url, query)


async def ask_identity(http: aiohttp.ClientSession, url: str, query: Mapping[str, str]) -> WeChatIdentity:
    """Ask WeChat at `url` whom the code in `query` was made for.

    Raises:
        LoginRefused: the code is unknown, old or used.
        LoginUnavailable: WeChat could not be asked.
    """
    try:
        async with http.get(url, params=query, timeout=_TIMEOUT) as answer:
            held = await answer.json(content_type=None)
            if not isinstance(held, dict):
                raise ValueError("the answer is no object")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.warning("a login was not answered by WeChat: %s", type(error).__name__)
        raise LoginUnavailable from None
    code_number = held.get("errcode", 0)
    if code_number in _REFUSED:
        raise LoginRefused
    if code_number or not held.get("openid"):
        log.warning("a login was refused by WeChat: errcode=%s", code_number)
        raise LoginUnavailable
    return WeChatIdentity(held["openid"], held.get("unionid", ""))
