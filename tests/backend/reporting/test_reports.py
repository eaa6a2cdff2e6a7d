"""A report is written, signed, amended and verified; a critical value is told until somebody has it in hand."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.reporting import ReportState, Slip, SlipsFound
from backend.reporting.tables import Report
from backend.security.tables import AuditEntry
from tests.backend.reporting.conftest import ReportDesk


async def test_a_signed_report_reaches_everybody_and_a_draft_nobody(desk: ReportDesk) -> None:
    draft = await desk.written()
    assert await desk.reports.reports_of(desk.doctor, desk.case_id) == []
    assert [report.id for report in await desk.reports.reports_of(desk.expert, desk.case_id)] == [draft.id]
    with pytest.raises(NotFound):
        await desk.reports.report(desk.doctor, draft.id)
    signed = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    for reader in (desk.patient, desk.doctor, desk.expert):
        [report] = await desk.reports.reports_of(reader, desk.case_id)
        assert report == signed
    [event] = await desk.clinic.published("report.signed")
    assert event["report_id"] == signed.id
    assert event["patient_id"] == desk.patient.person_id


async def test_only_the_expert_of_the_case_writes(desk: ReportDesk) -> None:
    other = await desk.clinic.expert("赵敏")
    for somebody in (desk.doctor, desk.patient, other):
        with pytest.raises(Forbidden):
            await desk.reports.draft(somebody, desk.case_id, desk.study_uid)
    with pytest.raises(NotFound):
        await desk.reports.draft(desk.expert, desk.case_id, "1.2.3")


async def test_two_places_do_not_write_over_each_other(desk: ReportDesk) -> None:
    seen = await desk.draft()
    await desk.reports.write(desk.expert, seen.id, revision=seen.revision, findings="双肺清晰。")
    with pytest.raises(Conflict):
        await desk.reports.write(desk.expert, seen.id, revision=seen.revision, impression="未见异常。")
    added = await desk.reports.write(desk.expert, seen.id, impression="未见异常。")
    assert (added.findings, added.impression) == ("双肺清晰。", "未见异常。")
    with pytest.raises(Conflict):
        await desk.reports.sign(desk.expert, seen.id, revision=seen.revision)


async def test_a_report_without_an_impression_is_not_signed(desk: ReportDesk) -> None:
    draft = await desk.draft()
    draft = await desk.reports.write(desk.expert, draft.id, findings="双肺清晰。")
    with pytest.raises(InvalidInput) as refused:
        await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    assert "印象" in refused.value.sentence


async def test_a_slip_of_the_pen_is_signed_only_when_it_is_meant(desk: ReportDesk) -> None:
    draft = await desk.written()
    draft = await desk.reports.write(desk.expert, draft.id, impression="左肺上叶结节。")
    with pytest.raises(SlipsFound) as refused:
        await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    assert refused.value.details["slips"] == ["other_side"]
    signed = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision, confirmed=[Slip.OTHER_SIDE])
    assert signed.state is ReportState.SIGNED


async def test_a_signed_report_is_frozen_and_signing_again_changes_nothing(desk: ReportDesk) -> None:
    signed = await desk.signed()
    assert await desk.reports.sign(desk.expert, signed.id, revision=signed.revision) == signed
    with pytest.raises(IllegalMove):
        await desk.reports.write(desk.expert, signed.id, findings="别的")
    with pytest.raises(IllegalMove):
        await desk.reports.discard(desk.expert, signed.id)
    with pytest.raises(IllegalMove):
        await desk.draft()
    assert len(await desk.clinic.published("report.signed")) == 1


async def test_an_amendment_is_a_new_version_and_the_old_one_stays(desk: ReportDesk) -> None:
    first = await desk.signed()
    draft = await desk.reports.amend(desk.expert, first.id, "补充对比旧片")
    assert (draft.version, draft.number, draft.findings) == (2, first.number, first.findings)
    assert draft == await desk.reports.amend(desk.expert, first.id, "补充对比旧片")
    [still] = await desk.reports.reports_of(desk.doctor, desk.case_id)
    assert still.state is ReportState.SIGNED
    second = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    old, new = await desk.reports.reports_of(desk.doctor, desk.case_id)
    assert (old.state, new.state) == (ReportState.SUPERSEDED, ReportState.SIGNED)
    assert (old.findings, new.amendment_reason) == (first.findings, "补充对比旧片")
    with pytest.raises(IllegalMove):
        await desk.reports.amend(desk.expert, first.id, "再改")
    assert second.code != first.code


async def test_an_amendment_that_is_thrown_away_leaves_the_report(desk: ReportDesk) -> None:
    first = await desk.signed()
    draft = await desk.reports.amend(desk.expert, first.id, "写错了")
    await desk.reports.discard(desk.expert, draft.id)
    assert await desk.reports.reports_of(desk.expert, desk.case_id) == [first]


async def test_the_code_on_the_paper_tells_what_it_should_say(desk: ReportDesk) -> None:
    first = await desk.signed()
    assert first.code is not None
    said = await desk.reports.verify(first.code)
    assert (said.patient_name, said.genuine, said.current) == ("王**", True, True)
    assert said.impression == first.impression
    draft = await desk.reports.amend(desk.expert, first.id, "补充")
    assert (await desk.reports.verify(first.code)).current
    await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    said = await desk.reports.verify(first.code)
    assert (said.genuine, said.current, said.latest) == (True, False, 2)
    with pytest.raises(NotFound):
        await desk.reports.verify("x" * 22)


async def test_a_report_that_was_changed_in_the_database_is_not_genuine(desk: ReportDesk) -> None:
    signed = await desk.signed()
    assert signed.code is not None
    async with desk.clinic.database.transaction() as session:
        await session.execute(update(Report).where(Report.id == signed.id).values(impression="未见异常。"))
    assert not (await desk.reports.verify(signed.code)).genuine


async def test_a_critical_value_is_told_again_until_a_doctor_confirms(desk: ReportDesk) -> None:
    marked = await desk.critical_values.mark(desk.expert, desk.case_id, desk.study_uid, "右侧张力性气胸")
    assert len(await desk.clinic.published("report.critical_marked")) == 1
    await desk.clinic.pass_time(timedelta(minutes=6))
    assert [told["reminders"] for told in await desk.clinic.published("report.critical_unanswered")] == [1]
    with pytest.raises(Forbidden):
        await desk.critical_values.confirm(desk.patient, marked.id)
    confirmed = await desk.critical_values.confirm(desk.doctor, marked.id)
    assert confirmed.confirmed_by == desk.doctor.practitioner_id
    assert await desk.critical_values.confirm(desk.doctor, marked.id) == confirmed
    await desk.clinic.pass_time(timedelta(hours=1))
    assert len(await desk.clinic.published("report.critical_unanswered")) == 1
    assert len(await desk.clinic.published("report.critical_confirmed")) == 1


async def test_a_critical_value_that_nobody_confirms_is_told_so_often_and_no_more(desk: ReportDesk) -> None:
    await desk.critical_values.mark(desk.expert, desk.case_id, desk.study_uid, "主动脉夹层")
    await desk.clinic.pass_time(timedelta(hours=3))
    assert [told["reminders"] for told in await desk.clinic.published("report.critical_unanswered")] == [1, 2, 3]


async def test_every_read_is_audited(desk: ReportDesk) -> None:
    signed = await desk.signed()
    await desk.reports.report(desk.patient, signed.id)
    await desk.reports.verify(signed.code or "")
    async with desk.clinic.database.reading() as session:
        query = select(AuditEntry.action).where(AuditEntry.subject == f"report:{signed.id}").order_by(AuditEntry.id)
        actions = list(await session.scalars(query))
    assert actions == ["report.write", "report.sign", "report.read", "report.verify"]


async def test_a_place_of_a_template_that_is_not_filled_in_stops_signing(desk: ReportDesk) -> None:
    draft = await desk.written()
    draft = await desk.reports.write(desk.expert, draft.id, findings="右肺上叶结节，直径____mm。")
    with pytest.raises(InvalidInput) as refused:
        await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    assert refused.value.sentence == "检查所见里还有没填的地方：“直径____”。请填好或者删掉，再签发。"
    assert refused.value.details["field"] == "findings"


async def test_what_is_signed_and_told_stands_in_the_timeline_without_a_clinical_word(desk: ReportDesk) -> None:
    await desk.signed()
    critical = await desk.critical_values.mark(desk.expert, desk.case_id, desk.study_uid, "张力性气胸")
    await desk.critical_values.confirm(desk.doctor, critical.id)
    said = [entry.text_zh for entry in await desk.clinic.care.timeline(desk.patient, desk.case_id)]
    assert said[-3:] == ["签发了影像检查报告", "有要紧的情况，已通知医生马上处理", "收到专家的紧急通知，马上处理"]


async def test_who_takes_part_knows_whether_there_is_something_to_read_or_to_write(desk: ReportDesk) -> None:
    assert await desk.reports.signed(desk.patient, desk.case_id) == 0
    await desk.signed()
    assert await desk.reports.signed(desk.patient, desk.case_id) == 1
    assert await desk.reports.may_write(desk.expert, desk.case_id)
    assert not await desk.reports.may_write(desk.doctor, desk.case_id)
    stranger = await desk.clinic.expert("赵敏")
    with pytest.raises(Forbidden):
        await desk.reports.may_write(stranger, desk.case_id)
    with pytest.raises(Forbidden):
        await desk.reports.signed(stranger, desk.case_id)
