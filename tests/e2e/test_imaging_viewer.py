"""A CT from the township centre's machine to the expert's eyes: storescu, the card on the phone, the viewer in it.

Screenshots of the moments that count go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Page, async_playwright, expect

from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER
from backend.security.policy import SYSTEM
from tests.support.dicomweb_server import big_slice
from tests.support.imaging import as_file, of_patient
from tests.support.processes import free_port
from tests.support.product import BookedCase, Member, booked_case, running_product
from tests.support.programs import run_program
from tests.support.requirements import require_program
from tests.support.waiting import eventually
from tests.web.conftest import CHROMIUM_ARGUMENTS, NARROW, WIDE
from tests.web.room_pages import KEEP_INSIDE

SLICES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the screenshots go."""
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


@asynccontextmanager
async def looking_at(address: str, member: Member, size: Any) -> AsyncIterator[Page]:
    """A browser on a desk where one phone lies, somebody's own."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=CHROMIUM_ARGUMENTS
        )
        window = await chromium.new_context(viewport=size, locale="zh-CN", reduced_motion="reduce")
        await window.add_init_script(KEEP_INSIDE)
        await window.add_init_script(f"localStorage.setItem('qiaoyi.phones.shown', '[\"{member.phone.openid}\"]')")
        page = await window.new_page()
        await page.goto(address)
        yield page
        await chromium.close()


async def open_card(page: Page, member: Member, title: str) -> FrameLocator:
    """Tap the card with this title; give the page that it opens."""
    phone = page.get_by_test_id(f"phone-{member.phone.openid}")
    card = phone.locator("[data-testid^='bubble-']").filter(has_text=title)
    await card.locator("[data-testid^='detail-']").last.click()
    return page.frame_locator("[data-testid='webview'] iframe")


async def send(case: BookedCase, folder: Path, port: int) -> None:
    """Let the machine of the township centre send a CT of the patient, and the time pass after which it is told of."""
    product = case.product
    doctor = await case.doctor.actor()
    assert doctor.institution_id is not None
    await product.house.imaging.register_store_sender(SYSTEM, doctor.institution_id, "放射科CT", "CT1", "127.0.0.0/8")
    number = (await product.house.consultations.get(SYSTEM, case.id)).number
    files = []
    for one in range(1, SLICES + 1):
        place = {"ImagePositionPatient": [-180, -180, 2 * one], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        files.append(folder / f"{one}.dcm")
        files[-1].write_bytes(as_file(big_slice(one, **of_patient("Wang^Xiaoming=王^小明", accession=number), **place)))
    status, output = await run_program("storescu", "-aet", "CT1", "-aec", "QIAOYI", "127.0.0.1", str(port), *files)
    assert status == 0, output
    await eventually(lambda: product.has_timer(SETTLED_TIMER))
    await product.wechat.client.advance(SETTLED_AFTER.total_seconds() + 1)


async def scroll_through(viewer: FrameLocator) -> None:
    """Turn from the first slice to the last and back to the one before it."""
    stage = viewer.get_by_test_id("stage")
    await expect(stage).to_have_attribute("data-shown", "1")
    await expect(viewer.get_by_test_id("overlay-place")).to_contain_text(f"第 1 / {SLICES} 张")
    for number in range(2, SLICES + 1):
        await stage.press("ArrowDown")
        await expect(stage).to_have_attribute("data-shown", str(number))
    await stage.press("ArrowUp")
    await expect(stage).to_have_attribute("data-shown", str(SLICES - 1))


@pytest.mark.parametrize("size", [pytest.param(NARROW, id="phone"), pytest.param(WIDE, id="desktop")])
async def test_a_ct_from_a_foreign_machine_is_scrolled_through_on_the_experts_phone(
    pages_folder: Path, tmp_path: Path, folder: Path, size: Any
) -> None:
    port = free_port()
    async with running_product(tmp_path, pages_folder, dicom_port=port) as product:
        case = await booked_case(product)
        await send(case, tmp_path, port)
        async with looking_at(product.wechat.base_url, case.expert, size) as page:
            viewer = await open_card(page, case.expert, "检查图像到了")
            await scroll_through(viewer)
            await expect(viewer.get_by_test_id("patient")).to_have_text(re.compile("王 ?小明"))
            await page.screenshot(path=folder / f"viewer-{size['width']}.png")
