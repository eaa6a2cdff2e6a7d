"""Prescriptions over HTTP: written, signed, reviewed; nothing for the patient before; the page behind the code."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pypdfium2 as pdfium
import pytest
import pytest_asyncio
import zxingcpp
from aiohttp import web

from backend.clock import local
from backend.limits import MemoryRateLimits
from backend.prescription import pickup_number_said
from backend.security.policy import SYSTEM, Role
from miniprogram_api.verification import verification_route
from tests.miniprogram_api.conftest import PUBLIC_URL, Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House
from tests.support.prescribing import AMOXICILLIN, WARFARIN, tell_everything

LINE = {"preparation": AMOXICILLIN, "dose": "500", "frequency": "tid", "route": "oral", "days": 5, "note": "饭后吃"}


@dataclass
class Desk:
    """A case, its doctor, a pharmacist of the same centre and the patient, all logged in."""

    house: House
    case_id: str
    doctor: Api
    pharmacist: Api
    patient: Patient
    stranger: Patient

    async def draft(self) -> dict[str, object]:
        """Begin, and write what is often written."""
        begun = (await self.doctor.post(f"/consultations/{self.case_id}/prescriptions", {})).body
        body = {"revision": begun["revision"], "lines": [LINE], "diagnoses": ["J20.9"], "in_person": True}
        written = await self.doctor.put(f"/prescriptions/{begun['id']}", body)
        assert written.status == 200, written.body
        draft: dict[str, object] = written.body
        return draft

    async def signed(self) -> str:
        """Write and sign."""
        draft = await self.draft()
        path = f"/prescriptions/{draft['id']}/signature"
        answer = await self.doctor.post(path, {"revision": draft["revision"]})
        assert answer.status == 200, answer.body
        return str(draft["id"])

    async def approved(self) -> str:
        """Write, sign and approve."""
        id_ = await self.signed()
        answer = await self.pharmacist.post(f"/prescriptions/{id_}/approval", {})
        assert answer.status == 200, answer.body
        return id_


@pytest_asyncio.fixture
async def desk(house: House, api: Api, patient: Patient) -> Desk:
    pharmacist = await house.hire("叶青禾", Role.PHARMACIST, "青山镇卫生院", "", "主管药师")
    await tell_everything(house.services.people, house.services.records, patient.id)
    case_id = await cases.open_case(house, patient.id)
    view = await house.services.consultations.get(SYSTEM, case_id)
    doctor = await house.services.people.practitioner(view.doctor_id)
    assert doctor.person_id is not None
    for one in (doctor.id, pharmacist.practitioner_id or ""):
        await house.signing.issue(SYSTEM, one)
    stranger = await new_patient(house, api, "路人甲")
    return Desk(house, case_id, api.as_(doctor.person_id), api.as_(pharmacist.person_id), patient, stranger)


@pytest_asyncio.fixture
async def verification(house: House) -> AsyncIterator[str]:
    """The address of the page behind the codes."""
    application = web.Application()
    services = house.services
    application.add_routes(
        [verification_route(services.reports, services.prescriptions, services.dispensing, MemoryRateLimits(), ())]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/verify/"
    await runner.cleanup()


async def test_a_medicine_is_found_by_its_initials_and_its_dose_proposed(desk: Desk) -> None:
    found = (await desk.doctor.get("/medicines", q="amxl")).body["items"]
    assert found[0]["code"] == AMOXICILLIN
    draft = await desk.draft()
    proposed = (await desk.doctor.get(f"/prescriptions/{draft['id']}/proposal", preparation=AMOXICILLIN)).body
    assert proposed["line"]["dose"] == "500"
    assert {"code": "tid", "name": "每天三次"} in (await desk.doctor.get("/medicine-frequencies")).body["items"]


async def test_a_disease_is_found_by_a_part_of_its_name_and_the_draft_says_how_it_is_called(desk: Desk) -> None:
    found = (await desk.doctor.get("/diagnoses", q="支气管炎")).body["items"]
    assert {"code": "J20.9", "name": "急性支气管炎"} in found
    draft = await desk.draft()
    assert draft["diagnoses"] == [{"code": "J20.9", "name": "急性支气管炎"}]
    (medicine,) = (await desk.doctor.get(f"/prescriptions/{draft['id']}")).body["medicines"]
    assert (medicine["code"], medicine["unit"], medicine["piece"], medicine["strength"]) == (
        AMOXICILLIN,
        "mg",
        "粒",
        "250",
    )


@pytest.mark.parametrize("name", ["", " ", "\u3000\u00a0", "字" * 21])
async def test_a_template_has_a_name_that_can_be_seen(desk: Desk, name: str) -> None:
    draft = await desk.draft()
    answer = await desk.doctor.post(f"/prescriptions/{draft['id']}/template", {"name": name})
    assert (answer.status, answer.code) == (400, "invalid_input")
    kept = await desk.doctor.post(f"/prescriptions/{draft['id']}/template", {"name": "感冒常用"})
    assert kept.status == 201
    templates = (await desk.doctor.get("/prescription-templates")).body["items"]
    assert templates[0] == {"id": kept.body["id"], "name": "感冒常用", "medicines": 1, "own": True}


async def test_findings_come_with_every_change_and_a_reason_answers_a_warning(desk: Desk) -> None:
    draft = await desk.draft()
    long = {"revision": draft["revision"], "lines": [{**LINE, "days": 10}]}
    changed = (await desk.doctor.put(f"/prescriptions/{draft['id']}", long)).body
    (warning,) = [one for one in changed["findings"] if one["severity"] == "warning"]
    refused = await desk.doctor.post(f"/prescriptions/{draft['id']}/signature", {"revision": changed["revision"]})
    assert (refused.status, refused.code) == (409, "findings")
    body = {"revision": changed["revision"], "rule": warning["rule"], "subject": warning["subject"], "reason": "要用满"}
    answered = (await desk.doctor.post(f"/prescriptions/{draft['id']}/overrides", body)).body
    assert [one["reason"] for one in answered["findings"] if one["severity"] == "warning"] == ["要用满"]
    stale = await desk.doctor.put(f"/prescriptions/{draft['id']}", long)
    assert (stale.status, stale.code) == (409, "conflict")


@pytest.mark.parametrize(
    "line",
    [
        {**LINE, "dose": "-5"},
        {**LINE, "dose": "NaN"},
        {**LINE, "days": 0},
        {**LINE, "preparation": "no-such-medicine"},
        {**LINE, "frequency": "hourly"},
        {**LINE, "route": "eye"},
        {**LINE, "extra": 1},
    ],
)
async def test_a_wrong_line_is_refused(desk: Desk, line: dict[str, object]) -> None:
    draft = await desk.draft()
    answer = await desk.doctor.put(f"/prescriptions/{draft['id']}", {"revision": draft["revision"], "lines": [line]})
    assert (answer.status, answer.code) == (400, "invalid_input")


async def test_nothing_is_there_for_the_patient_before_the_approval(desk: Desk) -> None:
    id_ = await desk.signed()
    for path in (f"/prescriptions/{id_}", f"/prescriptions/{id_}/pdf"):
        assert (await desk.patient.api.get(path)).status == 404, path
    assert (await desk.patient.api.post(f"/prescriptions/{id_}/pdf/link", {})).status == 404
    assert (await desk.patient.api.get(f"/consultations/{desk.case_id}/prescriptions")).body["items"] == []
    await desk.pharmacist.post(f"/prescriptions/{id_}/approval", {})
    seen = (await desk.patient.api.get(f"/prescriptions/{id_}")).body
    assert seen["document"]["lines"][0]["name"] == "阿莫西林胶囊"
    assert seen["verification_code"].startswith("data:image/svg+xml")
    assert seen["lines"] == []


async def test_a_stranger_finds_nothing_at_all(desk: Desk) -> None:
    id_ = await desk.approved()
    api = desk.stranger.api
    for path in (f"/prescriptions/{id_}", f"/prescriptions/{id_}/pdf", f"/consultations/{desk.case_id}/prescriptions"):
        assert (await api.get(path)).status == 404, path
    for part in ("signature", "review", "approval", "return", "revocation", "pdf/link", "copy"):
        body = {"revision": 0} if part == "signature" else {"reason": "x"} if part in ("return", "revocation") else {}
        assert (await api.post(f"/prescriptions/{id_}/{part}", body)).status == 404, part
    for path in ("/prescription-queue", "/prescription-templates"):
        assert (await api.get(path)).status == 403, path


async def test_a_pharmacist_sees_the_queue_returns_and_approves(desk: Desk) -> None:
    id_ = await desk.signed()
    (waiting,) = (await desk.pharmacist.get("/prescription-queue")).body["items"]
    assert (waiting["id"], waiting["medicines"]) == (id_, 1)
    await desk.pharmacist.post(f"/prescriptions/{id_}/review", {})
    returned = await desk.pharmacist.post(f"/prescriptions/{id_}/return", {"reason": "天数太长"})
    assert returned.body["state"] == "draft"
    draft = (await desk.doctor.get(f"/prescriptions/{id_}")).body
    assert draft["return_reason"] == "天数太长"
    await desk.doctor.post(f"/prescriptions/{id_}/signature", {"revision": draft["revision"]})
    assert (await desk.pharmacist.post(f"/prescriptions/{id_}/approval", {})).body["state"] == "valid"


async def test_the_paper_says_what_was_signed_and_its_code_leads_to_the_page(desk: Desk, verification: str) -> None:
    id_ = await desk.approved()
    pdf = (await desk.patient.api.get(f"/prescriptions/{id_}/pdf")).body
    assert (await desk.doctor.get(f"/prescriptions/{id_}/pdf")).body == pdf, "one paper, whoever asks"
    document = pdfium.PdfDocument(pdf)
    assert len(document) == 1
    text = document[0].get_textpage().get_text_range()
    for said in ("处方", "王小明", "急性支气管炎（J20.9）", "阿莫西林胶囊", "2盒", "一次500mg（2粒）", "叶青禾", "Rp."):
        assert said in text, said
    picture = document[0].render(scale=3).to_pil()
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.text.startswith(f"{PUBLIC_URL}/verify/")
    view = await desk.house.services.prescriptions.prescription(SYSTEM, id_)
    assert f"取药码 {pickup_number_said(str(view.pickup_number))}" in text
    async with desk.doctor.http.get(verification + code.text.rsplit("/", 1)[1]) as answer:
        page = await answer.text()
    assert answer.status == 200
    assert "处方有效，可以发药" in page
    assert "王**" in page
    assert "王小明" not in page
    assert "支气管炎" not in page
    assert "阿莫西林胶囊" in page


async def test_the_page_says_in_big_words_when_it_cannot_be_used(desk: Desk, verification: str) -> None:
    id_ = await desk.approved()
    view = await desk.house.services.prescriptions.prescription(SYSTEM, id_)
    await desk.doctor.post(f"/prescriptions/{id_}/revocation", {"reason": "患者要住院"})
    async with desk.doctor.http.get(verification + str(view.code)) as answer:
        page = await answer.text()
    assert "<h1>这张处方已经作废</h1>" in page
    assert "住院" not in page
    other = await desk.approved()
    view = await desk.house.services.prescriptions.prescription(SYSTEM, other)
    desk.house.clock.advance(timedelta(days=3))
    await desk.house.settle()
    async with desk.doctor.http.get(verification + str(view.code)) as answer:
        assert "<h1>这张处方已经过期</h1>" in await answer.text()
    async with desk.doctor.http.get(verification + "some-guess") as answer:
        assert answer.status == 404


async def test_the_page_says_when_and_at_which_pharmacy_a_prescription_was_used(desk: Desk, verification: str) -> None:
    services, id_ = desk.house.services, await desk.approved()
    code = str((await services.prescriptions.prescription(SYSTEM, id_)).code)
    await services.people.put_institution(
        SYSTEM, "e" * 32, code="P1", name="桥头<大>药房", kind="pharmacy", region="桥县", address="街上",
        latitude=30.0, longitude=114.0,
    )  # fmt: skip
    desk.house.institutions["桥头<大>药房"] = "e" * 32
    druggist = await desk.house.hire("孙近", Role.PHARMACIST, "桥头<大>药房", "", "药师")
    await services.dispensing.redeem(druggist, code)
    now = local(desk.house.clock.now())
    async with desk.doctor.http.get(verification + code) as answer:
        page = await answer.text()
    assert "<h1>这张处方已经用过了</h1>" in page
    assert f"{now:%Y年%m月%d日 %H:%M}，药在桥头&lt;大&gt;药房发完了，不能再发。" in page
    assert "桥头&lt;大&gt;药房（柜台取药）发了第1种" in page
    assert "1. 【已发】阿莫西林胶囊" in page
    assert "王小明" not in page


async def test_the_seal_holds_and_no_changed_byte_passes(desk: Desk) -> None:
    id_ = await desk.approved()
    papers = desk.doctor.context.papers
    pdf = (await desk.doctor.get(f"/prescriptions/{id_}/pdf")).body
    assert await papers.genuine(pdf)
    places = [pdf.index(b"/Contents") + 3, pdf.index(b"stream") + 30, pdf.index(b"/CreationDate") + 16]
    for place in places:
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not await papers.genuine(bytes(changed)), place
    assert not await papers.genuine(pdf + b"\n% more")
    assert not await papers.genuine(b"%PDF-1.7 nothing")
    assert not await papers.genuine(b"")


async def test_a_link_opens_the_paper_for_half_an_hour(desk: Desk) -> None:
    id_ = await desk.approved()
    link = (await desk.patient.api.post(f"/prescriptions/{id_}/pdf/link", {})).body["address"]
    async with desk.doctor.http.get(desk.doctor.url + link) as answer:
        assert (answer.status, answer.content_type) == (200, "application/pdf")
        assert pdfium.PdfDocument(io.BytesIO(await answer.read()))
    desk.house.clock.advance(timedelta(minutes=31))
    async with desk.doctor.http.get(desk.doctor.url + link) as answer:
        assert answer.status == 404


async def test_interactions_that_forbid_are_a_conflict_with_their_rules(desk: Desk) -> None:
    draft = await desk.draft()
    ibuprofen = {**LINE, "preparation": "ibuprofen-tablet-200-24", "dose": "200", "days": 3}
    warfarin = {**LINE, "preparation": WARFARIN, "dose": "2.5", "frequency": "qd"}
    body = {"revision": draft["revision"], "lines": [ibuprofen, warfarin]}
    changed = (await desk.doctor.put(f"/prescriptions/{draft['id']}", body)).body
    (stop,) = [one for one in changed["findings"] if one["severity"] == "stop"]
    answer = await desk.doctor.post(f"/prescriptions/{draft['id']}/signature", {"revision": changed["revision"]})
    assert answer.code == "findings"
    assert stop["sentence"] in answer.body["message"]
