"""Paying in Chromium: the pay page in a phone's web view with WeChat's payment sheet over it, and the page by itself.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, Route, expect

from backend.db import install_key_ring
from qiaoyi.house import House
from tests.support.charge_desk import OneFeeDesk
from tests.support.product import Member, RunningProduct, running_product
from tests.web.conftest import NARROW, WIDE
from tests.web.test_report_page import require_good_looks, require_good_looks_by_day_and_night

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHARGE = "c" * 32
SCREEN = {"width": 1280, "height": 900}
PAYS_WITHOUT_PAYING = """window.WeixinJSBridge = {
    invoke: (name, fields, done) => done({ err_msg: 'get_brand_wcpay_request:ok' }) }"""


@dataclass
class Counter:
    """Where people pay: a product that charges one fee, and a patient who may pay it."""

    product: RunningProduct
    desk: OneFeeDesk
    patient: Member
    browser: Browser
    problems: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the pay page is."""
        return f"{self.product.house.settings.public}/h5/pay/{CHARGE}"

    async def window(self, **options: Any) -> Page:
        """A browser window of its own."""
        options = {"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce"} | options
        page = await (await self.browser.new_context(**options)).new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    async def page(self, **options: Any) -> Page:
        """The pay page by itself, as the patient."""
        page = await self.window(**options)
        await self.open(page)
        return page

    async def open(self, page: Page) -> None:
        """Open the pay page in a window, as the patient's phone says who that is."""

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await self.patient.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(self.url)

    async def phone(self, **options: Any) -> "InPhone":
        """The pay page in the patient's phone, opened from the card in the chat."""
        page = await self.window(**options)
        await page.goto(self.product.wechat.base_url)
        screen = page.get_by_test_id(f"phone-{self.patient.phone.openid}")
        await screen.get_by_text("去付钱").last.click()
        return InPhone(page, screen.frame_locator("iframe"), self.patient.phone.openid)


@dataclass
class InPhone:
    """The pay page in a phone, and the sheet over it."""

    page: Page
    inside: FrameLocator
    openid: str

    async def pay(self) -> None:
        """Press the button, and see the sheet."""
        await self.inside.get_by_test_id("pay").click()
        await expect(self.page.get_by_test_id("pay-amount")).to_have_text("￥36.00")

    async def enter(self, password: str) -> None:
        """Enter the password, key by key."""
        for key in password:
            await self.page.get_by_test_id(f"pay-key-{key}").click()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def counter_of_module(
    browser: Browser, pages_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Counter]:
    desks: list[OneFeeDesk] = []

    def charging(house: House) -> House:
        assert house.payments is not None
        assert house.payment_inbox is not None
        desks.append(OneFeeDesk(house.payments, house.clock))
        house.payment_inbox.handled_by(desks[0].told)
        return replace(house, charges=desks[0])

    folder = Path(tmp_path_factory.mktemp("product"))
    async with running_product(folder, pages_folder, charging) as product:
        patient = await product.patient("李桂英")
        desks[0].payers[patient.person_id] = patient.phone.openid
        account, url = product.wechat.world.account, f"{product.house.settings.public}/h5/pay/{CHARGE}"
        phone = account.phones.get(patient.phone.openid)
        account.push(phone, "news", {"title": "去付钱", "description": "您要付36元", "url": url, "pic_url": ""})
        yield Counter(product, desks[0], patient, browser)


@pytest.fixture
def counter(counter_of_module: Counter) -> Iterator[Counter]:
    """The counter with a fee that nobody has paid yet."""
    install_key_ring(counter_of_module.product.house.ring)
    counter_of_module.product.wechat.world.pay.clear()
    counter_of_module.desk.begin(CHARGE)
    yield counter_of_module
    assert counter_of_module.problems == []
    counter_of_module.problems.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the screenshots go."""
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


async def test_a_patient_pays_on_the_phone(counter: Counter, folder: Path) -> None:
    phone = await counter.phone()
    await expect(phone.inside.get_by_test_id("amount")).to_contain_text("您要付 36.00 元")
    await phone.page.screenshot(path=folder / "pay-1-page.png")
    await phone.pay()
    await phone.page.get_by_test_id("pay-cancel").click()
    await expect(phone.inside.get_by_test_id("problem")).to_contain_text("没有扣您的钱")
    await phone.page.screenshot(path=folder / "pay-2-cancelled.png")
    await phone.pay()
    await phone.enter("654321")
    sheet = phone.page.get_by_test_id(f"pay-sheet-{phone.openid}")
    await expect(sheet).to_contain_text("支付密码不对")
    await phone.page.screenshot(path=folder / "pay-3-sheet.png")
    await phone.enter("123456")
    await expect(sheet).to_contain_text("支付成功")
    await phone.page.screenshot(path=folder / "pay-4-done.png")
    await phone.page.get_by_test_id("pay-done").click()
    await expect(phone.inside.get_by_role("heading", name="付好了")).to_be_visible()
    await expect(phone.inside.get_by_test_id("end")).to_contain_text("已经付了 36.00 元")
    await phone.page.screenshot(path=folder / "pay-5-paid.png")


async def test_what_is_paid_on_one_device_is_not_paid_on_another(counter: Counter) -> None:
    first, second = await counter.phone(), await counter.phone(viewport=NARROW)
    await first.pay()
    await second.pay()
    await first.enter("123456")
    await first.page.get_by_test_id("pay-done").click()
    await second.enter("123456")
    await expect(second.page.get_by_test_id(f"pay-sheet-{second.openid}")).to_contain_text("已经付过了")
    await second.page.get_by_test_id("pay-refused").click()
    await expect(second.inside.get_by_role("heading", name="付好了")).to_be_visible()
    assert len([one for one in counter.product.wechat.world.pay.book.orders.values() if one.transaction]) == 1


@pytest.mark.parametrize("viewport", [NARROW, SCREEN], ids=["phone", "screen"])
async def test_everybody_can_read_what_is_to_be_paid(counter: Counter, folder: Path, viewport: Any) -> None:
    page = await counter.page(viewport=viewport)
    await expect(page.get_by_test_id("amount")).to_contain_text("您要付 36.00 元")
    await expect(page.get_by_test_id("parts")).to_contain_text("医保付160.00 元")
    await expect(page.locator("main")).to_have_css("font-size", "21px")
    await page.get_by_text("怎么算的").click()
    await expect(page.get_by_test_id("explained")).to_contain_text("起付线已经满了")
    await require_good_looks_by_day_and_night(page, viewport["width"])
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=folder / f"pay-{scheme}-{viewport['width']}.png", full_page=True)
    await page.get_by_test_id("pay").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("请在微信里")
    await require_good_looks_by_day_and_night(page, viewport["width"])


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("quoting", "正在问医保能报多少"),
        ("closed", "不收您的钱"),
        ("reversing", "正在退钱"),
        ("reversed", "钱已经退了"),
        ("settled", "不用付钱"),
    ],
)
async def test_each_end_says_what_became_of_the_money(counter: Counter, folder: Path, state: str, said: str) -> None:
    assert counter.desk.fee is not None
    counter.desk.fee = replace(counter.desk.fee, state=state)
    page = await counter.page(viewport=NARROW)
    await expect(page.locator("main")).to_contain_text(said)
    await expect(page.get_by_test_id("pay")).to_have_count(0)
    await require_good_looks(page, NARROW["width"])
    await page.screenshot(path=folder / f"pay-{state}.png", full_page=True)


async def test_the_page_s_word_does_not_count(counter: Counter, folder: Path) -> None:
    page = await counter.window(viewport=NARROW)
    await page.clock.install()
    await page.add_init_script(PAYS_WITHOUT_PAYING)
    await counter.open(page)
    await page.get_by_test_id("pay").click()
    await expect(page.get_by_test_id("pay")).to_contain_text("正在跟微信核对")
    looked = page.get_by_test_id("problem")
    while not await looked.is_visible():
        await page.clock.run_for(500)  # in small steps: the page gives up a question after fifteen seconds
    await expect(looked).to_contain_text("还没有查到付款结果")
    await require_good_looks(page, NARROW["width"])
    await page.screenshot(path=folder / "pay-unknown.png", full_page=True)
    assert counter.desk.fee is not None
    assert counter.desk.fee.payable
    [number] = counter.desk.orders
    order = counter.product.wechat.world.pay.book.order(number)
    counter.product.wechat.world.pay.book.pay(order)  # and nobody is told
    await page.get_by_test_id("check").click()
    await expect(page.get_by_role("heading", name="付好了")).to_be_visible()


async def test_a_stranger_finds_nothing(counter: Counter) -> None:
    counter.desk.payers, known = {}, counter.desk.payers
    try:
        page = await counter.page(viewport=NARROW)
        await expect(page.get_by_test_id("notice")).to_contain_text("没有找到要付的费用")
        await require_good_looks(page, NARROW["width"])
    finally:
        counter.desk.payers = known
