"""Times of experts, weights and the official account at the console, in Chromium on the real product."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from backend.clock import local
from backend.consultation import Status, Urgency
from backend.db import install_key_ring
from backend.scheduling import CalendarDay, Knowing, ScheduleView, WeeklyHours, rules
from backend.security.policy import SYSTEM, Actor, Role
from miniprogram_api.console import schedules
from qiaoyi.house import House
from tests.support.clinic import practitioner_of
from tests.support.product import BookedCase, Member
from tests.support.waiting import eventually
from tests.web.conftest import NARROW
from tests.web.console_pages import BOTH, WIDE, Scene, console_scene, go, looks_good, signed_in

WEEKS = timedelta(days=14)
pytestmark = pytest.mark.asyncio(loop_scope="module")
FULL = [WeeklyHours(day, "09:00", "12:00", 30, on_holidays=True) for day in range(7)]


@dataclass
class Stage:
    """The console's scene, and an administrator of the platform who has a phone."""

    scene: Scene
    member: Member
    administrator: Actor

    @property
    def case(self) -> BookedCase:
        """The case that an expert has taken."""
        return self.scene.case

    @property
    def house(self) -> House:
        """The product's services."""
        return self.scene.case.product.house


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage_of_module(
    browser: Browser, pages_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with console_scene(browser, pages_folder, tmp_path_factory.mktemp("product")) as scene:
        place = (await scene.case.expert.actor()).institution_id
        assert place is not None
        member = await scene.case.product.practitioner("周管理", Role.ADMINISTRATOR, place)
        yield Stage(scene, member, await member.actor())


@pytest.fixture
def stage(stage_of_module: Stage) -> Stage:
    """The stage, under the keys with which its product was made; what a test changes it makes as it needs it."""
    install_key_ring(stage_of_module.house.ring)
    return stage_of_module


@dataclass
class Times:
    """The page of the expert's times in the week after this one, where a patient is booked on Wednesday at nine."""

    page: Page
    stage: Stage
    expert_id: str
    monday: date

    async def kept(self) -> ScheduleView:
        """What is saved."""
        administrator = self.stage.administrator
        return await self.stage.house.scheduling.schedule(
            administrator, self.expert_id, self.monday, self.monday + timedelta(days=7)
        )

    async def hours(self, day: int) -> list[str]:
        """The hours that are saved for a day of the week that is shown."""
        held = await self.kept()
        own = held.days.get(self.monday + timedelta(days=day))
        hours = [one for one in held.week if one.weekday == day] if own is None else own
        return [f"{one.start}-{one.end}" for one in hours]

    async def save(self) -> None:
        """Save, and wait until it is done."""
        await self.page.get_by_test_id("save").click()
        await expect(self.page.get_by_test_id("dirty")).to_have_count(0)

    def block(self, day: int, start: str) -> Locator:
        """A stretch of hours in the grid."""
        return self.page.get_by_test_id(f"block-{day}-{start}")


async def times(stage: Stage, viewport: Any) -> Times:
    """Open the week after this one, everything as it was in the beginning."""
    house = stage.house
    expert_id = practitioner_of(await stage.case.expert.actor())
    today = house.clock.today().date()
    monday = today + timedelta(days=7 - today.weekday())
    care, patient = house.consultations, await stage.case.patient.actor()
    days = {monday + timedelta(days=number): None for number in range(7)}
    booking = await house.scheduling.booking(stage.case.id)
    assert booking is not None
    known = Knowing(bookings={booking.id})
    await house.scheduling.set_days(SYSTEM, expert_id, days, known)
    await house.scheduling.set_week(SYSTEM, expert_id, FULL, known)
    free = await care.bookable_slots(patient, stage.case.id, 100)
    slot = next(
        one
        for one in free
        if local(one.starts_at).date() == monday + timedelta(days=2) and local(one.starts_at).hour == 9
    )
    await care.reschedule(patient, stage.case.id, slot.id)
    page = await signed_in(stage.scene, viewport)
    await go(page, "schedules")
    await page.get_by_test_id("expert").select_option(expert_id)
    await expect(page.get_by_test_id("week-after")).to_be_visible()
    await page.get_by_test_id("week-after").click()
    await expect(page.get_by_text(f"周一 {monday.month}月{monday.day}日", exact=True)).to_be_visible()
    return Times(page, stage, expert_id, monday)


async def drag(page: Page, what: Locator, x: float, y: float, *, across: float = 0, down: float) -> None:
    """Drag from a place in something, by so many pixels."""
    await what.scroll_into_view_if_needed()
    box = await what.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + x, box["y"] + y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + x + across / 2, box["y"] + y + down / 2, steps=4)
    await page.mouse.move(box["x"] + x + across, box["y"] + y + down, steps=4)
    await page.mouse.up()


async def test_hours_are_drawn_moved_and_lengthened_by_mouse_and_by_keys(stage: Stage) -> None:
    held = await times(stage, WIDE)
    page, row = held.page, 18
    await expect(held.block(0, "09:00")).to_be_visible()
    await looks_good(page)
    # Monday by mouse: an afternoon is drawn, moved an hour down, and made an hour longer.
    await drag(page, page.get_by_test_id("column-0"), 60, row * 14 + 4, down=row * 3)
    await expect(held.block(0, "14:00")).to_contain_text("14:00–16:00每次30分钟")
    await drag(page, held.block(0, "14:00"), 30, row, down=row * 2)
    await expect(held.block(0, "15:00")).to_contain_text("15:00–17:00")
    await drag(page, page.get_by_test_id("edge-0-15:00"), 30, 4, down=row * 2)
    await expect(held.block(0, "15:00")).to_contain_text("15:00–18:00")
    # It does not lie on another one: it goes back, and that is said.
    await drag(page, held.block(0, "15:00"), 30, row, down=-row * 10)
    await expect(page.get_by_test_id("said")).to_contain_text("重叠")
    await expect(held.block(0, "15:00")).to_be_visible()
    # To another day.
    column = await page.get_by_test_id("column-1").bounding_box()
    assert column is not None
    await drag(page, held.block(0, "15:00"), 30, row, across=column["width"], down=0)
    await expect(held.block(1, "15:00")).to_be_visible()
    # Tuesday's morning by keys: half an hour later, then shorter; Friday's goes.
    await held.block(1, "09:00").focus()
    await page.keyboard.press("ArrowDown")
    await expect(held.block(1, "09:30")).to_be_focused()
    await page.keyboard.press("Shift+ArrowUp")
    await expect(page.get_by_test_id("said")).to_contain_text("周二 09:30 到 12:00")
    await held.block(4, "09:00").focus()
    await page.keyboard.press("Delete")
    await expect(held.block(4, "09:00")).to_have_count(0)
    # A new stretch by keys alone.
    await page.get_by_test_id("add-5").focus()
    await page.keyboard.press("Enter")
    await page.get_by_test_id("hours-from").fill("11:00")
    await expect(page.get_by_test_id("hours-fault")).to_contain_text("重叠")
    await page.get_by_test_id("hours-from").fill("18:00")
    await page.get_by_test_id("hours-to").fill("19:30")
    await page.get_by_test_id("hours-slot").select_option("15")
    await looks_good(page)
    await page.keyboard.press("Enter")
    await expect(held.block(5, "18:00")).to_contain_text("每次15分钟")
    await held.save()
    assert await held.hours(0) == ["09:00-12:00"]
    assert await held.hours(1) == ["09:30-12:00", "15:00-18:00"]
    assert await held.hours(4) == []
    assert await held.hours(5) == ["09:00-12:00", "18:00-19:30"]
    assert (await held.kept()).week == tuple(FULL)  # single days alone were changed
    await page.get_by_test_id("restore-4").click()
    await held.save()
    assert await held.hours(4) == ["09:00-12:00"]
    # The hours of every week: arrows across days do not leave the week.
    await page.get_by_test_id("scope-week").click()
    await held.block(6, "09:00").focus()
    await page.keyboard.press("Delete")
    await held.save()
    assert {one.weekday for one in (await held.kept()).week} == {0, 1, 2, 3, 4, 5}
    await looks_good(page)
    await page.get_by_test_id("scope-days").click()
    await let_another_change_the_week(held)


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_whoever_is_booked_is_told_of_first_and_moved_then(stage: Stage, viewport: Any) -> None:
    held = await times(stage, viewport)
    page = held.page
    if viewport == NARROW:
        await change_days_by_buttons(held)
    booking = await stage.house.scheduling.booking(stage.case.id)
    assert booking is not None
    await page.get_by_test_id("rest-2").click()
    await page.get_by_test_id("save").click()
    row = page.get_by_test_id(f"affected-{booking.id}")
    await expect(row).to_contain_text("<**")
    await expect(row).to_contain_text("HZ")
    await looks_good(page)
    await page.get_by_test_id("leave").click()
    assert await held.hours(2) == ["09:00-12:00"]
    await page.get_by_test_id("save").click()
    await page.get_by_test_id("keep").click()
    await page.get_by_test_id(f"offer-{booking.id}").click()
    await expect(page.get_by_test_id(f"time-{booking.id}")).to_be_visible()
    await looks_good(page)
    await page.get_by_test_id(f"move-{booking.id}").click()
    await expect(row).to_contain_text("已改到")
    await page.get_by_test_id("finish").click()
    assert await held.hours(2) == []
    moved = await stage.house.scheduling.booking(stage.case.id)
    assert moved is not None
    assert local(moved.starts_at).date() != held.monday + timedelta(days=2)
    # Away for a day, and there after all.
    day = held.monday + timedelta(days=3)
    await page.get_by_test_id("away-from").fill(f"{day}T08:00")
    await page.get_by_test_id("away-to").fill(f"{day}T18:00")
    await page.get_by_test_id("away-reason").fill("外出开会")
    await page.get_by_test_id("away-add").click()
    if await page.get_by_test_id("keep").is_visible():
        await page.get_by_test_id("keep").click()
        await page.get_by_test_id("finish").click()
    await expect(page.get_by_test_id("absences")).to_contain_text("外出开会")
    [away] = (await held.kept()).absences
    await looks_good(page)
    await page.get_by_test_id(f"remove-absence-{away.id}").click()
    await expect(page.get_by_test_id("absences")).to_contain_text("没有请假")


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_hours_of_the_week_rest_on_a_holiday_until_somebody_says_otherwise(
    stage: Stage, viewport: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await times(stage, viewport)
    page, thursday = held.page, held.monday + timedelta(days=3)

    def with_a_holiday(day: date) -> CalendarDay:
        return CalendarDay(day, day != thursday, "国庆节" if day == thursday else "", announced=True)

    for module in (rules, schedules):
        monkeypatch.setattr(module, "calendar_day", with_a_holiday)
    await page.get_by_test_id("scope-week").click()
    if viewport == NARROW:
        await expect(page.get_by_test_id("day-3")).to_contain_text("节假日也出诊")
        await page.get_by_test_id("edit-3-09:00").click()
    else:
        await held.block(3, "09:00").focus()
        await page.keyboard.press("Enter")
    await page.get_by_test_id("hours-holidays").uncheck()
    await looks_good(page)
    await page.get_by_test_id("hours-done").click()
    await held.save()
    assert [one.on_holidays for one in (await held.kept()).week] == [True] * 3 + [False] + [True] * 3
    await page.get_by_test_id("scope-days").click()
    await expect(page.get_by_text("国庆节放假，不出诊")).to_be_visible()
    await looks_good(page)
    free = await stage.house.scheduling.slots(held.expert_id, stage.house.clock.now(), stage.house.clock.now() + WEEKS)
    assert thursday not in {local(one.starts_at).date() for one in free}
    await page.get_by_test_id("work-3").click()
    await held.save()
    assert await held.hours(3) == ["09:00-12:00"]
    await expect(page.get_by_text("国庆节放假", exact=True)).to_be_visible()


async def change_days_by_buttons(held: Times) -> None:
    """Change a week where there is no room for a grid."""
    page = held.page
    await expect(page.get_by_test_id("day-2")).to_contain_text("已约")
    await looks_good(page)
    await page.get_by_test_id("edit-0-09:00").click()
    await page.get_by_test_id("hours-to").fill("11:00")
    await looks_good(page)
    await page.get_by_test_id("hours-done").click()
    await page.get_by_test_id("add-1").click()
    await page.get_by_test_id("hours-from").fill("14:00")
    await page.get_by_test_id("hours-to").fill("15:00")
    await page.get_by_test_id("hours-done").click()
    await held.save()
    assert await held.hours(0) == ["09:00-11:00"]
    assert await held.hours(1) == ["09:00-12:00", "14:00-15:00"]


async def let_another_change_the_week(held: Times) -> None:
    """What somebody else saves meanwhile is taken over, and one's own change is kept."""
    stage, page, scheduling = held.stage, held.page, held.stage.house.scheduling
    await held.block(0, "09:00").focus()
    await page.keyboard.press("Delete")
    evening = [WeeklyHours(3, "18:00", "20:00", 30)]
    await scheduling.set_days(stage.administrator, held.expert_id, {held.monday + timedelta(days=3): evening})
    await page.get_by_test_id("save").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("周四已经放到这里")
    await expect(held.block(3, "18:00")).to_be_visible()
    await expect(held.block(0, "09:00")).to_have_count(0)
    await looks_good(page)
    assert await held.hours(0) == ["09:00-12:00"]
    await held.save()
    assert await held.hours(0) == []
    assert await held.hours(3) == ["18:00-20:00"]


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_weights_are_tried_before_they_hold_and_menus_are_what_they_should_be(
    stage: Stage, viewport: Any
) -> None:
    await finish_a_case(stage)
    page = await signed_in(stage.scene, viewport)
    await try_and_publish_weights(stage, page)
    await look_after_the_account(stage, page)


async def try_and_publish_weights(stage: Stage, page: Page) -> None:
    await go(page, "weights")
    before = (await stage.house.consultations.weights(stage.administrator))[0]
    await looks_good(page)
    await page.get_by_test_id("weight-routine-expertise").fill("20")
    await expect(page.get_by_test_id("sum-routine")).to_contain_text("还差")
    await expect(page.get_by_test_id("try")).to_be_disabled()
    await looks_good(page)
    held = {one.value: percent for one, percent in before.percentages[Urgency.ROUTINE].items()}
    more = held["expertise"] + held["load"] - 20
    await page.get_by_test_id("weight-routine-load").fill(str(more))
    await page.get_by_test_id("try").click()
    await expect(page.get_by_test_id("trial")).to_contain_text("1 例会诊")
    await expect(page.get_by_test_id("publish")).to_be_disabled()
    await page.get_by_test_id("reason").fill("先请手上少的专家")
    await looks_good(page)
    await page.get_by_test_id("publish").click()
    await expect(page.get_by_role("heading", name=f"现在用的是第{before.version + 1}版")).to_be_visible()
    # Back to what was before, which is a version of its own.
    await page.get_by_test_id(f"use-{before.version}").click()
    await page.get_by_test_id("try").click()
    await expect(page.get_by_test_id("reason")).to_have_value(f"恢复第{before.version}版")
    await expect(page.get_by_test_id("publish")).to_be_enabled()
    await page.get_by_test_id("publish").click()
    await expect(page.get_by_role("heading", name=f"现在用的是第{before.version + 2}版")).to_be_visible()
    after = (await stage.house.consultations.weights(stage.administrator))[0]
    assert (after.version, after.percentages) == (before.version + 2, before.percentages)


async def finish_a_case(stage: Stage) -> None:
    """Let the expert begin and end the case that was waiting, unless that has been done."""
    house, expert = stage.house, await stage.case.expert.actor()
    care = house.consultations
    case = await care.get(stage.administrator, stage.scene.waiting_id)
    if case.status is Status.PENDING:
        await care.assign_expert(stage.administrator, case.id, practitioner_of(expert))
        await care.start(expert, case.id)
        await care.record_opinion(expert, case.id, diagnosis="感冒", plan="多喝水")
        await care.complete(expert, case.id)


async def look_after_the_account(stage: Stage, page: Page) -> None:
    wechat = stage.case.product.wechat
    account = wechat.world.account
    await eventually(lambda: account.menus.default is not None)
    account.menus.default.buttons[0]["name"] = "找医生"  # type: ignore[union-attr]  # as somebody does at WeChat
    await go(page, "wechat")
    menu = page.get_by_test_id("menu-所有人")
    await expect(menu).to_contain_text("微信上缺少“我要问诊”")
    await expect(menu).to_contain_text("微信上多了“找医生”")
    await expect(page.get_by_test_id("menus-differ")).to_contain_text("有 1 个菜单")
    await expect(page.get_by_test_id("need-offer")).to_be_visible()
    await looks_good(page)
    await page.get_by_test_id("publish").click()
    await expect(page.get_by_test_id("menus-same")).to_be_visible()
    shown = await stage.case.patient.phone.menu()
    assert shown[0]["name"] == "我要问诊"
    await page.get_by_test_id("test-kind").select_option("task")
    await page.get_by_test_id("test-recipient").select_option(label="周管理")
    await looks_good(page)
    await page.get_by_test_id("test-send").click()
    await expect(page.get_by_text("已发出，请在手机上看")).to_be_visible()
    message = await stage.member.phone.wait_for(lambda m: "测试消息，不用处理" in m.text)
    assert message.kind == "template"
    await stage.member.phone.mark_here()
