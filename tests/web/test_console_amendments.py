"""Requests that wait for an answer, on the page of consultations, at both widths.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from backend.rights import Part
from backend.rights.tables import Amendment
from tests.web.conftest import NARROW
from tests.web.console_pages import BOTH, Scene, console_scene, go, looks_good, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """The console of a running product."""
    async with console_scene(browser, pages_folder, tmp_path) as stage:
        yield stage


def folder(tmp_path: Path) -> Path:
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


async def test_what_nobody_answers_stands_above_the_list_of_consultations(scene: Scene, tmp_path: Path) -> None:
    house, patient = scene.case.product.house, await scene.case.patient.actor()
    page = await signed_in(scene, BOTH[0])
    await go(page, "cases")
    await expect(page.get_by_test_id("cases").get_by_role("link")).to_have_count(2)
    await expect(page.get_by_test_id("amendments")).to_have_count(0)

    await house.consultations.cancel(patient, scene.waiting_id, "好多了")
    asked = await house.amendments.ask(patient, scene.waiting_id, Part.HISTORY, "我没有头晕")
    async with house.database.transaction() as session:
        # As after a week; moving the product's clock would end everybody's session.
        (await session.get_one(Amendment, asked.id)).reminders = 2
    shots = folder(tmp_path)
    for viewport in BOTH:
        page = await signed_in(scene, viewport)
        await go(page, "cases")
        waiting = page.get_by_test_id("amendments")
        await expect(waiting).to_contain_text("超过7天")
        await expect(waiting).to_contain_text("病情经过")
        await expect(waiting).not_to_contain_text("头晕")
        await expect(page.get_by_test_id("cases").get_by_role("link")).to_have_count(2)
        await looks_good(page)
        width = "narrow" if viewport == NARROW else "wide"
        await page.screenshot(path=shots / f"amendments-{width}.png", full_page=True)
        await waiting.get_by_role("link").click()
        await expect(page.get_by_text("请医生更正病历")).to_be_visible()
