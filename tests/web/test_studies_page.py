"""A doctor brings images from a disc, in Chromium, on the real product: sent on where it stopped, whose they are."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, Route, expect
from playwright.async_api import Error as PlaywrightError

from backend.db import install_key_ring
from backend.imaging import StudyState
from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER
from backend.security.policy import SYSTEM
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.support.uploads import zipped
from tests.support.waiting import eventually
from tests.web.axe import faults
from tests.web.conftest import NARROW, WIDE

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOUCH = {"viewport": NARROW, "has_touch": True, "is_mobile": True}
MINE = of_patient("Wang^Xiaoming=王^小明")


@dataclass
class Scene:
    """A product with a case, and the browsers in it."""

    product: RunningProduct
    case: BookedCase
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def page(self, **options: Any) -> Page:
        window = await self.browser.new_context(**({"viewport": WIDE, "locale": "zh-CN"} | options))
        page = await window.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    async def open(self, page: Page, member: Member, path: str = "") -> None:
        """Open a page, which asks WeChat who that is; WeChat is told by the member's phone."""

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(f"{self.product.house.settings.public}{path or f'/h5/studies/{self.case.id}'}")
        await expect(page.get_by_text("正在打开")).to_have_count(0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with running_product(Path(tmp_path_factory.mktemp("product"))) as product:
        yield Scene(product, await booked_case(product), browser)


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """The scene, under the keys with which its product was made: each test begins with fresh ones."""
    install_key_ring(stage.product.house.ring)
    yield stage
    assert stage.problems == []


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A folder like that of a disc."""
    folder = tmp_path / "光盘"
    folder.mkdir()
    (folder / "autorun.inf").write_text("[autorun]")
    return folder


def burn(folder: Path, study: int, count: int, **said: Any) -> None:
    for number in range(1, count + 1):
        file = folder / "IMAGES" / f"IM{number:04}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(as_file(ct_slice(number, study=study, **(MINE | said))))


async def is_accessible(page: Page) -> None:
    assert await faults(page) == []
    wide: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    small: list[str] = await page.evaluate(
        "() => [...document.querySelectorAll('button, select, textarea')]"
        ".filter(one => one.offsetParent && one.getBoundingClientRect().height < 48).map(one => one.outerHTML)"
    )
    assert small == []


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id(name)


async def test_a_disc_is_brought_to_the_case_in_one_go(scene: Scene, disc: Path) -> None:
    burn(disc, 1, 60)
    page = await scene.page()
    await scene.open(page, scene.case.doctor)
    await expect(page.get_by_role("heading", level=1)).to_have_text("给 王小明 上传影像")
    await is_accessible(page)
    await part(page, "folder").set_input_files(disc)
    await expect(part(page, "result-good")).to_have_text("已收到 60 张，属于 王小明 的 CT。")
    await expect(part(page, "result-plain")).to_have_text("另有 1 个文件不是检查图像，跳过了。")
    await is_accessible(page)
    [study] = await scene.product.house.imaging.studies_of(SYSTEM, scene.case.id)
    assert (study.instances, study.state) == (60, StudyState.LINKED)


async def test_dragging_is_spoken_of_where_there_is_room_for_it(scene: Scene) -> None:
    page = await scene.page()
    await scene.open(page, scene.case.doctor)
    await expect(page.get_by_text("拖到这里")).to_be_visible()
    await page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    await expect(page.get_by_text("拖到这里")).to_be_hidden()
    await expect(part(page, "choose-folder")).to_be_visible()


async def test_a_closed_tab_goes_on_where_it_was(scene: Scene, disc: Path) -> None:
    burn(disc, 2, 300)
    for file in (disc / "IMAGES").iterdir():  # some packs of 8 MB
        dataset = ct_slice(int(file.name[2:]), study=2, **MINE)
        dataset.add_new(0x00290010, "LO", "TEST")
        dataset.add_new(0x00291001, "OB", os.urandom(100_000))
        file.write_bytes(as_file(dataset))
    page = await scene.page()
    await scene.open(page, scene.case.doctor)
    arrived: list[str] = []

    async def let_three_through(route: Route) -> None:
        if route.request.method == "PATCH" and len(arrived) == 3:
            await route.abort("connectionreset")
        elif route.request.method == "PATCH":
            arrived.append(route.request.url)
            await route.fulfill(response=await route.fetch())
        else:
            await route.continue_()

    await page.route("**/imaging/uploads/*", let_three_through)
    await part(page, "folder").set_input_files(disc)
    await expect(part(page, "trouble")).to_contain_text("网络断了")
    await is_accessible(page)
    await page.close(run_before_unload=False)

    page = await scene.page()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PATCH" else None)
    await scene.open(page, scene.case.doctor)
    await expect(part(page, "result-unfinished")).to_be_visible()
    await part(page, "folder").set_input_files(disc)
    await expect(part(page, "result-good")).to_have_text("已收到 300 张，属于 王小明 的 CT。")
    packs = -(-sum(file.stat().st_size for file in (disc / "IMAGES").iterdir()) // (8 * 1024 * 1024))
    assert packs - 3 <= len(sent) <= packs - 2, "those that had arrived are not sent again"
    assert not {request.url for request in sent} & {*arrived}
    sent.clear()
    await part(page, "folder").set_input_files(disc)
    await expect(part(page, "result-good")).to_have_text("已收到 300 张，属于 王小明 的 CT。")
    assert sent == []


async def test_it_can_be_paused_and_goes_on_by_itself_when_the_network_is_back(scene: Scene, disc: Path) -> None:
    large = ct_slice(1, study=3, **MINE)
    large.add_new(0x00290010, "LO", "TEST")
    large.add_new(0x00291001, "OB", os.urandom(24_000_000))
    (disc / "BIG").write_bytes(as_file(large))
    page = await scene.page()
    await scene.open(page, scene.case.doctor)
    held = asyncio.Event()
    waiting = asyncio.Event()

    async def hold_second(route: Route) -> None:
        if route.request.headers.get("upload-offset") == str(8 * 1024 * 1024):
            waiting.set()
            await held.wait()
        with suppress(PlaywrightError):  # the page has taken the request back
            await route.continue_()

    await page.route("**/imaging/uploads/*", hold_second)
    await part(page, "files").set_input_files(disc / "BIG")
    await waiting.wait()
    await part(page, "pause").click()
    await expect(part(page, "progress")).to_have_attribute("data-phase", "paused")
    await is_accessible(page)
    held.set()
    await part(page, "go-on").click()
    await expect(part(page, "result-good")).to_have_text("已收到 1 张，属于 王小明 的 CT。")


async def test_a_phone_brings_a_zip_and_leads_to_a_computer(scene: Scene, tmp_path: Path) -> None:
    archive = tmp_path / "胸部CT.zip"
    good = {f"IM{number}": as_file(ct_slice(number, study=4, **MINE)) for number in range(1, 4)}
    archive.write_bytes(
        zipped(good | {"坏的.dcm": good["IM1"][:-700], "里面.zip": zipped({"a": b"b"}), "看图.exe": b"MZ"})
    )
    page = await scene.page(**TOUCH)
    await scene.open(page, scene.case.doctor)
    await expect(part(page, "choose-folder")).to_have_count(0)
    await part(page, "files").set_input_files(archive)
    await expect(part(page, "result-good")).to_have_text("已收到 3 张，属于 王小明 的 CT。")
    refused = part(page, "refused")
    await expect(refused.filter(has_text="文件不完整")).to_contain_text("坏的.dcm")
    await expect(refused.filter(has_text="压缩包里的压缩包")).to_contain_text("里面.zip")
    await is_accessible(page)
    await part(page, "on-computer").click()
    code = (await part(page, "computer-code").inner_text()).replace(" ", "")

    desk = await scene.page()
    await desk.goto(f"{scene.product.house.settings.public}/v")
    await part(desk, "desk-code").fill(code)
    await part(desk, "desk-submit").click()
    await expect(desk.get_by_role("heading", level=1)).to_have_text("给 王小明 上传影像")
    await expect(part(desk, "choose-folder")).to_be_visible()


async def test_other_archives_are_told_of_before_anything_is_sent(scene: Scene, tmp_path: Path) -> None:
    archive = tmp_path / "胸部.rar"
    archive.write_bytes(b"Rar!" + bytes(100))
    page = await scene.page(**TOUCH)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if "imaging/uploads" in request.url else None)
    await scene.open(page, scene.case.doctor)
    await part(page, "files").set_input_files(archive)
    await expect(part(page, "choose-problem")).to_contain_text("只支持 zip")
    assert sent == []


@pytest.mark.parametrize(("device", "study"), [({"viewport": WIDE}, 5), (TOUCH, 6)])
async def test_the_wrong_patients_disc_waits_until_the_doctor_has_compared(
    scene: Scene, disc: Path, device: Any, study: int
) -> None:
    burn(disc, study, 3, **of_patient("Li^Hong=李^红", sex="F", born="19700102"))
    page = await scene.page(**device)
    await scene.open(page, scene.case.doctor)
    await part(page, "files").set_input_files(sorted((disc / "IMAGES").iterdir()))
    await expect(part(page, "result-ask")).to_contain_text("图像上的姓名和会诊里的不一样")
    await expect(part(page, "tab-waiting")).to_have_text("待确认（1）")
    await part(page, "decide").click()
    await expect(part(page, "trait-name")).to_have_attribute("data-result", "different")
    await expect(part(page, "trait-name")).to_contain_text("Li Hong 李红")
    await expect(part(page, "trait-name")).to_contain_text("王小明")
    await is_accessible(page)
    await part(page, "assign").click()
    await expect(part(page, "problem")).to_contain_text("理由")
    await page.get_by_role("button", name="我认识患者，核对过了").click()
    await part(page, "assign" if device is TOUCH else "reject").click()
    await is_accessible(page)
    await part(page, "answer-yes").click()
    await expect(part(page, "nothing-waits")).to_be_visible()
    views = await scene.product.house.imaging.studies_of(SYSTEM, scene.case.id)
    assert ("李^红" in str([view.patient.name for view in views])) == (device is TOUCH)


async def test_the_notice_of_a_study_that_waits_opens_it(scene: Scene) -> None:
    imaging, doctor = scene.product.house.imaging, await scene.case.doctor.actor()
    token = (await imaging.register_stow_sender(SYSTEM, doctor.institution_id or "", "放射科CT")).token
    machine = await imaging.sender_of_token(token)
    assert machine is not None
    await imaging.receive(machine, streamed(as_file(ct_slice(study=7, **MINE))))
    await eventually(lambda: scene.product.has_timer(SETTLED_TIMER))
    await scene.product.wechat.client.advance(SETTLED_AFTER.total_seconds() + 1)
    study_id = await scene.case.doctor.open_card("有检查图像等您确认", "/h5/quarantine/")
    page = await scene.page(**TOUCH)
    await scene.open(page, scene.case.doctor, f"/h5/quarantine/{study_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("确认影像是谁的")
    waiting = part(page, f"waiting-{study_id}")
    await expect(waiting).to_contain_text("没有找到对应的会诊")
    await waiting.get_by_test_id("case").select_option(scene.case.id)
    await expect(part(page, "trait-name")).to_have_attribute("data-result", "same")
    await is_accessible(page)


async def test_nobody_but_the_doctors_of_the_place_gets_in(scene: Scene) -> None:
    for member in (scene.case.patient, scene.case.expert):
        page = await scene.page(**TOUCH)
        await scene.open(page, member)
        await expect(part(page, "notice")).to_contain_text("这家医院的医生")
