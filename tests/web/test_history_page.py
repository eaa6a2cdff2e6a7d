"""The page of a patient's history in Chromium on the real product, with the local hospital behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from backend.db import install_key_ring
from backend.records.hospital.registry import HospitalSettings
from backend.security.policy import SYSTEM
from sandbox.app import HOSPITAL
from sandbox.hospital.access import LOCAL_TOKEN
from tests.support.product import BookedCase, Member, booked_case, next_case, running_product
from tests.web.conftest import NARROW, WIDE
from tests.web.test_report_page import require_good_looks, require_good_looks_by_day_and_night

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER = "999901195903120026"


@dataclass
class Scene:
    """A product with a hospital, a case, and a browser."""

    case: BookedCase
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def open(self, member: Member, **options: Any) -> Page:
        """Open the page, which asks WeChat who that is; WeChat is told by the member's phone."""
        settings = {"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce"} | options
        page = await (await self.browser.new_context(**settings)).new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(f"{self.case.product.house.settings.public}/h5/history/{self.case.id}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    async def identify(self) -> None:
        """Let the patient's number be known."""
        doctor = await self.case.doctor.actor()
        await self.case.product.house.history.register_identity(doctor, self.case.id, NUMBER)

    async def hospital_is(self, kind: str) -> None:
        """Let the hospital have a bad day."""
        await self.case.product.wechat.client.call("POST", f"{HOSPITAL}/control/faults", {"kind": kind, "seconds": 60})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def first_case(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BookedCase]:
    """A case in a product whose hospital has records."""
    async with running_product(Path(tmp_path_factory.mktemp("product"))) as product:
        case = await booked_case(product)
        place = (await case.expert.actor()).institution_id
        assert place is not None
        settings = HospitalSettings(f"{product.wechat.base_url}{HOSPITAL}/fhir", LOCAL_TOKEN)
        await product.house.hospitals.register(SYSTEM, place, "云川市第一人民医院", settings)
        yield case


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, first_case: BookedCase) -> AsyncIterator[Scene]:
    """A case of the test's own, whose patient's number nobody knows yet, and a hospital that has no bad day."""
    house = first_case.product.house
    install_key_ring(house.ring)
    await first_case.product.wechat.client.call("DELETE", f"{HOSPITAL}/control/faults")
    case = await next_case(first_case)
    actor = await case.patient.actor()
    await house.people.update_person(actor, actor.person_id, name="王秀英", sex="female", birth_date=date(1959, 3, 12))
    stage = Scene(case, browser)
    yield stage
    assert stage.problems == []


async def test_the_doctor_writes_down_the_number_and_the_history_comes(scene: Scene) -> None:
    page = await scene.open(scene.case.doctor)
    await expect(page.get_by_test_id("allergies-unknown")).to_contain_text("过敏史不清楚，请问患者")
    await expect(page.get_by_test_id("silent")).to_contain_text("还没有登记身份证号")
    await require_good_looks(page, WIDE["width"])
    await page.get_by_test_id("identity-number").fill("999901195903120027")
    await page.get_by_test_id("identity-send").click()
    await expect(page.get_by_test_id("identity-problem")).to_contain_text("身份证号好像有一位不对")
    await page.get_by_test_id("identity-number").fill(NUMBER)
    await page.get_by_test_id("identity-send").click()
    await expect(page.get_by_test_id("severe")).to_contain_text("青霉素")
    await expect(page.get_by_test_id("identity")).to_have_count(0)
    await expect(page.get_by_test_id("silent")).to_have_count(0)


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_everything_is_on_one_page_and_everybody_can_read_it(scene: Scene, viewport: Any) -> None:
    await scene.identify()
    page = await scene.open(scene.case.expert, viewport=viewport)
    await expect(page.get_by_test_id("severe")).to_contain_text("青霉素过敏性休克（严重，可能危及生命）")
    await expect(page.get_by_test_id("conditions")).to_contain_text("2型糖尿病")
    await expect(page.get_by_test_id("medicines")).to_contain_text("苯磺酸氨氯地平片")
    await expect(page.get_by_test_id("vitals-血压")).to_contain_text("156/94")
    potassium = page.get_by_test_id("laboratory-钾")
    await expect(potassium).to_contain_text("3.4 mmol/L")
    await expect(potassium).to_contain_text("偏低")
    await expect(potassium.get_by_role("img", name="比上次低")).to_be_visible()
    await expect(page.get_by_test_id("encounters")).to_contain_text("住院")
    await expect(page.get_by_test_id("told")).to_contain_text("咳嗽3天")
    await expect(page.get_by_test_id("hospitals")).to_contain_text("云川市第一人民医院")
    await require_good_looks_by_day_and_night(page, viewport["width"])


async def test_it_is_one_sheet_of_paper(scene: Scene) -> None:
    await scene.identify()
    page = await scene.open(scene.case.doctor)
    await expect(page.get_by_test_id("severe")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_test_id("print")).to_be_hidden()
    pdf = await page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 1


async def test_a_hospital_that_does_not_answer_is_named_at_the_top(scene: Scene) -> None:
    await scene.hospital_is("html")
    await scene.identify()
    page = await scene.open(scene.case.doctor)
    await expect(page.get_by_test_id("silent")).to_contain_text("医院系统的回答不是病历数据")
    await expect(page.get_by_test_id("allergies-unknown")).to_be_visible()
    await scene.case.product.wechat.client.call("DELETE", f"{HOSPITAL}/control/faults")
    await scene.case.product.wechat.client.advance(60)
    await page.get_by_test_id("refresh").click()
    await expect(page.get_by_test_id("severe")).to_contain_text("青霉素")


async def test_a_patient_who_may_be_another_is_not_shown(scene: Scene) -> None:
    await scene.hospital_is("wrong_name")
    await scene.identify()
    page = await scene.open(scene.case.expert)
    await expect(page.get_by_test_id("silent")).to_contain_text("请核对身份证")
    await expect(page.get_by_test_id("severe")).to_have_count(0)


async def test_whoever_does_not_take_part_sees_nothing(scene: Scene) -> None:
    await scene.identify()
    stranger = await scene.case.product.patient("张三")
    page = await scene.open(stranger)
    await expect(page.get_by_test_id("notice")).to_contain_text("这里没有您能看的病历")
