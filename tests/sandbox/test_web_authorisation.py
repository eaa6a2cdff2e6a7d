"""WeChat's web authorisation: the page that leads back with a code, and the token behind it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from yarl import URL

from sandbox.client import SandboxError
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox

BACK = "http://127.0.0.1:9/h5/rooms/1?from=card"


def address(sandbox: RunningSandbox, **changes: str | None) -> str:
    """The address of the page, as a product makes it."""
    query = {
        "appid": sandbox.settings.app_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "abc123",
    }
    kept = {name: value for name, value in (query | changes).items() if value is not None}
    return f"{URL(sandbox.base_url + '/connect/oauth2/authorize').with_query(kept)}#wechat_redirect"


async def redeem(platform: Platform, code: str, **changes: str) -> Any:
    """The answer of /sns/oauth2/access_token."""
    query = {
        "appid": platform.settings.app_id,
        "secret": platform.settings.app_secret,
        "code": code,
        "grant_type": "authorization_code",
    }
    return await platform.client.call("GET", "/sns/oauth2/access_token", **(query | changes))


async def code_of(sandbox: RunningSandbox, nickname: str = "王阿姨") -> str:
    """A code of a new phone."""
    phone = await sandbox.client.phone(nickname)
    return parse_qs(urlsplit(await phone.open(address(sandbox))).query)["code"][0]


async def test_a_phone_is_led_back_with_code_and_state(sandbox: RunningSandbox, platform: Platform) -> None:
    phone = await sandbox.client.phone("王阿姨")
    landed = URL(await phone.open(address(sandbox)))
    assert landed.with_query(None) == URL(BACK).with_query(None)
    assert (landed.query["from"], landed.query["state"]) == ("card", "abc123")
    told = await redeem(platform, landed.query["code"])
    assert (told["openid"], told["scope"], told["expires_in"]) == (phone.openid, "snsapi_base", 7200)
    assert told["unionid"] == (await phone.describe())["unionid"]


async def test_a_code_is_good_once(sandbox: RunningSandbox, platform: Platform) -> None:
    code = await code_of(sandbox)
    assert "openid" in await redeem(platform, code)
    assert (await redeem(platform, code))["errcode"] == 40163


async def test_a_code_is_good_for_five_minutes(sandbox: RunningSandbox, platform: Platform) -> None:
    code = await code_of(sandbox)
    await sandbox.client.advance(301)
    assert (await redeem(platform, code))["errcode"] == 40029


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"code": "nonsense"}, 40029),
        ({"code": ""}, 41008),
        ({"appid": "wx0"}, 40013),
        ({"secret": "wrong"}, 40125),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
async def test_what_is_wrong_has_wechats_code(
    sandbox: RunningSandbox, platform: Platform, changes: dict[str, str], errcode: int
) -> None:
    code = await code_of(sandbox)
    assert (await redeem(platform, **{"code": code, **changes}))["errcode"] == errcode
    assert "openid" in await redeem(platform, code)


async def test_a_login_code_of_the_mini_program_opens_no_page(sandbox: RunningSandbox, platform: Platform) -> None:
    code = await (await sandbox.client.phone("王阿姨")).login_code()
    assert (await redeem(platform, code))["errcode"] == 40029


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"appid": None}, "10012"),
        ({"appid": "wx0"}, "40013"),
        ({"redirect_uri": None}, "10011"),
        ({"redirect_uri": "http://elsewhere.example/h5"}, "10003"),
        ({"redirect_uri": "javascript:alert(1)"}, "10003"),
        ({"redirect_uri": "http://[::1"}, "10003"),
        ({"scope": None}, "10010"),
        ({"scope": "snsapi_userinfo"}, "10005"),
        ({"response_type": "token"}, "response_type"),
        ({"state": "a" * 129}, "state"),
        ({"state": "../"}, "state"),
    ],
)
async def test_a_wrong_address_leads_nowhere(
    sandbox: RunningSandbox, changes: dict[str, str | None], said: str
) -> None:
    phone = await sandbox.client.phone("王阿姨")
    with pytest.raises(SandboxError, match=said):
        await phone.open(address(sandbox, **changes))


async def test_a_phone_that_is_not_there_leads_nowhere(sandbox: RunningSandbox) -> None:
    phone = await sandbox.client.phone("王阿姨")
    phone.openid = "nobody"
    with pytest.raises(SandboxError, match="没有这部手机"):
        await phone.open(address(sandbox))


async def test_outside_wechat_the_page_asks_for_wechat(sandbox: RunningSandbox) -> None:
    async with aiohttp.ClientSession() as http, http.get(address(sandbox), allow_redirects=False) as answer:
        assert answer.status == 200
        assert "Location" not in answer.headers
        assert "请在微信客户端打开链接" in await answer.text()
