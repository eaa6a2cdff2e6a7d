"""Access tokens, the jsapi ticket and mini-program logins."""

import asyncio
from typing import Any

import pytest

from sandbox.client import Phone
from sandbox.wechat.tokens import FORCED_PER_DAY
from tests.sandbox.conftest import Platform
from tests.support.sandbox import RunningSandbox

USE = "/cgi-bin/tags/get"


async def errcode_with(platform: Platform, token: str | None) -> int:
    """The errcode of a harmless call with this token."""
    answer = await platform.client.call("GET", USE, access_token=token)
    code: int = answer.get("errcode", 0)
    return code


async def test_the_stable_token_stays_the_same_until_five_minutes_before_its_end(
    sandbox: RunningSandbox, platform: Platform
) -> None:
    first = await platform.stable_token()
    assert first["expires_in"] == 7200
    await sandbox.client.advance(6800)
    again = await platform.stable_token()
    assert again["access_token"] == first["access_token"]
    assert 390 <= again["expires_in"] <= 400
    await sandbox.client.advance(200)
    fresh = await platform.stable_token()
    assert fresh["access_token"] != first["access_token"]
    assert await errcode_with(platform, first["access_token"]) == 0
    await sandbox.client.advance(210)
    assert await errcode_with(platform, first["access_token"]) == 42001
    assert await errcode_with(platform, fresh["access_token"]) == 0


async def test_a_forced_refresh_leaves_the_old_token_good_for_five_minutes(
    sandbox: RunningSandbox, platform: Platform
) -> None:
    old = (await platform.stable_token())["access_token"]
    new = (await platform.stable_token(force=True))["access_token"]
    assert old != new
    assert await errcode_with(platform, old) == 0
    await sandbox.client.advance(301)
    assert await errcode_with(platform, old) == 42001
    assert await errcode_with(platform, new) == 0


async def test_a_forced_refresh_within_30_seconds_refreshes_nothing(
    sandbox: RunningSandbox, platform: Platform
) -> None:
    first = await platform.stable_token(force=True)
    assert (await platform.stable_token(force=True))["access_token"] == first["access_token"]
    await sandbox.client.advance(31)
    assert (await platform.stable_token(force=True))["access_token"] != first["access_token"]


async def test_forced_refreshes_are_limited_by_the_day_and_clear_quota_gives_them_back(
    sandbox: RunningSandbox, platform: Platform
) -> None:
    sandbox.world.clock.move(-(sandbox.world.clock.now() + 8 * 3600) % 86400 + 60)  # just after midnight in China
    codes = []
    for _ in range(FORCED_PER_DAY + 1):
        codes.append((await platform.stable_token(force=True)).get("errcode", 0))
        await sandbox.client.advance(31)
    assert codes == [0] * FORCED_PER_DAY + [45009]
    assert (await platform.post("/cgi-bin/clear_quota", {"appid": sandbox.settings.app_id}))["errcode"] == 0
    assert "access_token" in await platform.stable_token(force=True)


async def test_the_plain_token_is_new_each_time_and_separate_from_the_stable_one(
    sandbox: RunningSandbox, platform: Platform
) -> None:
    stable = (await platform.stable_token())["access_token"]
    query = {"grant_type": "client_credential", "appid": sandbox.settings.app_id, "secret": sandbox.settings.app_secret}
    first = (await sandbox.client.call("GET", "/cgi-bin/token", **query))["access_token"]
    second = (await sandbox.client.call("GET", "/cgi-bin/token", **query))["access_token"]
    assert len({stable, first, second}) == 3
    await sandbox.client.advance(301)
    assert [await errcode_with(platform, token) for token in (stable, first, second)] == [0, 42001, 0]


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [({"appid": "wx0"}, 40013), ({"secret": "wrong"}, 40125), ({"secret": None}, 40125), ({"grant_type": "x"}, 40002)],
)
async def test_wrong_credentials_are_named(platform: Platform, changes: dict[str, Any], errcode: int) -> None:
    assert (await platform.stable_token(**changes))["errcode"] == errcode


async def test_a_missing_and_an_invented_token_are_told_apart(sandbox: RunningSandbox, platform: Platform) -> None:
    assert await errcode_with(platform, None) == 41001
    assert await errcode_with(platform, "invented") == 40001
    token = (await platform.stable_token())["access_token"]
    await sandbox.client.expire_tokens()
    assert await errcode_with(platform, token) == 42001
    assert (await platform.stable_token())["access_token"] != token


async def test_many_who_ask_at_once_get_one_token(platform: Platform) -> None:
    answers = await asyncio.gather(*(platform.stable_token() for _ in range(20)))
    assert len({answer["access_token"] for answer in answers}) == 1


async def test_the_jsapi_ticket_lasts_two_hours(sandbox: RunningSandbox, platform: Platform) -> None:
    first = await platform.get("/cgi-bin/ticket/getticket", type="jsapi")
    assert (await platform.get("/cgi-bin/ticket/getticket", type="jsapi"))["ticket"] == first["ticket"]
    await sandbox.client.advance(7200)
    platform.token = ""
    assert (await platform.get("/cgi-bin/ticket/getticket", type="jsapi"))["ticket"] != first["ticket"]
    assert (await platform.get("/cgi-bin/ticket/getticket", type="other"))["errcode"] == 40097


async def login(sandbox: RunningSandbox, code: str, **changes: str) -> dict[str, object]:
    """The answer of code2Session."""
    query = {
        "appid": sandbox.settings.mini_app_id,
        "secret": sandbox.settings.mini_app_secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    answer: dict[str, object] = await sandbox.client.call("GET", "/sns/jscode2session", **(query | changes))
    return answer


async def test_a_login_code_gives_the_person_once(sandbox: RunningSandbox, phone: Phone) -> None:
    code = await phone.login_code()
    session = await login(sandbox, code)
    assert session["unionid"] == (await phone.describe())["unionid"]
    assert session["openid"] != phone.openid
    assert (await login(sandbox, code))["errcode"] == 40163
    assert (await login(sandbox, await phone.login_code()))["openid"] == session["openid"]


async def test_a_login_code_lasts_five_minutes(sandbox: RunningSandbox, phone: Phone) -> None:
    code = await phone.login_code()
    await sandbox.client.advance(300)
    assert (await login(sandbox, code))["errcode"] == 40029
    assert (await login(sandbox, "invented"))["errcode"] == 40029
    assert (await login(sandbox, code, secret="wrong"))["errcode"] == 40125
