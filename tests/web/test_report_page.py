"""The report page in Chromium on the real product: the expert writes and signs, doctor and patient read."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from backend.db import install_key_ring
from backend.reporting import ReportState, ReportView
from backend.security.policy import SYSTEM
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.support.waiting import eventually
from tests.web.axe import faults
from tests.web.conftest import NARROW, WIDE

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOO_SMALL = """() => [...document.querySelectorAll('button, a, textarea, summary, select, input')]
    .filter(one => one.getClientRects().length && (one.closest('label') ?? one).getBoundingClientRect().height < 47.5)
    .map(one => one.outerHTML)"""
SMALL_TEXT = """() => [...document.querySelectorAll('main *')].filter(one => [...one.childNodes].some(
    node => node.nodeType === 3 && node.textContent.trim()) && one.getClientRects().length
    && parseFloat(getComputedStyle(one).fontSize) < 18).map(one => one.outerHTML)"""
FINDINGS, IMPRESSION = "右肺上叶见结节，直径约8毫米。", "右肺上叶结节，建议3个月复查。"


async def require_good_looks(page: Page, width: int) -> None:
    """See that everybody can read and press what is shown."""
    assert await faults(page) == []
    assert await page.evaluate(TOO_SMALL) == []
    assert await page.evaluate(SMALL_TEXT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def require_good_looks_by_day_and_night(page: Page, width: int) -> None:
    """See that also of the page as it is while the device is set to dark."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await require_good_looks(page, width)


@dataclass
class Scene:
    """A product in which each test has a case with studies of its own."""

    product: RunningProduct
    case: BookedCase
    browser: Browser
    number: int = 0
    problems: list[str] = field(default_factory=list)

    async def study(self, description: str = "胸部CT") -> str:
        """Let a study come; give its identifier."""
        self.number += 1
        imaging, case = self.product.house.imaging, self.case
        place = (await case.doctor.actor()).institution_id
        assert place is not None
        token = (await imaging.register_stow_sender(SYSTEM, place, "放射科CT")).token
        machine = await imaging.sender_of_token(token)
        assert machine is not None
        accession = (await self.product.house.consultations.get(SYSTEM, case.id)).number
        said = of_patient("王^小明", accession=accession)
        one = ct_slice(study=self.number, StudyDescription=f"{description}{self.number}", StudyDate="20261121", **said)
        await imaging.receive(machine, streamed(as_file(one)))
        return str(one.StudyInstanceUID)

    async def report(self, study: str) -> ReportView:
        """Give the newest version of a study's report, as its expert sees it."""
        actor = await self.case.expert.actor()
        found = await self.product.house.reports.reports_of(actor, self.case.id)
        return max((one for one in found if one.study_uid == study), key=lambda one: one.version)

    async def signed(self, study: str, impression: str = IMPRESSION) -> ReportView:
        """Sign a report without the page."""
        actor, reports = await self.case.expert.actor(), self.product.house.reports
        draft = await reports.draft(actor, self.case.id, study)
        draft = await reports.write(actor, draft.id, examination="胸部CT平扫", findings=FINDINGS, impression=impression)
        return await reports.sign(actor, draft.id, revision=draft.revision)

    async def window(self, **options: Any) -> Page:
        """A browser window of its own."""
        page = await (
            await self.browser.new_context(
                **({"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce"} | options)
            )
        ).new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    async def open(self, page: Page, member: Member, study: str = "") -> None:
        """Open the page, which asks WeChat who that is; WeChat is told by the member's phone."""

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(f"{self.product.house.settings.public}/h5/reports/{self.case.id}")
        await expect(page.get_by_role("heading", name="检查报告")).to_be_visible()
        if study and await page.get_by_test_id(f"study-{study}").count():
            await page.get_by_test_id(f"study-{study}").click()
            await expect(page.get_by_test_id(f"study-{study}")).to_have_attribute("aria-pressed", "true")

    async def writing(self, study: str, **options: Any) -> Page:
        """Open the page as the expert and begin to write."""
        page = await self.window(**options)
        await self.open(page, self.case.expert, study)
        await page.get_by_test_id("begin").click()
        await expect(page.get_by_test_id("writer")).to_be_visible()
        return page


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
    stage.problems.clear()


async def saved(page: Page) -> None:
    """Wait until everything written is on the server."""
    await expect(page.get_by_test_id("saving")).to_have_attribute("data-standing", "saved")


async def write(page: Page, **texts: str) -> None:
    """Write into the parts and wait until it is kept."""
    for part, words in texts.items():
        await page.get_by_test_id(f"write-{part}").fill(words)
    await saved(page)


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_the_expert_fills_a_template_reads_it_and_signs(scene: Scene, viewport: Any) -> None:
    study = await scene.study()
    page = await scene.writing(study, viewport=viewport)
    await page.get_by_test_id("template-ct_chest").click()
    await saved(page)
    await require_good_looks_by_day_and_night(page, viewport["width"])
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("没有填")
    marked: str = await page.evaluate("""() => { const one = document.activeElement
        return one.value.slice(one.selectionStart, one.selectionEnd) }""")
    assert marked == "____"
    await write(page, findings=FINDINGS, impression=IMPRESSION)
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("sign-page")).to_contain_text(FINDINGS)
    await expect(page.get_by_test_id("sign-page")).to_contain_text("患者：王小明")
    await expect(page.get_by_test_id("sign")).to_be_enabled()
    await require_good_looks_by_day_and_night(page, viewport["width"])
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("report-1")).to_contain_text(IMPRESSION)
    await require_good_looks_by_day_and_night(page, viewport["width"])
    assert (await scene.report(study)).state is ReportState.SIGNED


async def test_what_is_written_is_kept_by_itself_and_there_after_a_reload(scene: Scene) -> None:
    study = await scene.study()
    page = await scene.writing(study)
    await write(page, findings=FINDINGS)
    assert (await scene.report(study)).findings == FINDINGS
    await page.reload()
    await expect(page.get_by_test_id("write-findings")).to_have_value(FINDINGS)


async def test_while_the_network_is_away_nothing_is_lost(scene: Scene) -> None:
    study = await scene.study()
    page = await scene.writing(study)
    await page.route("**/api/v1/reports/*", lambda route: route.abort())
    await page.get_by_test_id("write-findings").fill(FINDINGS)
    await expect(page.get_by_test_id("saving")).to_have_attribute("data-standing", "offline")
    await expect(page.get_by_test_id("saving")).to_contain_text("您写的还在这里")
    await page.unroute("**/api/v1/reports/*")
    await saved(page)
    assert (await scene.report(study)).findings == FINDINGS


@pytest.mark.parametrize("choice", ["use-mine", "use-theirs"])
async def test_two_places_that_write_at_once_are_told_so_and_lose_nothing(scene: Scene, choice: str) -> None:
    study = await scene.study()
    page = await scene.writing(study)
    draft = await scene.report(study)
    elsewhere = "聊天里写的。"
    await scene.product.house.reports.write(await scene.case.expert.actor(), draft.id, findings=elsewhere)
    await page.get_by_test_id("write-findings").fill(FINDINGS)
    await expect(page.get_by_test_id("conflict")).to_contain_text(elsewhere)
    await expect(page.get_by_test_id("write-findings")).to_have_value(FINDINGS)
    await expect(page.get_by_test_id("read")).to_be_disabled()
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id(choice).click()
    await saved(page)
    if choice == "use-mine":
        assert (await scene.report(study)).findings == FINDINGS
    else:
        await expect(page.get_by_test_id("write-findings")).to_have_value(elsewhere)
        await page.get_by_test_id("set-aside").click()
        await expect(page.get_by_test_id("set-aside")).to_contain_text(FINDINGS)


async def test_a_slip_has_to_be_meant_before_the_press(scene: Scene) -> None:
    study = await scene.study()
    page = await scene.writing(study)
    await write(page, findings=FINDINGS, impression="左肺上叶结节。")
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("slips")).to_contain_text("左右")
    await expect(page.get_by_test_id("sign")).to_be_disabled()
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id("meant-other_side").check()
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("report-1")).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_a_critical_value_is_asked_back_told_and_confirmed_by_the_doctor(scene: Scene, viewport: Any) -> None:
    study = await scene.study()
    page = await scene.writing(study, viewport=viewport)
    await page.get_by_test_id("critical").click()
    await expect(page.get_by_role("heading", name="马上通知 李梅 医生？")).to_be_visible()
    await page.get_by_role("button", name="张力性气胸").click()
    await require_good_looks(page, viewport["width"])
    await page.get_by_test_id("critical-tell").click()
    critical = page.get_by_text("危急值：张力性气胸").last
    await expect(critical).to_be_visible()
    await scene.case.doctor.phone.wait_for(lambda message: "危急值，" in message.text)
    reader = await scene.window(viewport=viewport)
    await scene.open(reader, scene.case.doctor)
    await require_good_looks(reader, viewport["width"])
    await reader.get_by_test_id("received").last.click()
    await expect(reader.get_by_test_id("received")).to_have_count(0)
    actor = await scene.case.expert.actor()
    told = await scene.product.house.critical_values.values_of(actor, scene.case.id)
    assert all(one.confirmed_by is not None for one in told)
    await scene.case.expert.phone.wait_for(lambda message: "危急值医生已收到" in message.text)


async def test_a_signed_report_is_changed_with_a_reason_and_the_old_one_stays(scene: Scene) -> None:
    study = await scene.study()
    await scene.signed(study)
    page = await scene.window()
    await scene.open(page, scene.case.expert, study)
    await page.get_by_test_id("amend").click()
    await page.get_by_test_id("amend-sure").click()
    await expect(page.get_by_text("请写为什么要改")).to_be_visible()
    await page.get_by_test_id("amend-reason").fill("漏写了一处")
    await page.get_by_test_id("amend-sure").click()
    await expect(page.get_by_test_id("reason")).to_contain_text("漏写了一处")
    await write(page, impression="右肺上叶结节，建议1个月复查。")
    await page.get_by_test_id("read").click()
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("changed")).to_contain_text("漏写了一处")
    await page.get_by_test_id("version-1").locator("summary").click()
    await expect(page.get_by_test_id("version-1")).to_contain_text(IMPRESSION)
    await require_good_looks(page, WIDE["width"])


async def test_a_draft_is_thrown_away_after_a_question(scene: Scene) -> None:
    study = await scene.study()
    page = await scene.writing(study)
    await page.get_by_test_id("discard").click()
    await page.get_by_test_id("discard-sure").click()
    await expect(page.get_by_test_id("empty")).to_contain_text("还没有报告")


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_the_patient_reads_it_large_and_is_sent_to_the_doctor_with_questions(scene: Scene, viewport: Any) -> None:
    study = await scene.study()
    first = await scene.signed(study)
    page = await scene.window(viewport=viewport)
    await scene.open(page, scene.case.patient)
    card = page.locator("section").filter(has_text=first.number)
    await expect(page.get_by_test_id("explain")).to_contain_text("请听医生解释，报告不能代替看医生")
    await expect(card.get_by_test_id("said-findings")).to_have_text(FINDINGS)
    size: str = await card.get_by_test_id("said-findings").evaluate("one => getComputedStyle(one).fontSize")
    assert float(size.removesuffix("px")) >= 21
    for absent in ("amend", "critical", "open-viewer", "received"):
        await expect(page.get_by_test_id(absent)).to_have_count(0)
    await require_good_looks(page, viewport["width"])


async def test_a_paper_that_is_not_there_is_said_plainly(scene: Scene) -> None:
    study = await scene.study()
    await scene.signed(study)
    page = await scene.window()
    await page.route("**/pdf/link", lambda route: route.fulfill(status=404, json={"code": "not_found", "message": ""}))
    await scene.open(page, scene.case.doctor, study)
    await page.get_by_test_id("paper").click()
    await expect(page.get_by_text("打印版还没有准备好")).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_the_paper_is_opened_beside_or_in_place_of_the_page(scene: Scene, viewport: Any) -> None:
    study = await scene.study()
    signed = await scene.signed(study)
    page = await scene.window(viewport=viewport)
    await page.route(
        f"**/api/v1/reports/{signed.id}/pdf/link",
        lambda route: route.fulfill(status=201, json={"address": "/h5/reports/a.pdf", "expires_at": ""}),
    )
    await page.context.route("**/a.pdf", lambda route: route.fulfill(status=200, body="a paper"))
    await scene.open(page, scene.case.doctor, study)
    if viewport == NARROW:
        await page.get_by_test_id("paper").click()
        await expect(page.get_by_text("a paper")).to_be_visible()
        return
    async with page.context.expect_page() as opened:
        await page.get_by_test_id("paper").click()
    await expect((await opened.value).get_by_text("a paper")).to_be_visible()
    await expect(page.get_by_test_id("report-1")).to_be_visible()


async def test_a_stranger_is_shown_nothing(scene: Scene) -> None:
    stranger = await scene.product.patient("赵四")
    page = await scene.window()
    await scene.open(page, stranger)
    await expect(page.get_by_test_id("notice")).to_contain_text("没有您能看的报告")


async def test_the_expert_goes_on_at_a_computer_with_eight_digits_and_to_the_images_beside(scene: Scene) -> None:
    study = await scene.study()
    phone = await scene.writing(study, viewport=NARROW)
    await write(phone, findings=FINDINGS)
    await phone.get_by_test_id("on-computer").click()
    address = await phone.get_by_test_id("computer-address").inner_text()
    assert address.endswith("/v")
    code = await phone.get_by_test_id("computer-code").inner_text()
    await require_good_looks(phone, NARROW["width"])
    page = await scene.window()
    await page.goto(f"http://{address}")
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id("desk-code").fill(code)
    await page.get_by_test_id("desk-submit").click()
    await page.get_by_test_id(f"study-{study}").click()
    await expect(page.get_by_test_id("write-findings")).to_have_value(FINDINGS)
    async with page.context.expect_page() as opened:
        await page.get_by_test_id("open-viewer").click()
    viewer = await opened.value
    await expect(viewer.get_by_test_id("canvas")).to_be_visible()
    await expect(viewer.get_by_test_id("open-report")).to_have_text("写报告")
    async with viewer.context.expect_page() as back:
        await viewer.get_by_test_id("open-report").click()
    await expect((await back.value).get_by_test_id("patient")).to_contain_text("王小明")


async def test_the_viewer_leads_a_patient_to_the_signed_report(scene: Scene) -> None:
    await scene.signed(await scene.study())
    page = await scene.window(viewport=NARROW)
    case = scene.case

    async def lead_back(route: Route) -> None:
        await route.fulfill(status=302, headers={"Location": await case.patient.phone.open(route.request.url)})

    await page.route("**/connect/oauth2/authorize?*", lead_back)
    await page.goto(f"{scene.product.house.settings.public}/h5/viewer/{case.id}")
    await page.get_by_test_id("open-report").click()
    await expect(page.get_by_test_id("explain")).to_be_visible()

    async def is_read() -> bool:
        return "/h5/reports/" in page.url

    await eventually(is_read)


async def test_an_ended_consultation_is_recommended_for_teaching_once(scene: Scene) -> None:
    study, case, care = await scene.study(), scene.case, scene.product.house.consultations
    await scene.signed(study)
    phone = await scene.window(viewport=NARROW)
    await scene.open(phone, case.doctor, study)
    await expect(phone.get_by_test_id("report-1")).to_be_visible()
    await expect(phone.get_by_test_id("teaching")).to_have_count(0)  # it has not ended
    expert = await case.expert.actor()
    await care.start(expert, case.id)
    await care.record_opinion(expert, case.id, icd10="R91", diagnosis="右肺上叶结节", plan="3个月复查")
    await care.complete(expert, case.id)
    await phone.reload()
    await expect(phone.get_by_test_id("teaching-propose")).to_be_visible()
    await require_good_looks(phone, NARROW["width"])
    page = await scene.window()
    await scene.open(page, case.expert, study)
    await page.get_by_test_id("teaching-propose").click()
    await expect(page.get_by_test_id("teaching-said")).to_contain_text("先问患者同不同意")
    await expect(page.get_by_test_id("teaching-propose")).to_have_count(0)
    await require_good_looks(page, WIDE["width"])
    # The doctor's page still has the button; pressed now, it says where the case stands.
    await phone.get_by_test_id("teaching-propose").click()
    await expect(phone.get_by_test_id("teaching-said")).to_contain_text("先问患者同不同意")
    await phone.reload()
    await expect(phone.get_by_test_id("teaching-said")).to_have_text("教学病例：等患者同意。")
    await require_good_looks(phone, NARROW["width"])
    mine = await scene.window(viewport=NARROW)
    await scene.open(mine, case.patient)
    await expect(mine.get_by_test_id("explain")).to_be_visible()
    await expect(mine.get_by_test_id("teaching")).to_have_count(0)
