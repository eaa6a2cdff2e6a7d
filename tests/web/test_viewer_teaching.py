"""Copies for teaching on the viewer page: what goes and what stays is said, somebody asks, and sees how it stands."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.case_api import CENTRE, TEACHING_STUDY
from tests.support.dicomweb_server import big_slice
from tests.web.axe import faults
from tests.web.room_pages import DESKTOP, PHONE
from tests.web.test_room_accessibility import SMALL, WIDER
from tests.web.test_viewer_page import Desk, Reader, opened_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = "典型的肺结节，下周教学讨论用"


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser, pages_folder: Path) -> AsyncIterator[Desk]:
    """A study with a CT, and two who teach."""
    async with opened_desk(browser, pages_folder, "canvas") as opened:
        opened.server.images = [big_slice(1), big_slice(2)]
        opened.server.case.register_places()
        yield opened


async def opened_list(reader: Reader) -> None:
    """On a phone it is in the sheet of series."""
    if await reader.part("open-series").is_visible():
        await reader.part("open-series").click()


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
async def test_somebody_asks_and_reads_that_the_patient_is_asked_first(desk: Desk, device: dict[str, Any]) -> None:
    reader = await desk.reader(device)
    await opened_list(reader)
    await reader.part("teaching-ask").click()
    await expect(reader.part("teaching-patient")).to_contain_text("微信先问患者")
    assert await faults(reader.page) == []
    assert await reader.page.evaluate(SMALL) == []
    assert await reader.page.evaluate(WIDER) == 0
    await reader.part("teaching-send").click()
    await expect(reader.part("teaching-problem")).to_have_text("请写一句为什么要送。")
    assert desk.server.case.asked == []
    await reader.part(f"teaching-place-{CENTRE}").check()
    await reader.part("teaching-reason").fill(WHY)
    await reader.part("teaching-send").click()
    await expect(reader.part("teaching-waiting")).to_contain_text("在等患者同意")
    await expect(reader.part("teaching-waiting")).to_contain_text("县人民医院 · 规培教学库")
    assert desk.server.case.asked == [{"study": TEACHING_STUDY, "place": CENTRE, "reason": WHY}]
    assert await faults(reader.page) == []


async def test_a_refusal_is_read_where_it_was_asked_and_nothing_is_lost(desk: Desk) -> None:
    desk.server.case.broken = True
    reader = await desk.reader()
    await reader.part("teaching-ask").click()
    await reader.part("teaching-reason").fill(WHY)
    await reader.part("teaching-send").click()
    await expect(reader.part("teaching-problem")).to_have_text("患者不同意，不能发送。")
    await expect(reader.part("teaching-reason")).to_have_value(WHY)


async def test_what_became_of_it_is_seen_when_one_comes_back(desk: Desk) -> None:
    api = desk.server.case
    api.patients_word = "agreed"
    reader = await desk.reader()
    await reader.part("teaching-ask").click()
    await expect(reader.part("teaching-patient")).to_contain_text("患者已经同意")
    await reader.part("teaching-reason").fill(WHY)
    await reader.part("teaching-send").click()
    await expect(reader.part("teaching-sending")).to_contain_text("马上开始送")
    api.requests[0] |= {"state": "sent", "total": 24, "arrived": 23, "stayed": 1, "sentence": "这张图像上印着字。"}
    await reader.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(reader.part("teaching-sent")).to_contain_text("已送 23 张，1 张没有送：这张图像上印着字。")


async def test_where_the_patient_says_no_nobody_is_tempted(desk: Desk) -> None:
    desk.server.case.patients_word = "declined"
    reader = await desk.reader()
    await expect(reader.part("teaching-not")).to_contain_text("不能送")
    await expect(reader.part("teaching-ask")).to_have_count(0)


async def test_patients_see_nothing_of_it(desk: Desk) -> None:
    desk.server.case.may_mark = False
    reader = await desk.reader()
    await expect(reader.part("stage")).to_have_attribute("data-loaded", "2")
    await expect(reader.part("teaching")).to_have_count(0)
