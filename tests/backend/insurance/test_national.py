"""Each transaction of the national platform, against the sandbox's insurer."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from sqlalchemy import select, text

from backend.clock import local
from backend.db import Database
from backend.insurance.coverage import Claim, Fee, Split, split
from backend.insurance.insurer import InsurerRefused, Settlement
from backend.insurance.message_log import AnotherContent, MessageLog
from backend.insurance.messages import Address
from backend.insurance.tables import InsurerMessage
from data.insurance import table_for
from tests.support.insurer import HOSPITAL, LI, LIU, TOWNSHIP, WANG, ZHAO, Talk

MEDICINES = (Fee("甲药", Decimal("320.55")), Fee("乙药", Decimal("80.10"), "乙"), Fee("丙药", Decimal("50.00"), "丙"))


def parts(one: Split) -> tuple[str, ...]:
    return tuple(f"{amount:.2f}" for amount in (one.insurance, one.account, one.subsidy, one.cash))


async def everything(talk: Talk, institution: str = HOSPITAL) -> list[Settlement]:
    today = local(talk.clock.now()).date()
    return [one async for page in talk.insurer.settlements(institution, today) for one in page]


async def test_a_person_is_known_by_identity_number_and_name(talk: Talk) -> None:
    wang, liu = await talk.person(), await talk.person(LIU)
    assert (wang.insurance, wang.region, wang.refusal, wang.account) == ("resident", "999901", "", Decimal("30.00"))
    assert (liu.insurance, liu.account) == ("employee", Decimal("830.00"))
    assert (await talk.person(LI)).insurance == "special"
    assert wang.number not in repr(wang)


async def test_somebody_whose_insurance_is_suspended_is_told_so_and_cannot_claim(talk: Talk) -> None:
    zhao = await talk.person(ZHAO)
    assert zhao.insurance is None
    assert "停保" in zhao.refusal
    visit = await talk.visit(ZHAO)
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.register(visit, message=talk.message())
    assert refusal.value.code == "1003"


@pytest.mark.parametrize(
    ("who", "code", "words"),
    [
        (("999901195903120999", "王秀英"), "1001", "没有查到这个身份证号"),
        ((WANG[0], "王秀兰"), "1002", "对不上"),
    ],
)
async def test_a_wrong_number_or_name_is_a_refusal_in_plain_chinese(
    talk: Talk, who: tuple[str, str], code: str, words: str
) -> None:
    with pytest.raises(InsurerRefused) as refusal:
        await talk.person(who)
    assert refusal.value.code == code
    assert words in refusal.value.sentence


@pytest.mark.parametrize("who", [WANG, LI, LIU])
@pytest.mark.parametrize("place", [(HOSPITAL, "tertiary"), (TOWNSHIP, "primary")])
@pytest.mark.parametrize("fees", [(Fee("远程会诊", Decimal("199.99")),), MEDICINES])
async def test_what_is_pre_settled_is_what_our_own_table_predicts(
    talk: Talk, who: tuple[str, str], place: tuple[str, str], fees: tuple[Fee, ...]
) -> None:
    service = "medicine" if len(fees) > 1 else "remote_consultation"
    visit = await talk.ready(who, *fees, institution=place[0], level=place[1], service=service)
    person = await talk.person(who)
    claim = Claim(visit.service, visit.level, fees)
    expected = split(claim, person.claiming(visit.service), table_for("", local(talk.clock.now()).date()))
    told = await talk.insurer.presettle(visit, message=talk.message())
    assert parts(told) == parts(expected)
    assert told.lines[0] == expected.lines[0]
    assert told.lines[-1] == expected.lines[-1]
    assert talk.standing == 0


async def test_a_settlement_is_what_was_pre_settled_and_stands_until_it_is_taken_back(talk: Talk) -> None:
    visit = await talk.ready(LIU)
    quoted = await talk.insurer.presettle(visit, message=talk.message())
    assert await talk.insurer.settled(visit.number) is None
    settled = await talk.insurer.settle(visit, message="the settling")
    assert (settled.split, settled.visit, settled.message) == (quoted, visit.number, "the settling")
    assert abs(settled.at - talk.clock.now()) < timedelta(minutes=1)
    assert await talk.insurer.settled(visit.number) == settled
    assert (await talk.person(LIU)).account == Decimal("770.00")
    await talk.insurer.revoke(settled.number, visit.number, message=talk.message())
    assert await talk.insurer.settled(visit.number) is None
    assert (await talk.person(LIU)).account == Decimal("830.00")
    await talk.insurer.revoke_upload(visit.number, message=talk.message())
    await talk.insurer.unregister(visit.number, message=talk.message())
    assert talk.books.visits == {}


async def test_a_family_pays_what_ones_own_account_does_not_hold(talk: Talk) -> None:
    visit = await talk.ready(WANG, Fee("远程会诊", Decimal("300.00")))
    settled = await talk.insurer.settle(visit, message=talk.message())
    assert parts(settled.split) == ("150.00", "30.00", "0.00", "120.00")
    assert talk.books.families["F1"] == 0
    assert (await talk.person(LIU)).account == Decimal("800.00")


async def test_an_account_is_left_alone_where_the_patient_wants_it(talk: Talk) -> None:
    visit = await talk.ready(WANG, use_account=False)
    assert parts(await talk.insurer.presettle(visit, message=talk.message())) == ("140.00", "0.00", "0.00", "60.00")


async def test_a_cap_of_the_year_is_reached_and_the_next_year_begins_anew(talk: Talk) -> None:
    talk.books.insure({"certno": LI[0], "used": {"remote_consultation": [0, 298_000]}})
    visit = await talk.ready(LI)
    assert (await talk.insurer.settle(visit, message=talk.message())).split.insurance == Decimal("20.00")
    used = (await talk.person(LI)).used["remote_consultation"]
    assert used.paid_year == Decimal("3000.00")


async def test_several_claims_of_medicine_on_one_day_are_one_claim(talk: Talk) -> None:
    first = await talk.ready(WANG, Fee("药", Decimal("80.00")), service="medicine", use_account=False)
    assert (await talk.insurer.settle(first, message=talk.message())).split.insurance == 0
    second = await talk.ready(WANG, Fee("药", Decimal("80.00")), service="medicine", use_account=False)
    settled = await talk.insurer.settle(second, message=talk.message())
    assert settled.split.insurance == Decimal("33.00")
    assert "起付线：这次有20元还没到起付线，这部分个人付。" in settled.split.lines


async def test_a_repeated_message_is_answered_as_the_first_and_done_once(talk: Talk) -> None:
    visit = await talk.ready(LIU)
    first = await talk.insurer.settle(visit, message="once")
    assert await talk.insurer.settle(visit, message="once") == first
    assert talk.standing == 1


async def test_another_content_under_a_known_message_id_is_a_mistake(talk: Talk) -> None:
    visit = await talk.ready(LIU)
    await talk.insurer.presettle(visit, message="a quote")
    with pytest.raises(AnotherContent):
        await talk.insurer.presettle(replace(visit, use_account=False), message="a quote")


async def test_a_visit_is_settled_once_and_not_taken_apart_while_it_is(talk: Talk) -> None:
    visit = await talk.ready()
    settled = await talk.insurer.settle(visit, message=talk.message())
    for doing in (
        talk.insurer.settle(visit, message=talk.message()),
        talk.insurer.upload(visit, message=talk.message()),
        talk.insurer.revoke_upload(visit.number, message=talk.message()),
        talk.insurer.unregister(visit.number, message=talk.message()),
    ):
        with pytest.raises(InsurerRefused) as refusal:
            await doing
        assert refusal.value.code == "2004"
    await talk.insurer.revoke(settled.number, visit.number, message=talk.message())
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.revoke(settled.number, visit.number, message=talk.message())
    assert refusal.value.code == "2005"


async def test_what_goes_out_of_order_is_refused_with_a_sentence(talk: Talk) -> None:
    visit = await talk.visit()
    unknown = replace(visit, person="N000000099999")
    for doing, code in (
        (talk.insurer.register(unknown, message=talk.message()), "not_looked_up"),
        (talk.insurer.upload(visit, message=talk.message()), "not_registered"),
        (talk.insurer.presettle(visit, message=talk.message()), "not_registered"),
        (talk.insurer.unregister(visit.number, message=talk.message()), "not_registered"),
    ):
        with pytest.raises(InsurerRefused) as refusal:
            await doing
        assert refusal.value.code == code
        assert refusal.value.sentence.endswith("。")
    await talk.insurer.register(visit, message=talk.message())
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.presettle(visit, message=talk.message())
    assert refusal.value.code == "2006"
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.register(visit, message=talk.message())
    assert refusal.value.code == "2003"


async def test_an_institution_that_the_insurer_does_not_know_is_refused(talk: Talk) -> None:
    visit = await talk.visit(institution="H36010200001")
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.register(visit, message=talk.message())
    assert refusal.value.code == "2001"


async def test_fees_that_differ_from_those_sent_are_refused(talk: Talk) -> None:
    visit = await talk.ready()
    dearer = replace(visit, fees=(Fee("远程会诊", Decimal("201.00")),))
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.settle(dearer, message=talk.message())
    assert refusal.value.code == "2007"
    for wrong in ((), (Fee("远程会诊", Decimal("1.005")),), (Fee("远程会诊", Decimal(-1)),)):
        with pytest.raises(ValueError, match=r"nothing|fen"):
            await talk.insurer.presettle(replace(visit, fees=wrong), message=talk.message())


@pytest.mark.parametrize("number", ["", "x" * 31, "第一次", "a b"])
async def test_a_number_that_the_platform_cannot_take_is_a_mistake(talk: Talk, number: str) -> None:
    visit = replace(await talk.visit(), number=number)
    with pytest.raises(ValueError, match="number"):
        await talk.insurer.register(visit, message=talk.message())


async def test_a_days_settlements_come_in_order_page_by_page_and_sum_to_the_totals(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.insurance.national._PAGE", 2)
    made = []
    for who in (LIU, WANG, LI, LIU, WANG):
        visit = await talk.ready(who)
        made.append(await talk.insurer.settle(visit, message=f"settling {visit.number}"))
    taken_back = made.pop(1)
    await talk.insurer.revoke(taken_back.number, taken_back.visit, message=talk.message())
    elsewhere = await talk.ready(WANG, institution=TOWNSHIP, level="primary")
    await talk.insurer.settle(elsewhere, message=talk.message())
    found = await everything(talk)
    assert found == sorted(made, key=lambda one: one.visit)
    assert [one.visit for one in await everything(talk, TOWNSHIP)] == [elsewhere.number]
    today = local(talk.clock.now()).date()
    totals = await talk.insurer.totals(HOSPITAL, today, today)
    assert totals.count == len(made)
    assert totals.total == sum(one.split.total for one in made) * 100
    assert totals.insurance == sum(one.split.insurance + one.split.subsidy for one in made) * 100
    assert totals.account == sum(one.split.account for one in made) * 100
    tomorrow = today + timedelta(days=1)
    assert (await talk.insurer.totals(HOSPITAL, tomorrow, tomorrow)).count == 0


async def test_the_insurer_is_called_outside_of_a_transaction(talk: Talk, database: Database) -> None:
    async with database.transaction():
        with pytest.raises(RuntimeError, match="outside"):
            await talk.person()


async def test_the_log_has_each_message_and_nobody_can_read_of_whom_it_is(talk: Talk, database: Database) -> None:
    visit = await talk.ready(LIU)
    await talk.insurer.settle(visit, message="the settling")
    async with database.reading() as session:
        rows = (await session.scalars(select(InsurerMessage).order_by(InsurerMessage.id))).all()
        kept = (await session.execute(text("SELECT subject, digest, asked, answer FROM insurer_messages"))).all()
    assert [row.transaction for row in rows] == ["1101", "2201", "2203", "2204", "2207"]
    assert {row.state for row in rows} == {"answered"}
    assert all(row.answered_at and row.answered_at >= row.sent_at for row in rows)
    assert all(row.msgid and len(row.msgid) == 30 and row.msgid.startswith(HOSPITAL) for row in rows)
    assert len({row.msgid for row in rows}) == len(rows)
    assert [row.subject for row in rows[1:]] == [visit.number] * 4
    plain = str([[bytes(one) if isinstance(one, (bytes, memoryview)) else one for one in row] for row in kept])
    assert not any(secret in plain for secret in (*LIU, visit.person))


async def test_many_at_once_are_each_answered_under_an_id_of_their_own(talk: Talk, database: Database) -> None:
    found = await asyncio.gather(*(talk.person(who) for who in (WANG, LI, LIU) * 7))
    assert {one.insurance for one in found} == {"resident", "special", "employee"}
    async with database.reading() as session:
        msgids = (await session.scalars(select(InsurerMessage.msgid))).all()
    assert len(set(msgids)) == len(msgids) == 21


async def test_two_processes_that_meet_at_a_running_number_do_not_share_it(
    talk: Talk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = talk.clock.now()
    monkeypatch.setattr(talk.clock, "now", lambda: now)
    logs = [MessageLog(database, talk.clock), MessageLog(database, talk.clock)]
    for log in logs:
        monkeypatch.setattr(log, "_numbers", count(9_999))
    address = Address(HOSPITAL, "999902")
    begun = [await log.begin(f"message {place}", "1101", {}, address, "") for place, log in enumerate(logs)]
    assert [one.msgid[-4:] for one in begun] == ["9999", "0000"]
