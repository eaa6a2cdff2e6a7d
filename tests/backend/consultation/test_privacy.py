"""Who sees what, what stands in the audit log, and what lies readable on the disk."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.consultation import Status
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.security.policy import SYSTEM, Role
from backend.security.tables import AuditEntry
from tests.support.clinic import Clinic, practitioner_of


async def test_strangers_see_nothing(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    care = clinic.care
    for stranger in (await clinic.patient("路人"), await clinic.expert()):
        for read in (care.get, care.timeline, care.attachments, care.messages, care.supplements, care.offers_of):
            with pytest.raises(Forbidden):
                await read(stranger, case.id)
        assert await care.list_for(stranger) == []
    with pytest.raises(NotFound):
        await care.get(doctor, "0" * 32)


async def test_an_expert_who_is_asked_reads_the_case_but_not_the_name(clinic: Clinic) -> None:
    patient, doctor, expert = await clinic.patient("王小明"), await clinic.doctor(), await clinic.expert()
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    seen = await clinic.care.get(expert, case.id)
    assert (seen.patient_name, seen.clinical, seen.record) == ("王**", True, case.record)
    await clinic.accept(expert, case.id)
    assert (await clinic.care.get(expert, case.id)).patient_name == "王小明"


async def test_an_expert_who_declined_or_lost_sees_no_more(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    winner, loser, refuser = await clinic.expert("赵一"), await clinic.expert("钱二"), await clinic.expert("孙三")
    case = await clinic.draft(patient)
    await clinic.care.submit(doctor, case.id)
    offers = await clinic.offers(case.id)
    await clinic.care.decline_offer(refuser, offers[practitioner_of(refuser)])
    await clinic.accept(winner, case.id)
    for expert in (loser, refuser):
        with pytest.raises(Forbidden):
            await clinic.care.get(expert, case.id)


async def test_an_administrator_steers_a_case_without_reading_what_is_clinical(clinic: Clinic) -> None:
    patient, doctor, administrator = await clinic.patient(), await clinic.doctor(), await clinic.administrator()
    case = await clinic.draft(patient)
    await clinic.care.add_findings(doctor, case.id, vitals={"temperature": 38.5}, text="双肺湿啰音")
    seen = await clinic.care.get(administrator, case.id)
    assert (seen.clinical, seen.record, seen.findings, seen.vitals) == (False, {}, "", {})
    assert "湿啰音" not in str(await clinic.care.timeline(administrator, case.id))
    assert [one.id for one in await clinic.care.list_for(administrator)] == [case.id]
    with pytest.raises(Forbidden):
        await clinic.care.messages(administrator, case.id)


async def test_each_read_of_what_is_clinical_is_in_the_audit_log(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    case = await clinic.draft(patient)
    await clinic.care.get(doctor, case.id)
    await clinic.care.messages(patient, case.id)
    async with clinic.database.reading() as session:
        rows = await session.execute(
            select(AuditEntry.actor_id, AuditEntry.patient_id)
            .where(AuditEntry.action == "consultation.read_record", AuditEntry.subject == f"consultation:{case.id}")
            .order_by(AuditEntry.id)
        )
        readers = [tuple(row) for row in rows]
    assert readers[-2:] == [(doctor.person_id, patient.person_id), (patient.person_id, patient.person_id)]


async def test_lists_are_paged_and_filtered(clinic: Clinic) -> None:
    patient, doctor = await clinic.patient(), await clinic.doctor()
    cases = [await clinic.draft(patient) for _ in range(5)]
    await clinic.care.cancel(patient, cases[0].id, "好了")
    latest_first = [case.id for case in reversed(cases)]
    care = clinic.care
    assert [one.id for one in await care.list_for(patient, limit=2)] == latest_first[:2]
    assert [one.id for one in await care.list_for(patient, limit=2, offset=2)] == latest_first[2:4]
    assert [one.id for one in await care.list_for(doctor, status=Status.DRAFT)] == latest_first[:4]
    assert [one.id for one in await care.list_for(doctor, role=Role.EXPERT)] == []
    assert [one.id for one in await care.list_for(SYSTEM, status=Status.CANCELLED)] == [cases[0].id]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_that_people_say_lies_readable_on_the_disk(
    clinic: Clinic, database: Database, tmp_path: Path
) -> None:
    patient, doctor, expert = await clinic.patient("欧阳娜娜"), await clinic.doctor(), await clinic.expert()
    care = clinic.care
    said = ["主诉", "体征", "问题", "消息", "诊断", "方案", "评价", "说明", "补充"]
    case = await clinic.draft(
        patient, record={"text": "机密主诉"}, facts={"text": "机密主诉"}, urgency_reason="机密主诉", urgency="urgent"
    )
    await care.add_findings(doctor, case.id, text="机密体征")
    await care.attach(doctor, case.id, await clinic.picture(doctor), "机密说明")
    await care.submit(doctor, case.id, icd10="J18.9", question="机密问题")
    await clinic.accept(expert, case.id)
    await care.request_supplement(expert, case.id, "机密补充")
    await care.answer_supplement(doctor, case.id, "机密补充")
    await care.start(expert, case.id)
    await care.post(patient, case.id, text="机密消息")
    await care.record_opinion(expert, case.id, diagnosis="机密诊断", plan="机密方案")
    await care.complete(expert, case.id)
    await care.rate(patient, case.id, 3, "机密评价")
    await database.close()
    stored = await asyncio.to_thread(_everything_in, tmp_path)
    assert b"HZ20261123-0001" in stored
    for secret in [*(f"机密{word}" for word in said), "欧阳娜娜", "J18.9", "pixels"]:
        assert secret.encode() not in stored, secret
        assert secret.encode("unicode_escape") not in stored, secret


def _everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
