"""Markup in every text that there is of a patient, on every page in Chromium and in every file: it is text."""

import io
import json
import multiprocessing
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect
from sqlalchemy import LargeBinary, Table, type_coerce, update

from backend.db import Base, EncryptedText
from backend.masking.copying import read, sealed
from backend.masking.rules import MASKED, How, how
from backend.rights.holdings import HOLDINGS
from backend.security.policy import SYSTEM
from qiaoyi.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.product import Member
from tests.web.conftest import WIDE
from tests.web.console_pages import Scene as ConsoleScene
from tests.web.console_pages import signed_in
from tests.web.test_prescription_page import Scene, clinic_scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVIL = "<img src=x onerror=alert(1)>"
"""As long as a name may be; what comes before it would be lost in a shorter one."""
LONG_EVIL = f"\"'>{EVIL}<script>alert(2)</script><svg onload=alert(3)></svg>{{{{7*7}}}}[一](javascript:alert(4))"
RUNS_IN_PDF = re.compile(rb"/(?:JS|JavaScript|Launch|OpenAction|SubmitForm|EmbeddedFile)\b")
MADE_OF_TEXT = """() => [...document.querySelectorAll('img[src="x"], svg[onload], [onerror], [href^="javascript:"]')]
    .map(one => one.outerHTML)"""
WRITTEN = (How.NAME, How.ADDRESS, How.SCRUBBED, How.VALUES)
LISTS = ("dashboard", "cases", "people", "money", "imaging", "prescriptions", "teaching", "deliveries", "audit")


@dataclass
class Watch:
    """What pages did that they should not."""

    problems: list[str] = field(default_factory=list)
    shown_on: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Notice everything that a text could make a page do."""
        page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda one: self.problems.append(one.url) if one.url.endswith(("/x", "%3E")) else None)
        page.on(
            "console", lambda line: self.problems.append(line.text) if "Content Security Policy" in line.text else None
        )

    async def look(self, page: Page, name: str) -> None:
        """See that what a page shows is text."""
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate(MADE_OF_TEXT) == [], name
        if "onerror=alert" in await page.locator("body").inner_text():
            self.shown_on.append(name)


def begin_processes() -> None:
    """Let what processes are forked from import what it needs, before there is a product that waits for it."""
    first = multiprocessing.get_context("forkserver").Process(target=str)
    first.start()
    first.join()


async def poison(house: House) -> int:
    """Put markup into every text of every row of every patient; give into how many values."""
    count = 0
    for table in Base.metadata.sorted_tables:
        columns = [one for one in table.columns if table.name in MASKED and how(one) in WRITTEN]
        if table.name not in HOLDINGS or not columns:
            continue
        async with house.database.reading() as session:
            rows = [row async for part in read(await session.connection(), house.ring, table) for row in part]
        for row in rows:
            fresh = {one.name: _hostile(row[one.name], how(one)) for one in columns if row[one.name]}
            count += len(fresh)
            await _put(house, table, row, fresh)
    return count


def _hostile(value: Any, kind: How | None) -> Any:
    if isinstance(value, dict):
        return {key: _hostile(inner, kind) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hostile(inner, kind) for inner in value]
    if not isinstance(value, str) or (kind is How.VALUES and not re.search("[\u4e00-\u9fff]", value)):
        return value
    return f"{EVIL}王" if kind is How.NAME else f"{LONG_EVIL}{value}"


async def _put(house: House, table: Table, row: dict[str, Any], fresh: dict[str, Any]) -> None:
    values = {}
    for name in fresh:
        kind = table.c[name].type
        assert isinstance(kind, EncryptedText)
        values[name] = type_coerce(sealed(house.ring, table, name, kind, row | fresh), LargeBinary)
    which = [column == row[column.name] for column in table.primary_key.columns]
    if values:
        async with house.database.transaction() as session:
            await session.execute(update(table).where(*which).values(values))


async def told(scene: Scene) -> str:
    """Let everybody say something, and a study come; give its identifier."""
    house, case = scene.product.house, scene.case
    care, patient, expert = house.consultations, await case.patient.actor(), await case.expert.actor()
    await care.start(expert, case.id)
    await care.post(patient, case.id, text="我还有点头晕")
    await care.request_supplement(expert, case.id, "痰是什么颜色？")
    await care.answer_supplement(await case.doctor.actor(), case.id, "黄色的")
    place = (await case.doctor.actor()).institution_id
    assert place is not None
    machine = await house.imaging.sender_of_token(
        (await house.imaging.register_stow_sender(SYSTEM, place, "放射科CT")).token
    )
    assert machine is not None
    number = (await care.get(SYSTEM, case.id)).number
    image = ct_slice(StudyDescription=EVIL, StudyDate="20261121", **of_patient("王^小明", accession=number))
    await house.imaging.receive(machine, streamed(as_file(image)))
    return str(image.StudyInstanceUID)


async def papers(scene: Scene, study: str) -> tuple[str, str, str]:
    """Sign a report and a prescription over what is written; give the report, its code, and the prescription."""
    house, expert = scene.product.house, await scene.case.expert.actor()
    draft = await house.reports.draft(expert, scene.case.id, study)
    findings, impression = f"右肺上叶见结节，直径约8毫米。{LONG_EVIL}", f"右肺上叶结节，建议3个月复查。{LONG_EVIL}"
    draft = await house.reports.write(
        expert, draft.id, examination=f"胸部CT平扫{EVIL}", findings=findings, impression=impression
    )
    report = await house.reports.sign(expert, draft.id, revision=draft.revision)
    assert report.code
    prescription_id = await scene.signed()
    await scene.approve(prescription_id)
    return report.id, report.code, prescription_id


async def test_whatever_is_written_of_a_patient_is_text_on_every_page_and_in_every_file(
    browser: Browser, tmp_path: Path, counted: Callable[[str], None]
) -> None:
    watch = Watch()
    begin_processes()
    async with clinic_scene(browser, tmp_path) as scene:
        study = await told(scene)
        poisoned = await poison(scene.product.house)
        report_id, code, prescription_id = await papers(scene, study)
        public = scene.product.house.settings.public
        case_id, case = scene.case.id, scene.case
        pages = [f"/h5/{name}/{case_id}" for name in ("history", "reports", "viewer", "studies", "recordings", "rooms")]
        for member in (case.patient, case.doctor, case.expert):
            page = await _window(scene, member, watch)
            for path in [*pages, f"/h5/prescriptions/{prescription_id}"]:
                await page.goto(f"{public}{path}")
                await expect(page.locator("h1, h2").first).to_be_visible()
                await watch.look(page, path.split("/")[2])
            await page.context.close()
        page = await _window(scene, case.patient, watch)
        await page.goto(f"{public}/verify/{code}")
        await watch.look(page, "verify")
        await _look_at_the_console(scene, watch)
        await _look_at_the_files(scene, report_id, prescription_id)
    assert watch.problems == []
    assert {"history", "reports", "verify", "console case"} <= set(watch.shown_on)
    counted(f"hostile text: {poisoned} values, shown as text on {sorted(set(watch.shown_on))}")


async def _window(scene: Scene, member: Member, watch: Watch) -> Page:
    context = await scene.browser.new_context(viewport=WIDE, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    watch.over(page)

    async def lead_back(route: Route) -> None:
        await route.fulfill(status=302, headers={"Location": await member.phone.open(route.request.url)})

    await page.route("**/connect/oauth2/authorize?*", lead_back)
    return page


async def _look_at_the_console(scene: Scene, watch: Watch) -> None:
    page = await signed_in(ConsoleScene(scene.case, scene.case.id, scene.browser), WIDE)
    watch.over(page)
    public = scene.product.house.settings.public
    for name in LISTS:
        await page.goto(f"{public}/console#/{name}")
        await expect(page.get_by_test_id(f"page-{name}")).to_be_visible()
        await watch.look(page, f"console {name}")
    await page.goto(f"{public}/console#/cases/{scene.case.id}")
    await expect(page.get_by_test_id("case")).to_contain_text(EVIL)
    await watch.look(page, "console case")


async def _look_at_the_files(scene: Scene, report_id: str, prescription_id: str) -> None:
    """The papers run nothing, and the copy of the data says what was written without a tag of it."""
    house = scene.product.house
    patient = await scene.case.patient.actor()
    copied = zipfile.ZipFile(io.BytesIO(await house.copies.copy(patient)))
    files = {name: copied.read(name) for name in copied.namelist()}
    files["report.pdf"] = await house.documents.pdf(patient, report_id)
    files["prescription.pdf"] = await house.papers.pdf(patient, prescription_id)
    for name, content in files.items():
        if name.endswith(".pdf"):
            assert content.startswith(b"%PDF-"), name
            assert RUNS_IN_PDF.search(content) is None, name
    bundles = [json.loads(content) for name, content in files.items() if name.endswith(".json")]
    assert "onerror" in json.dumps(bundles)
    assert [text for bundle in bundles for text in _narratives(bundle) if re.search("<(img|script|svg)", text)] == []


def _narratives(held: Any) -> list[str]:
    """Every piece of XHTML in a resource."""
    if isinstance(held, list):
        return [text for one in held for text in _narratives(one)]
    if not isinstance(held, dict):
        return []
    own = [held["div"]] if isinstance(held.get("div"), str) else []
    return own + [text for one in held.values() for text in _narratives(one)]
