"""A signed report over HTTP: its PDF, its resources of FHIR, and the page behind the QR code on paper."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.imagingstudy import ImagingStudy
from sqlalchemy import update

from backend.limits import MemoryRateLimits
from backend.reporting import ReportView
from backend.reporting.tables import Report
from backend.security.policy import SYSTEM, Actor
from miniprogram_api.verification import verification_route
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed


@dataclass
class Signed:
    """A report that an expert has signed."""

    report: ReportView
    expert: Actor
    house: House
    patient: Patient

    @property
    def path(self) -> str:
        """Of the report, below /api/v1."""
        return f"/reports/{self.report.id}"

    async def amend(self) -> ReportView:
        """Sign another version."""
        reports = self.house.services.reports
        draft = await reports.amend(self.expert, self.report.id, "补充")
        return await reports.sign(self.expert, draft.id, revision=draft.revision)


@pytest.fixture
async def signed(house: House, patient: Patient) -> Signed:
    """A signed report of a CT."""
    imaging, reports = house.services.imaging, house.services.reports
    case_id = await patient.case()
    case = await house.services.consultations.reference(case_id)
    assert case is not None
    new = await imaging.register_stow_sender(SYSTEM, case.institution_id, "放射科CT")
    machine = await imaging.sender_of_token(new.token)
    assert machine is not None
    image = ct_slice(1, **of_patient("王小明", accession=case.number))
    await imaging.receive(machine, streamed(as_file(image)))
    expert = await cases.staff(house, "钟专家")
    draft = await reports.draft(expert, case_id, image.StudyInstanceUID)
    draft = await reports.write(
        expert, draft.id, examination="胸部CT平扫", findings="右肺上叶结节。", impression="右肺结节<8mm，建议复查。"
    )
    report = await reports.sign(expert, draft.id, revision=draft.revision)
    return Signed(report, expert, house, patient)


async def test_those_who_take_part_get_the_pdf_and_others_do_not_learn_of_it(
    house: House, api: Api, signed: Signed
) -> None:
    staff = [api.as_((await cases.staff(house, name)).person_id) for name in ("村医甲", "钟专家")]
    for reader in (signed.patient.api, *staff):
        answer = await reader.get(f"{signed.path}/pdf")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.body.startswith(b"%PDF")
    stranger = await new_patient(house, api, "赵强")
    for path in ("/pdf", "/fhir"):
        assert (await stranger.api.get(signed.path + path)).status == 404
        assert (await api.get(signed.path + path)).status == 401
    assert (await stranger.api.post(f"{signed.path}/pdf/link", {})).status == 404


async def test_an_address_opens_the_pdf_for_half_an_hour(house: House, api: Api, signed: Signed) -> None:
    link = await signed.patient.api.post(f"{signed.path}/pdf/link", {})
    assert link.status == 201
    url = api.url + link.body["address"]
    async with api.http.get(url) as response:
        assert (response.status, response.content_type) == (200, "application/pdf")
    async with api.http.get(url.replace(signed.report.id, "0" * 32)) as response:
        assert response.status == 404
    house.clock.advance(timedelta(minutes=31))
    async with api.http.get(url) as response:
        assert response.status == 404


async def test_a_report_and_its_study_are_given_in_fhir(signed: Signed) -> None:
    answer = await signed.patient.api.get(f"{signed.path}/fhir")
    report: Any = DiagnosticReport.model_validate(answer.body["diagnostic_report"])
    study: Any = ImagingStudy.model_validate(answer.body["imaging_study"])
    assert report.conclusion == signed.report.impression
    assert report.imagingStudy[0].reference == f"ImagingStudy/{study.id}"
    assert report.presentedForm[0].url.endswith(f"/api/v1{signed.path}/pdf")


@dataclass
class Page:
    """The verification page as a scanner's browser gets it."""

    url: str
    http: aiohttp.ClientSession

    async def open(self, code: str) -> tuple[int, str, dict[str, str]]:
        """Status, text without marks, headers."""
        async with self.http.get(f"{self.url}/verify/{code}") as response:
            text = await response.text()
            assert "<script" not in text
            return response.status, re.sub(r"<style>.*?</style>|<[^>]+>", "\n", text), dict(response.headers)


@pytest.fixture
async def page(house: House) -> AsyncIterator[Page]:
    """The page's server."""
    application = web.Application()
    services = house.services
    application.add_routes(
        [verification_route(services.reports, services.prescriptions, services.dispensing, MemoryRateLimits(), ())]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Page(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    await runner.cleanup()


async def test_the_page_says_that_a_paper_is_genuine_and_names_nobody_in_full(page: Page, signed: Signed) -> None:
    status, words, headers = await page.open(signed.report.code or "")
    assert status == 200
    for part in ("这份报告是真的", "王**", "胸部CT平扫", "右肺结节&lt;8mm", "钟专家", "省人民医院"):
        assert part in words
    assert "王小明" not in words
    assert "右肺上叶结节" not in words  # what the findings say is for those who read the report
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_the_page_says_that_a_newer_version_replaced_a_paper(page: Page, signed: Signed) -> None:
    second = await signed.amend()
    _, words, _ = await page.open(signed.report.code or "")
    assert "已经作废" in words
    assert "现在要看第2版" in words
    assert "这份报告是真的" in (await page.open(second.code or ""))[1]


async def test_the_page_says_that_a_changed_report_is_not_to_be_believed(page: Page, signed: Signed) -> None:
    async with signed.house.database.transaction() as session:
        await session.execute(update(Report).values(impression="未见异常。"))
    _, words, _ = await page.open(signed.report.code or "")
    assert "不要相信" in words
    assert "未见异常" not in words


@pytest.mark.parametrize("code", ["x" * 22, "短", "%3Cscript%3E", "a/b", "..%2f..%2fetc"])
async def test_an_unknown_code_is_said_to_be_unknown(page: Page, signed: Signed, code: str) -> None:
    status, words, headers = await page.open(code)
    assert status == 404
    assert "没有查到" in words
    assert headers["Cache-Control"] == "no-store"


async def test_who_looks_too_often_has_to_wait(page: Page, signed: Signed) -> None:
    seen = [(await page.open("x" * 22))[0] for _ in range(31)]
    assert seen == [404] * 30 + [429]


async def test_no_log_line_holds_a_code(page: Page, signed: Signed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await page.open(signed.report.code or "")
    await page.open("unknowncodeunknowncode")
    assert str(signed.report.code) not in caplog.text
    assert "unknowncode" not in caplog.text
