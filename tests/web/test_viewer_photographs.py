"""Photographs of the chat on the viewer page: beside the studies, opened large, made images where asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.dicomweb_server import big_slice, of_study
from tests.web.axe import faults
from tests.web.room_pages import DESKTOP, PHONE
from tests.web.test_room_accessibility import SMALL, WIDER
from tests.web.test_viewer_page import Desk, Reader, opened_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser, pages_folder: Path) -> AsyncIterator[Desk]:
    """A study with a CT, and two photographs."""
    async with opened_desk(browser, pages_folder, "canvas") as opened:
        opened.server.images = [big_slice(1), big_slice(2)]
        opened.server.case.send_photographs("患者", "李梅医生")
        yield opened


async def photographs(reader: Reader) -> list[str]:
    """Give the test ids of the photographs that are listed."""
    if await reader.part("open-series").is_visible():
        await reader.part("open-series").click()
    group = reader.part("photographs")
    await expect(group.get_by_role("button")).to_have_count(2)
    await expect(group).to_contain_text("右小腿伤口")
    await expect(group).to_contain_text("李梅医生发来的照片")
    return [f"photograph-{one['id']}" for one in reader.server.case.photographs]


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
async def test_a_photograph_is_opened_large_and_the_next_one_follows(desk: Desk, device: dict[str, Any]) -> None:
    reader = await desk.reader(device)
    first, _ = await photographs(reader)
    await reader.part(first).click()
    shown = reader.part("photograph-frame").get_by_role("img")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [800, 600]
    assert await faults(reader.page) == []
    assert await reader.page.evaluate(SMALL) == []
    assert await reader.page.evaluate(WIDER) == 0
    await reader.part("photograph-next").click()
    await expect(reader.part("photograph")).to_contain_text("第 2 / 2 张")
    await reader.part("photograph-close").click()
    await expect(reader.part("photograph")).to_have_count(0)


@pytest.mark.parametrize(("answer", "names_visible"), [("names-visible", True), ("names-hidden", False)])
async def test_it_becomes_an_image_where_somebody_asks_and_says_whether_names_are_seen(
    desk: Desk, answer: str, names_visible: bool
) -> None:
    api = desk.server.case
    api.converted = lambda: desk.server.images.append(of_study("examples_rgb_color.dcm", 7))
    reader = await desk.reader(PHONE)
    first, _ = await photographs(reader)
    await reader.part(first).click()
    assert api.conversions == []
    await reader.part("photograph-convert").click()
    await reader.part(answer).click()
    await expect(reader.part("photograph-converted")).to_be_visible()
    assert api.conversions == [{"id": api.photographs[0]["id"], "names_visible": names_visible}]
    await reader.part("photograph-close").click()
    await expect(reader.part(f"series-{big_slice(1).StudyInstanceUID}.7")).to_be_visible()


async def test_patients_see_photographs_and_convert_none(desk: Desk) -> None:
    desk.server.case.may_mark = False
    reader = await desk.reader()
    first, _ = await photographs(reader)
    await reader.part(first).click()
    await expect(reader.part("photograph-frame").get_by_role("img")).to_be_visible()
    await expect(reader.part("photograph-convert")).to_have_count(0)


async def test_a_case_with_photographs_alone_shows_them(desk: Desk) -> None:
    desk.server.images.clear()
    reader = await desk.reader(PHONE, opened=False)
    await reader.page.goto(desk.server.address)
    await expect(reader.part("empty")).to_be_visible()
    first, _ = await photographs(reader)
    await reader.part(first).click()
    await expect(reader.part("photograph-frame").get_by_role("img")).to_be_visible()
