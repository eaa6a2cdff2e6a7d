"""Times of experts, weights of the matching and the official account, steered through the console's API."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from backend.clock import local
from backend.db import Owned
from backend.ids import new_id
from backend.messaging.service import lane_of
from backend.messaging.tables import Contact
from backend.security.policy import SYSTEM, Role
from bot.menus import BY_ROLE, PATIENT
from sandbox.client import Phone
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.miniprogram_api.console.test_console_work import new_patient
from tests.support import cases
from tests.support.house import House

MORNINGS = [
    {"weekday": day, "start": "09:00", "end": "12:00", "slot_minutes": 30, "on_holidays": True} for day in range(7)
]
AFTERNOONS = [{**one, "start": "14:00", "end": "17:00"} for one in MORNINGS]


@dataclass
class Steering:
    """A console at which a case of 王小明 is booked with 钟专家."""

    console: Console
    house: House
    administrator: Clerk
    case_id: str
    booking_id: str

    @property
    def schedule(self) -> str:
        """The path of the expert's schedule."""
        return f"/schedules/{self.house.practitioners['钟专家']}"

    async def seen(self, clerk: Clerk | None = None, **query: Any) -> Any:
        """The schedule as it is."""
        return (await (clerk or self.administrator).get(self.schedule, **query)).body

    async def put(self, what: str, clerk: Clerk | None = None, **body: Any) -> Any:
        """Change something, having seen how it is."""
        version = body.pop("version", None)
        seen = (await self.seen())["version"] if version is None else version
        asked = clerk or self.administrator
        return await asked.send("PUT", f"{self.schedule}/{what}", json={"version": seen, **body})


@pytest.fixture
async def steering(console: Console) -> Steering:
    """The administrator at work, and a booking for tomorrow or later."""
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    case_id = await cases.open_case(house, patient_id)
    await cases.assign(house, case_id)
    care, patient = house.services.consultations, await house.actor(patient_id)
    slot = (await care.bookable_slots(patient, case_id, limit=40))[20]
    booking = await care.book(patient, case_id, slot.id)
    await house.settle()
    return Steering(console, house, administrator, case_id, booking.id)


async def booked_week(steering: Steering) -> dict[str, Any]:
    """Say which week the booking lies in."""
    booking = await steering.house.services.scheduling.booking(steering.case_id)
    assert booking is not None
    return {"day": str(local(booking.starts_at).date())}


async def test_a_week_shows_hours_holidays_and_whom_it_is_booked_for_by_a_masked_name(steering: Steering) -> None:
    week = await booked_week(steering)
    found = await steering.seen(**week)
    assert [hours["start"] for day in found["days"] for hours in day["hours"]] == ["09:00"] * 7
    [booking] = found["bookings"]
    assert (booking["id"], booking["patient_name"], booking["may_move"]) == (steering.booking_id, "王**", True)
    assert booking["number"].startswith("HZ")
    entries = await steering.house.audit.entries(SYSTEM, limit=3)
    assert "scheduling.read_schedule" in {one.action for one in entries}
    national = await steering.seen(day="2026-10-01")
    assert [(day["holiday"], day["working"]) for day in national["days"]][3] == ("国庆节", False)
    made_up = (await steering.seen(day="2026-10-10"))["days"][5]
    assert (made_up["holiday"], made_up["working"], made_up["makes_up"]) == ("国庆节", True, True)
    unknown = (await steering.seen(day="2099-01-01"))["days"]
    assert [day["announced"] for day in unknown] == [False] * 7
    assert [day["working"] for day in unknown] == [True] * 3 + [False, True] + [False] * 2
    assert unknown[3]["holiday"] == "元旦"


async def test_hours_of_the_week_rest_on_a_holiday_unless_they_were_given_for_it(steering: Steering) -> None:
    later = {**MORNINGS[3], "start": "14:00", "end": "16:00", "on_holidays": False}
    booking = steering.booking_id
    assert (await steering.put("week", hours=[MORNINGS[3], later], keep=[booking])).body["saved"] is True
    thursday = (await steering.seen(day="2026-10-01"))["days"][3]
    assert ([one["start"] for one in thursday["hours"]], thursday["rests"], thursday["own"]) == (["09:00"], True, False)
    plain = (await steering.seen(day="2026-10-15"))["days"][3]
    assert ([one["start"] for one in plain["hours"]], plain["rests"]) == (["09:00", "14:00"], False)


async def test_what_is_booked_is_told_before_hours_move_and_can_be_rescheduled(steering: Steering) -> None:
    told = (await steering.put("week", hours=AFTERNOONS)).body
    assert told["saved"] is False
    assert [(one["id"], one["patient_name"]) for one in told["affected"]] == [(steering.booking_id, "王**")]
    assert (await steering.seen())["week"] == MORNINGS
    case = f"/consultations/{steering.case_id}"
    both = [*MORNINGS, *AFTERNOONS]
    assert (await steering.put("week", hours=both)).body["saved"] is True
    free = (await steering.administrator.get(f"{case}/times")).body["items"]
    later = next(one for one in free if one["starts_at"][11:13] in ("06", "07", "08"))  # the afternoon in China
    assert (await steering.administrator.post(f"{case}/booking", {"slot_id": later["slot_id"]})).status == 200
    again = await steering.administrator.post(f"{case}/booking", {"slot_id": new_id()})
    assert again.code == "not_found"
    assert (await steering.put("week", hours=AFTERNOONS)).body == {"saved": True, "affected": []}
    timeline = (await steering.administrator.get(case)).body["timeline"]
    assert "把预约从" in str(timeline)
    away = {"starts_at": later["starts_at"], "ends_at": later["ends_at"], "reason": "开会"}
    version = (await steering.seen())["version"]
    refused = await steering.administrator.post(f"{steering.schedule}/absences", {"version": version, **away})
    [affected] = refused.body["affected"]
    kept = {"version": version, **away, "keep": [affected["id"]]}
    assert (await steering.administrator.post(f"{steering.schedule}/absences", kept)).body["saved"] is True
    found = await steering.seen(day=later["starts_at"][:10])
    [absence] = found["absences"]
    assert absence["reason"] == "开会"
    path = f"{steering.schedule}/absences/{absence['id']}?version={found['version']}"
    assert (await steering.administrator.send("DELETE", path)).status == 200
    assert (await steering.administrator.send("DELETE", path)).code == "schedule_changed"
    assert (await steering.seen(day=later["starts_at"][:10]))["absences"] == []


async def test_a_single_day_is_changed_and_given_back_to_the_week(steering: Steering) -> None:
    day = str(steering.house.clock.today().date() + timedelta(days=30))
    evening = [{"start": "18:00", "end": "20:00", "slot_minutes": 60}]
    assert (await steering.put("days", days=[{"day": day, "hours": evening}])).body["saved"] is True
    shown = {one["day"]: one for one in (await steering.seen(day=day))["days"]}
    assert (shown[day]["own"], shown[day]["hours"]) == (True, evening)
    assert (await steering.put("days", days=[{"day": day, "hours": None}])).body["saved"] is True
    assert not [one for one in (await steering.seen(day=day))["days"] if one["own"]]


async def test_of_two_administrators_the_later_one_is_told_and_nothing_is_lost(steering: Steering) -> None:
    other = await steering.console.as_("李管", Role.ADMINISTRATOR)
    seen = (await steering.seen())["version"]
    assert (await steering.put("week", hours=[*MORNINGS, *AFTERNOONS], version=seen)).body["saved"] is True
    late = await steering.put("week", other, hours=AFTERNOONS, version=seen)
    assert (late.status, late.code) == (409, "schedule_changed")
    assert "您的改动还没有保存" in late.body["message"]
    assert len((await steering.seen())["week"]) == 14


async def test_a_hospitals_administrator_has_their_own_experts_alone(steering: Steering) -> None:
    own = await steering.console.as_("省院管", Role.INSTITUTION_ADMINISTRATOR, "省人民医院")
    stranger = await steering.console.as_("白水院管", Role.INSTITUTION_ADMINISTRATOR, "白水乡卫生院")
    auditor = await steering.console.as_("审计甲", Role.AUDITOR)
    assert [one["name"] for one in (await own.get("/schedules/experts")).body["items"]] == ["钟专家"]
    assert (await stranger.get("/schedules/experts")).body["items"] == []
    [booking] = (await steering.seen(own, **await booked_week(steering)))["bookings"]
    # The case belongs to the township centre: the hospital whose expert answers it sees it, and does not move it.
    assert (booking["patient_name"], booking["number"][:2], booking["may_move"]) == ("王**", "HZ", False)
    case = f"/consultations/{steering.case_id}"
    for clerk in (own, stranger, auditor):
        assert (await clerk.get(f"{case}/times")).code == "not_found"
        assert (await clerk.post(f"{case}/booking", {"slot_id": new_id()})).code == "not_found"
    assert (await steering.put("week", own, hours=[*MORNINGS, *AFTERNOONS])).body["saved"] is True
    for clerk in (stranger, auditor):
        for method, path, body in (
            ("GET", steering.schedule, None),
            ("PUT", f"{steering.schedule}/week", {"version": 1, "hours": []}),
            ("PUT", f"{steering.schedule}/days", {"version": 1, "days": []}),
            ("DELETE", f"{steering.schedule}/absences/{new_id()}?version=1", None),
        ):
            forbidden = await clerk.send(method, path, json=body)
            unknown = await clerk.send(method, path.replace(steering.schedule[11:], new_id()), json=body)
            assert (forbidden.status, forbidden.code) == (unknown.status, unknown.code) == (404, "not_found"), path


@pytest.mark.parametrize(
    "hours",
    [
        [{"weekday": 7, "start": "09:00", "end": "10:00", "slot_minutes": 30}],
        [{"weekday": 0, "start": "9", "end": "10:00", "slot_minutes": 30}],
        [{"weekday": 0, "start": "10:00", "end": "09:00", "slot_minutes": 30}],
        [{"weekday": 0, "start": "09:00", "end": "10:00", "slot_minutes": 1}],
        [MORNINGS[0], {**MORNINGS[0], "start": "11:00", "end": "13:00"}],
        [{**MORNINGS[0], "note": "x"}],
    ],
)
async def test_hours_that_cannot_be_are_refused_and_change_nothing(steering: Steering, hours: Any) -> None:
    refused = await steering.put("week", hours=hours)
    assert refused.code == "invalid_input"
    assert (await steering.seen())["week"] == MORNINGS


async def test_weights_are_explained_tried_published_and_taken_back(steering: Steering) -> None:
    house, clerk = steering.house, steering.administrator
    await house.hire("郑专家", Role.EXPERT, "省人民医院", "respiratory", "住院医师")
    case_id = await cases.open_case(house, await new_patient(house, "赵小红"))
    await cases.assign(house, case_id)
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    found = (await clerk.get("/weights")).body
    assert [one["version"] for one in found["versions"]] == [0]
    assert [one["name"] for one in found["urgencies"]] == ["危急", "紧急", "较急", "普通"]
    draft = found["versions"][0]["percentages"]
    for row in draft.values():
        row.update(dict.fromkeys(row, 0) | {"load": 100})
    trial = (await clerk.post("/weights/trial", {"percentages": draft, "count": 50})).body
    assert trial["cases"] == 1
    assert trial["urgencies"][3] == {"code": "routine", "name": "普通", "cases": 1, "changed": trial["changed"]}
    assert trial["before"]["distance_km"] == pytest.approx(47, abs=5)
    assert "咳嗽" not in str(trial)
    assert "赵" not in str(trial)
    wrong = {**draft, "routine": {**draft["routine"], "load": 99}}
    for path, body in (
        ("/weights/trial", {"percentages": wrong}),
        ("/weights", {"percentages": wrong, "version": 0, "reason": "试试"}),
        ("/weights", {"percentages": draft, "version": 0, "reason": " "}),
        ("/weights", {"percentages": {**draft, "routine": {"load": "100"}}, "version": 0, "reason": "试试"}),
    ):
        assert (await clerk.post(path, body)).code == "invalid_input", body
    published = await clerk.post("/weights", {"percentages": draft, "version": 0, "reason": "先请手上少的"})
    assert (published.status, published.body["version"], published.body["published_by"]) == (201, 1, "陈管")
    late = await clerk.post("/weights", {"percentages": draft, "version": 0, "reason": "我也要"})
    assert (late.status, late.code) == (409, "weights_changed")
    original = (await clerk.get("/weights")).body["versions"][-1]["percentages"]
    back = await clerk.post("/weights", {"percentages": original, "version": 1, "reason": "恢复原来的权重"})
    assert back.body["version"] == 2
    versions = (await clerk.get("/weights")).body["versions"]
    assert [(one["version"], one["reason"]) for one in versions] == [
        (2, "恢复原来的权重"), (1, "先请手上少的"), (0, ""),
    ]  # fmt: skip
    reasons = {one.reason for one in await house.audit.entries(SYSTEM, limit=10) if one.action == "matching.steer"}
    assert {"先请手上少的", "恢复原来的权重"} <= reasons


async def menus(clerk: Clerk) -> dict[str, Any]:
    """Every menu by its audience."""
    return {one["audience"]: one for one in (await clerk.get("/wechat/menus")).body["menus"]}


async def test_menus_are_compared_with_what_people_see_and_published(steering: Steering) -> None:
    clerk, sending = steering.administrator, steering.console.sending
    before = await menus(clerk)
    assert set(before) == {"所有人", "基层医生", "会诊专家", "审方药师", "平台管理员"}
    assert {one["live"] is None for one in before.values()} == {True}
    done = (await clerk.post("/wechat/menus", None)).body
    assert done["changed"] is True
    assert all(one["same"] for one in done["menus"])
    assert (await clerk.post("/wechat/menus", None)).body["changed"] is False
    phone: Phone = await steering.console.wechat.client.phone("王阿姨", following=True)
    assert [button["name"] for button in await phone.menu()] == [button.name for button in PATIENT]
    # Somebody changes it at WeChat: other buttons, and a menu for a tag of which the product knows nothing.
    await sending.client.call("/cgi-bin/menu/delete")
    tag = (await sending.client.call("/cgi-bin/tags/create", {"tag": {"name": "活动"}}))["tag"]["id"]
    button = [{"type": "view", "name": "看活动", "url": "https://example.com"}]
    await sending.client.call("/cgi-bin/menu/create", {"button": button})
    rule = {"tag_id": str(tag)}
    await sending.client.call("/cgi-bin/menu/addconditional", {"button": button, "matchrule": rule})
    after = await menus(clerk)
    assert not after["所有人"]["same"]
    assert after["所有人"]["live"][0]["name"] == "看活动"
    assert after["活动"]["wanted"] is None
    assert (await clerk.post("/wechat/menus", None)).body["changed"] is True
    again = await menus(clerk)
    assert len(again) == 1 + len(BY_ROLE)
    assert all(one["same"] for one in again.values())
    # What is published at the start of a process is the same, so that it finds nothing to do.
    assert not await sending.menus.publish()


async def test_templates_are_held_against_those_that_wechat_has(steering: Steering) -> None:
    clerk, account = steering.administrator, steering.console.context.channel._channel
    good = (await clerk.get("/wechat/templates")).body["needs"]
    assert {one["kind"] for one in good} == {"task", "offer", "reminder", "result", "progress"}
    assert all(one["template"]["good"] and one["template"]["title"] for one in good)
    assert all(one["purpose"] and one["subscription"] is None for one in good)
    settings = account._settings  # type: ignore[attr-defined]
    settings.templates.update(task="does-not-exist", offer=settings.templates["reminder"], result="")
    settings.subscriptions.update(progress="QiaoyiLocalSubscribe_ConsultationProgress_1")
    needs = {one["kind"]: one for one in (await clerk.get("/wechat/templates")).body["needs"]}
    assert (needs["task"]["template"]["exists"], needs["task"]["template"]["good"]) == (False, False)
    assert needs["offer"]["template"]["lacking"] == ["thing1", "phrase2", "thing3", "time5"]
    assert needs["offer"]["template"]["unfilled"] == ["name1", "thing2", "time3"]
    assert needs["result"]["template"] is None
    assert (needs["progress"]["subscription"]["good"], needs["progress"]["subscription"]["title"]) == (
        True, "会诊进度提醒",
    )  # fmt: skip


async def test_a_test_message_reaches_an_administrators_phone_and_nobody_elses(steering: Steering) -> None:
    house, clerk = steering.house, steering.administrator
    await house.hire("周管理", Role.ADMINISTRATOR, "省人民医院", "")
    recipients = (await clerk.get("/wechat/templates")).body["recipients"]
    assert [one["name"] for one in recipients] == ["周管理"]
    to = {"practitioner_id": recipients[0]["practitioner_id"]}
    assert (await clerk.post("/wechat/test", {"kind": "task", **to})).code == "channel_refused"  # no phone yet
    phone = await steering.console.wechat.client.phone("周管理", following=True)
    person_id = (await cases.staff(house, "周管理")).person_id
    async with house.database.transaction() as session:
        lane = lane_of("wechat", phone.openid)
        known = {"channel": "wechat", "address_index": lane, "person_id": person_id, "created_at": house.clock.now()}
        await session.execute(insert(Contact).values(id=new_id(), address=Owned(person_id, phone.openid), **known))
    for kind in ("task", "offer", "reminder", "result", "progress"):
        assert (await clerk.post("/wechat/test", {"kind": kind, **to})).status == 200, kind
    assert len([one for one in await phone.messages() if one.kind == "template"]) == 5
    assert (await clerk.post("/wechat/test", {"kind": "gossip", **to})).code == "invalid_input"
    doctor = {"practitioner_id": house.practitioners["村医甲"]}
    assert (await clerk.post("/wechat/test", {"kind": "task", **doctor})).code == "invalid_input"
    settings = steering.console.context.channel._channel._settings  # type: ignore[attr-defined]
    settings.templates.update(task="", offer="does-not-exist")
    settings.subscriptions.update(task="QiaoyiLocalSubscribe_ConsultationProgress_1")
    wrong = await clerk.post("/wechat/test", {"kind": "offer", **to})
    assert "40037" in wrong.body["message"]
    fields = await clerk.post("/wechat/test", {"kind": "task", **to})
    assert "47003" in fields.body["message"]


async def test_when_wechat_is_away_the_page_says_so(steering: Steering) -> None:
    account: Any = steering.console.context.channel._channel
    object.__setattr__(account._client._settings, "api_url", "http://127.0.0.1:9")
    for answer in (
        await steering.administrator.get("/wechat/menus"),
        await steering.administrator.get("/wechat/templates"),
        await steering.administrator.post("/wechat/menus", None),
    ):
        assert (answer.status, answer.code) == (503, "channel_away")
