"""The console in Chromium on the real product: a scene to play in, and what every page of it has to be."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Response, expect

from backend.console.rules import time_step, totp
from backend.security.policy import SYSTEM, Role
from miniprogram_api.console.accounts import enrolment_url
from qiaoyi.house import House
from tests.support.product import BookedCase, booked_case, running_product
from tests.web.axe import SEVERE, faults
from tests.web.conftest import NARROW

WIDE = {"width": 1280, "height": 800}
_numbers = count(1)
BOTH = [WIDE, NARROW]
PASSWORD = "小桥流水人家，二〇二六年"
EVIL = "<img src=x onerror=document.title=9>王"


class FirstLoad:
    """Everything that a page fetches, as many bytes as go over the wire, charts left out."""

    def __init__(self, page: Page) -> None:
        self._responses: list[Response] = []
        page.on("response", self._see)

    def _see(self, response: Response) -> None:
        self._responses.append(response)

    async def kilobytes(self) -> float:
        """Give the sum of the bodies that were fetched until now, compressed as they came."""
        charts = re.compile(r"/(charts|surveillancecharts|installCanvasRenderer)-[^/]*\.js$")
        counted = [one for one in self._responses if one.ok and not charts.search(one.url)]
        assert len(counted) > 5, "nothing was counted"
        return sum([(await one.request.sizes())["responseBodySize"] for one in counted]) / 1000


@dataclass
class Scene:
    """A product with a case that an expert has taken, and one that waits; and an administrator at a browser."""

    case: BookedCase
    waiting_id: str
    browser: Browser
    secret: str = ""
    problems: list[str] = field(default_factory=list)

    async def open(self, viewport: Any) -> Page:
        """A fresh browser at the console."""
        window = await self.browser.new_context(viewport=viewport, locale="zh-CN", reduced_motion="reduce")
        page = await window.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if "Security Policy" in line.text else None)
        page.on("request", lambda request: self._see(request.url))
        return page

    def _see(self, url: str) -> None:
        if urlsplit(url).hostname not in (None, "127.0.0.1"):
            self.problems.append(f"request to {url}")

    def shown_code(self) -> str:
        """What the app shows in a while, when a code that was used is over."""
        return shown_code(self.secret)


def shown_code(secret: str, *, used: bool = True) -> str:
    """What an app shows; where the present code is used up, the next one, which is accepted too (clocks differ)."""
    return totp(secret, time_step(datetime.now(UTC)) + used)


@asynccontextmanager
async def console_scene(
    browser: Browser, pages_folder: Path, data: Path, prepare: Callable[[House], House] | None = None
) -> AsyncIterator[Scene]:
    """The product in a folder, with one case taken and one waiting; in the end no page may have gone wrong. `prepare`
    lets it take money, as in `running_product`."""
    async with running_product(data, pages_folder, prepare) as product:
        case = await booked_case(product)
        care, patient = product.house.consultations, await case.patient.actor()
        await product.house.people.update_person(patient, patient.person_id, name=EVIL)
        doctor = await case.doctor.actor()
        assert doctor.institution_id is not None
        waiting = await care.open(
            patient, patient_id=patient.person_id, institution_id=doctor.institution_id,
            record={"chief_complaint": "头晕"}, facts={}, department_code="respiratory", urgency="urgent",
        )  # fmt: skip
        await care.submit(doctor, waiting.id)
        stage = Scene(case, waiting.id, browser)
        yield stage
        assert stage.problems == []


async def looks_good(page: Page) -> None:
    """See that everybody can read what is shown, and that nothing runs out of the window."""
    found = await faults(page, SEVERE)
    assert found == [], found
    size = page.viewport_size
    assert size is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]


async def begin(scene: Scene, page: Page) -> None:
    """Use the first administrator's link, then sign in."""
    house = scene.case.product.house
    link = await house.console.create_account(SYSTEM, "陈管", Role.ADMINISTRATOR)
    await page.goto(enrolment_url(house.settings.public, link.code))
    scene.secret = await page.get_by_test_id("secret").inner_text()
    assert link.code not in page.url
    await looks_good(page)
    await page.get_by_test_id("new-password").fill(PASSWORD)
    await page.get_by_test_id("again").fill(PASSWORD)
    await page.get_by_test_id("totp").fill(shown_code(scene.secret, used=False))
    await page.get_by_test_id("enrol").click()
    await expect(page.get_by_test_id("recovery").get_by_role("listitem")).to_have_count(10)
    await page.get_by_test_id("to-sign-in").click()
    await page.get_by_test_id("name").fill("陈管")
    await page.get_by_test_id("password").fill("不是这个密码12345")
    await page.get_by_test_id("code").fill("000000")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("用户名、密码或验证码不对")
    await looks_good(page)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("code").fill(scene.shown_code())
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("who")).to_contain_text("陈管")


async def signed_in(scene: Scene, viewport: Any, role: Role = Role.ADMINISTRATOR) -> Page:
    """Open the console as somebody who has signed in already."""
    house = scene.case.product.house
    place = (await scene.case.doctor.actor()).institution_id if role is Role.INSTITUTION_ADMINISTRATOR else None
    name = f"账号{next(_numbers)}"
    link = await house.console.create_account(SYSTEM, name, role, place)
    secret = (await house.console.enrolment(link.code)).totp_secret
    await house.console.enrol(link.code, PASSWORD, shown_code(secret, used=False))
    token, _ = await house.console.sign_in(name, PASSWORD, shown_code(secret), "127.0.0.1", "")
    page = await scene.open(viewport)
    await page.context.add_cookies([{"name": "qiaoyi-console", "value": token, "url": house.settings.public}])
    await page.goto(f"{house.settings.public}/console")
    await expect(page.get_by_test_id("who")).to_be_visible()
    return page


async def go(page: Page, name: str) -> None:
    """Open a page by the list of pages, which a narrow window shows when it is asked for."""
    link = page.get_by_test_id(f"nav-{name}")
    if not await link.is_visible():
        await page.get_by_test_id("pages").click()
    await link.click()
    await expect(page.get_by_test_id(f"page-{name}")).to_be_visible()
