"""An administrator's day at the console in Chromium, on the real product, wide and narrow."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.console.rules import time_step, totp
from backend.people.importing import COLUMNS
from backend.security.policy import SYSTEM, Role
from data.departments import departments
from miniprogram_api.console.accounts import enrolment_url
from tests.support.product import BookedCase, booked_case, running_product
from tests.web.conftest import NARROW, WEB

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = {"width": 1280, "height": 800}
PASSWORD = "小桥流水人家，二〇二六年"
EVIL = "<img src=x onerror=document.title=9>王"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter(fault => ['serious', 'critical'].includes(fault.impact))
    .map(fault => `${fault.id}: ` + fault.nodes.map(node => node.html + ' ' + node.failureSummary).join(' | '))"""


@dataclass
class Scene:
    """A product with a case that an expert has taken, and one that waits; and an administrator at a browser."""

    case: BookedCase
    waiting_id: str
    browser: Browser
    secret: str = ""
    problems: list[str] = field(default_factory=list)

    async def open(self, viewport: Any) -> Page:
        """A fresh browser at the console."""
        window = await self.browser.new_context(viewport=viewport, locale="zh-CN", reduced_motion="reduce")
        page = await window.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if "Security Policy" in line.text else None)
        page.on("request", lambda request: self._see(request.url))
        return page

    def _see(self, url: str) -> None:
        if urlsplit(url).hostname not in (None, "127.0.0.1"):
            self.problems.append(f"request to {url}")

    def shown_code(self) -> str:
        """What the app shows in a while, when a code that was used is over."""
        clock = self.case.product.house.clock
        clock.advance(timedelta(seconds=31))
        return totp(self.secret, time_step(clock.now()))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    async with running_product(tmp_path, pages_folder) as product:
        case = await booked_case(product)
        care, patient = product.house.consultations, await case.patient.actor()
        await product.house.people.update_person(patient, patient.person_id, name=EVIL)
        doctor = await case.doctor.actor()
        assert doctor.institution_id is not None
        waiting = await care.open(
            patient, patient_id=patient.person_id, institution_id=doctor.institution_id,
            record={"chief_complaint": "头晕"}, facts={}, department_code="respiratory", urgency="urgent",
        )  # fmt: skip
        await care.submit(doctor, waiting.id)
        stage = Scene(case, waiting.id, browser)
        yield stage
        assert stage.problems == []


async def looks_good(page: Page) -> None:
    """See that everybody can read what is shown, and that nothing runs out of the window."""
    await page.evaluate(AXE.read_text())
    assert await page.evaluate(RUN_AXE) == []
    size = page.viewport_size
    assert size is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]


async def begin(scene: Scene, page: Page) -> None:
    """Use the first administrator's link, then sign in."""
    house = scene.case.product.house
    link = await house.console.create_account(SYSTEM, "陈管", Role.ADMINISTRATOR)
    await page.goto(enrolment_url(house.settings.public, link.code))
    scene.secret = await page.get_by_test_id("secret").inner_text()
    assert link.code not in page.url
    await looks_good(page)
    await page.get_by_test_id("new-password").fill(PASSWORD)
    await page.get_by_test_id("again").fill(PASSWORD)
    await page.get_by_test_id("totp").fill(totp(scene.secret, time_step(house.clock.now())))
    await page.get_by_test_id("enrol").click()
    await expect(page.get_by_test_id("recovery").get_by_role("listitem")).to_have_count(10)
    await page.get_by_test_id("to-sign-in").click()
    await page.get_by_test_id("name").fill("陈管")
    await page.get_by_test_id("password").fill("不是这个密码12345")
    await page.get_by_test_id("code").fill("000000")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("用户名、密码或验证码不对")
    await looks_good(page)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("code").fill(scene.shown_code())
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("who")).to_contain_text("陈管")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_an_administrators_day(scene: Scene, viewport: Any) -> None:
    page = await scene.open(viewport)
    await begin(scene, page)
    await look_at_the_dashboard(page)
    await steer_cases(scene, page)
    await take_people_over(page)
    await look_whether_it_runs(page)
    await make_an_account(page)
    await page.get_by_test_id("sign-out").click()
    await expect(page.get_by_test_id("sign-in")).to_be_visible()


async def go(page: Page, name: str) -> None:
    """Open a page by the list of pages, which a narrow window shows when it is asked for."""
    link = page.get_by_test_id(f"nav-{name}")
    if not await link.is_visible():
        await page.get_by_test_id("pages").click()
    await link.click()
    await expect(page.get_by_test_id(f"page-{name}")).to_be_visible()


async def look_at_the_dashboard(page: Page) -> None:
    await expect(page.get_by_test_id("figure-asked")).to_contain_text("2 例")
    await expect(page.get_by_test_id("queue")).to_contain_text("待分配 1")
    await expect(page.locator("canvas")).to_be_visible()
    await looks_good(page)
    await page.get_by_test_id("figure-agreement").get_by_role("button", name="口径").click()
    await expect(page.get_by_test_id("definition")).to_contain_text("ICD-10 前三位相同")
    await looks_good(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("definition")).to_be_hidden()
    await page.get_by_test_id("figure-asked").get_by_role("button", name="看明细").click()
    await expect(page.get_by_test_id("behind").get_by_role("link")).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("behind")).to_be_hidden()
    await page.get_by_test_id("by-day").click()
    async with page.expect_download() as saved:
        await page.get_by_test_id("export").click()
    assert (await saved.value).suggested_filename.endswith(".csv")


async def steer_cases(scene: Scene, page: Page) -> None:
    care = scene.case.product.house.consultations
    number = (await care.get(SYSTEM, scene.waiting_id)).number
    await go(page, "cases")
    await page.get_by_test_id("status").select_option("pending")
    await page.get_by_test_id("search").click()
    await expect(page.get_by_test_id("cases").get_by_role("link")).to_have_count(1)
    await looks_good(page)
    await page.get_by_test_id(f"case-{number}").click()
    await expect(page.get_by_test_id("case")).to_contain_text(EVIL)
    assert await page.title() == "桥医 · 管理台"
    await looks_good(page)
    await page.get_by_test_id("assign").click()
    await page.get_by_test_id("expert").select_option(index=1)
    await page.get_by_test_id("reason").fill("等得太久了")
    await looks_good(page)
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("case")).to_contain_text("已分配专家")
    await page.get_by_test_id("cancel").click()
    await page.get_by_test_id("reason").fill("患者已转院")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("timeline")).to_contain_text("取消了会诊，原因：患者已转院")
    await page.get_by_test_id("back").click()


async def take_people_over(page: Page) -> None:
    await go(page, "people")
    await expect(page.get_by_test_id("roster")).to_contain_text("李梅")
    await looks_good(page)
    await page.get_by_test_id("import").click()
    department = departments()["general_practice"].name
    row = ["赵新", "基层医生", "T9", department, "主治医师", "110360100000088", "2020-01-01", "2010", "I10"]
    wrong = ",".join([*row[:2], "没有", *row[3:]])
    await hand(page, f"{','.join(COLUMNS)}\n{wrong}\n")
    await expect(page.get_by_test_id("outcome")).to_contain_text("什么都没有写入")
    await expect(page.get_by_test_id("importing")).to_contain_text("机构编码：没有这个编码的机构")
    await looks_good(page)
    await hand(page, f"{','.join(COLUMNS)}\n{','.join(row)}\n")
    await page.get_by_test_id("write").click()
    await expect(page.get_by_test_id("outcome")).to_contain_text("已写入 1 人")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("roster")).to_contain_text("2020-01-01 已过期")
    await page.get_by_test_id("invite-赵新").click()
    picture = page.get_by_role("img", name="邀请赵新的二维码")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("one => one.decode().then(() => one.naturalWidth > 50)")
    await looks_good(page)
    await page.keyboard.press("Escape")


async def hand(page: Page, table: str) -> None:
    files = [{"name": "名单.csv", "mimeType": "text/csv", "buffer": table.encode()}]
    await page.get_by_test_id("file").set_input_files(files)  # type: ignore[arg-type]


async def look_whether_it_runs(page: Page) -> None:
    await go(page, "deliveries")
    await expect(page.get_by_test_id("delivery-queue")).to_be_visible()
    await looks_good(page)
    await go(page, "health")
    await expect(page.get_by_test_id("parts")).to_contain_text("定时任务")
    await expect(page.get_by_test_id("parts")).not_to_contain_text("已停止")
    await looks_good(page)
    await go(page, "audit")
    await expect(page.get_by_test_id("entries")).to_contain_text("consultation.cancel")
    await looks_good(page)
    await go(page, "sessions")
    await expect(page.get_by_test_id("sessions")).to_contain_text("就是这里")
    await looks_good(page)


async def make_an_account(page: Page) -> None:
    await go(page, "accounts")
    await page.get_by_test_id("new-name").fill("审计甲")
    await page.get_by_test_id("new-role").select_option("auditor")
    await page.get_by_test_id("create").click()
    await expect(page.get_by_test_id("link-url")).to_contain_text("/console#/begin/")
    await looks_good(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("accounts")).to_contain_text("等本人设置密码")
    await looks_good(page)
