"""A booking that costs something: quoted, paid, settled; and every way back gives everything back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from backend.charging import ChargeState, PaymentDown, Reason
from backend.charging.rules import StepState
from backend.charging.tables import Charge, ChargeStep
from backend.errors import Conflict, Forbidden, IllegalMove
from backend.insurance.insurer import InsurerRefused
from backend.payment.payments import ForgedNotification
from backend.scheduling import BookingState
from backend.security.policy import SYSTEM
from data.insurance import coverage_tables
from tests.support.money_wire import Fault
from tests.support.till import Till, order_of

FEE = 20_000  # fen, of a chief physician at a tertiary hospital
INSURANCE = 14_000  # 70 % of it
CASH = FEE - INSURANCE


async def test_before_paying_the_patient_reads_what_insurance_pays(till: Till) -> None:
    patient = await till.insured()
    charge = await till.begun(patient)
    assert charge.state is ChargeState.QUOTING
    await till.work()
    quoted = await till.now(charge)
    assert quoted.state is ChargeState.QUOTED
    assert quoted.quote is not None
    assert (quoted.quote.insurance, quoted.quote.cash) == (Decimal(140), Decimal(60))
    assert any("70%" in line for line in quoted.quote.lines)
    assert quoted.payable
    assert quoted.expires_at == pytest.approx(till.clinic.clock.now() + timedelta(minutes=15), abs=timedelta(minutes=1))
    assert quoted.slot_id not in {slot.id for slot in await till.slots()}
    assert await till.clinic.scheduling.booking(charge.consultation_id) is None


@pytest.mark.parametrize("agrees", [True, False])
async def test_our_tables_say_why_where_the_insurer_does_not_and_shares_as_they_do(till: Till, agrees: bool) -> None:
    till.insurer.says_why = False
    if not agrees:
        till.insurer.table = coverage_tables()[1]
    quote = (await till.quoted(await till.insured())).quote
    assert quote is not None
    assert (quote.lines == ("医保算好了。",)) == (not agrees)
    assert any("报销比例：70%" in line for line in quote.lines) == agrees


async def test_paid_it_is_booked_and_after_the_consultation_settled(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    assert (await till.now(charge)).state is ChargeState.AWAITING_PAYMENT
    await till.work()
    charge = await till.now(charge)
    assert charge.state is ChargeState.CONFIRMED
    assert charge.paid == Decimal(60)
    booking = await till.clinic.scheduling.booking(charge.consultation_id)
    assert booking is not None
    assert (booking.state, booking.slot_id) == (BookingState.ACTIVE, charge.slot_id)
    assert await till.books(charge) == {"wechat_pay": CASH, "patient": -CASH}
    await till.complete(charge)
    await till.work()
    charge = await till.now(charge)
    assert charge.state is ChargeState.SETTLED
    assert charge.settled == charge.quote
    assert await till.books(charge) == {"wechat_pay": CASH, "insurer": INSURANCE, "institution": -FEE}
    [settlement] = [entry.settlement for entry in till.insurer.visits.values()]
    assert settlement is not None
    assert [one.id for one in await till.charging.bills(patient)] == [charge.id]
    told = [await till.clinic.published(f"charge.{what}") for what in ("quoted", "paid", "confirmed", "settled")]
    assert [len(events) for events in told] == [1, 1, 1, 1]


async def test_where_nothing_is_left_to_pay_it_is_booked_at_once(till: Till) -> None:
    charge = await till.quoted(await till.insured(account="60"))
    assert charge.state is ChargeState.CONFIRMED
    assert charge.quote is not None
    assert charge.quote.account == Decimal(60)
    await till.complete(charge)
    await till.work()
    assert await till.books(charge) == {"family_account": CASH, "insurer": INSURANCE, "institution": -FEE}


@pytest.mark.parametrize("known", [True, False])
async def test_who_is_not_insured_pays_the_whole_and_reads_why(till: Till, known: bool) -> None:
    patient = await till.insured(None, known=known, refusal="您的医保暂停了，请先到社保中心办理。")
    charge = await till.quoted(patient)
    assert (charge.state, charge.insured, charge.cash) == (ChargeState.QUOTED, False, Decimal(200))
    assert charge.why_not in ("您的医保暂停了，请先到社保中心办理。", "医保里没有查到这个身份证号。")
    await till.pay(patient, charge)
    await till.work()
    await till.complete(charge)
    await till.work()
    assert (await till.now(charge)).state is ChargeState.SETTLED
    assert await till.books(charge) == {"wechat_pay": FEE, "institution": -FEE}
    assert till.insurer.visits == {}


async def test_who_has_given_no_identity_number_pays_the_whole(till: Till) -> None:
    charge = await till.begun(await till.clinic.patient())
    assert (charge.state, charge.cash) == (ChargeState.QUOTED, Decimal(200))
    assert "身份证" in charge.why_not


async def test_an_insurer_that_is_slow_is_told_of_and_need_not_be_waited_for(till: Till) -> None:
    patient = await till.insured()
    till.insurer.wire.next = [Fault.NONE, Fault.LOST, Fault.LOST]
    charge = await till.begun(patient)
    await till.work()
    await till.later(timedelta(seconds=11))
    charge = await till.now(charge)
    assert (charge.state, charge.slow) == (ChargeState.QUOTING, True)
    assert len(await till.clinic.published("charge.delayed")) == 1
    alone = await till.charging.begin_without_insurance(patient, charge.consultation_id, charge.slot_id)
    assert (alone.id, alone.state, alone.cash) == (charge.id, ChargeState.QUOTED, Decimal(200))
    await till.settle_down()
    assert till.insurer.visits == {}  # what it may have known was taken back
    assert (await till.now(charge)).payable


async def test_unpaid_the_time_is_given_back_after_a_quarter_of_an_hour(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.charging.prepay(patient, charge.id)
    await till.later(timedelta(minutes=16))
    await till.settle_down()
    closed = await till.now(charge)
    assert (closed.state, closed.reason) == (ChargeState.CLOSED, Reason.EXPIRED)
    assert charge.slot_id in {slot.id for slot in await till.slots()}
    assert till.insurer.visits == {}
    assert [one.payment.state for one in till.payments.accounts.values()] == ["closed"]
    assert await till.books(charge) == {}
    again = await till.charging.begin(patient, charge.consultation_id, charge.slot_id)
    assert again.id != charge.id
    with pytest.raises(IllegalMove):
        await till.charging.prepay(patient, charge.id)


async def test_a_payment_whose_notification_was_lost_is_found_by_asking(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    till.payments.notifications.clear()
    assert (await till.charging.refresh(patient, charge.id)).state is ChargeState.CONFIRMED


async def test_a_payment_whose_notification_was_lost_is_found_though_nobody_asks(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    till.payments.notifications.clear()
    await till.later(timedelta(seconds=31))
    assert (await till.now(charge)).state is ChargeState.CONFIRMED


async def test_a_payment_found_after_the_time_is_over_still_has_its_slot(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    till.payments.notifications.clear()
    till.payments.wire.down = True
    await till.later(timedelta(minutes=30))
    assert (await till.now(charge)).state is ChargeState.CLOSING
    till.payments.wire.down = False
    await till.later(timedelta(minutes=11))
    found = await till.now(charge)
    assert (found.state, found.paid) == (ChargeState.CONFIRMED, Decimal(60))


async def test_paid_for_a_time_that_is_gone_everything_comes_back(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    till.payments.notifications.clear()
    till.payments.wire.down = True
    await till.later(timedelta(minutes=80))
    other = await till.insured()
    case = await till.assigned(other)
    await till.clinic.care.book(other, case.id, charge.slot_id)
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.reason) == (ChargeState.REVERSED, Reason.SLOT_GONE)
    assert (back.paid, back.refunded) == (Decimal(60), Decimal(60))
    assert await till.books(charge) == {}
    assert till.insurer.visits == {}


async def test_two_phones_pay_one_order_after_the_other_and_once(till: Till) -> None:
    patient, daughter = await till.insured(), await till.clinic.patient("王小红")
    charge = await till.quoted(patient)
    first = order_of(await till.charging.prepay(patient, charge.id))
    assert order_of(await till.charging.prepay(patient, charge.id)) == first
    speaker = replace(daughter, wards=frozenset({patient.person_id}))
    second = order_of(await till.charging.prepay(speaker, charge.id))
    assert second != first
    assert not till.payments.pay(first)
    assert till.payments.pay(second)
    assert till.payments.pay(first, though_closed=True)  # what should not happen
    await till.settle_down()
    charge = await till.now(charge)
    assert (charge.state, charge.paid, charge.refunded) == (ChargeState.CONFIRMED, Decimal(120), Decimal(60))
    assert till.payments.received() == CASH
    with pytest.raises(Conflict):
        await till.charging.prepay(speaker, charge.id)


async def test_a_second_phone_finds_that_the_first_has_paid(till: Till) -> None:
    patient, daughter = await till.insured(), await till.clinic.patient("王小红")
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    speaker = replace(daughter, wards=frozenset({patient.person_id}))
    with pytest.raises(Conflict):
        await till.charging.prepay(speaker, charge.id)
    assert (await till.now(charge)).state is ChargeState.CONFIRMED


async def test_a_provider_that_gives_no_answer_opens_no_second_order(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    for fault in (Fault.UNREACHABLE, Fault.LOST, Fault.ANSWER_LOST):
        till.payments.wire.next = [fault]
        with pytest.raises(PaymentDown):
            await till.charging.prepay(patient, charge.id)
    await till.pay(patient, charge)
    assert len(till.payments.accounts) == 1


async def test_a_cancelled_booking_is_reversed_and_refunded(till: Till) -> None:
    patient = await till.insured()
    till.payments.slow_refunds = True
    charge = await till.paid(patient)
    back = await till.charging.cancel(patient, charge.id, "不去了")
    assert (back.state, back.refunding) == (ChargeState.REVERSING, Decimal(60))
    assert await till.clinic.scheduling.booking(charge.consultation_id) is None
    await till.work()
    assert (await till.now(charge)).refunding == Decimal(60)
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.refunding, back.refunded) == (ChargeState.REVERSED, Decimal(0), Decimal(60))
    assert till.insurer.visits == {}
    assert await till.books(charge) == {}
    assert (await till.charging.cancel(patient, charge.id)).state is ChargeState.REVERSED
    again = await till.charging.begin(patient, charge.consultation_id, charge.slot_id)
    assert again.number.endswith("-2")


async def test_an_expert_who_gives_the_case_back_gives_everything_back(till: Till) -> None:
    charge = await till.paid(await till.insured())
    await till.clinic.care.give_back(till.expert, charge.consultation_id, "临时手术")
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.reason) == (ChargeState.REVERSED, Reason.CARE_CANCELLED)
    assert till.payments.received() == 0


async def test_who_does_not_come_gets_back_what_the_tariff_leaves(till: Till) -> None:
    charge = await till.paid(await till.insured())
    await till.clinic.pass_time(charge.starts_at + timedelta(minutes=40) - till.clinic.clock.now())
    await till.clinic.care.record_no_show(till.expert, charge.consultation_id)
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.reason, back.refunded) == (ChargeState.REVERSED, Reason.NO_SHOW, Decimal(60))


async def test_a_no_show_costs_what_the_tariff_says(till: Till) -> None:
    charge = await till.paid(await till.insured())
    async with till.clinic.database.transaction() as session:
        await session.execute(update(Charge).values(no_show_fee=1000))
    await till.clinic.pass_time(charge.starts_at + timedelta(minutes=40) - till.clinic.clock.now())
    await till.clinic.care.record_no_show(till.expert, charge.consultation_id)
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.refunded, back.kept) == (ChargeState.REVERSED, Decimal(50), Decimal(10))
    assert await till.books(charge) == {"wechat_pay": 1000, "institution": -1000}


async def test_a_second_payment_whose_refund_fails_waits_for_a_person_whatever_comes_after(till: Till) -> None:
    patient, administrator = await till.insured(), await till.clinic.administrator()
    charge = await till.quoted(patient)
    first = order_of(await till.charging.prepay(patient, charge.id))
    speaker = replace(await till.clinic.patient("王小红"), wards=frozenset({patient.person_id}))
    second = order_of(await till.charging.prepay(speaker, charge.id))
    till.payments.refuse_refunds = "NOTENOUGH"
    assert till.payments.pay(second)
    assert till.payments.pay(first, though_closed=True)
    await till.work()
    await till.complete(charge)
    await till.settle_down()
    waiting = await till.now(charge)
    assert (waiting.state, waiting.attention) == (ChargeState.SETTLED, Reason.REFUND_FAILED)
    till.payments.refuse_refunds = ""
    await till.charging.decide(administrator, charge.id, "again", "余额已补足")
    await till.settle_down()
    assert till.payments.received() == CASH
    assert await till.waiting(administrator) == []


async def test_a_time_moved_to_another_keeps_its_charge(till: Till) -> None:
    patient = await till.insured()
    charge = await till.paid(patient)
    other = (await till.slots())[3]
    await till.clinic.care.reschedule(patient, charge.consultation_id, other.id)
    await till.work()
    moved = await till.now(charge)
    assert (moved.state, moved.slot_id, moved.starts_at) == (ChargeState.CONFIRMED, other.id, other.starts_at)
    with pytest.raises(Conflict):
        await till.charging.begin(patient, charge.consultation_id, charge.slot_id)


async def test_before_paying_another_time_moves_the_hold_and_not_the_charge(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    other = (await till.slots())[2]
    moved = await till.charging.begin(patient, charge.consultation_id, other.id)
    assert (moved.id, moved.slot_id) == (charge.id, other.id)
    free = {slot.id for slot in await till.slots()}
    assert charge.slot_id in free
    assert other.id not in free


async def test_what_was_settled_lower_than_quoted_is_given_back(till: Till) -> None:
    charge = await till.paid(await till.insured())
    till.insurer.cheat = Decimal(-10)
    await till.complete(charge)
    await till.settle_down()
    charge = await till.now(charge)
    assert (charge.state, charge.refunded) == (ChargeState.SETTLED, Decimal(10))
    assert await till.books(charge) == {"wechat_pay": CASH - 1000, "insurer": INSURANCE + 1000, "institution": -FEE}


@pytest.mark.parametrize(
    ("decision", "state", "books"),
    [
        ("bear", ChargeState.SETTLED, {"wechat_pay": CASH, "insurer": 13_000, "platform": 1000, "institution": -FEE}),
        ("reverse", ChargeState.REVERSED, {}),
    ],
)
async def test_what_was_settled_higher_waits_for_a_person(
    till: Till, decision: str, state: ChargeState, books: dict[str, int]
) -> None:
    patient, administrator = await till.insured(), await till.clinic.administrator()
    charge = await till.paid(patient)
    till.insurer.cheat = Decimal(10)
    await till.complete(charge)
    await till.settle_down()
    waiting = await till.now(charge)
    assert (waiting.state, waiting.attention) == (ChargeState.DISPUTED, Reason.SETTLED_OTHERWISE)
    assert [one.id for one in await till.waiting(administrator)] == [charge.id]
    with pytest.raises(Forbidden):
        await till.charging.decide(patient, charge.id, "bear", "不想付")
    await till.charging.decide(administrator, charge.id, decision, "核对过")  # type: ignore[arg-type]
    await till.settle_down()
    assert (await till.now(charge)).state is state
    assert await till.books(charge) == books
    assert await till.waiting(administrator) == []
    settled = [entry.settlement for entry in till.insurer.visits.values() if entry.settlement]
    assert len(settled) == (1 if decision == "bear" else 0)


async def test_a_settlement_that_is_refused_waits_for_a_person(till: Till) -> None:
    administrator = await till.clinic.administrator()
    charge = await till.paid(await till.insured())
    till.insurer.refuse["settle"] = InsurerRefused("3001", "医保已经暂停。")
    await till.complete(charge)
    await till.settle_down()
    assert (await till.now(charge)).attention is Reason.SETTLEMENT_REFUSED
    await till.charging.decide(administrator, charge.id, "bear", "平台承担")
    await till.settle_down()
    assert (await till.now(charge)).state is ChargeState.SETTLED
    assert await till.books(charge) == {"wechat_pay": CASH, "platform": INSURANCE, "institution": -FEE}
    assert till.insurer.visits == {}


async def test_an_administrator_reverses_what_was_settled(till: Till) -> None:
    administrator = await till.clinic.administrator()
    charge = await till.paid(await till.insured())
    await till.complete(charge)
    await till.work()
    await till.charging.decide(administrator, charge.id, "reverse", "重复开单")
    await till.settle_down()
    assert (await till.now(charge)).state is ChargeState.REVERSED
    assert await till.books(charge) == {}
    assert till.insurer.visits == {}
    kinds = [posting.kind for posting in await till.ledger.of(f"charge:{charge.id}")]
    assert sorted(kinds) == ["payment", "refund", "settlement", "settlement_reversed"]


async def test_a_refund_that_fails_is_tried_again_when_a_person_says_so(till: Till) -> None:
    patient, administrator = await till.insured(), await till.clinic.administrator()
    charge = await till.paid(patient)
    till.payments.refuse_refunds = "NOTENOUGH"
    await till.charging.cancel(patient, charge.id)
    await till.settle_down()
    assert (await till.now(charge)).attention is Reason.REFUND_FAILED
    till.payments.refuse_refunds = ""
    await till.charging.decide(administrator, charge.id, "again", "余额已补足")
    await till.settle_down()
    assert (await till.now(charge)).state is ChargeState.REVERSED
    assert till.payments.received() == 0


@pytest.mark.parametrize("told", [True, False])
async def test_a_refund_that_arrives_after_it_was_refused_is_given_once(till: Till, told: bool) -> None:
    patient, administrator = await till.insured(), await till.clinic.administrator()
    charge = await till.paid(patient)
    await till.charging.cancel(patient, charge.id)
    till.payments.wire.next = [Fault.LATE]
    await till.charging.work()
    till.payments.refuse_refunds = "NOTENOUGH"
    await till.later()
    assert (await till.now(charge)).attention is Reason.REFUND_FAILED
    till.payments.refuse_refunds = ""
    assert till.payments.wire.arrive() == 1
    if not told:
        till.payments.notifications.clear()
        await till.charging.decide(administrator, charge.id, "again", "余额已补足")
    await till.work()
    back = await till.now(charge)
    assert (back.state, back.refunded, back.attention) == (ChargeState.REVERSED, Decimal(60), Reason.NONE)
    assert len(till.payments.refunds) == 1
    assert await till.books(charge) == {}


async def test_another_amount_than_was_asked_for_is_given_back(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge, amount=1)
    await till.settle_down()
    back = await till.now(charge)
    assert (back.state, back.reason, back.refunded) == (ChargeState.REVERSED, Reason.WRONG_AMOUNT, Decimal("0.01"))
    assert await till.clinic.scheduling.booking(charge.consultation_id) is None


async def test_what_is_undone_waits_behind_what_is_not_clear_and_comes_to_rest(till: Till) -> None:
    till.insurer.wire.next = [Fault.NONE, *[Fault.LOST] * 100]
    charge = await till.begun(await till.insured())
    for _ in range(12):
        await till.later(timedelta(minutes=11))
    assert (await till.now(charge)).state is ChargeState.CLOSING
    register, unregister = await steps_to_do(till)
    assert (register.state, unregister.state) == (StepState.UNCLEAR, StepState.TODO)
    await till.settle_down()
    assert (await till.now(charge)).state is ChargeState.CLOSED
    assert till.insurer.visits == {}


async def steps_to_do(till: Till) -> list[ChargeStep]:
    async with till.clinic.database.reading() as session:
        return list(
            await session.scalars(select(ChargeStep).where(ChargeStep.due_at.is_not(None)).order_by(ChargeStep.id))
        )


async def test_a_forged_notification_moves_nothing(till: Till) -> None:
    patient = await till.insured()
    charge = await till.quoted(patient)
    await till.pay(patient, charge)
    _headers, body = till.payments.letter(till.payments.notifications[0])
    with pytest.raises(ForgedNotification):
        await till.charging.notified({"signature": "false"}, body)
    assert (await till.now(charge)).state is ChargeState.AWAITING_PAYMENT


async def test_strangers_neither_see_nor_pay_nor_cancel(till: Till) -> None:
    charge = await till.quoted(await till.insured())
    stranger = await till.clinic.patient("陌生人")
    for attempt in (till.charging.view, till.charging.prepay, till.charging.refresh, till.charging.cancel):
        with pytest.raises(Forbidden):
            await attempt(stranger, charge.id)
    with pytest.raises(Forbidden):
        await till.charging.begin(stranger, charge.consultation_id, charge.slot_id)
    assert await till.charging.bills(stranger) == []
    assert (await till.charging.view(till.doctor, charge.id)).id == charge.id
    of_case = await till.charging.of_consultation(SYSTEM, charge.consultation_id)
    assert of_case is not None
    assert of_case.id == charge.id
