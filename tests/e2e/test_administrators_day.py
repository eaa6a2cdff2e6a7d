"""An administrator's day on what the demonstration has left: from the printed link through every page, wide and narrow.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.product import Product, qiaoyi
from tests.support.requirements import require_program
from tests.web.conftest import CHROMIUM_ARGUMENTS, NARROW
from tests.web.console_pages import PASSWORD, WIDE, go, looks_good, shown_code

SHOWN = {
    "dashboard": r"\d+ 例",
    "surveillance": "少于5例的不写出具体数",
    "knowledge": "高血压",
    "cases": r"HZ\d{8}-\d{4}",
    "people": "青岚县双河乡卫生院",
    "schedules": "陈怀远",
    "money": "¥",
    "imaging": "没有|张",
    "prescriptions": r"CF\d{8}",
    "teaching": "病例库",
    "deliveries": "正在发",
    "weights": "用过的版本",
    "wechat": "菜单",
    "exports": "研究数据",
    "health": "定时任务",
    "audit": "consultation",
    "accounts": "陈管",
    "sessions": "就是这里",
}
"""What each page has to show of the story, as an expression."""


@pytest.mark.usefixtures("played")
async def test_every_page_of_the_console_shows_what_the_story_left(product: Product, tmp_path: Path) -> None:
    told = qiaoyi(
        "--data", str(product.data), "administrator", "陈管",
        "--port", str(product.port), "--sandbox-port", str(product.sandbox_port),
    )  # fmt: skip
    link = re.search(r"http://\S+/console#/begin/\S+", told.stdout)
    assert link is not None, told.stdout + told.stderr
    folder = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    problems: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=require_program("chromium"), args=CHROMIUM_ARGUMENTS)
        window = await browser.new_context(viewport=WIDE, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
        page = await window.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        await _begin(page, link[0])
        for name, viewport in (("wide", WIDE), ("narrow", NARROW)):
            await _walk(page, viewport, f"{folder}/console-{name}")
        await browser.close()
    assert problems == []


async def _begin(page: Page, link: str) -> None:
    await page.goto(link)
    secret = await page.get_by_test_id("secret").inner_text()
    await page.get_by_test_id("new-password").fill(PASSWORD)
    await page.get_by_test_id("again").fill(PASSWORD)
    await page.get_by_test_id("totp").fill(shown_code(secret, used=False))
    await page.get_by_test_id("enrol").click()
    await page.get_by_test_id("to-sign-in").click()
    await page.get_by_test_id("name").fill("陈管")
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("code").fill(shown_code(secret))
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("who")).to_contain_text("陈管")


async def _walk(page: Page, viewport: Any, pictures: str) -> None:
    """Open every page that is listed; none may be missing from what is looked for, and none may show nothing."""
    await page.set_viewport_size(viewport)
    links = page.locator("nav [data-testid^=nav-]")
    names = [(await link.get_attribute("data-testid") or "").removeprefix("nav-") for link in await links.all()]
    assert sorted(names) == sorted(SHOWN)
    for name in names:
        await go(page, name)
        await expect(page.get_by_test_id(f"page-{name}")).to_contain_text(re.compile(SHOWN[name]))
        if name == "health":
            assert re.findall("[a-z]{3,}", await page.get_by_test_id("parts").inner_text()) == [], "a part has no name"
        await page.screenshot(path=f"{pictures}-{name}.png", full_page=True)
        await looks_good(page)


@pytest.fixture(autouse=True)
def _pages(pages_folder: Path) -> None:
    """The product serves the pages that are built."""
