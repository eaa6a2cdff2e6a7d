"""The dashboard in Chromium on the real product: figures, what is behind them, and the month on paper."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from pypdfium2 import PdfDocument

from backend.analytics import Span
from backend.people.importing_institutions import INSTITUTION_COLUMNS
from backend.security.policy import SYSTEM, Actor, Role
from tests.support.waiting import eventually
from tests.web.conftest import NARROW
from tests.web.console_pages import WIDE, Scene, console_scene, go, looks_good, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDITOR = Actor("", frozenset({Role.AUDITOR}))
HOSPITAL = ["H9", "测试H9医院", "上级医院", "三级", "桥县", "测试路1号", "30.5", "114.3"]


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    async with console_scene(browser, pages_folder, tmp_path) as stage:
        yield stage


async def test_figures_lead_to_what_is_behind_them_and_onto_paper(scene: Scene) -> None:
    page = await signed_in(scene, WIDE)
    await expect(page.get_by_test_id("figure-distance")).to_contain_text("还没有算得出来的会诊")
    await import_where_the_hospital_is(page)
    await finish(scene)
    await go(page, "dashboard")
    await see_what_was_saved(page)
    await look_behind(scene, page)
    await print_the_month(page)
    await find_by_the_last_digits(scene, page)
    narrow = await signed_in(scene, NARROW)
    await see_what_was_saved(narrow)
    await expect(narrow.locator("canvas")).to_be_visible()
    await narrow.get_by_test_id("by-department").click()
    await looks_good(narrow)


async def import_where_the_hospital_is(page: Page) -> None:
    await go(page, "people")
    await page.get_by_test_id("import-institutions").click()
    await hand(page, [*HOSPITAL[:6], "130.5", "114.3"])
    await expect(page.get_by_test_id("importing")).to_contain_text("纬度：要填3到54之间的度数")
    await expect(page.get_by_test_id("outcome")).to_contain_text("什么都没有写入")
    await looks_good(page)
    await hand(page, HOSPITAL)
    await expect(page.get_by_test_id("importing")).to_contain_text("更新")
    await page.get_by_test_id("write").click()
    await expect(page.get_by_test_id("outcome")).to_contain_text("已写入 1 家机构")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("region", name="机构", exact=True).get_by_text("30.5, 114.3")).to_be_visible()
    await looks_good(page)


async def hand(page: Page, row: list[str]) -> None:
    table = "\n".join(",".join(cells) for cells in (list(INSTITUTION_COLUMNS)[: len(row)], row))
    files: Any = [{"name": "机构.csv", "mimeType": "text/csv", "buffer": table.encode()}]
    await page.get_by_test_id("file").set_input_files(files)


async def finish(scene: Scene) -> None:
    """Let the expert end the case that they took, and the patient rate it."""
    case, care = scene.case, scene.case.product.house.consultations
    expert = await case.expert.actor()
    await care.start(expert, case.id)
    await care.record_opinion(expert, case.id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水，休息一周。")
    await care.complete(expert, case.id)
    await care.rate(await case.patient.actor(), case.id, 5)
    house = case.product.house
    today = house.clock.today().date()

    async def is_counted() -> bool:
        total = (await house.analytics.figures(AUDITOR, Span(today, today))).total
        return (total.reckoned, total.rated) == (1, 1)

    await eventually(is_counted)


async def see_what_was_saved(page: Page) -> None:
    await expect(page.get_by_test_id("figure-distance")).to_contain_text("达到目标")
    await expect(page.get_by_test_id("figure-satisfaction")).to_contain_text("100.0%")
    await expect(page.get_by_test_id("figure-cost")).to_contain_text("0 例算不出来")
    await looks_good(page)
    await page.get_by_test_id("figure-cost").get_by_role("button", name="口径").click()
    await expect(page.get_by_test_id("definition")).to_contain_text("车费每公里0.25元（假定，应换成本县的客运票价）")
    await looks_good(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("definition")).to_be_hidden()


async def look_behind(scene: Scene, page: Page) -> None:
    behind = page.get_by_test_id("behind")
    await page.get_by_test_id("figure-cost").get_by_test_id("behind-reckoned").click()
    await expect(behind).to_contain_text("实际 10 公里")
    await looks_good(page)
    async with page.expect_download() as saved:
        await page.get_by_test_id("export-behind").click()
    assert "实际花（元）" in (await (await saved.value).path()).read_text("utf-8")
    await page.keyboard.press("Escape")
    await expect(behind).to_be_hidden()
    numbers = page.get_by_role("region", name="分组统计").get_by_role("button", name="看是哪些会诊")
    await expect(numbers).to_have_count(6)  # of the seven, nothing stands behind the agreement
    await numbers.first.click()
    await expect(behind.get_by_role("link")).to_have_count(2)
    await expect(behind).to_contain_text("测试T9医院")
    await page.keyboard.press("Escape")
    await expect(behind).to_be_hidden()
    scene.case.product.house.clock.advance(timedelta(minutes=16))
    await page.reload()
    await expect(page.get_by_test_id("late")).to_contain_text("1 例等专家超过15分钟")
    await page.get_by_test_id("running-pending").click()
    await expect(page.get_by_test_id("running").get_by_role("link")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("running")).to_be_hidden()
    async with page.expect_download() as saved:
        await page.get_by_test_id("export-queue").click()
    assert "已等（分钟）" in (await (await saved.value).path()).read_text("utf-8")


async def print_the_month(page: Page) -> None:
    async with page.expect_download() as saved:
        await page.get_by_test_id("report").click()
    with PdfDocument(await (await saved.value).path()) as report:
        words = "".join(one.get_textpage().get_text_range() for one in report)
    assert "远程会诊月报" in words
    assert "指标是怎么算的" in words


async def find_by_the_last_digits(scene: Scene, page: Page) -> None:
    number = (await scene.case.product.house.consultations.get(SYSTEM, scene.waiting_id)).number
    await go(page, "cases")
    await page.get_by_test_id("number").fill(number[-6:].replace("-", ""))
    await page.get_by_test_id("search").click()
    await expect(page.get_by_test_id("cases").get_by_role("link")).to_have_count(1)
    await expect(page.get_by_test_id(f"case-{number}")).to_be_visible()
