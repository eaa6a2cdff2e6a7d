"""A patient asks for a finished record to be put right; who wrote it answers; nothing that was written is changed."""

from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput
from backend.rights import AmendmentState, Blocker, Part
from backend.rights.holdings import Class
from backend.rights.rules import COOLING_OFF
from backend.security.policy import SYSTEM, Actor, Role
from tests.support import cases
from tests.support.erasing import Life, encrypted_values, lead, legible, treat

WRONG = "我没有抽过烟，写成抽烟二十年了"


@pytest_asyncio.fixture
async def life(database: Database, clock: Clock, tmp_path: Path) -> Life:
    return await lead(database, clock, tmp_path, treated=False)


@pytest_asyncio.fixture
async def case_id(life: Life) -> str:
    return await treat(life)


async def doctor(life: Life) -> Actor:
    return await cases.staff(life.house, "村医甲")


async def expert(life: Life) -> Actor:
    return await cases.staff(life.house, "钟专家")


async def ask(life: Life, case_id: str, part: Part = Part.HISTORY) -> str:
    asked = await life.house.services.amendments.ask(await life.actor(), case_id, part, WRONG)
    await life.house.settle()
    return asked.id


async def test_the_doctor_writes_an_addendum_beside_what_was_written(life: Life, case_id: str) -> None:
    amendments, consultations = life.house.services.amendments, life.house.services.consultations
    before = await consultations.get(await doctor(life), case_id)
    asked = await ask(life, case_id)
    assert await amendments.addenda(await life.actor(), case_id) == []
    written = await amendments.write(await doctor(life), asked, "患者从不吸烟，原记录有误。")
    assert written.state is AmendmentState.AMENDED
    for reader in (await life.actor(), await doctor(life), await expert(life)):
        [seen] = await amendments.addenda(reader, case_id)
        assert (seen.answer, seen.answers, seen.name) == ("患者从不吸烟，原记录有误。", "村医甲", "病情经过")
    after = await consultations.get(await doctor(life), case_id)
    assert (after.record, after.findings, after.opinion) == (before.record, before.findings, before.opinion)
    told = [line.text_zh for line in await consultations.timeline(await life.actor(), case_id)]
    assert told[-2:] == ["请医生更正病历", "写了更正，原来的内容还在"]


async def test_the_expert_answers_for_what_the_expert_wrote_and_nobody_else(life: Life, case_id: str) -> None:
    amendments = life.house.services.amendments
    asked = await ask(life, case_id, Part.OPINION)
    for other in (await doctor(life), await cases.staff(life.house, "村医乙"), await life.actor()):
        with pytest.raises(Forbidden):
            await amendments.write(other, asked, "改了")
        with pytest.raises(Forbidden):
            await amendments.decline(other, asked, "不改")
    declined = await amendments.decline(await expert(life), asked, "当时就是这个诊断。")
    assert (declined.state, declined.answers) == (AmendmentState.DECLINED, "钟专家")
    assert await amendments.addenda(await life.actor(), case_id) == []


async def test_a_colleague_at_the_centre_stands_in_for_the_doctor(life: Life, case_id: str) -> None:
    colleague = await life.house.hire("村医丁", Role.GRASSROOTS_DOCTOR, "青山镇卫生院", "respiratory")
    asked = await ask(life, case_id)
    written = await life.house.services.amendments.write(colleague, asked, "已核对，患者不吸烟。")
    assert written.answers == "村医丁"
    with pytest.raises(Forbidden):
        await life.house.services.amendments.amendment(await cases.staff(life.house, "村医乙"), asked)


async def test_one_request_for_one_part_at_a_time(life: Life, case_id: str) -> None:
    amendments = life.house.services.amendments
    asked = await ask(life, case_id)
    with pytest.raises(Conflict):
        await ask(life, case_id)
    [waiting] = [one for one in await amendments.parts(await life.actor(), case_id) if one.waiting]
    assert (waiting.part, waiting.waiting, waiting.answers) == (Part.HISTORY, asked, "村医甲")
    await ask(life, case_id, Part.OTHER)
    await amendments.take_back(await life.actor(), asked)
    assert await ask(life, case_id) != asked


async def test_a_running_consultation_is_put_right_by_talking(life: Life) -> None:
    running = await cases.open_case(life.house, life.person_id)
    with pytest.raises(IllegalMove):
        await life.house.services.amendments.parts(await life.actor(), running)
    with pytest.raises(IllegalMove):
        await ask(life, running)


async def test_what_is_not_there_is_not_asked_about(life: Life) -> None:
    cancelled = await cases.open_case(life.house, life.person_id)
    await life.house.services.consultations.cancel(await life.actor(), cancelled, "好多了")
    parts = await life.house.services.amendments.parts(await life.actor(), cancelled)
    assert [one.part for one in parts] == [Part.HISTORY, Part.OTHER]
    with pytest.raises(InvalidInput):
        await ask(life, cancelled, Part.OPINION)
    for words in (" ", "字" * 501):
        with pytest.raises(InvalidInput):
            await life.house.services.amendments.ask(await life.actor(), cancelled, Part.OTHER, words)


async def test_a_stranger_asks_nothing_and_reads_nothing(life: Life, case_id: str) -> None:
    amendments, asked = life.house.services.amendments, await ask(life, case_id)
    stranger = await life.house.actor(await life.house.new_person())
    for refused in (
        amendments.ask(stranger, case_id, Part.OTHER, WRONG),
        amendments.parts(stranger, case_id),
        amendments.amendment(stranger, asked),
        amendments.addenda(stranger, case_id),
        amendments.take_back(stranger, asked),
        amendments.waiting(stranger),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_it_is_asked_again_until_somebody_answers_and_administrators_see_it(life: Life, case_id: str) -> None:
    amendments, clerk = life.house.services.amendments, await administrator(life)
    asked = await ask(life, case_id)
    await life.after(2.9)
    assert not life.house.heard("amendment.unanswered")
    [seen] = await amendments.waiting(clerk)
    assert (seen.overdue, seen.answers, seen.patient_name) == (False, "村医甲", "王**")
    await life.after(0.2)
    await life.after(4)
    assert len(life.house.heard("amendment.unanswered")) == 2
    [seen] = await amendments.waiting(clerk)
    assert seen.overdue
    assert WRONG not in repr(seen)
    await life.after(7.1)
    assert len(life.house.heard("amendment.unanswered")) == 3, "and every week after that"
    await amendments.decline(await doctor(life), asked, "核对过了，没有错。")
    assert await amendments.waiting(clerk) == []
    await life.after(60)
    assert len(life.house.heard("amendment.unanswered")) == 3


async def administrator(life: Life) -> Actor:
    return Actor("clerk", frozenset({Role.ADMINISTRATOR}))


async def test_an_institutions_administrator_sees_what_their_own_people_owe(life: Life, case_id: str) -> None:
    amendments, places = life.house.services.amendments, life.house.institutions
    await ask(life, case_id)
    await ask(life, case_id, Part.OPINION)
    for place, owes in (("青山镇卫生院", ["村医甲"]), ("省人民医院", ["钟专家"]), ("黄坡镇卫生院", [])):
        clerk = Actor("clerk", frozenset({Role.INSTITUTION_ADMINISTRATOR}), institution_id=places[place])
        assert [one.answers for one in await amendments.waiting(clerk)] == owes
    with pytest.raises(Forbidden):
        await amendments.waiting(Actor("auditor", frozenset({Role.AUDITOR})))


async def test_each_step_is_in_the_audit_log_and_no_word_of_it_is_legible_on_the_disk(life: Life, case_id: str) -> None:
    asked = await ask(life, case_id)
    await life.house.services.amendments.write(await doctor(life), asked, "患者从不吸烟。")
    await life.house.services.amendments.addenda(await expert(life), case_id)
    entries = [one for one in await life.house.audit.entries(SYSTEM, limit=1000) if one.action.startswith("amendment")]
    assert [(one.action, one.reason) for one in reversed(entries)] == [
        ("amendment.ask", "asked"),
        ("amendment.answer", "answered"),
        ("amendment.read", ""),
    ]
    assert {WRONG, "患者从不吸烟。"} <= set(legible(await encrypted_values(life.house.database)).split("\n"))
    assert all(WRONG.encode() not in value for _column, value in await encrypted_values(life.house.database))


async def test_it_is_answered_before_the_data_are_erased_and_stays_with_the_record(life: Life, case_id: str) -> None:
    services, asked = life.house.services, await ask(life, case_id)
    overview = await services.erasures.overview(await life.actor(), life.person_id)
    assert overview.blockers == (Blocker.AMENDMENT,)
    await services.amendments.write(await doctor(life), asked, "患者从不吸烟。")
    await services.erasures.ask(await life.actor(), life.person_id)
    await life.after(COOLING_OFF.days + 0.1)
    assert (await life.rows(Class.RECORD))["amendments"] == 1
    [seen] = await services.amendments.addenda(await doctor(life), case_id)
    assert seen.answer == "患者从不吸烟。"
    life.house.clock.advance(timedelta(days=15 * 365.25))
    await life.house.settle()
    assert "amendments" not in await life.rows(Class.RECORD)
