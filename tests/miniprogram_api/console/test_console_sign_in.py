"""Signing in to the console: what works, and what each attack gets."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from backend.console.desk import RECOMMENDED
from backend.security.policy import SYSTEM, Role
from tests.miniprogram_api.console.conftest import PASSWORD, Clerk, Console


async def test_the_first_administrator_begins_by_a_link_that_works_once(console: Console) -> None:
    link = await console.service.create_account(SYSTEM, "陈管", Role.ADMINISTRATOR)
    page = Clerk(console)
    assert (await page.sign_in("陈管", code="000000")).code == "sign_in_refused"  # no password yet
    begun = (await page.post("/enrolment/begin", {"code": link.code})).body
    assert (begun["name"], begun["role_name"]) == ("陈管", "平台管理员")
    assert begun["picture"].startswith("data:image/svg+xml")
    console.secrets["陈管"] = begun["secret"]
    wish = {"code": link.code, "password": PASSWORD, "totp_code": console.code_of("陈管")}
    for wrong in ({"password": "short"}, {"password": "陈管陈管陈管陈管1"}, {"password": "a" * 20}, {"totp_code": "1"}):
        assert (await page.post("/enrolment", {**wish, **wrong})).code == "invalid_input"
    console.forget_limits()
    done = await page.post("/enrolment", wish)
    assert done.status == 201, done.body
    assert (done.status, len(set(done.body["recovery_codes"]))) == (201, 10)
    assert (await page.post("/enrolment", wish)).code == "link_refused"
    console.house.clock.advance(timedelta(seconds=31))
    signed_in = await page.sign_in("陈管")
    assert signed_in.status == 201
    assert signed_in.body["role"] == "administrator"
    cookie = signed_in.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    me = await page.get("/session")
    assert me.body["name"] == "陈管"
    assert me.headers["Cache-Control"] == "no-store"


async def test_a_link_ends_after_a_day_and_with_a_newer_one(console: Console) -> None:
    first = await console.service.create_account(SYSTEM, "陈管", Role.ADMINISTRATOR)
    second = await console.service.renew_link(SYSTEM, first.account_id)
    page = Clerk(console)
    assert (await page.post("/enrolment/begin", {"code": first.code})).code == "link_refused"
    assert (await page.post("/enrolment/begin", {"code": second.code})).status == 200
    console.house.clock.advance(timedelta(days=1))
    assert (await page.post("/enrolment/begin", {"code": second.code})).code == "link_refused"


async def test_wrong_name_password_and_code_are_answered_alike(console: Console) -> None:
    await console.enrol("陈管", Role.ADMINISTRATOR)
    console.house.clock.advance(timedelta(seconds=31))
    page = Clerk(console)
    answers = [
        await page.sign_in("陈管", password="不是这个密码12345"),
        await page.sign_in("陈管", code="000000"),
        await page.sign_in("没有这个人", code="000000"),
    ]
    assert {(one.status, str(one.body)) for one in answers} == {(401, str(answers[0].body))}
    assert (await page.sign_in("陈管")).status == 201
    assert (await page.sign_in(" ＣＨＥＮ ", code="000000")).code == "sign_in_refused"


async def test_guessing_locks_a_name_for_longer_and_longer_whether_or_not_somebody_has_it(console: Console) -> None:
    await console.enrol("陈管", Role.ADMINISTRATOR)
    clock = console.house.clock
    for name in ("陈管", "没有这个人"):
        page = Clerk(console)
        for _ in range(5):
            assert (await page.sign_in(name, password="不是这个密码12345", code="000000")).code == "sign_in_refused"
            console.forget_limits()
        locked = await page.sign_in(name, code="000000")
        assert (locked.status, locked.code) == (429, "sign_in_locked")
        assert 0 < int(locked.headers["Retry-After"]) <= 61
        clock.advance(timedelta(seconds=62))
        console.forget_limits()
        assert (await page.sign_in(name, password="不是这个密码12345", code="000000")).code == "sign_in_refused"
        assert 61 < int((await page.sign_in(name, code="000000")).headers["Retry-After"]) <= 121
    clock.advance(timedelta(minutes=3))
    console.forget_limits()
    assert (await Clerk(console).sign_in("陈管")).status == 201
    assert (await Clerk(console).sign_in("陈管", code="000000")).code == "sign_in_refused"  # and counted from one again


async def test_many_guesses_at_once_are_no_more_than_many_in_a_row(console: Console) -> None:
    await console.enrol("陈管", Role.ADMINISTRATOR)
    tries = [console.service.sign_in("陈管", f"不是这个密码{number:05}", "000000") for number in range(12)]
    refused = [type(one).__name__ for one in await asyncio.gather(*tries, return_exceptions=True)]
    assert refused.count("SignInRefused") <= 5


async def test_an_address_may_try_ten_times_a_minute(console: Console) -> None:
    page = Clerk(console)
    codes = [(await page.sign_in(f"谁{number}", code="000000")).code for number in range(11)]
    assert codes == ["sign_in_refused"] * 10 + ["too_many_requests"]


async def test_a_code_of_the_app_that_somebody_saw_is_worth_nothing(console: Console) -> None:
    await console.enrol("陈管", Role.ADMINISTRATOR)
    console.house.clock.advance(timedelta(seconds=31))
    seen = console.code_of("陈管")
    assert (await Clerk(console).sign_in("陈管", code=seen)).status == 201
    assert (await Clerk(console).sign_in("陈管", code=seen)).code == "sign_in_refused"


async def test_a_recovery_code_stands_in_for_the_app_once(console: Console) -> None:
    codes = await console.enrol("陈管", Role.ADMINISTRATOR)
    typed = codes[3].lower().replace("-", " ")
    assert (await Clerk(console).sign_in("陈管", code=typed)).status == 201
    assert (await Clerk(console).sign_in("陈管", code=typed)).code == "sign_in_refused"
    assert (await Clerk(console).sign_in("陈管", code=codes[4])).status == 201


async def test_a_session_ends_after_half_an_hour_without_use_and_after_eight_hours(console: Console) -> None:
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    clock = console.house.clock
    for _ in range(23):
        clock.advance(timedelta(minutes=20))
        assert (await page.get("/session")).status == 200
    clock.advance(timedelta(minutes=21))
    assert (await page.get("/session")).code == "session_over"
    console.forget_limits()
    assert (await page.sign_in("陈管")).status == 201
    clock.advance(timedelta(minutes=31))
    assert (await page.get("/session")).code == "session_over"


async def test_sessions_are_listed_and_ended_and_nobody_ends_anothers(console: Console) -> None:
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    console.house.clock.advance(timedelta(seconds=31))
    stolen = Clerk(console)
    await stolen.sign_in("陈管")
    other = await console.as_("审计甲", Role.AUDITOR)
    listed = (await page.get("/sessions")).body["items"]
    assert [(one["own"], one["address"], one["browser"]) for one in listed] == [
        (False, "127.0.0.1", "Firefox"),
        (True, "127.0.0.1", "Firefox"),
    ]
    assert (await other.send("DELETE", f"/sessions/{listed[0]['id']}")).status == 404
    assert (await page.send("DELETE", f"/sessions/{listed[0]['id']}")).status == 200
    assert (await stolen.get("/session")).code == "session_over"
    before = page.cookie
    assert (await page.send("DELETE", "/session")).status == 200
    assert page.cookie == ""
    page.cookie = before  # kept by whoever stole it
    assert (await page.get("/session")).code == "session_over"


async def test_a_closed_account_and_a_fresh_link_end_every_session(console: Console) -> None:
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    auditor = await console.as_("审计甲", Role.AUDITOR)
    accounts = (await page.get("/accounts")).body["items"]
    by_name = {one["name"]: one["id"] for one in accounts}
    assert (await page.send("PUT", f"/accounts/{by_name['陈管']}", json={"active": False})).code == "conflict"
    assert (await page.send("PUT", f"/accounts/{by_name['审计甲']}", json={"active": False})).status == 200
    assert (await auditor.get("/session")).code == "session_over"
    console.house.clock.advance(timedelta(seconds=31))
    assert (await auditor.sign_in("审计甲")).code == "sign_in_refused"
    await console.service.renew_link(SYSTEM, by_name["陈管"])
    assert (await page.get("/session")).code == "session_over"
    assert (await page.sign_in("陈管")).code == "sign_in_refused"


async def test_another_sites_page_changes_nothing(console: Console) -> None:
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    wish = {"name": "新来的", "role": "auditor"}
    for headers in ({"X-CSRF-Token": None}, {"X-CSRF-Token": "0" * 64}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await page.send("POST", "/accounts", json=wish, headers=headers)).code == "from_elsewhere"
    as_form = {"Content-Type": "text/plain"}
    assert (await page.send("POST", "/accounts", data=b"{}", headers=as_form)).code == "unsupported_media_type"
    other = await console.as_("李管", Role.ADMINISTRATOR)
    anothers = {"X-CSRF-Token": other.csrf}
    assert (await page.send("POST", "/accounts", json=wish, headers=anothers)).code == "from_elsewhere"
    assert (await page.post("/accounts", wish)).status == 201


async def test_nobody_signs_in_over_http_beyond_loopback(console: Console) -> None:
    object.__setattr__(console.context, "public_url", "http://hospital.example.cn")
    assert (await Clerk(console).sign_in("陈管", code="000000")).code == "insecure_address"


async def test_a_stolen_table_holds_no_password_no_secret_no_code_and_no_token(console: Console) -> None:
    console.service._hasher = RECOMMENDED
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    codes = await console.enrol("审计甲", Role.AUDITOR)
    tables = ("accounts", "links", "recovery_codes", "sessions", "sign_in_attempts")
    async with console.house.database.reading() as session:
        held = [str((await session.execute(text(f"SELECT * FROM console_{one}"))).all()) for one in tables]  # noqa: S608
    whole = "".join(held)
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in whole
    told = [PASSWORD, "陈管", "审计甲", *console.secrets.values(), page.cookie, codes[0], codes[0].replace("-", "")]
    assert not [one for one in told if one in whole]


async def test_everything_about_accounts_is_in_the_audit_log(console: Console) -> None:
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    await Clerk(console).sign_in("陈管", code="000000")
    await Clerk(console).sign_in("没有这个人", code="000000")
    await page.send("DELETE", "/session")
    actions = [one.action for one in await console.house.audit.entries(SYSTEM)]
    assert actions[:6] == [
        "console.end_session",
        "console.sign_in_failed",
        "console.sign_in_failed",
        "console.sign_in",
        "console.enrol",
        "console.manage_accounts",
    ]


async def test_accounts_are_for_platform_administrators_and_have_a_sound_role(console: Console) -> None:
    for name, role, place in (("审计甲", Role.AUDITOR, None), ("院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")):
        clerk = await console.as_(name, role, place)
        assert (await clerk.get("/accounts")).code == "forbidden"
        assert (await clerk.post("/accounts", {"name": "新来的", "role": "administrator"})).code == "forbidden"
    page = await console.as_("陈管", Role.ADMINISTRATOR)
    for wrong in (
        {"name": "新来的", "role": "patient"},
        {"name": "新来的", "role": "institution_admin"},
        {"name": "新来的", "role": "auditor", "institution_id": console.house.institutions["青山镇卫生院"]},
        {"name": "=cmd", "role": "auditor"},
        {"name": "新来的", "role": "auditor", "password_hash": "x"},
    ):
        assert (await page.post("/accounts", wrong)).code == "invalid_input", wrong
    assert (await page.post("/accounts", {"name": "陈管", "role": "auditor"})).code == "conflict"
