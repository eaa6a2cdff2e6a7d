"""What is a person's own goes for good, out of old backups too; what the law makes one keep stays until its time."""

from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text

from backend.charging.rules import ChargeState
from backend.charging.tables import Charge
from backend.clock import Clock
from backend.consultation.tables import Consultation
from backend.db import Base, Database, key_ring
from backend.errors import Conflict, Forbidden, NotFound
from backend.insurance.tables import InsurerMessage
from backend.invoicing.tables import InvoiceRow
from backend.messaging.service import MessagingService
from backend.messaging.tables import InboundMessage
from backend.rights import Blocker
from backend.rights.holdings import Class
from backend.rights.rules import COOLING_OFF
from backend.security.policy import SYSTEM
from tests.support import cases
from tests.support.dying import Forked
from tests.support.erasing import NUMBER, PHONE, Life, copied, encrypted_values, lead, legible, put_back, write
from tests.support.killable_erasure import STEPS, main

YEAR = 365.25


@pytest_asyncio.fixture
async def life(database: Database, clock: Clock, tmp_path: Path) -> Life:
    return await lead(database, clock, tmp_path)


@pytest_asyncio.fixture
async def visitor(database: Database, clock: Clock, tmp_path: Path) -> Life:
    """Somebody who never had a consultation."""
    return await lead(database, clock, tmp_path, treated=False)


async def ask(life: Life) -> None:
    await life.house.services.erasures.ask(await life.actor(), life.person_id)


async def erase(life: Life) -> None:
    await ask(life)
    await life.after(COOLING_OFF.days + 0.1)


async def test_what_is_ones_own_goes_and_the_record_stays(life: Life) -> None:
    record = await life.rows(Class.RECORD)
    own = await life.rows(Class.OWN)
    assert {
        "conversations",
        "contacts",
        "outbox_messages",
        "observations",
        "medicine_plan_lines",
        "home_devices",
    } <= set(own)
    await erase(life)
    assert await life.rows(Class.OWN) == {}
    assert await life.rows(Class.RECORD) == record
    doctor = await cases.staff(life.house, "村医甲")
    [case] = await life.house.services.consultations.list_for(doctor)
    seen = await life.house.services.consultations.get(doctor, case.id)
    assert seen.opinion is not None
    assert seen.record["chief_complaint"] == "咳嗽3天"
    person = await life.house.services.people.person(SYSTEM, life.person_id)
    assert (person.name, person.phone, person.region) == ("王秀英", None, "")
    [attached] = await life.house.services.consultations.attachments(doctor, case.id)
    assert (await life.house.services.consultations.open_file(doctor, case.id, attached.file_id))[0]
    async with life.house.database.reading() as session:
        assert await session.scalar(text("SELECT COUNT(*) FROM files")) == 1, (
            "the picture that was never part of a case"
        )
    with pytest.raises(NotFound):
        await life.actor()


async def test_a_copy_of_the_database_from_before_does_not_tell_it_either(life: Life) -> None:
    backup = await encrypted_values(life.house.database)
    assert all(
        told in legible(backup) for told in (PHONE, "o-wang-xiuying", "我咳嗽三天了", "吃了药好多了", "氨氯地平片")
    )
    await erase(life)
    left = legible(backup)
    assert not [
        told for told in (PHONE, "o-wang-xiuying", "我咳嗽三天了", "吃了药好多了", "氨氯地平片") if told in left
    ]
    assert "急性支气管炎" in left, "what has to be kept is in it still"


async def test_of_somebody_who_was_never_treated_nothing_is_left_but_that_they_were_here(visitor: Life) -> None:
    backup = await encrypted_values(visitor.house.database)
    assert NUMBER in legible(backup)
    await erase(visitor)
    assert await visitor.rows(Class.OWN) == await visitor.rows(Class.RECORD) == {}
    assert set(await visitor.rows(Class.EVIDENCE)) == {"people", "consents", "erasures"}
    before, now = legible(backup), legible(await encrypted_values(visitor.house.database))
    for told in ("王秀英", PHONE, NUMBER, "1958-03-12", "我咳嗽三天了"):
        assert told not in before
        assert told not in now
    await visitor.after(3 * YEAR)
    assert await visitor.rows(Class.EVIDENCE) == {}


async def test_it_can_be_taken_back_until_the_day(life: Life) -> None:
    erasures, me = life.house.services.erasures, await life.actor()
    due_at = await erasures.ask(me, life.person_id)
    assert await erasures.ask(me, life.person_id) == due_at, "asked twice is asked once"
    assert (await erasures.overview(me, life.person_id)).due_at == due_at
    await life.after(COOLING_OFF.days - 0.5)
    await erasures.take_back(me, life.person_id)
    await life.after(30)
    assert "conversations" in await life.rows(Class.OWN)
    with pytest.raises(NotFound):
        await erasures.take_back(me, life.person_id)
    await erase(life)
    assert await life.rows(Class.OWN) == {}


async def test_what_runs_is_finished_first(life: Life) -> None:
    erasures, me = life.house.services.erasures, await life.actor()
    case_id = await cases.open_case(life.house, life.person_id)
    assert (await erasures.overview(me, life.person_id)).blockers == (Blocker.CONSULTATION,)
    with pytest.raises(Conflict):
        await erasures.ask(me, life.person_id)
    await life.house.services.consultations.cancel(me, case_id, "好多了")
    await ask(life)
    again = await cases.open_case(life.house, life.person_id)
    await life.after(COOLING_OFF.days + 0.1)
    assert "conversations" in await life.rows(Class.OWN), "it waits for what was begun meanwhile"
    await life.house.services.consultations.cancel(await life.actor(), again, "好多了")
    await life.after(2)
    assert await life.rows(Class.OWN) == {}


async def test_whoever_writes_afterwards_is_somebody_new(life: Life) -> None:
    await erase(life)
    opened = await write(life.house, "你好")
    assert opened.contact.person_id != life.person_id
    assert opened.state is None
    assert (await life.house.services.people.person(SYSTEM, opened.contact.person_id)).name == ""


async def test_a_message_of_somebody_who_is_gone_is_answered_with_nothing_when_it_comes_again(life: Life) -> None:
    messaging = MessagingService(life.house.database, life.house.clock, life.house.services.people)
    async with life.house.database.reading() as session:
        keys = list(await session.scalars(select(InboundMessage.key)))
    assert [await messaging.answer(key) for key in keys] == [{"said": "我咳嗽三天了"}, {"said": "吃了药好多了"}]
    await erase(life)
    assert [await messaging.answer(key) for key in keys] == [{}, {}]


async def test_relatives_are_patients_of_their_own(life: Life) -> None:
    erasures, people, me = life.house.services.erasures, life.house.services.people, await life.actor()
    mother = await people.add_relative(me, relation="mother", name="李桂兰")
    me = await life.actor()
    assert (await erasures.overview(me, life.person_id)).blockers == (Blocker.RELATIVES,)
    await erasures.ask(me, mother)
    await life.after(COOLING_OFF.days + 0.1)
    assert (await people.person(SYSTEM, mother)).name == ""
    assert (await people.person(SYSTEM, life.person_id)).name == "王秀英"
    assert "conversations" in await life.rows(Class.OWN)
    await erase(life)
    assert await life.rows(Class.OWN) == {}


async def test_nobody_asks_for_somebody_else(life: Life) -> None:
    stranger = await life.house.actor(await life.house.new_person())
    for actor in (stranger, await cases.staff(life.house, "村医甲")):
        with pytest.raises(Forbidden):
            await life.house.services.erasures.ask(actor, life.person_id)
        with pytest.raises(Forbidden):
            await life.house.services.erasures.overview(actor, life.person_id)


async def test_the_record_goes_when_its_fifteen_years_are_over(life: Life) -> None:
    other = life.house
    await erase(life)
    await life.after(15 * YEAR - 30)
    assert "consultation_records" in await life.rows(Class.RECORD)
    await life.after(60)
    assert await life.rows(Class.RECORD) == {}
    assert await life.rows(Class.EVIDENCE) == {}, "nothing has to be kept any longer"
    async with other.database.reading() as session:
        assert await session.scalar(text("SELECT COUNT(*) FROM files")) == 0
    assert "王秀英" not in legible(await encrypted_values(other.database))


async def test_accounts_stay_thirty_years_and_receipts_keep_their_numbers(life: Life) -> None:
    database, now = life.house.database, life.house.clock.now()
    async with database.transaction() as session:
        case = await session.scalar(select(Consultation))
        assert case is not None
        session.add(
            Charge(
                id="c" * 32,
                number="SF1",
                consultation_id=case.id,
                patient_id=life.person_id,
                expert_id=case.expert_id,
                institution_id=case.institution_id,
                state=ChargeState.SETTLED,
                slot_id="s" * 32,
                starts_at=now,
                visit="v" * 32,
                insured=True,
                person_number="P-110101",
                fee=5000,
                service="会诊",
                tariff="t",
                no_show_fee=0,
                made_at=now,
                expires_at=now,
            )
        )
        document = {"payer": "王秀英"}
        session.add(InvoiceRow(charge_id="c" * 32, number="FP1", issued_at=now, document=document, pdf=b"%PDF 1"))
        session.add(
            InsurerMessage(
                message="m", transaction="2206", msgid="M1", subject="v" * 32, institution="H1", region="1",
                insured="1", state="answered", digest="d", asked={"psn_no": "P-110101"}, sent_at=now,
            )
        )  # fmt: skip
    await erase(life)
    await life.after(16 * YEAR)
    assert await life.rows(Class.RECORD) == {}
    assert await life.rows(Class.MONEY) == {"charges": 1, "insurer_messages": 1, "invoices": 1}
    await life.after(15 * YEAR)
    assert await life.rows(Class.MONEY) == await life.rows(Class.EVIDENCE) == {}
    left = legible(await encrypted_values(database))
    assert "P-110101" not in left
    assert "王秀英" not in left
    async with database.reading() as session:
        assert await session.scalar(text("SELECT number FROM invoices")) == "FP1"


async def test_it_is_in_the_audit_log_and_the_log_stays_whole(life: Life) -> None:
    await erase(life)
    entries = [one for one in await life.house.audit.entries(SYSTEM, limit=1000) if one.action == "people.erase"]
    assert [one.reason for one in reversed(entries)] == ["asked", "erased", "key destroyed"]
    await life.house.audit.seal()
    assert (await life.house.audit.verify()).ok


async def test_what_an_older_database_brings_back_is_destroyed_again(life: Life) -> None:
    """Rows of a backup from before the erasure are put where they were, as a restored database has them."""
    tables = [
        Base.metadata.tables[name] for name in ("contacts", "conversations", "medicine_plans", "medicine_plan_lines")
    ]
    backup = await copied(life.house.database, tables)
    await erase(life)
    assert await life.house.services.erasures.repeat() == 0
    await put_back(life.house.database, tables, backup)
    assert await life.house.services.erasures.repeat() == 1
    await life.house.settle()
    assert await life.rows(Class.OWN) == {}
    assert await life.house.services.erasures.repeat() == 0


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_in_the_middle_leaves_nothing_half_done(
    life: Life, database_url: str, tmp_path: Path, step: str
) -> None:
    backup, own = await encrypted_values(life.house.database), await life.rows(Class.OWN)
    await ask(life)
    ahead = timedelta(days=COOLING_OFF.days + 1)
    assert await Forked(main, database_url, tmp_path, ahead, step).ended() == -9
    assert await life.rows(Class.OWN) in (own, {}), "all of it, or nothing"
    await life.after(ahead.days)
    assert await life.rows(Class.OWN) == {}
    assert not [told for told in (PHONE, "o-wang-xiuying", "我咳嗽三天了", "氨氯地平片") if told in legible(backup)]
    entries = [one.reason for one in await life.house.audit.entries(SYSTEM, limit=1000) if one.action == "people.erase"]
    assert entries == ["key destroyed", "erased", "asked"], "each step once"


async def test_another_persons_things_are_left_alone(life: Life) -> None:
    other = await write(life.house, "我头疼", "o-li")
    await erase(life)
    async with life.house.database.reading() as session:
        count = select(func.count()).select_from(Base.metadata.tables["conversations"])
        assert await session.scalar(count) == 1
    people = key_ring().people
    assert people is not None
    assert list(people.destroyed()) == [life.person_id]
    assert other.contact.person_id != life.person_id
    assert (await write(life.house, "还是疼", "o-li")).state == {"flow": "intake", "data": {"said": "我头疼"}}
