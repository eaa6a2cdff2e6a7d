"""Steps that insurer or payment provider never answer: asked about ever more rarely, told of, decided by a person."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from backend.charging import ChargeState, ChargeView, Reason
from backend.charging.rules import PENDING, StepKind, next_question
from backend.charging.tables import ChargeStep
from backend.errors import IllegalMove
from backend.events import Event
from backend.insurance.insurer import InsurerRefused
from data.patience import patience
from tests.support.money_wire import Fault
from tests.support.till import Till

FEE, INSURANCE, CASH = 20_000, 14_000, 6_000  # fen, as in test_charging


class Told:
    """What was told of charges of which nothing was heard."""

    def __init__(self, till: Till) -> None:
        self.events: list[Event] = []
        till.clinic.events.subscribe("test", ["charge.stalled"], self._hear)

    async def _hear(self, event: Event) -> None:
        self.events.append(event)

    @property
    def steps(self) -> list[str]:
        return [event.payload["step"] for event in self.events]


async def pending(till: Till) -> ChargeStep:
    """Give the step that is asked about."""
    async with till.clinic.database.reading() as session:
        query = select(ChargeStep).where(ChargeStep.state.in_(PENDING)).order_by(ChargeStep.id).limit(1)
        return (await session.scalars(query)).one()


async def silence(till: Till, by: timedelta) -> list[int]:
    """Let time pass, and every question be asked when it is due; give how many minutes it was from each to the next."""
    until, gaps = till.clinic.clock.now() + by, []
    while (due := await till.next_due()) is not None and due <= until:
        now = till.clinic.clock.now()
        await till.later(max(due - now, timedelta(seconds=1)))
        step = await pending(till)
        if step.due_at is not None:
            gaps.append(round((step.due_at - till.clinic.clock.now()) / timedelta(minutes=1)))
    return gaps


def test_questions_get_rarer_and_never_end() -> None:
    slowest = patience().slowest
    asked, gaps = timedelta(), []
    for attempts in range(1, 60):
        gaps.append(next_question(attempts, asked, slowest))
        asked += gaps[-1]
    assert gaps == sorted(gaps)
    assert gaps[0] == timedelta(seconds=2)
    assert gaps[-1] == slowest
    assert sum(gap <= timedelta(minutes=10) for gap in gaps) < 20


async def test_a_refund_that_is_never_answered_is_told_of_once_and_asked_about_until_it_is(till: Till) -> None:
    patient, administrator, told = await till.insured(), await till.clinic.administrator(), Told(till)
    charge = await till.paid(patient)
    till.payments.wire.next = [Fault.ANSWER_LOST]
    await till.charging.cancel(patient, charge.id)
    await till.charging.work()
    till.payments.notifications.clear()
    till.payments.wire.down = True
    await silence(till, timedelta(minutes=50))
    assert (told.steps, await till.waiting(administrator)) == ([], [])
    gaps = await silence(till, timedelta(days=3))
    assert told.steps == ["refund"]
    assert gaps[-1] == patience().slowest_minutes
    assert gaps == sorted(gaps)
    assert [one.attention for one in await till.waiting(administrator)] == [Reason.NO_ANSWER]
    dossier = await till.charging.dossier(administrator, charge.id)
    assert dossier.decisions == ["again"]
    assert [one.stalled for one in dossier.steps if one.kind is StepKind.REFUND] == [True]
    till.payments.wire.down = False
    await till.work()
    assert (await till.now(charge)).state is ChargeState.REVERSING  # it is not time to ask yet
    await till.charging.decide(administrator, charge.id, "again", "微信支付说好了")
    await till.work()
    back = await till.now(charge)
    assert (back.state, back.refunded, back.attention) == (ChargeState.REVERSED, Decimal(60), Reason.NONE)
    assert len(till.payments.refunds) == 1
    assert told.steps == ["refund"]


async def test_a_refund_under_way_is_no_silence_but_not_for_ever_either(till: Till) -> None:
    patient, told = await till.insured(), Told(till)
    charge = await till.paid(patient)
    till.payments.slow_refunds = True
    await till.charging.cancel(patient, charge.id)
    await till.work()
    await silence(till, timedelta(days=4))
    assert (told.steps, (await till.now(charge)).attention) == ([], Reason.NONE)
    await silence(till, timedelta(days=2))
    assert (told.steps, (await till.now(charge)).attention) == (["refund"], Reason.NO_ANSWER)
    till.payments.progress()
    await till.deliver()
    assert (await till.now(charge)).attention is Reason.NONE


async def silent_settlement(till: Till, *, done: bool) -> ChargeView:
    """Let the insurer fall silent while it is asked to settle; `done`: it has settled."""
    charge = await till.paid(await till.insured())
    till.insurer.wire.next = [Fault.ANSWER_LOST if done else Fault.LOST]
    await till.complete(charge)
    await till.work()
    till.insurer.wire.down = True
    await silence(till, timedelta(hours=2))
    return await till.now(charge)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    ("decision", "state", "books"),
    [
        ("again", ChargeState.SETTLED, {"wechat_pay": CASH, "insurer": INSURANCE, "institution": -FEE}),
        ("bear", ChargeState.SETTLED, {"wechat_pay": CASH, "platform": INSURANCE, "institution": -FEE}),
        ("reverse", ChargeState.REVERSED, {}),
    ],
)
async def test_what_a_person_decides_about_a_silent_settlement_is_what_all_books_say_in_the_end(
    till: Till, decision: str, state: ChargeState, books: dict[str, int], done: bool
) -> None:
    administrator = await till.clinic.administrator()
    charge = await silent_settlement(till, done=done)
    assert (charge.state, charge.attention) == (ChargeState.SETTLING, Reason.NO_ANSWER)
    assert (await till.charging.dossier(administrator, charge.id)).decisions == ["again", "bear", "reverse"]
    await till.charging.decide(administrator, charge.id, decision, "医保系统停机")  # type: ignore[arg-type]
    await till.work()
    if decision == "bear":  # nobody waits for the insurer to be settled
        assert (await till.now(charge)).state is ChargeState.SETTLED
    await till.settle_down()
    charge = await till.now(charge)
    assert (charge.state, charge.attention) == (state, Reason.NONE)
    assert await till.books(charge) == books
    assert till.payments.received() == (0 if decision == "reverse" else CASH)
    settled = [entry for entry in till.insurer.visits.values() if entry.settlement]
    assert len(settled) == (1 if decision == "again" else 0)
    assert (till.insurer.visits == {}) == (decision != "again")


async def test_a_settlement_refused_after_a_person_decided_changes_nothing(till: Till) -> None:
    administrator = await till.clinic.administrator()
    charge = await silent_settlement(till, done=False)
    await till.charging.decide(administrator, charge.id, "bear", "医保系统停机")
    till.insurer.refuse["settle"] = InsurerRefused("3001", "医保已经暂停。")
    await till.settle_down()
    charge = await till.now(charge)
    assert (charge.state, charge.attention) == (ChargeState.SETTLED, Reason.NONE)
    assert till.insurer.visits == {}


async def test_while_the_insurer_settles_nothing_can_be_reversed_or_waived(till: Till) -> None:
    administrator = await till.clinic.administrator()
    charge = await till.paid(await till.insured())
    till.insurer.wire.next = [Fault.LOST]
    await till.complete(charge)
    await till.work()
    for decision in ("again", "bear", "reverse", "waive"):
        with pytest.raises(IllegalMove):
            await till.charging.decide(administrator, charge.id, decision, "等不及")
    assert (await till.now(charge)).state is ChargeState.SETTLING


async def test_a_visit_without_a_settlement_that_the_insurer_does_not_forget_may_be_waived(till: Till) -> None:
    patient, administrator, told = await till.insured(), await till.clinic.administrator(), Told(till)
    charge = await till.quoted(patient)
    till.insurer.wire.down = True
    await till.charging.cancel(patient, charge.id)
    with pytest.raises(IllegalMove):
        await till.charging.decide(administrator, charge.id, "waive", "太早")
    await silence(till, timedelta(hours=2))
    charge = await till.now(charge)
    assert (charge.state, charge.attention, told.steps) == (ChargeState.CLOSING, Reason.NO_ANSWER, ["revoke_upload"])
    assert (await till.charging.dossier(administrator, charge.id)).decisions == ["again", "waive"]
    await till.charging.decide(administrator, charge.id, "waive", "医保说登记会自动失效")
    closed = await till.now(charge)
    assert (closed.state, closed.attention) == (ChargeState.CLOSED, Reason.NONE)
    assert await till.next_due() is None
