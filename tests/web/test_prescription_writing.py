"""The page on which a doctor writes a prescription, in Chromium on the real product."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.db import install_key_ring
from backend.prescription import PrescriptionView, State
from tests.support.prescribing import AMOXICILLIN, amoxicillin
from tests.support.waiting import eventually
from tests.web.conftest import NARROW, WIDE
from tests.web.test_prescription_page import Scene, clinic_scene
from tests.web.test_report_page import require_good_looks, require_good_looks_by_day_and_night, saved

pytestmark = pytest.mark.asyncio(loop_scope="module")

IBUPROFEN, WARFARIN = "ibuprofen-tablet-200-24", "warfarin-tablet-2.5-60"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with clinic_scene(browser, Path(tmp_path_factory.mktemp("product"))) as scene:
        yield scene


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """The scene, under the keys with which its product was made."""
    install_key_ring(stage.product.house.ring)
    yield stage
    assert stage.problems == []
    stage.problems.clear()


async def draft_of(scene: Scene) -> PrescriptionView:
    """Give the doctor's draft as the server has it."""
    return await scene.product.house.prescriptions.draft(await scene.case.doctor.actor(), scene.case.id)


async def fresh_draft(scene: Scene) -> PrescriptionView:
    """Begin a draft in which nothing is written; what an earlier test left is thrown away."""
    doctor, service = await scene.case.doctor.actor(), scene.product.house.prescriptions
    await service.discard(doctor, (await service.draft(doctor, scene.case.id)).id)
    draft = await service.draft(doctor, scene.case.id)
    return await service.write(doctor, draft.id, lines=[], diagnoses=[], chronic=False)


async def writing(scene: Scene, **options: Any) -> Page:
    """Open a fresh draft as its doctor."""
    page = await scene.open(scene.case.doctor, (await fresh_draft(scene)).id, heading="写处方", **options)
    await expect(page.get_by_test_id("template-hypertension")).to_be_visible()
    return page


async def add(page: Page, words: str, code: str) -> None:
    """Look for a medicine and take it."""
    await page.get_by_test_id("search-medicine").fill(words)
    await page.get_by_test_id(f"found-{code}").click()


async def say_what_it_is_for(page: Page) -> None:
    """Choose the diagnosis, and say that a doctor is with the patient."""
    await page.get_by_test_id("search-diagnosis").fill("急性支气管炎")
    await page.get_by_test_id("found-J20.9").click()
    await page.get_by_test_id("presence-yes").check()


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_a_doctor_searches_writes_answers_a_warning_reads_and_signs(scene: Scene, viewport: Any) -> None:
    page = await writing(scene, viewport=viewport)
    await expect(page.get_by_test_id("patient")).to_contain_text("王小明")
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("诊断、有没有医生在患者身边、药")
    await say_what_it_is_for(page)
    await page.get_by_test_id("search-medicine").fill("amxl")
    await expect(page.get_by_test_id(f"found-{AMOXICILLIN}")).to_be_visible()
    await require_good_looks_by_day_and_night(page, viewport["width"])
    await page.get_by_test_id(f"found-{AMOXICILLIN}").click()
    line = page.get_by_test_id("line-0")
    await expect(line.get_by_test_id("amount")).to_have_value("500")
    await expect(line).to_contain_text("合 2粒")
    await line.get_by_test_id("days").fill("10")
    await line.get_by_role("button", name="饭后吃").click()
    await saved(page)
    await expect(line.get_by_test_id("packs")).to_have_text("3盒")
    await expect(line.get_by_test_id("finding-course.acute")).to_contain_text("依据")
    await require_good_looks_by_day_and_night(page, viewport["width"])
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("没有写理由")
    await line.get_by_test_id("reason").fill("要用满十天")
    await line.get_by_test_id("give-reason").click()
    await expect(line).to_contain_text("您写的理由：要用满十天")
    await page.get_by_test_id("read").click()
    sheet = page.get_by_test_id("sign-page")
    await expect(sheet).to_contain_text("口服，每天三次，一次500mg（2粒），用10天，饭后吃")
    await expect(sheet).to_contain_text("要用满十天")
    await require_good_looks_by_day_and_night(page, viewport["width"])
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("state")).to_contain_text("等药师审核")
    await require_good_looks_by_day_and_night(page, viewport["width"])


async def test_what_may_not_be_is_said_at_once_and_cannot_be_signed(scene: Scene) -> None:
    page = await writing(scene, viewport=NARROW)
    await say_what_it_is_for(page)
    await add(page, "bulf", IBUPROFEN)
    await add(page, "华法林", WARFARIN)
    stop = page.get_by_test_id("whole").get_by_test_id("finding-interaction")
    await expect(stop).to_have_attribute("data-severity", "stop")
    await expect(stop).to_contain_text("华法林")
    await require_good_looks(page, NARROW["width"])
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("改掉以后才能签名")
    await page.get_by_test_id("remove-1").click()
    await saved(page)
    await expect(page.get_by_test_id("finding-interaction")).to_have_count(0)
    assert [one.preparation for one in (await draft_of(scene)).lines] == [IBUPROFEN]


async def test_an_amount_is_counted_in_pieces_or_in_milligrams_and_what_is_no_number_is_kept_and_not_sent(
    scene: Scene,
) -> None:
    page = await writing(scene)
    await add(page, "阿莫西林胶囊", AMOXICILLIN)
    line = page.get_by_test_id("line-0")
    await line.get_by_test_id("unit").select_option("piece")
    await expect(line.get_by_test_id("amount")).to_have_value("2")
    await line.get_by_test_id("amount").fill("4")
    await expect(line).to_contain_text("合 1000mg")
    await saved(page)
    assert (await draft_of(scene)).lines[0].dose == 1000
    await line.get_by_test_id("amount").fill("两")
    await expect(page.get_by_test_id("saving")).to_have_attribute("data-standing", "partial")
    await expect(page.get_by_test_id("saving")).to_contain_text("一次用多少")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.reload()
    await expect(line.get_by_test_id("amount")).to_have_value("两")
    assert (await draft_of(scene)).lines[0].dose == 1000


async def test_while_the_network_is_away_nothing_is_lost(scene: Scene) -> None:
    page = await writing(scene)
    await page.route("**/api/v1/prescriptions/*", lambda route: route.abort())
    await add(page, "阿莫西林胶囊", AMOXICILLIN)
    await expect(page.get_by_test_id("saving")).to_have_attribute("data-standing", "offline")
    await page.unroute("**/api/v1/prescriptions/*")
    await saved(page)
    assert [one.preparation for one in (await draft_of(scene)).lines] == [AMOXICILLIN]


@pytest.mark.parametrize("choice", ["use-mine", "use-theirs"])
async def test_two_places_that_write_at_once_are_told_so_and_lose_nothing(scene: Scene, choice: str) -> None:
    page = await writing(scene)
    draft = await draft_of(scene)
    doctor = await scene.case.doctor.actor()
    await scene.product.house.prescriptions.write(doctor, draft.id, lines=[amoxicillin(days=3)])
    await add(page, "华法林", WARFARIN)
    await expect(page.get_by_test_id("conflict")).to_contain_text("阿莫西林胶囊，口服，一次2粒，每天三次，用3天")
    await expect(page.get_by_test_id("line-0")).to_contain_text("华法林")
    await expect(page.get_by_test_id("read")).to_be_disabled()
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id(choice).click()
    await saved(page)
    kept = WARFARIN if choice == "use-mine" else AMOXICILLIN
    assert [one.preparation for one in (await draft_of(scene)).lines] == [kept]
    if choice == "use-theirs":
        await page.get_by_test_id("set-aside").locator("summary").click()
        await expect(page.get_by_test_id("set-aside")).to_contain_text("华法林")


async def test_what_changed_elsewhere_after_it_was_read_is_not_signed_unread(scene: Scene) -> None:
    page = await writing(scene, viewport=NARROW)
    await say_what_it_is_for(page)
    await add(page, "阿莫西林胶囊", AMOXICILLIN)
    await saved(page)
    await page.get_by_test_id("read").click()
    await expect(page.get_by_test_id("sign-page")).to_be_visible()
    draft, doctor = await draft_of(scene), await scene.case.doctor.actor()
    await scene.product.house.prescriptions.write(doctor, draft.id, lines=[amoxicillin(days=3)])
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("请再读一遍")
    await expect(page.get_by_test_id("line-0").get_by_test_id("days")).to_have_value("3")
    assert (await draft_of(scene)).id == draft.id, "it is a draft still"
    await page.get_by_test_id("read").click()
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("state")).to_contain_text("等药师审核")


async def test_templates_fill_the_draft_after_a_question_and_are_kept_under_a_name(scene: Scene) -> None:
    page = await writing(scene)
    await page.get_by_test_id("template-hypertension").click()
    await expect(page.get_by_test_id("line-0")).to_contain_text("氨氯地平片")
    await expect(page.get_by_test_id("chronic")).to_be_checked()
    await page.get_by_test_id("template-type_2_diabetes").click()
    await page.get_by_test_id("fill-sure").click()
    await expect(page.get_by_test_id("line-0")).to_contain_text("二甲双胍片")
    await page.get_by_test_id("line-0").get_by_test_id("days").fill("几天")
    await page.get_by_test_id("template-lipids").click()
    await page.get_by_test_id("fill-sure").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("天数要写1到90")
    await page.get_by_test_id("line-0").get_by_test_id("days").fill("28")
    await saved(page)
    await page.get_by_test_id("keep").click()
    await expect(page.get_by_test_id("keep-sure")).to_be_disabled()
    await page.get_by_test_id("template-name").fill("糖尿病常用")
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id("keep-sure").click()
    await expect(page.get_by_role("button", name="糖尿病常用（我的）")).to_be_visible()


async def test_a_draft_is_thrown_away_after_a_question(scene: Scene) -> None:
    page = await writing(scene)
    id_ = (await draft_of(scene)).id
    await page.get_by_test_id("discard").click()
    await page.get_by_test_id("discard-sure").click()
    await expect(page.get_by_test_id("discarded")).to_contain_text("丢掉了")
    assert (await draft_of(scene)).id != id_


async def test_what_the_pharmacist_returned_is_changed_and_signed_again(scene: Scene) -> None:
    await fresh_draft(scene)
    id_ = await scene.signed()
    service = scene.product.house.prescriptions
    await service.take(scene.pharmacist, id_)
    await service.give_back(scene.pharmacist, id_, "天数太长")
    page = await scene.open(scene.case.doctor, id_, heading="写处方", viewport=NARROW)
    await expect(page.get_by_test_id("returned")).to_contain_text("天数太长")
    await page.get_by_test_id("line-0").get_by_test_id("days").fill("3")
    await saved(page)
    await page.get_by_test_id("read").click()
    await page.get_by_test_id("sign").click()
    await expect(page.get_by_test_id("state")).to_contain_text("等药师审核")

    async def is_signed() -> bool:
        view = await service.prescription(await scene.case.doctor.actor(), id_)
        return view.state is State.SIGNED and view.document["lines"][0]["days"] == 3

    await eventually(is_signed)
