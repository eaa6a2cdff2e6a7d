"""Money, images on their way, prescriptions and the knowledge base at the console in Chromium, wide and narrow.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, if any.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from backend.charging.calls import Outward
from backend.charging.rules import StepKind
from backend.charging.tables import ChargeStep
from backend.db import install_key_ring
from backend.events import PendingDelivery
from backend.ids import new_id
from backend.security.policy import SYSTEM, Role
from qiaoyi.house import House
from tests.support.insurer_twin import InsurerTwin
from tests.support.office import Office
from tests.support.payments_twin import PaymentsTwin
from tests.support.waiting import eventually
from tests.web.console_pages import BOTH, Scene, console_scene, go, looks_good, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHOTS = os.environ.get("SCREENSHOTS_FOLDER")
CLINICAL = ("咳嗽", "支气管", "J20", "布洛芬", "已当面问过")


@dataclass
class Stage:
    """A scene in which money, images and prescriptions are on their way."""

    scene: Scene
    office: Office


def with_twins(house: House) -> House:
    """Let the house's money have other sides in memory, which tests can spoil."""
    assert house.charging is not None
    assert house.reconciliation is not None
    insurer, payments = InsurerTwin(house.clock), PaymentsTwin(house.clock)
    for service in (house.charging, house.reconciliation, house.reconciliation._books):
        service._insurer, service._payments = insurer, payments
    house.charging._outward = Outward(insurer, payments)
    return house


@pytest.fixture
def stage(stage_of_module: Stage) -> Stage:
    """What is looked at, with the keys of its house: every test has its own ring at first."""
    install_key_ring(stage_of_module.scene.case.product.house.ring)
    return stage_of_module


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage_of_module(browser: Browser, pages_folder: Path, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    """What is looked at by every test; what changes it makes what it changes anew."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("product")
        scene = await stack.enter_async_context(console_scene(browser, pages_folder, folder, with_twins))
        yield Stage(scene, await busy_office(scene, stack))


async def busy_office(scene: Scene, stack: AsyncExitStack) -> Office:
    product = scene.case.product
    house = product.house
    assert house.charging is not None
    doctor = await scene.case.doctor.actor()
    assert doctor.institution_id is not None
    expert = await scene.case.expert.actor()
    assert expert.institution_id is not None
    await house.people.put_institution(
        SYSTEM, expert.institution_id, code="H9", name="测试H9医院", kind="tertiary", region="桥县",
        address="测试路1号", latitude=30.0, longitude=114.0, insurance_code="H36000000001",
    )  # fmt: skip
    pharmacy_id = new_id()
    await house.people.put_institution(
        SYSTEM, pharmacy_id, code="P9", name="桥头药房", kind="pharmacy", region="桥县", address="测试路9号",
        latitude=30.0, longitude=114.0,
    )  # fmt: skip
    office = Office(
        clock=house.clock,
        people=house.people,
        care=house.consultations,
        scheduling=house.scheduling,
        records=house.records,
        signing=house.signing,
        prescriptions=house.prescriptions,
        dispensing=house.dispensing,
        imaging=house.imaging,
        charging=house.charging,
        insurer=house.charging._insurer,  # type: ignore[arg-type]  # as with_twins has set it
        payments=house.charging._payments,  # type: ignore[arg-type]
        doctor=doctor,
        expert=expert,
        pharmacist=await (await product.practitioner("叶药师", Role.PHARMACIST, doctor.institution_id)).actor(),
        chemist=await (await product.practitioner("许药师", Role.PHARMACIST, pharmacy_id)).actor(),
        settle=lambda: settle(house),
        pass_time=lambda by: product.wechat.client.advance(by.total_seconds()),
    )
    patient = await (await product.patient("赵六")).actor()
    await office.settled(patient)
    patient = await (await product.patient("周八")).actor()
    returned = await office.prescribed(patient, warned=True)
    await office.prescriptions.give_back(office.pharmacist, returned, "剂量请再核对")
    await office.ordered(patient, await office.prescribed(patient))
    await office.images(patient, stack)
    await office.pass_time(timedelta(hours=1))  # the pharmacy has not answered
    return office


async def settle(house: House) -> None:
    """Let everything be heard and done, beside the loops of the product that do the same."""

    async def nothing_is_left() -> bool:
        assert house.charging is not None
        if await house.events.dispatch() + await house.timers.fire() + await house.charging.work():
            return False
        async with house.database.reading() as session:
            owed = ChargeStep.due_at.is_not(None), ChargeStep.kind != StepKind.WATCH
            left = select(ChargeStep.id).where(*owed).limit(1), select(PendingDelivery.event_id).limit(1)
            return not any([await session.scalar(one) for one in left])

    await eventually(nothing_is_left, timeout=30)


async def shot(page: Page, name: str) -> None:
    size = page.viewport_size
    if SHOTS and size:
        await page.screenshot(path=f"{SHOTS}/{name}-{size['width']}.png", full_page=True)


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_an_administrator_looks_after_money(stage: Stage, viewport: Any) -> None:
    product = stage.scene.case.product
    patient = await (await product.patient(f"钱七{viewport['width']}")).actor()
    charge_id = await stage.office.settled(patient, dearer=10)
    number = (await stage.office.charging.view(SYSTEM, charge_id)).number
    page = await signed_in(stage.scene, viewport)
    await go(page, "money")
    await expect(page.get_by_test_id("totals")).to_contain_text("笔等人处理")
    await looks_good(page)
    await shot(page, "money-charges")
    await page.get_by_test_id("waiting").click()
    await page.get_by_test_id(f"charge-{number}").click()
    await expect(page.get_by_test_id("attention")).to_contain_text("医保结算让患者付的钱比预结算多")
    await expect(page.get_by_test_id("split")).to_contain_text("结算怎么算的")
    await expect(page.get_by_test_id("steps")).to_contain_text("医保预结算")
    await expect(page.get_by_test_id("postings")).to_contain_text("收到付款")
    await looks_good(page)
    await shot(page, "money-charge")
    await page.get_by_test_id("decide-bear").click()
    await expect(page.get_by_test_id("confirm")).to_be_disabled()
    await page.get_by_test_id("reason").fill("和医保核对过")
    await looks_good(page)
    await shot(page, "money-decision")
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("attention")).to_have_count(0)
    await expect(page.get_by_test_id("postings")).to_contain_text("平台承担")
    await page.get_by_test_id("back").click()
    await reconcile(stage, page)
    await look_at_pay(page)


async def reconcile(stage: Stage, page: Page) -> None:
    """A payment that the provider has under another amount is found, and noted as dealt with."""
    house = stage.scene.case.product.house
    account = list(stage.office.payments.accounts.values())[-1]
    account.payment = replace(account.payment, amount=account.payment.amount + 1)
    assert house.reconciliation is not None
    await house.reconciliation.reconcile(SYSTEM, house.clock.today().date())
    await page.get_by_test_id("tab-books").click()
    await expect(page.get_by_test_id("differences")).to_contain_text("金额不一样")
    await looks_good(page)
    await shot(page, "money-books")
    settle_it = page.get_by_test_id("differences").get_by_role("button", name="记为已处理")
    count = await settle_it.count()
    await settle_it.first.click()
    await page.get_by_test_id("reason").fill("已和微信支付核实")
    await page.get_by_test_id("confirm").click()
    await expect(settle_it).to_have_count(count - 1)
    await page.get_by_test_id("runs").get_by_role("button").first.click()
    await expect(page.get_by_test_id("differences")).to_contain_text("已处理：已和微信支付核实")
    await page.get_by_test_id("day").fill("2020-01-01")
    await page.get_by_test_id("reconcile").click()
    await expect(page.get_by_test_id("report")).to_have_count(2)
    await expect(page.get_by_test_id("report").first).to_contain_text("没有差异")
    await looks_good(page)


async def look_at_pay(page: Page) -> None:
    await page.get_by_test_id("tab-pay").click()
    await expect(page.get_by_test_id("statements")).to_contain_text("张强")
    await looks_good(page)
    await shot(page, "money-pay")
    async with page.expect_download() as saved:
        await page.get_by_test_id("export").click()
    assert (await saved.value).suggested_filename.startswith("劳务费_")
    await page.get_by_test_id("statement-张强").click()
    await expect(page.get_by_test_id("statement")).to_contain_text("基本劳务")
    await looks_good(page)
    await shot(page, "money-statement")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("statement")).to_have_count(0)


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_an_auditor_looks_at_images_and_prescriptions_and_changes_nothing(stage: Stage, viewport: Any) -> None:
    page = await signed_in(stage.scene, viewport, Role.AUDITOR)
    await go(page, "imaging")
    await expect(page.get_by_test_id("routes")).to_contain_text("省医PACS")
    await expect(page.get_by_test_id("routes")).to_contain_text("refused")
    await expect(page.get_by_test_id("routes").get_by_role("button", name="再送一次")).to_have_count(0)
    await expect(page.get_by_test_id("studies")).to_contain_text("已送到 1/2，送不出去 1")
    await expect(page.get_by_test_id("studies")).to_contain_text("周*")
    await looks_good(page)
    await shot(page, "imaging")
    await page.get_by_test_id("failed").click()
    await expect(page.get_by_test_id("studies")).not_to_contain_text("还不知道是谁")
    await go(page, "prescriptions")
    await expect(page.get_by_test_id("totals")).to_contain_text("1 张被药师退回过")
    await expect(page.get_by_test_id("stuck")).to_contain_text("等药店接单")
    await looks_good(page)
    await shot(page, "prescriptions")
    await page.get_by_test_id("which").select_option("returned")
    await page.get_by_test_id("search").click()
    link = page.get_by_test_id("prescriptions").get_by_role("link")
    await expect(link).to_have_count(1)
    await link.click()
    await expect(page.get_by_test_id("moments")).to_contain_text("药师退回")
    await expect(page.get_by_test_id("prescription")).to_contain_text("周八")
    for word in CLINICAL:
        await expect(page.get_by_test_id("prescription")).not_to_contain_text(word)
    await looks_good(page)
    await shot(page, "prescription")
    await page.get_by_test_id("back").click()
    await go(page, "money")
    await page.get_by_test_id("tab-books").click()
    await expect(page.get_by_test_id("runs")).to_be_visible()
    await expect(page.get_by_test_id("reconcile")).to_have_count(0)


@pytest.mark.parametrize("viewport", BOTH, ids=["wide", "narrow"])
async def test_diseases_and_medicines_are_looked_up_with_their_sources(stage: Stage, viewport: Any) -> None:
    page = await signed_in(stage.scene, viewport, Role.INSTITUTION_ADMINISTRATOR)
    await go(page, "knowledge")
    await expect(page.get_by_test_id("count")).to_contain_text("种病")
    cards = page.get_by_role("article")
    await expect(cards).to_have_count(10)
    await page.get_by_test_id("more").click()
    await expect(cards).to_have_count(20)
    await looks_good(page)
    await page.get_by_test_id("text").fill("xjgs")
    await page.get_by_test_id("search").click()
    card = page.get_by_test_id("entry-心肌梗死")
    await card.get_by_role("button").click()
    await expect(card).to_contain_text("《内科学》第9版")
    await expect(card).to_contain_text("未审核")
    await looks_good(page)
    await shot(page, "knowledge-disease")
    await page.get_by_test_id("text").fill("阿莫西林")
    await page.get_by_test_id("tab-medicines").click()
    card = page.get_by_test_id("entry-阿莫西林")
    await card.get_by_role("button").click()
    await expect(card).to_contain_text("阿莫西林药品说明书 · 未审核")
    await looks_good(page)
    await shot(page, "knowledge-medicine")
    await go(page, "money")
    await expect(page.get_by_test_id("tab-books")).to_have_count(0)


async def test_where_nothing_is_charged_the_page_says_so(browser: Browser, pages_folder: Path, tmp_path: Path) -> None:
    async with console_scene(browser, pages_folder, tmp_path) as scene:
        page = await signed_in(scene, BOTH[1])
        await go(page, "money")
        await expect(page.get_by_test_id("problem")).to_contain_text("没有开通收费")
        await looks_good(page)
