"""Who took part opens what was recorded, in Chromium, on the real product: everybody on one clock."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from backend.db import install_key_ring
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.support.recordings import keep_recording
from tests.support.waiting import eventually
from tests.web.axe import faults
from tests.web.conftest import NARROW, WIDE

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATES = """() => [...document.querySelectorAll('video')].map(video => ({
    at: video.currentTime, length: video.duration, width: video.videoWidth, paused: video.paused,
    frames: video.getVideoPlaybackQuality().totalVideoFrames, error: video.error && video.error.message}))"""
LONG, SHORT = 12, 8


@dataclass
class Scene:
    """A product with a case whose room was recorded: the patient for longer than the expert."""

    product: RunningProduct
    case: BookedCase
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def page(self, **options: Any) -> Page:
        window = await self.browser.new_context(**({"viewport": WIDE, "locale": "zh-CN"} | options))
        page = await window.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    async def open(self, page: Page, member: Member) -> None:
        """Open the page, which asks WeChat who that is; WeChat is told by the member's phone."""

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(f"{self.product.house.settings.public}/h5/recordings/{self.case.id}")

    async def open_player(self, page: Page) -> None:
        await self.open(page, self.case.doctor)
        await page.get_by_test_id("open").click()
        await expect(page.get_by_test_id("player")).to_be_visible()
        await page.wait_for_function(
            "() => [...document.querySelectorAll('video')].filter(video => video.readyState > 2).length === 2"
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with running_product(Path(tmp_path_factory.mktemp("product"))) as product:
        case = await booked_case(product)
        began = product.house.clock.now().timestamp()
        lengths = {case.patient.person_id: LONG, case.expert.person_id: SHORT}
        await keep_recording(product.house.video, case.id, lengths, began)
        yield Scene(product, case, browser)


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """The scene, under the keys with which its product was made: each test begins with fresh ones."""
    install_key_ring(stage.product.house.ring)
    yield stage
    assert stage.problems == []


async def states(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate(STATES)
    return found


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_the_page_says_what_there_is_and_until_when(scene: Scene, viewport: Any) -> None:
    page = await scene.page(viewport=viewport)
    await scene.open(page, scene.case.patient)
    [view] = await scene.product.house.video.recordings(await scene.case.patient.actor(), scene.case.id)
    await expect(page.get_by_text(f"保存到{view.delete_at.year}年")).to_be_visible()
    await expect(page.get_by_text("12秒")).to_be_visible()
    await page.get_by_test_id("open").click()
    await expect(page.get_by_text("王小明（患者）")).to_be_visible()
    await expect(page.get_by_text("张强（专家）")).to_be_visible()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await faults(page) == []
    wide: int = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= viewport["width"]


async def test_everybody_plays_together_to_the_end(scene: Scene) -> None:
    page = await scene.page()
    await scene.open_player(page)
    loaded = await states(page)
    assert sorted(round(state["length"]) for state in loaded) == [SHORT, LONG]
    assert {state["width"] for state in loaded} == {640}
    await page.get_by_test_id("play").click()

    async def run() -> bool:
        now = await states(page)
        return all(state["at"] > 2 for state in now)

    await eventually(run, timeout=30)
    playing = await states(page)
    assert abs(playing[0]["at"] - playing[1]["at"]) < 0.6
    await expect(page.get_by_test_id("time")).to_have_text("0:12 / 0:12", timeout=40_000)
    await expect(page.get_by_test_id("play")).to_have_text("播放")
    ended = await states(page)
    assert all(state["error"] is None and state["paused"] for state in ended)
    assert all(state["frames"] > 60 for state in ended)


async def test_any_moment_can_be_sought(scene: Scene) -> None:
    page = await scene.page()
    await scene.open_player(page)
    for moment in (7.0, 2.0, 10.0):
        await page.get_by_test_id("seek").fill(str(moment))

        async def shows(moment: float = moment) -> bool:
            now = await states(page)
            longest = max(now, key=lambda state: state["length"])
            ready = await page.evaluate("() => [...document.querySelectorAll('video')].every(v => !v.seeking)")
            return bool(ready) and abs(longest["at"] - moment) < 0.2

        await eventually(shows, timeout=20)
    await expect(page.get_by_text("这时候不在")).to_be_visible()
    await expect(page.get_by_test_id("seek")).to_have_attribute("aria-valuetext", "10秒，共12秒")


async def test_an_address_that_has_expired_is_fetched_anew(scene: Scene) -> None:
    page = await scene.page()
    refused: list[int] = []
    page.on("response", lambda response: refused.append(response.status) if "/h5/media/" in response.url else None)
    await page.route(
        "**/h5/media/**", lambda route: route.fulfill(status=404) if len(refused) < 2 else route.continue_()
    )
    await scene.open_player(page)
    assert refused[:2] == [404, 404]
    assert {206} == set(refused[2:])


async def test_a_stranger_is_shown_nothing(scene: Scene) -> None:
    stranger = await scene.product.patient("赵四")
    page = await scene.page()
    await scene.open(page, stranger)
    await expect(page.get_by_test_id("notice")).to_contain_text("没有您能看的录像")


async def test_a_computer_shows_them_when_the_room_is_closed(scene: Scene) -> None:
    case = scene.case
    await scene.product.house.consultations.cancel(await case.doctor.actor(), case.id, "患者已转诊")
    phone = await scene.page(viewport=NARROW)
    await scene.open(phone, case.doctor)
    await phone.get_by_test_id("on-computer").click()
    code = await phone.get_by_test_id("computer-code").inner_text()
    assert await faults(phone) == []
    computer = await scene.page()
    await computer.goto(f"{scene.product.house.settings.public}/v")
    await computer.get_by_test_id("desk-code").fill(code)
    await computer.get_by_test_id("desk-submit").click()
    await computer.get_by_test_id("notice-again").click()
    await expect(computer.get_by_role("heading", name="会诊录像")).to_be_visible()
    await expect(computer.get_by_test_id("open")).to_be_enabled()
