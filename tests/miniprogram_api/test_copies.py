"""The copy of a person's data: their own, whole, behind an address that runs out."""

import io
import json
import zipfile
from datetime import timedelta

import pypdfium2
import pytest_asyncio

from backend.rights import Part
from backend.rights.copies import FHIR_NAME, NOTE_NAME, PDF_NAME
from backend.security.policy import SYSTEM
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.fhir_models import read_resource
from tests.support.house import House


@pytest_asyncio.fixture
async def treated(house: House, api: Api, patient: Patient) -> Patient:
    """A patient whose case is over, beside another whose case is not theirs."""
    case_id = await patient.case()
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    other = await new_patient(house, api, "路人甲")
    await cases.open_case(house, other.id)
    return patient


async def fetch(api: Api, token: str) -> tuple[int, bytes]:
    async with api.http.get(f"{api.url}/h5/copies/{token}.zip") as response:
        return response.status, await response.read()


async def test_it_holds_what_is_the_persons_own_to_read_and_to_take_elsewhere(treated: Patient, api: Api) -> None:
    token, _ = api.context.copy_links.mint(treated.id)
    status, body = await fetch(api, token)
    assert status == 200
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert set(archive.namelist()) == {PDF_NAME, FHIR_NAME, NOTE_NAME}
    document = pypdfium2.PdfDocument(archive.read(PDF_NAME))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    for words in ("王小明", "咳嗽3天", "急性支气管炎", "多喝水，休息一周", "钟专家", "同意第"):
        assert words in text, words
    assert "路人甲" not in text
    bundle = json.loads(archive.read(FHIR_NAME))
    types = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert {"Patient", "Encounter", "Consent"} <= types
    patients = {entry["resource"]["id"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Patient"}
    assert patients == {treated.id}
    assert "路人甲" not in archive.read(FHIR_NAME).decode()
    assert len(read_resource(bundle).entry) == len(bundle["entry"])


async def test_what_was_put_right_stands_beside_what_was_written(treated: Patient, api: Api, house: House) -> None:
    amendments, me = house.services.amendments, await house.actor(treated.id)
    [case] = await house.services.consultations.list_for(me)
    asked = await amendments.ask(me, case.id, Part.HISTORY, "是五天，不是三天")
    await amendments.write(await cases.staff(house, "村医甲"), asked.id, "咳嗽应为五天。")
    token, _ = api.context.copy_links.mint(treated.id)
    _, body = await fetch(api, token)
    document = pypdfium2.PdfDocument(zipfile.ZipFile(io.BytesIO(body)).read(PDF_NAME))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert "咳嗽3天" in text
    assert "更正（村医甲医生，病情经过）：咳嗽应为五天。" in text


async def test_that_it_was_made_is_in_the_log(treated: Patient, api: Api, house: House) -> None:
    token, _ = api.context.copy_links.mint(treated.id)
    await fetch(api, token)
    told = await house.audit.entries(SYSTEM, patient_id=treated.id, limit=200)
    assert any(one.action == "people.copy" and one.actor_id == treated.id for one in told)


async def test_the_address_runs_out_and_no_other_opens_it(treated: Patient, api: Api, house: House) -> None:
    token, _ = api.context.copy_links.mint(treated.id)
    session, _ = api.context.sessions.mint(treated.id)
    report, _ = api.context.report_links.mint(treated.id)
    for wrong in (session, report, token[:-1] + ("A" if token[-1] != "A" else "B"), "x"):
        assert (await fetch(api, wrong))[0] == 404
    house.clock.advance(timedelta(minutes=31))
    assert (await fetch(api, token))[0] == 404


async def test_it_is_not_made_without_end(treated: Patient, api: Api) -> None:
    token, _ = api.context.copy_links.mint(treated.id)
    answers = [(await fetch(api, token))[0] for _ in range(6)]
    assert answers == [200] * 5 + [429]
