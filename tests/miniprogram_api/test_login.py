"""Logging in through WeChat, and what a session is worth."""

from datetime import timedelta

import aiohttp
import pytest

from backend.clock import Clock
from miniprogram_api.login import Code2Session, LoginUnavailable
from miniprogram_api.sessions import VALID_FOR, Sessions
from sandbox.settings import LOCAL_MINI_APP_ID
from tests.miniprogram_api.conftest import Api, Patient
from tests.support.sandbox import RunningSandbox


async def test_a_code_of_wechat_becomes_a_session_of_a_new_patient(api: Api, wechat: RunningSandbox) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    answer = await api.post("/session", {"code": await phone.login_code()})
    assert answer.status == 201
    api.token = answer.body["token"]
    me = await api.get("/me")
    assert me.body["roles"] == ["patient"]
    assert me.body["consent_given"] is False
    assert phone.openid not in str(answer.body) + str(me.body)


async def test_a_second_login_is_the_same_person(api: Api, wechat: RunningSandbox) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    persons = set()
    for _ in range(2):
        answer = await api.post("/session", {"code": await phone.login_code()})
        persons.add(api.context.sessions.read(answer.body["token"]))
    assert len(persons) == 1


async def test_a_code_is_good_once_and_for_five_minutes(api: Api, wechat: RunningSandbox) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    used = await phone.login_code()
    await api.post("/session", {"code": used})
    late = await phone.login_code()
    await wechat.client.advance(301)
    for code in (used, late, "nonsense"):
        answer = await api.post("/session", {"code": code})
        assert (answer.status, answer.code) == (401, "login_refused")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "fault",
    [{"errcode": -1}, {"errcode": 45011}, {"status": 502}, {"body": "<html>"}, {"body": "[]"}, {"drop": "before"}],
)
async def test_a_wechat_in_trouble_is_told_as_that(
    api: Api, wechat: RunningSandbox, fault: dict[str, int | str | bool]
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    code = await phone.login_code()
    async with wechat.client.faulty(path="/sns/jscode2session", **fault):
        answer = await api.post("/session", {"code": code})
    assert (answer.status, answer.code) == (503, "login_unavailable")


async def test_a_person_whom_wechat_keeps_out_is_refused(api: Api, wechat: RunningSandbox) -> None:
    async with wechat.client.faulty(path="/sns/jscode2session", errcode=40226):
        answer = await api.post("/session", {"code": "anything"})
    assert answer.status == 401


async def test_without_a_mini_program_nobody_is_asked() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(LoginUnavailable):
            await Code2Session(http, "http://127.0.0.1:9", "", "").identify("code")


async def test_a_secret_that_is_wrong_is_the_operators_trouble(wechat: RunningSandbox) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(LoginUnavailable):
            await Code2Session(http, wechat.base_url, LOCAL_MINI_APP_ID, "wrong").identify("code")


async def test_a_session_ends_after_two_hours(patient: Patient, clock: Clock) -> None:
    assert (await patient.api.get("/me")).status == 200
    clock.advance(VALID_FOR + timedelta(seconds=1))
    answer = await patient.api.get("/me")
    assert (answer.status, answer.code) == (401, "login_refused")


async def test_a_token_that_was_changed_or_is_for_something_else_opens_nothing(patient: Patient, clock: Clock) -> None:
    token = patient.api.token
    person, until, proof = token.split(".")
    context = patient.api.context
    forged = [
        "",
        "x",
        token + "x",
        token.replace(".", ",", 1),
        f"{'0' * 32}.{until}.{proof}",
        f"{person}.{int(until) + 1}.{proof}",
        f"{person}.{until}.{proof[::-1]}",
        Sessions(bytes(32), clock).mint(patient.id)[0],
        context.calendar_links.mint(patient.id)[0],
    ]
    for one in forged:
        patient.api.token = one
        assert (await patient.api.get("/me")).status == 401, one
    patient.api.token = ""
    for scheme in (f"Basic {token}", token, f"Bearer  {token}"):
        assert (await patient.api.send("GET", "/me", headers={"Authorization": scheme})).status == 401


async def test_a_token_of_nobody_is_no_session(api: Api) -> None:
    assert (await api.as_("0" * 32).get("/me")).status == 401
