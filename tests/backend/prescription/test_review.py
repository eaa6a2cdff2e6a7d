"""Signed, reviewed by one pharmacist, and only then there for the patient; revoked, expired; nothing can be changed."""

import asyncio
from datetime import datetime, timedelta
from json import loads

import pytest
from sqlalchemy import select, update

from backend.clock import LOCAL_ZONE
from backend.errors import Conflict, DomainError, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.prescription import State
from backend.prescription.tables import Prescription, SignedVersion
from backend.records.background import Allergy
from backend.security.policy import SYSTEM
from tests.backend.prescription.conftest import Desk
from tests.support.prescribing import ambroxol, amoxicillin


async def test_a_prescription_exists_for_the_patient_from_its_approval_on(desk: Desk) -> None:
    signed = await desk.signed()
    assert signed.state is State.SIGNED
    assert signed.code is None
    with pytest.raises(NotFound):
        await desk.prescriptions.prescription(desk.patient, signed.id)
    assert await desk.prescriptions.prescriptions_of(desk.patient, desk.case_id) == []
    approved = await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert approved.state is State.VALID
    seen = await desk.prescriptions.prescription(desk.patient, signed.id)
    assert [one["name"] for one in seen.document["lines"]] == ["阿莫西林胶囊"]
    assert [one.id for one in await desk.prescriptions.prescriptions_of(desk.patient, desk.case_id)] == [signed.id]


async def test_everybody_concerned_hears_of_each_step(desk: Desk) -> None:
    signed = await desk.signed()
    await desk.prescriptions.give_back(desk.pharmacist, signed.id, "请核对天数")
    again = await desk.signed(amoxicillin(days=3))
    await desk.prescriptions.approve(desk.pharmacist, again.id)
    await desk.prescriptions.revoke(desk.doctor, again.id, "患者要住院")
    for type_ in ("prescription.signed", "prescription.returned", "prescription.approved", "prescription.revoked"):
        assert (await desk.clinic.published(type_))[-1]["prescription_id"] == signed.id, type_
    assert signed.id == again.id


async def test_what_was_returned_keeps_its_signed_version_and_is_signed_anew(desk: Desk) -> None:
    signed = await desk.signed()
    returned = await desk.prescriptions.give_back(desk.pharmacist, signed.id, "疗程太长，请核对")
    assert (returned.state, returned.return_reason) == (State.DRAFT, "疗程太长，请核对")
    with pytest.raises(InvalidInput):
        await desk.prescriptions.give_back(desk.pharmacist, (await desk.signed()).id, " ")
    async with desk.clinic.database.reading() as session:
        versions = (await session.scalars(select(SignedVersion).order_by(SignedVersion.version))).all()
    assert [(one.version, one.return_reason) for one in versions] == [(1, "疗程太长，请核对"), (2, "")]
    approved = await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert approved.version == 2
    assert approved.return_reason == ""


async def test_of_two_pharmacists_at_once_one_approves_and_the_other_hears_who(desk: Desk) -> None:
    rival = await desk.pharmacy.pharmacist("丁一诺")
    signed = await desk.signed()
    outcomes = await asyncio.gather(
        desk.prescriptions.approve(desk.pharmacist, signed.id),
        desk.prescriptions.approve(rival, signed.id),
        return_exceptions=True,
    )
    refusals = [one for one in outcomes if isinstance(one, Conflict)]
    assert len(refusals) == 1
    winner = "叶青禾" if isinstance(outcomes[1], Conflict) else "丁一诺"
    assert winner in refusals[0].sentence
    assert len(await desk.clinic.published("prescription.approved")) == 1


async def test_who_takes_a_prescription_has_it_for_a_while(desk: Desk) -> None:
    rival = await desk.pharmacy.pharmacist("丁一诺")
    signed = await desk.signed()
    await desk.prescriptions.take(desk.pharmacist, signed.id)
    (waiting,) = await desk.prescriptions.queue(rival)
    assert (waiting.id, waiting.taken_by_name, waiting.patient_name) == (signed.id, "叶青禾", "王小明")
    for refused in (
        desk.prescriptions.take(rival, signed.id),
        desk.prescriptions.approve(rival, signed.id),
        desk.prescriptions.give_back(rival, signed.id, "天数太长"),
    ):
        with pytest.raises(Conflict, match="conflict"):
            await refused
    await desk.clinic.pass_time(timedelta(minutes=16))
    await desk.prescriptions.approve(rival, signed.id)
    with pytest.raises(Conflict) as told:
        await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert "丁一诺" in told.value.sentence


async def test_pharmacists_of_another_institution_neither_see_nor_approve(desk: Desk) -> None:
    far = await desk.pharmacy.pharmacist("丁一诺", desk.clinic.hospital)
    signed = await desk.signed()
    assert await desk.prescriptions.queue(far) == []
    for refused in (desk.prescriptions.prescription(far, signed.id), desk.prescriptions.approve(far, signed.id)):
        with pytest.raises(Forbidden):
            await refused
    for nobody in (desk.doctor, desk.patient):
        with pytest.raises(Forbidden):
            await desk.prescriptions.approve(nobody, signed.id)


async def test_where_the_centre_has_no_pharmacist_the_region_reviews(desk: Desk) -> None:
    far = await desk.pharmacy.pharmacist("丁一诺", desk.clinic.hospital)
    await desk.clinic.people.put_practitioner(
        SYSTEM,
        desk.pharmacist.practitioner_id or "",
        role=(await desk.clinic.people.practitioner(desk.pharmacist.practitioner_id or "")).role,
        name="叶青禾",
        licence_number="X1",
        institution_id=desk.clinic.township,
        department_code="",
        title="主管药师",
        practising_since=2006,
        active=False,
    )
    signed = await desk.signed()
    assert [one.id for one in await desk.prescriptions.queue(far)] == [signed.id]
    await desk.prescriptions.approve(far, signed.id)


async def test_what_is_known_at_approval_counts(desk: Desk) -> None:
    signed = await desk.signed()
    desk.pharmacy.known.know(desk.patient.person_id, allergies=(Allergy("青霉素", "penicillins"),))
    with pytest.raises(DomainError) as refused:
        await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert refused.value.code == "findings"
    assert (await desk.prescriptions.give_back(desk.pharmacist, signed.id, "患者青霉素过敏")).state is State.DRAFT


async def test_an_overridden_warning_is_signed_and_shown_to_the_pharmacist(desk: Desk) -> None:
    draft = await desk.written(ambroxol(), amoxicillin(days=10))
    (warning,) = draft.unanswered
    answered = await desk.prescriptions.override(desk.doctor, draft.id, warning.rule, warning.subject, "要用满10天")
    signed = await desk.prescriptions.sign(desk.doctor, draft.id, revision=answered.revision)
    seen = await desk.prescriptions.take(desk.pharmacist, signed.id)
    assert [one["reason"] for one in seen.document["overrides"]] == ["要用满10天"]
    assert (await desk.prescriptions.approve(desk.pharmacist, signed.id)).state is State.VALID


async def test_signed_twice_is_signed_once_and_an_old_revision_is_refused(desk: Desk) -> None:
    draft = await desk.written()
    with pytest.raises(Conflict):
        await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision - 1)
    first = await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    again = await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    assert (first.version, again.version) == (1, 1)
    assert len(await desk.clinic.published("prescription.signed")) == 1


async def test_an_empty_prescription_or_one_without_a_diagnosis_is_not_signed(desk: Desk) -> None:
    draft = await desk.prescriptions.draft(desk.doctor, desk.case_id)
    with pytest.raises(InvalidInput):
        await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    written = await desk.prescriptions.write(desk.doctor, draft.id, lines=[amoxicillin()])
    with pytest.raises(InvalidInput) as refused:
        await desk.prescriptions.sign(desk.doctor, draft.id, revision=written.revision)
    assert "诊断" in refused.value.sentence


async def test_three_days_are_the_day_of_issue_and_two_more(desk: Desk) -> None:
    approved = await desk.approved()
    assert approved.valid_until == datetime(2026, 11, 26, tzinfo=LOCAL_ZONE)
    await desk.clinic.pass_time(timedelta(days=2, hours=15))
    assert (await desk.prescriptions.prescription(desk.patient, approved.id)).state is State.VALID
    await desk.clinic.pass_time(timedelta(hours=2))
    assert (await desk.prescriptions.prescription(desk.patient, approved.id)).state is State.EXPIRED
    assert len(await desk.clinic.published("prescription.expired")) == 1
    with pytest.raises(IllegalMove):
        await desk.prescriptions.revoke(desk.doctor, approved.id, "不用了")


async def test_what_waited_too_long_is_not_approved_any_more(desk: Desk) -> None:
    signed = await desk.signed()
    await desk.clinic.pass_time(timedelta(days=4))
    with pytest.raises(IllegalMove) as refused:
        await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert "过了有效期" in refused.value.sentence


async def test_the_doctor_revokes_before_anything_was_handed_out(desk: Desk) -> None:
    approved = await desk.approved()
    with pytest.raises(InvalidInput):
        await desk.prescriptions.revoke(desk.doctor, approved.id, "")
    for nobody in (desk.patient, desk.pharmacist, await desk.clinic.doctor("王守田")):
        with pytest.raises(Forbidden):
            await desk.prescriptions.revoke(nobody, approved.id, "不用了")
    revoked = await desk.prescriptions.revoke(desk.doctor, approved.id, "患者要住院")
    assert revoked.state is State.REVOKED
    assert (await desk.prescriptions.revoke(desk.doctor, approved.id, "再点一次")).revocation_reason == "患者要住院"
    await desk.clinic.pass_time(timedelta(days=5))
    assert (await desk.prescriptions.prescription(desk.patient, approved.id)).state is State.REVOKED


async def test_one_that_was_revoked_before_its_approval_never_exists_for_the_patient(desk: Desk) -> None:
    signed = await desk.signed()
    await desk.prescriptions.revoke(desk.doctor, signed.id, "开错人了")
    with pytest.raises(NotFound):
        await desk.prescriptions.prescription(desk.patient, signed.id)
    with pytest.raises(IllegalMove):
        await desk.prescriptions.approve(desk.pharmacist, signed.id)


async def test_verification_shows_what_a_pharmacy_needs_and_no_more(desk: Desk) -> None:
    approved = await desk.approved()
    said = await desk.prescriptions.verify(approved.code or "")
    assert (said.patient_name, said.age, said.sex, said.genuine) == ("王**", "未说明", "未说明", True)
    assert (said.prescriber_name, said.pharmacist_name, said.state) == ("李梅", "叶青禾", State.VALID)
    assert said.lines == ("阿莫西林胶囊 250mg×24粒/盒　2盒　口服，一次500mg（2粒），每天三次，共5天，饭后吃",)
    with pytest.raises(NotFound):
        await desk.prescriptions.verify("some-other-code")
    with pytest.raises(NotFound):
        await desk.prescriptions.verify("")


@pytest.mark.parametrize("part", ["document", "signature", "approval", "countersignature"])
async def test_a_changed_byte_is_found(desk: Desk, part: str) -> None:
    approved = await desk.approved()
    async with desk.clinic.database.transaction() as session:
        version = await session.scalar(select(SignedVersion))
        assert version is not None
        held = getattr(version, part)
        if part == "document":
            changed: object = held.replace("tid", "qid")
        elif part == "approval":
            changed = held.replace("叶青禾", "叶青木")
        else:
            changed = held[:-1] + bytes([held[-1] ^ 1])
        assert changed != held
        setattr(version, part, changed)
    assert not (await desk.prescriptions.verify(approved.code or "")).genuine


async def test_what_was_changed_after_the_signature_is_not_approved(desk: Desk) -> None:
    signed = await desk.signed()
    async with desk.clinic.database.transaction() as session:
        version = await session.scalar(select(SignedVersion))
        assert version is not None
        version.document = version.document.replace('"days":5', '"days":7')
    with pytest.raises(DomainError) as refused:
        await desk.prescriptions.approve(desk.pharmacist, signed.id)
    assert refused.value.code == "signature"
    assert (await desk.prescriptions.prescription(desk.doctor, signed.id)).state is State.SIGNED


async def test_another_doctors_signature_over_the_same_words_is_not_believed(desk: Desk) -> None:
    approved = await desk.approved()
    other = await desk.clinic.doctor("王守田")
    await desk.pharmacy.certify(other)
    async with desk.clinic.database.transaction() as session:
        await session.execute(update(Prescription).values(prescriber_id=other.practitioner_id))
    assert not (await desk.prescriptions.verify(approved.code or "")).genuine


async def test_the_document_says_everything_that_the_law_asks_for(desk: Desk) -> None:
    approved = await desk.approved()
    async with desk.clinic.database.reading() as session:
        version = await session.scalar(select(SignedVersion))
    assert version is not None
    document = loads(version.document)
    assert document["diagnoses"] == [{"icd10": "J20.9", "name": "急性支气管炎"}]
    assert document["prescriber"]["name"] == "李梅"
    assert document["institution"] == "测试T1医院"
    assert document["lines"][0] | {"packs": 2, "dose": "500mg", "days": 5} == document["lines"][0]
    assert document["number"] == approved.number
