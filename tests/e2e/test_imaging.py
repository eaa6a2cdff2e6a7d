"""A CT from the township centre's machine to the expert's eyes, and the report back.

storescu, the card on the phone, the viewer in it, the report from there to the phones of doctor and patient, and images
and report in the expert's PACS.

Screenshots of the moments that count go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Page, async_playwright, expect

from backend.imaging import StowAddress
from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER
from backend.security.policy import SYSTEM
from tests.support.dicomweb_server import big_slice
from tests.support.imaging import as_file, of_patient
from tests.support.orthanc import AUTHORIZATION, Orthanc, running_orthanc
from tests.support.processes import free_port
from tests.support.product import BookedCase, Member, booked_case, running_product
from tests.support.programs import run_program
from tests.support.requirements import require_program
from tests.support.waiting import eventually
from tests.web.conftest import CHROMIUM_ARGUMENTS, NARROW, WIDE
from tests.web.room_pages import KEEP_INSIDE

SLICES = 30
FINDINGS, IMPRESSION = "右肺上叶见结节，直径约8毫米。", "右肺上叶结节，建议3个月复查。"


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


async def forward_to(orthanc: Orthanc, case: BookedCase) -> None:
    """Let the expert's hospital have a PACS."""
    hospital = (await case.expert.actor()).institution_id
    assert hospital is not None
    address = StowAddress(orthanc.url, AUTHORIZATION)
    await case.product.house.imaging.register_destination(SYSTEM, hospital, "影像中心", address)


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


async def sign_report(viewer: FrameLocator) -> None:
    """Go from the images to the report, write it, read the whole, sign."""
    await viewer.get_by_test_id("open-report").click()
    await viewer.get_by_test_id("begin").click()
    await viewer.get_by_test_id("write-examination").fill("胸部CT平扫")
    await viewer.get_by_test_id("write-findings").fill(FINDINGS)
    await viewer.get_by_test_id("write-impression").fill(IMPRESSION)
    await expect(viewer.get_by_test_id("saving")).to_have_attribute("data-standing", "saved")
    await viewer.get_by_test_id("read").click()
    await viewer.get_by_test_id("sign").click()
    await expect(viewer.get_by_test_id("report-1")).to_contain_text(IMPRESSION)


@pytest.mark.parametrize("size", [pytest.param(NARROW, id="phone"), pytest.param(WIDE, id="desktop")])
async def test_a_ct_from_a_foreign_machine_is_read_on_the_experts_phone_and_its_report_comes_back(
    pages_folder: Path, tmp_path: Path, folder: Path, size: Any
) -> None:
    port, width = free_port(), size["width"]
    async with running_orthanc() as orthanc, running_product(tmp_path, pages_folder, dicom_port=port) as product:
        case = await booked_case(product)
        await forward_to(orthanc, case)
        await send(case, tmp_path, port)
        async with looking_at(product.wechat.base_url, case.expert, size) as page:
            viewer = await open_card(page, case.expert, "检查图像到了")
            await scroll_through(viewer)
            await expect(viewer.get_by_test_id("patient")).to_have_text(re.compile("王 ?小明"))
            await page.screenshot(path=folder / f"viewer-{width}.png")
            await sign_report(viewer)
            await page.screenshot(path=folder / f"signed-{width}.png")
        for reader in (case.doctor, case.patient):
            async with looking_at(product.wechat.base_url, reader, size) as page:
                report = await open_card(page, reader, "检查报告出来了")
                await expect(report.get_by_test_id("said-impression")).to_contain_text(IMPRESSION)
                await page.screenshot(path=folder / f"report-{reader.phone.openid}-{width}.png")

        async def all_arrived() -> bool:
            return len(await orthanc.uids()) == SLICES + 2

        await eventually(all_arrived, 60)
        kinds = Counter(one.Modality for one in await orthanc.instances())
        assert kinds == {"CT": SLICES, "SR": 1, "DOC": 1}
