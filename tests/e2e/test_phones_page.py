"""A whole consultation on the phones page: Chromium, three phones, nothing but looking, clicking and typing.

Screenshots of the moments that count go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from qiaoyi.demo.picture import film
from sandbox.client import SandboxClient
from tests.e2e.page_phone import PagePhone
from tests.e2e.product import Product
from tests.support.requirements import require_program
from tests.web.conftest import CHROMIUM_ARGUMENTS, NARROW, WIDE

PATIENT, DOCTOR, EXPERT = "demo-patient", "demo-doc-01", "demo-exp-01"
ANSWERS = (
    ("叫什么名字", "李桂英"),
    ("多大年纪", "67岁，女"),
    ("慢性病", "有高血压，吃硝苯地平，什么药都不过敏"),
    ("痰", "黄痰"),
)
TAPPED = (("冷汗", "都没有"), ("喘不上气", "没有"), ("寒战", "没有"), ("多久", "两三天"), ("过敏", "没有过敏"))
MOST_QUESTIONS = 14


@dataclass
class Desk:
    """The page, the product behind it, and a folder for pictures of it."""

    page: Page
    product: Product
    folder: Path
    problems: list[str] = field(default_factory=list)

    def phone(self, openid: str, name: str) -> PagePhone:
        return PagePhone(self.page, openid, name)

    async def picture(self, name: str) -> None:
        """Take a screenshot of the whole page, with the mouse out of the way."""
        await self.page.mouse.move(1, 1)
        await self.page.screenshot(path=self.folder / f"{name}.png")

    async def wait_for(self, appointment: datetime, people: tuple[PagePhone, ...]) -> None:
        """Click the page's clock forward to within ten minutes of an appointment; everybody is reminded three times.

        A reminder is a chat message where the person's window is open, else a subscribe message; at an early hour
        tomorrow both can be.
        """
        for before in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)):
            await self._put_clock_forward_to(appointment - before)
            for person in people:
                await person.hears("预约就诊提醒", "提醒您", "提醒：")

    async def _put_clock_forward_to(self, moment: datetime) -> None:
        """Click until `moment` has come; the smallest step is ten minutes, so that it may be past by as much."""
        async with SandboxClient(self.product.sandbox_url) as sandbox:
            now = datetime.fromisoformat((await sandbox.clock())["now"])
        tens = ceil((moment - now) / timedelta(minutes=10))
        for step, count in (("1d", tens // 144), ("1h", tens % 144 // 6), ("10m", tens % 6)):
            for _ in range(count):
                async with self.page.expect_response("**/api/clock/advance"):
                    await self.page.get_by_test_id(f"clock-advance-{step}").click()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the screenshots go."""
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


@asynccontextmanager
async def opened(product: Product, folder: Path, **context: Any) -> AsyncIterator[Desk]:
    """Open the page in a new browser; an error of the page or a request beyond loopback fails the test at the end."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=CHROMIUM_ARGUMENTS
        )
        window = await browser.new_context(
            **{"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce", **context}
        )
        window.set_default_timeout(30_000)
        desk = Desk(await window.new_page(), product, folder)
        desk.page.on("pageerror", lambda error: desk.problems.append(str(error)))
        desk.page.on("console", lambda line: desk.problems.append(line.text) if line.type == "error" else None)
        await desk.page.goto(product.sandbox_url)
        try:
            yield desk
        finally:
            await browser.close()
        assert desk.problems == []


async def agree(desk: Desk, patient: PagePhone) -> None:
    await patient.part("follow").click()
    await patient.hears("您同意吗")
    await desk.picture("01-consent")
    await patient.taps("同意")
    await patient.hears("哪里不舒服")


async def complain(desk: Desk, patient: PagePhone) -> None:
    await patient.says("我最近总是咳嗽，还发烧，体温38.5度，感觉胸口有点闷")
    await patient.hears("38.5度")
    await patient.says("不是38.5度，是39度")
    await patient.hears("体温39度")
    await patient.says("多少钱？")
    question = await patient.hears("不收您的钱")
    await desk.picture("02-intake")
    for _ in range(MOST_QUESTIONS):
        if "我记得对不对" in question:
            break
        typed = next((answer for part, answer in ANSWERS if part in question), None)
        tapped = next((item for part, item in TAPPED if part in question), "没有")
        patient.seen = max(patient.seen, await patient.last())
        if typed:
            await patient.says(typed)
        else:
            await patient.taps(tapped)
        question = await patient.hears("？", "我记得对不对")
    assert "体温39℃" in question
    assert "38.5" not in question
    assert "用药：硝苯地平" in question
    assert "过敏史：否认" in question
    await desk.picture("03-summary")


async def choose_institution(desk: Desk, patient: PagePhone, doctor: PagePhone) -> None:
    await patient.taps("对，没问题")
    await patient.hears("请选一家")
    await patient.is_at("liushu")
    nearest = next(line for line in (await patient.hears("公里")).splitlines() if "公里" in line)
    assert "石桥镇" in nearest
    await desk.picture("04-institutions")
    await patient.taps("青岚县石桥镇中心卫生院")
    await patient.hears("已经交给")
    await doctor.hears("任务")


async def examine(desk: Desk, doctor: PagePhone) -> None:
    await doctor.presses("doctor.tasks")
    await doctor.hears("等您处理的任务", "李桂英")
    await desk.picture("05-task")
    await doctor.taps("打开任务")
    await doctor.hears("请直接写体征")
    await doctor.says("血压150/95 血糖6.5 右下肺可闻及湿啰音")
    await doctor.hears("150/95mmHg")
    await desk.picture("06-findings")
    await doctor.taps("确认")
    await doctor.hears("已记入病历")


async def request(desk: Desk, doctor: PagePhone) -> None:
    await doctor.taps("申请会诊")
    await doctor.hears("初步诊断")
    await doctor.taps("填初步诊断")
    await doctor.hears("疾病名称")
    await doctor.says("肺炎")
    await doctor.hears("请选一个")
    await doctor.taps("J18.9 肺炎")
    await doctor.hears("J18.9 肺炎")
    await desk.picture("07-request")
    await doctor.taps("提交申请")
    await doctor.hears("已提交")


async def accept(desk: Desk, patient: PagePhone, doctor: PagePhone, expert: PagePhone) -> None:
    await expert.hears("会诊邀请")
    await expert.presses("expert.offers")
    await expert.hears("为什么请您")
    await desk.picture("08-invitation")
    await expert.taps("接受")
    await expert.hears("您已接受会诊")
    await patient.hears("请到专家了")
    await doctor.hears("已接受")


async def book(desk: Desk, patient: PagePhone) -> datetime:
    await patient.taps("选时间")
    await patient.hears("哪天方便")
    await patient.taps_first_of("哪天方便", 1)
    await patient.hears("您选哪个")
    await desk.picture("09-slots")
    await patient.taps_first_of("您选哪个", 0)
    await patient.hears("就定这个时间吗")
    await patient.taps("确定")
    await patient.hears("身份证号才查得到")
    await patient.taps("不用医保")
    await patient.hears("去付钱")
    await pay(desk, patient)
    booked = await patient.hears("约好了")
    await desk.picture("10-booked")
    return moment_in(booked)


async def pay(desk: Desk, patient: PagePhone) -> None:
    """Open the pay page from the card, in the phone's web view, and pay in WeChat's sheet."""
    await patient.screen.locator("[data-testid^='bubble-']").get_by_text("去付钱").last.click()
    inside = patient.screen.frame_locator("iframe")
    await inside.get_by_test_id("pay").click()
    for key in "123456":
        await desk.page.get_by_test_id(f"pay-key-{key}").click()
    await expect(desk.page.get_by_test_id(f"pay-sheet-{patient.openid}")).to_contain_text("支付成功")
    await desk.page.get_by_test_id("pay-done").click()
    await expect(inside.get_by_role("heading", name="付好了")).to_be_visible()
    await desk.picture("09-paid")
    await desk.page.get_by_test_id("webview-close").click()


def moment_in(text: str) -> datetime:
    """The moment in a text such as 11月25日（周三）上午8:30, the next one of that name."""
    found = re.search(r"(\d+)月(\d+)日\S*?(上午|中午|下午|晚上)(\d+):(\d+)", text)
    assert found is not None, text
    month, day, half, hour, minute = found.groups()
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    at = now.replace(month=int(month), day=int(day), hour=int(hour) % 12, minute=int(minute), second=0, microsecond=0)
    if half in ("下午", "晚上") or (half == "中午" and int(hour) in (12, 1)):
        at += timedelta(hours=12)
    return at if at > now else at.replace(year=at.year + 1)


async def add_pictures(desk: Desk, doctor: PagePhone, expert: PagePhone) -> None:
    await doctor.taps("添加资料")
    await doctor.hears("发图片或写说明")
    await doctor.sends_picture(film())
    await doctor.hears("图片已加上")
    await doctor.says("胸片：右下肺斑片影")
    await doctor.hears("已加上")
    await desk.picture("11-materials")
    await doctor.taps("发完了")
    await doctor.hears("资料", "好的")


async def talk(desk: Desk, patient: PagePhone, doctor: PagePhone, expert: PagePhone) -> None:
    await desk.picture("12-reminders")
    await expert.presses("expert.mine")
    await expert.hears("您的会诊")
    await expert.taps_first_of("您的会诊")
    await expert.hears("预约：")
    await desk.picture("13-digest")
    await expert.taps("开始会诊")
    await expert.hears("会诊开始")
    if "请点“进入会诊”" not in await patient.hears("进行中", "请点“进入会诊”"):
        await patient.presses("patient.mine")  # the template alone came through: the 48 hours are over
        await patient.hears("请点“进入会诊”")
    await patient.taps("进入会诊")
    await patient.hears("都能看到")
    await doctor.presses("doctor.mine", below="更多")
    await doctor.hears("已开始会诊")
    await doctor.taps("进入会诊")
    await doctor.hears("都能看到")
    await expert.says("大妈您好，今天还发烧吗？")
    await patient.hears("今天还发烧吗")
    await doctor.hears("今天还发烧吗")
    await patient.says("今天不烧了，还有点咳")
    await expert.hears("还有点咳")
    await doctor.hears("还有点咳")
    await doctor.says("血氧96，呼吸20次")
    await expert.hears("血氧96")
    await patient.hears("血氧96")
    await desk.picture("14-talk")


async def conclude(desk: Desk, patient: PagePhone, doctor: PagePhone, expert: PagePhone) -> None:
    await expert.taps("填写意见")
    await expert.hears("诊断")
    await expert.says("社区获得性肺炎")
    await expert.hears("ICD-10")
    await expert.taps("J18.9 肺炎")
    await expert.hears("治疗方案")
    await expert.says("按肺炎治疗7天，多喝水，三天后复查；喘或血氧低于93马上转院")
    await expert.hears("注意事项")
    await expert.says("复查血常规和胸片")
    await expert.hears("预览")
    await desk.picture("15-opinion")
    await expert.taps("确认并结束会诊")
    await expert.hears("会诊已结束")
    await doctor.hears("会诊结果")
    result = await patient.hears("三天后复查")
    assert "复查血常规" not in result, "what is for the doctor alone"
    await patient.hears("怎么样")
    await desk.picture("16-result")
    await patient.taps("★★★★★ 很好")
    await patient.hears("谢谢")
    await expert.hears("★★★★★")


async def look_back(desk: Desk, patient: PagePhone) -> None:
    await patient.presses("patient.mine")
    await patient.hears("您的会诊都在这里")
    await patient.taps_first_of("您的会诊都在这里")
    await patient.hears("进展")
    await patient.taps("看经过")
    course = await patient.hears("这次会诊的经过")
    assert "专家给出意见，会诊结束" in course
    await patient.hears("看完了")
    await desk.picture("17-history")


async def test_three_people_live_through_a_consultation_on_the_page(
    tmp_path: Path, folder: Path, pages_folder: Path
) -> None:
    with Product(tmp_path / "data").running() as product:
        async with opened(product, folder) as desk:
            patient = desk.phone(PATIENT, "patient")
            doctor = desk.phone(DOCTOR, "doctor")
            expert = desk.phone(EXPERT, "expert")
            for phone in (patient, doctor, expert):
                await expect(phone.screen).to_be_visible()
            await desk.picture("00-desk")
            await agree(desk, patient)
            await complain(desk, patient)
            await choose_institution(desk, patient, doctor)
            await examine(desk, doctor)
            await request(desk, doctor)
            await accept(desk, patient, doctor, expert)
            starts_at = await book(desk, patient)
            await add_pictures(desk, doctor, expert)
            await desk.wait_for(starts_at, (patient, doctor, expert))
            await talk(desk, patient, doctor, expert)
            await conclude(desk, patient, doctor, expert)
            await look_back(desk, patient)
        async with opened(product, folder, viewport=NARROW, has_touch=True, device_scale_factor=2) as pocket:
            patient = pocket.phone(PATIENT, "patient")
            await expect(patient.screen).to_be_visible()
            await patient.hears("看完了")
            await pocket.picture("18-pocket-patient")
            await pocket.page.get_by_test_id(f"switch-{DOCTOR}").click()
            await pocket.phone(DOCTOR, "doctor").hears("会诊结果")
            await pocket.picture("19-pocket-doctor")
            width = await pocket.page.evaluate("document.documentElement.scrollWidth")
            assert width == NARROW["width"]
