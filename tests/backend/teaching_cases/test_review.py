"""From a finished consultation to the library, and out of it again."""

from typing import Any

import pytest

from backend.consultation.rules import Urgency
from backend.errors import Conflict, ConsentRequired, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.people import ConsentKind
from backend.security.policy import SYSTEM
from backend.teaching_cases import CaseState, QuestionText, Tag
from tests.support import cases
from tests.support.teaching import QUESTION, REVIEWER, Library


async def test_a_draft_says_everything_clinical_and_names_nobody(library: Library) -> None:
    held = await library.drafted(await library.patient())
    said = "\n".join((held.content.title, *held.content.sections.values()))
    for medicine in ("咳嗽", "发热", "右肺下叶斑片影", "社区获得性肺炎", "头孢克肟", "女", "65–69岁"):
        assert medicine in said
    for person in ("王秀英", "秀英", "13800001234", "青山", "村医甲", "钟专家", "1959", "67岁", "11月25日", "东风"):
        assert person not in said
    assert (held.state, held.content.codes) == (CaseState.DRAFT, ("J18.9",))
    assert held.content.signs == ("咳嗽", "发烧")
    assert held.content.tags == (Tag.MISDIAGNOSED,), "the doctor had suspected J20, the expert found J18"


async def test_the_reviewer_sees_what_was_taken_out_and_no_name_of_the_case(library: Library) -> None:
    held = await library.drafted(await library.patient())
    taken = {(one.section, one.text, one.replacement, one.guessed) for one in held.taken}
    assert ("present_illness", "王**", "［姓名］", False) in taken
    assert ("present_illness", "1***", "［联系方式］", False) in taken or any(
        one.section == "present_illness" and one.replacement in ("［联系方式］", "［号码］") for one in held.taken
    )
    assert not any("秀英" in one.text or "1380" in one.text for one in held.taken)


@pytest.mark.parametrize("step", ["running", "no report"])
async def test_what_has_not_ended_or_has_no_report_is_not_recommended(library: Library, step: str) -> None:
    patient, house = await library.patient(), library.house
    case_id = await library.opened(patient)
    if step == "no report":
        consultations, expert = house.services.consultations, await cases.staff(house, "钟专家")
        [offer] = await consultations.offers_for(expert)
        await consultations.accept_offer(expert, offer.id)
        await cases.begin(house, case_id)
        await cases.complete(house, case_id)
    with pytest.raises(IllegalMove):
        await library.service.propose(await cases.staff(house, "村医甲"), case_id)
    assert await library.service.proposal(await cases.staff(house, "村医甲"), case_id) == (False, None)


async def test_whoever_took_no_part_recommends_nothing_and_nobody_but_administrators_reviews(library: Library) -> None:
    case_id = await library.finished(await library.patient())
    stranger, doctor = await cases.staff(library.house, "村医乙"), await cases.staff(library.house, "村医甲")
    with pytest.raises(Forbidden):
        await library.service.propose(stranger, case_id)
    with pytest.raises(NotFound):
        await library.service.propose(doctor, "0" * 32)
    assert await library.service.propose(doctor, case_id) is CaseState.QUEUED
    assert await library.service.propose(doctor, case_id) is CaseState.QUEUED
    with pytest.raises(Forbidden):
        await library.service.cases(doctor)
    with pytest.raises(Forbidden):
        await library.service.search(await library.patient("李四"), "咳嗽")


async def test_an_administrator_recommends_by_number(library: Library) -> None:
    case_id = await library.finished(await library.patient())
    number = (await library.house.services.consultations.get(SYSTEM, case_id)).number
    assert await library.service.propose_by_number(REVIEWER, f" {number} ") is CaseState.QUEUED
    with pytest.raises(NotFound):
        await library.service.propose_by_number(REVIEWER, "没有这个")


async def test_without_the_patients_word_there_is_no_draft_and_with_it_there_is(library: Library) -> None:
    patient = await library.patient(agrees=False)
    case_id = await library.finished(patient)
    assert await library.service.propose(await cases.staff(library.house, "钟专家"), case_id) is CaseState.ASKED
    await library.house.settle()
    held = await library.review_of(case_id)
    assert (held.state, dict(held.content.sections)) == (CaseState.ASKED, {})
    await library.agree(patient)
    assert (await library.review_of(case_id)).state is CaseState.DRAFT


async def test_a_no_ends_it_until_the_patient_thinks_otherwise(library: Library) -> None:
    patient, people = await library.patient(agrees=False), library.house.services.people
    case_id, expert = await library.finished(patient), await cases.staff(library.house, "钟专家")
    await library.service.propose(expert, case_id)
    await people.refuse_consent(patient, people.consent_document(ConsentKind.CASES).version, ConsentKind.CASES)
    await library.house.settle()
    assert (await library.review_of(case_id)).state is CaseState.DECLINED
    with pytest.raises(ConsentRequired):
        await library.service.propose(expert, case_id)
    await library.agree(patient)
    assert await library.service.propose(expert, case_id) is CaseState.QUEUED


@pytest.mark.parametrize("kind", [ConsentKind.CASES, ConsentKind.CARE])
async def test_consent_that_is_taken_back_takes_the_case_and_its_text_out(library: Library, kind: ConsentKind) -> None:
    patient = await library.patient()
    held = await library.published(patient)
    doctor = await cases.staff(library.house, "村医乙")
    assert [one.id for one in await library.service.search(doctor, "肺炎")] == [held.id]
    await library.house.services.people.withdraw_consent(patient, kind)
    await library.house.settle()
    assert await library.service.search(doctor, "肺炎") == []
    with pytest.raises(NotFound):
        await library.service.read(doctor, held.id)
    left = await library.service.review(REVIEWER, held.id)
    assert (left.state, dict(left.content.sections)) == (CaseState.DECLINED, {})


async def test_a_reviewer_edits_tags_asks_and_publishes_and_what_was_taken_out_is_thrown_away(library: Library) -> None:
    held = await library.drafted(await library.patient(), urgency=Urgency.URGENT)
    assert Tag.EMERGENCY in held.content.tags
    sections = {**held.content.sections, "lesson": "老年人肺炎可以不发热。"}
    edited = await library.edited(
        held, title="老年肺炎", sections=sections, codes=["j18.9", "R50.9"], tags=[Tag.RARE], questions=[QUESTION]
    )
    assert (edited.content.title, edited.content.codes, edited.content.tags) == (
        "老年肺炎",
        ("J18.9", "R50.9"),
        (Tag.RARE,),
    )
    published = await library.service.publish(REVIEWER, edited.id, revision=edited.revision)
    assert (published.state, published.taken) == (CaseState.PUBLISHED, ())
    read = await library.service.read(await cases.staff(library.house, "村医丙"), published.id)
    assert read.content.sections["lesson"] == "老年人肺炎可以不发热。"
    assert [one.text for one in read.questions] == [QUESTION]
    with pytest.raises(IllegalMove):
        await library.edited(published)


async def test_who_reviews_an_old_state_is_told(library: Library) -> None:
    held = await library.drafted(await library.patient())
    await library.edited(held, title="先改的")
    with pytest.raises(Conflict):
        await library.edited(held, title="后改的")
    with pytest.raises(Conflict):
        await library.service.publish(REVIEWER, held.id, revision=held.revision)


_IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"title": " "}, "标题"),
    ({"sections": {"secret": "x"}}, "没有这一部分"),
    ({"codes": ["肺炎"]}, "ICD-10"),
    ({"questions": [QuestionText("问", ("甲", "甲"), 0, "因为")]}, "一模一样"),
    ({"questions": [QuestionText("问", ("甲", "乙"), 2, "因为")]}, "正确的选项"),
    ({"questions": [QuestionText("问", ("甲",), 0, "因为")]}, "选项"),
    ({"questions": [QuestionText("问", ("甲", "乙"), 0, "")]}, "解析"),
    ({"questions": [QUESTION, QUESTION]}, "一模一样"),
]


async def test_what_cannot_be_is_refused_and_changes_nothing(library: Library) -> None:
    held = await library.drafted(await library.patient())
    for changes, said in _IMPOSSIBLE:
        with pytest.raises(InvalidInput) as refused:
            await library.edited(held, **changes)
        assert said in refused.value.sentence
    assert await library.service.review(REVIEWER, held.id) == held


async def test_a_rejected_case_loses_its_text_and_can_be_made_anew(library: Library) -> None:
    held = await library.drafted(await library.patient())
    rejected = await library.service.reject(REVIEWER, held.id, revision=held.revision, reason="看得出是谁")
    assert (rejected.state, rejected.decision_reason) == (CaseState.REJECTED, "看得出是谁")
    assert dict(rejected.content.sections) == {}
    await library.service.reopen(REVIEWER, held.id, revision=rejected.revision)
    await library.house.settle()
    again = await library.service.review(REVIEWER, held.id)
    assert (again.state, again.content) == (CaseState.DRAFT, held.content)


async def test_a_withdrawn_case_is_found_no_more_and_can_come_back_with_its_text(library: Library) -> None:
    held = await library.published(await library.patient(), QUESTION)
    gone = await library.service.withdraw(REVIEWER, held.id, revision=held.revision, reason="有人认出来了")
    assert await library.service.search(REVIEWER, "肺炎") == []
    back = await library.service.reopen(REVIEWER, held.id, revision=gone.revision)
    assert (back.state, back.content, back.questions) == (CaseState.DRAFT, held.content, held.questions)
    await library.service.publish(REVIEWER, back.id, revision=back.revision)
    assert [one.id for one in await library.service.search(REVIEWER, "肺炎")] == [held.id]


async def test_reviewing_is_in_the_audit_log_of_the_patient(library: Library) -> None:
    patient = await library.patient()
    held = await library.drafted(patient)
    entries = await library.house.audit.entries(SYSTEM, patient_id=patient.person_id, limit=50)
    done = {entry.action for entry in entries if entry.subject == f"teaching_case:{held.id}"}
    assert done == {"teaching.propose", "teaching.draft", "teaching.review"}


async def test_cases_are_listed_page_by_page_and_by_state(library: Library) -> None:
    first = await library.drafted(await library.patient())
    second = await library.published(await library.patient("赵福根"))
    page = await library.service.cases(REVIEWER, limit=1)
    assert ([one.id for one in page.items], page.items[0].taken) == ([second.id], ())
    rest = await library.service.cases(REVIEWER, limit=1, cursor=page.next_cursor)
    assert ([one.id for one in rest.items], rest.next_cursor) == ([first.id], "")
    drafts = await library.service.cases(REVIEWER, state=CaseState.DRAFT)
    assert [one.id for one in drafts.items] == [first.id]
