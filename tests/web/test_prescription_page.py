"""The page of a prescription in Chromium on the real product: what its patient reads, by day and by night."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, Route, expect

from backend.db import install_key_ring
from backend.security.policy import SYSTEM, Actor, Role
from tests.support.prescribing import amoxicillin, tell_everything
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.web.conftest import NARROW, WIDE
from tests.web.test_report_page import require_good_looks

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    """A product with a case whose doctor and pharmacist can sign."""

    product: RunningProduct
    case: BookedCase
    pharmacist: Actor
    browser: Browser
    problems: list[str] = field(default_factory=list)

    async def signed(self) -> str:
        """Write and sign a prescription without the page; give its identifier."""
        doctor, service = await self.case.doctor.actor(), self.product.house.prescriptions
        draft = await service.draft(doctor, self.case.id)
        draft = await service.write(doctor, draft.id, lines=[amoxicillin()], diagnoses=["J20.9"], in_person=True)
        for warning in draft.unanswered:
            draft = await service.override(doctor, draft.id, warning.rule, warning.subject, "当面问过了")
        assert not draft.stops, draft.stops
        return (await service.sign(doctor, draft.id, revision=draft.revision)).id

    async def approve(self, prescription_id: str) -> None:
        """Approve it."""
        await self.product.house.prescriptions.approve(self.pharmacist, prescription_id)

    async def open(self, member: Member, prescription_id: str, heading: str = "处方", **options: Any) -> Page:
        """Open the page in a window of its own, as a member's phone says who that is."""
        options = {"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce"} | options
        page = await (await self.browser.new_context(**options)).new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))

        async def lead_back(route: Route) -> None:
            await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

        await page.route("**/connect/oauth2/authorize?*", lead_back)
        await page.goto(f"{self.product.house.settings.public}/h5/prescriptions/{prescription_id}")
        await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        return page


@asynccontextmanager
async def clinic_scene(browser: Browser, folder: Path) -> AsyncIterator[Scene]:
    """A product in which a case's doctor and pharmacist can sign."""
    async with running_product(folder) as product:
        case, house = await booked_case(product), product.house
        doctor = await case.doctor.actor()
        assert doctor.institution_id is not None
        await house.people.put_practitioner(
            SYSTEM,
            "f" * 32,
            role=Role.PHARMACIST,
            name="叶青禾",
            licence_number="PHARMACIST",
            institution_id=doctor.institution_id,
            department_code="",
            title="主管药师",
            practising_since=2007,
        )
        person_id = await house.people.register("叶青禾")
        await house.people.accept_invitation(person_id, (await house.people.create_invitation(SYSTEM, "f" * 32)).scene)
        for one in (doctor.practitioner_id or "", "f" * 32):
            await house.signing.issue(SYSTEM, one)
        patient = (await house.consultations.get(SYSTEM, case.id)).patient_id
        await tell_everything(house.people, house.records, patient)
        yield Scene(product, case, await house.people.actor(person_id), browser)


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


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
async def test_the_patient_reads_it_and_shows_its_code(scene: Scene, viewport: Any, tmp_path: Path) -> None:
    id_ = await scene.signed()
    await scene.approve(id_)
    page = await scene.open(scene.case.patient, id_, viewport=viewport)
    await expect(page.get_by_test_id("state")).to_contain_text("可以取药")
    await expect(page.get_by_test_id("medicine-0")).to_contain_text("口服，每天三次，一次2粒，用5天，饭后吃")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await require_good_looks(page, viewport["width"])
        await page.get_by_test_id("code").screenshot(path=tmp_path / "code.png")
        (code,) = zxingcpp.read_barcodes(Image.open(tmp_path / "code.png"))
        assert "/verify/" in code.text


async def test_before_the_approval_there_is_nothing_and_a_revoked_one_says_so(scene: Scene) -> None:
    id_ = await scene.signed()
    page = await scene.open(scene.case.patient, id_, viewport=NARROW)
    await expect(page.get_by_test_id("notice")).to_contain_text("药师审核通过以后才能看")
    await require_good_looks(page, NARROW["width"])
    await scene.approve(id_)
    await page.get_by_test_id("notice-again").click()
    await expect(page.get_by_test_id("state")).to_contain_text("可以取药")
    doctor = await scene.case.doctor.actor()
    await scene.product.house.prescriptions.revoke(doctor, id_, "患者要住院")
    await page.reload()
    await expect(page.get_by_test_id("state")).to_contain_text("已经作废")
    await expect(page.get_by_test_id("code")).to_have_count(0)
    await require_good_looks(page, NARROW["width"])


async def test_the_paper_opens_from_the_page(scene: Scene) -> None:
    id_ = await scene.signed()
    await scene.approve(id_)
    page = await scene.open(scene.case.patient, id_, viewport=NARROW)
    async with page.expect_request("**/h5/prescriptions/*.pdf") as asked:
        await page.get_by_test_id("paper").click()
    request = await asked.value
    assert request.url.startswith(scene.product.house.settings.public)
