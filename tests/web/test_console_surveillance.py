"""The surveillance's page in Chromium: an alarm is seen, followed to its curve and acknowledged, wide and narrow."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.ids import new_id
from backend.security.policy import SYSTEM, Role
from tests.support.surveillance import add_cases, platform_ran
from tests.web.console_pages import BOTH, Scene, console_scene, go, looks_good, signed_in

TOWNSHIPS = (
    ("青岚县石桥镇", 28.6147, 114.8216), ("青岚县柳溪镇", 28.5683, 114.9042), ("青岚县白云乡", 28.7029, 114.7635),
    ("青岚县大塘镇", 28.5214, 114.7788), ("青岚县双河乡", 28.6641, 114.9317), ("青岚县龙泉镇", 28.4762, 114.8569),
)  # fmt: skip

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """Five weeks of a county; in its first township many fell ill yesterday."""
    async with console_scene(browser, pages_folder, tmp_path) as stage:
        house = stage.case.product.house
        for name, latitude, longitude in TOWNSHIPS:
            await house.people.put_institution(
                SYSTEM, new_id(), code=f"S-{latitude}", name=f"{name}卫生院", kind="township", region=name,
                address="一号", latitude=latitude, longitude=longitude,
            )  # fmt: skip
        yesterday = house.surveillance.last_day
        await platform_ran(house.database, yesterday - timedelta(days=35), yesterday)
        chance = random.Random(7)
        for number, area in enumerate(name for name, _, _ in TOWNSHIPS):
            for ago in range(36):
                usual = chance.randrange(3, 12) if number < 3 else chance.randrange(4)
                await add_cases(
                    house.database, yesterday - timedelta(days=ago), area, 40 if (number, ago) == (0, 0) else usual
                )
        yield stage


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_an_outbreak_is_found_looked_at_and_acknowledged(scene: Scene, viewport: Any) -> None:
    place = TOWNSHIPS[0][0]
    page = await signed_in(scene, viewport)
    await go(page, "surveillance")
    await expect(page.get_by_test_id("curve").locator("canvas")).to_be_visible()
    await expect(page.get_by_test_id("map").locator("canvas")).to_be_visible()
    await page.get_by_test_id("assess").click()
    await expect(page.get_by_test_id("told")).to_be_visible()
    await looks_good(page)
    await acknowledge(page, place)
    await read_the_numbers(page, place)
    await read_the_definition(page)
    await page.context.close()
    await see_less(scene, viewport)


async def acknowledge(page: Page, place: str) -> None:
    await page.get_by_test_id("alarms").get_by_role("button", name="看曲线").last.click()
    await page.get_by_test_id(f"acknowledge-{place}").click()
    await page.get_by_test_id("note").fill("已电话核实：中心小学流感聚集，疾控已派人。")
    await looks_good(page)
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id(f"acknowledge-{place}")).to_have_count(0)
    await page.get_by_test_id("all-alarms").click()
    await expect(page.get_by_test_id("alarms")).to_contain_text("中心小学流感聚集")


async def read_the_numbers(page: Page, place: str) -> None:
    numbers = page.get_by_test_id("numbers")
    await expect(numbers).to_contain_text(place)
    await page.get_by_test_id("area").select_option(place)
    await page.get_by_test_id("by-day").click()
    await expect(numbers).to_contain_text("40例")
    await expect(numbers).to_contain_text("少于5例")
    await expect(numbers).to_contain_text("数据不够，没有比较")
    await looks_good(page)
    async with page.expect_download() as saved:
        await page.get_by_test_id("export").click()
    assert (await saved.value).suggested_filename.startswith("疾病监测_发热呼吸道_")


async def read_the_definition(page: Page) -> None:
    await page.get_by_test_id("syndrome").select_option("diarrhoea_vomiting")
    await expect(page.get_by_test_id("curve")).to_contain_text("每天的腹泻呕吐")
    await page.get_by_test_id("define").click()
    await expect(page.get_by_test_id("definition")).to_contain_text("五大症候群")
    await expect(page.get_by_test_id("definition")).to_contain_text("Hutwagner")
    await looks_good(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("definition")).to_be_hidden()


async def see_less(scene: Scene, viewport: Any) -> None:
    """An institution sees its own area alone, and an auditor decides nothing."""
    house = scene.case.product.house
    own = (await house.people.institution((await scene.case.doctor.actor()).institution_id or "")).region
    await add_cases(house.database, house.surveillance.last_day, own, 6)
    page = await signed_in(scene, viewport, Role.INSTITUTION_ADMINISTRATOR)
    await go(page, "surveillance")
    await expect(page.get_by_test_id("numbers").locator("tbody tr")).to_have_count(1)
    await expect(page.get_by_test_id("numbers")).to_contain_text(own)
    for absent in ("map", "area", "assess"):
        await expect(page.get_by_test_id(absent)).to_have_count(0)
    await page.context.close()
    page = await signed_in(scene, viewport, Role.AUDITOR)
    await go(page, "surveillance")
    await expect(page.get_by_test_id("map").locator("canvas")).to_be_visible()
    await expect(page.get_by_test_id("assess")).to_have_count(0)
    await page.context.close()
