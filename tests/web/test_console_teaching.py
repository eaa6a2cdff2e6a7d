"""The case library at the console in Chromium, on the real product: a draft is read, published and withdrawn."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.people import ConsentKind
from backend.security.policy import SYSTEM
from backend.teaching_cases import CaseState
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.teaching import REVIEWER
from tests.support.waiting import eventually
from tests.web.console_pages import BOTH, EVIL, Scene, console_scene, go, looks_good, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    async with console_scene(browser, pages_folder, tmp_path) as stage:
        yield stage


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_a_reviewers_morning(scene: Scene, viewport: Any) -> None:
    number = await finished(scene)
    page = await signed_in(scene, viewport)
    await go(page, "teaching")
    await expect(page.get_by_test_id("library")).to_contain_text("没有符合条件的病例")
    await recommend(scene, page, number)
    case_id = await read_and_put_right(scene, page)
    await learn(scene, case_id)
    await look_at_the_points(page)
    await find_and_withdraw(page, case_id)


async def finished(scene: Scene) -> str:
    """The case has ended with a signed report, and its patient agrees; give its number."""
    house, case = scene.case.product.house, scene.case
    patient, expert = await case.patient.actor(), await case.expert.actor()
    await house.people.update_person(patient, patient.person_id, name="王小明", phone="13800001234")
    version = house.people.consent_document(ConsentKind.CASES).version
    await house.people.give_consent(patient, version, ConsentKind.CASES)
    number = (await house.consultations.get(SYSTEM, case.id)).number
    place = (await case.doctor.actor()).institution_id
    assert place is not None
    machine = await house.imaging.sender_of_token(
        (await house.imaging.register_stow_sender(SYSTEM, place, "放射科CT")).token
    )
    assert machine is not None
    image = ct_slice(StudyDescription="胸部CT", **of_patient("王^小明", accession=number))
    await house.imaging.receive(machine, streamed(as_file(image)))
    draft = await house.reports.draft(expert, case.id, image.StudyInstanceUID)
    impression = "王小明右下肺炎症，请联系13800001234。"
    draft = await house.reports.write(
        expert, draft.id, examination="胸部CT平扫", findings="右肺下叶斑片影。", impression=impression
    )
    await house.reports.sign(expert, draft.id, revision=draft.revision)
    await house.consultations.start(expert, case.id)
    await house.consultations.record_opinion(
        expert, case.id, icd10="J18.9", diagnosis="社区获得性肺炎", plan=f"诸葛青云转告：{EVIL}三天后复查。"
    )
    await house.consultations.complete(expert, case.id)
    return number


async def recommend(scene: Scene, page: Page, number: str) -> None:
    await page.get_by_test_id("propose-number").fill("HZ0")
    await page.get_by_test_id("propose").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("没有找到这个编号的会诊")
    await page.get_by_test_id("propose-number").fill(number)
    await page.get_by_test_id("propose").click()
    await expect(page.get_by_test_id("proposed")).to_contain_text("正在整理")

    async def is_drafted() -> bool:
        return bool(await drafts(scene))

    await eventually(is_drafted)
    await page.get_by_test_id("library-state").select_option("draft")
    await page.get_by_test_id("find").click()
    await expect(page.get_by_test_id("library").get_by_role("link")).to_have_count(1)
    await looks_good(page)


async def drafts(scene: Scene) -> list[str]:
    """The drafts that wait."""
    page = await scene.case.product.house.teaching_cases.cases(REVIEWER, state=CaseState.DRAFT)
    return [one.id for one in page.items]


async def read_and_put_right(scene: Scene, page: Page) -> str:
    [case_id] = await drafts(scene)
    await page.get_by_test_id("library").get_by_role("link").click()
    await expect(page.get_by_test_id("case-state")).to_have_text("待审核")
    await expect(page.get_by_test_id("taken")).to_contain_text("王**")
    await expect(page.get_by_test_id("taken")).to_contain_text("诸葛青云")
    await expect(page.get_by_test_id("taken")).to_contain_text("程序猜的")
    await expect(page.get_by_test_id("section-reports")).not_to_have_value("王小明")
    assert "<img" in await page.get_by_test_id("section-plan").input_value(), "shown as it was written, and no more"
    await looks_good(page)
    await expect(page.get_by_test_id("section-medication")).to_have_count(0)
    await page.get_by_test_id("with-empty").click()
    await page.get_by_test_id("section-medication").fill("头孢克肟")
    await page.get_by_test_id("title").fill("老年肺炎")
    await page.get_by_test_id("tag-typical").check()
    await page.get_by_test_id("section-lesson").fill("老年人肺炎可以不发热。")
    await page.get_by_test_id("add-question").click()
    await page.get_by_test_id("stem-0").fill("首选哪项检查？")
    await page.get_by_test_id("option-0-0").fill("头颅CT")
    await page.get_by_test_id("publish").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("选项不能是空的")
    await page.get_by_test_id("option-0-1").fill("胸部CT")
    await page.get_by_role("radio", name="第1题：B是正确答案").check()
    await page.get_by_test_id("explanation-0").fill("咳嗽、发热，先看肺。")
    await looks_good(page)
    await page.get_by_test_id("publish").click()
    await expect(page.get_by_test_id("case-state")).to_have_text("已发布")
    await expect(page.get_by_test_id("taken")).to_have_count(0)
    await expect(page.get_by_test_id("section-medication")).to_contain_text("头孢克肟")
    await expect(page.get_by_test_id("section-lesson")).to_contain_text("可以不发热")
    assert await page.title() == "桥医 · 管理台"
    await looks_good(page)
    return case_id


async def learn(scene: Scene, case_id: str) -> None:
    """The township doctor answers right."""
    library, doctor = scene.case.product.house.teaching_cases, await scene.case.doctor.actor()
    question = await library.next_question(doctor, case_id)
    assert question is not None
    assert (await library.answer(doctor, question, 1)).is_right


async def look_at_the_points(page: Page) -> None:
    await page.get_by_test_id("back").click()
    await expect(page.get_by_test_id("points")).to_contain_text("李梅")
    await looks_good(page)
    async with page.expect_download() as saved:
        await page.get_by_test_id("export-points").click()
    assert (await saved.value).suggested_filename.endswith(".csv")


async def find_and_withdraw(page: Page, case_id: str) -> None:
    await page.get_by_test_id("words").fill("拉肚子")
    await page.get_by_test_id("find").click()
    await expect(page.get_by_test_id("library")).to_contain_text("没有符合条件的病例")
    await page.get_by_test_id("words").fill("肺炎")
    await page.get_by_test_id("tag").select_option("typical")
    await page.get_by_test_id("find").click()
    await page.get_by_test_id(f"library-{case_id}").click()
    await page.get_by_test_id("withdraw").click()
    await page.get_by_test_id("reason").fill("有人认出来了")
    await looks_good(page)
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("case-state")).to_have_text("已撤回")
    await page.get_by_test_id("reopen").click()
    await expect(page.get_by_test_id("case-state")).to_have_text("待审核")
    await looks_good(page)
