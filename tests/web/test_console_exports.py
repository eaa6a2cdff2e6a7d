"""The page about exports for research: asked for, refused with a reason, made and taken away, read by the auditor.

Screenshots go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.people import ConsentKind
from backend.security.policy import Role
from tests.web.conftest import NARROW
from tests.web.console_pages import BOTH, WIDE, Scene, console_scene, go, looks_good, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def scene(browser: Browser, pages_folder: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    """The console of a running product."""
    async with console_scene(browser, pages_folder, tmp_path) as stage:
        yield stage


async def finish_cases(scene: Scene, people: int) -> None:
    """Two finished cases of each of so many people who agreed to research."""
    house, care = scene.case.product.house, scene.case.product.house.consultations
    doctor, expert = await scene.case.doctor.actor(), await scene.case.expert.actor()
    assert doctor.institution_id is not None
    for number in range(people):
        patient = await house.people.actor(await house.people.register(f"司马{'甲乙丙丁戊己庚'[number]}"))
        for kind in (ConsentKind.CARE, ConsentKind.RESEARCH):
            await house.people.give_consent(patient, house.people.consent_document(kind).version, kind)
        for code in ("J18.9", "I10"):
            case = await care.open(
                patient, patient_id=patient.person_id, institution_id=doctor.institution_id,
                record={"chief_complaint": "咳嗽"}, facts={}, department_code="respiratory", urgency="routine",
            )  # fmt: skip
            await care.submit(doctor, case.id)
            offers = await care.offers_for(expert)
            await care.accept_offer(expert, next(one.id for one in offers if one.consultation_id == case.id))
            await care.start(expert, case.id)
            await care.record_opinion(expert, case.id, icd10=code, diagnosis="肺炎", plan="休息")
            await care.complete(expert, case.id)


def folder(tmp_path: Path) -> Path:
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


async def ask(page: Page, purpose: str) -> None:
    await page.get_by_test_id("purpose").fill(purpose)
    await page.get_by_test_id("go").click()


async def test_an_administrator_exports_and_an_auditor_reads_what_was_exported(scene: Scene, tmp_path: Path) -> None:
    page = await signed_in(scene, WIDE)
    await go(page, "exports")
    await expect(page.get_by_test_id("exports")).to_contain_text("还没有导出过")
    await expect(page.get_by_test_id("ask")).to_contain_text("不少于5")
    await expect(page.get_by_test_id("go")).to_be_disabled()
    await page.get_by_test_id("k").fill("2")
    await page.get_by_test_id("purpose").fill("慢阻肺用药研究")
    await page.get_by_test_id("go").click()
    assert await page.get_by_test_id("k").evaluate("one => !one.checkValidity()")
    await page.get_by_test_id("k").fill("5")
    await page.get_by_test_id("go").click()
    await expect(page.get_by_test_id("exports")).to_contain_text("只有0人，少于要求的5人", timeout=60_000)

    await finish_cases(scene, 6)
    await page.get_by_test_id("text").check()
    await ask(page, "肺炎与高血压的地区差别")
    await expect(page.get_by_test_id("exports")).to_contain_text("6人，12例；每组至少6人", timeout=60_000)
    await page.get_by_text("6人，12例；每组至少6人").click()
    await expect(page.get_by_test_id("exports")).to_contain_text("诊断：到病种")
    await looks_good(page)
    await page.screenshot(path=folder(tmp_path) / "exports-wide.png", full_page=True)
    async with page.expect_download() as taken:
        await page.get_by_test_id("save").click()
    rows: list[dict[str, Any]] = pq.read_table(await (await taken.value).path()).to_pylist()
    assert len(rows) == 12
    assert "司马" not in str(rows)

    narrow = await signed_in(scene, NARROW)
    await go(narrow, "exports")
    await expect(narrow.get_by_test_id("exports")).to_contain_text("肺炎与高血压的地区差别")
    await looks_good(narrow)
    await narrow.screenshot(path=folder(tmp_path) / "exports-narrow.png", full_page=True)

    for viewport in BOTH:
        reader = await signed_in(scene, viewport, Role.AUDITOR)
        await go(reader, "exports")
        await expect(reader.get_by_test_id("exports")).to_contain_text("肺炎与高血压的地区差别")
        await expect(reader.get_by_test_id("ask")).to_have_count(0)
        await expect(reader.get_by_test_id("save")).to_have_count(0)
        await looks_good(reader)
