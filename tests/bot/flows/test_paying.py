"""Money in chat: what it costs before it is paid, the receipt with the booking, the result, and every way back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from backend.charging import ChargeState
from backend.consultation.views import ConsultationView
from backend.people.rules import identity_check_character
from tests.bot.flows.staff.conftest import County, settle_in
from tests.support.cashier import Cashier, let_charge
from tests.support.house import House
from tests.support.stories import Phone


@dataclass
class Counter:
    """A county that charges, and a consultation that has its expert."""

    county: County
    cashier: Cashier
    case: ConsultationView

    @property
    def patient(self) -> Phone:
        """Who pays."""
        return self.county.patient

    @property
    def house(self) -> House:
        """Where they are."""
        return self.cashier.house

    async def pass_time(self, minutes: int) -> None:
        """Let so much time pass, and whatever was due by then happen."""
        self.house.clock.advance(timedelta(minutes=minutes))
        await self.house.settle()

    async def choose(self, day: int = 2, time: int = 0) -> str:
        """Choose a day and a time, and say that it is meant; give the answer."""
        await self.patient.click(f"patient.book:{self.case.id}")
        await self.patient.tap(self.patient.choices[day])
        await self.patient.tap(self.patient.choices[time])
        return await self.patient.tap("确定")

    async def paid(self) -> str:
        """Choose a time and pay; give what the patient hears then."""
        await self.choose()
        await self.patient.hear()
        await self.cashier.pay(self.patient.person_id)
        return await self.patient.hear()

    async def held(self) -> str:
        """Let the consultation be held and completed; give what the patient hears."""
        await self.county.story.start(self.case, self.county.expert)
        expert = await self.house.actor(self.county.expert.person_id)
        consultations = self.house.services.consultations
        await consultations.record_opinion(expert, self.case.id, icd10="J20.9", diagnosis="支气管炎", plan="多喝水。")
        await consultations.complete(expert, self.case.id)
        return await self.patient.hear()


@pytest_asyncio.fixture
async def cashier(house: House) -> AsyncIterator[Cashier]:
    yield let_charge(house)


@pytest_asyncio.fixture
async def counter(cashier: Cashier) -> Counter:
    """The patient is insured as a resident; 王建国 has taken the case, and everybody has heard so."""
    county = await settle_in(cashier.house)
    await cashier.insure(county.patient.person_id, account="20")
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    case = await county.story.accept(case, county.expert)
    for phone in (county.patient, county.expert, county.doctor, county.administrator):
        await phone.hear()
    return Counter(county, cashier, case)


async def test_insurance_is_asked_then_the_card_says_who_pays_what_line_by_line(counter: Counter) -> None:
    said = await counter.choose()
    assert "正在问医保能报多少" in said
    assert "给您留到" in said
    card = await counter.patient.hear()
    for line in ("一共200元", "医保付140元", "账户付20元", "您要付40元"):
        assert line in card.splitlines(), line
    assert "/h5/pay/" in card
    why = await counter.patient.tap("怎么算的")
    assert "报销比例：70%，每次最多150元" in why
    assert "个人（家庭）账户付20元。" in why
    assert "医保付140元" in await counter.patient.tap("看这笔账单")


async def test_who_has_paid_gets_receipt_and_booking_in_one_message(counter: Counter) -> None:
    heard = await counter.paid()
    assert "收到您付的40元，剩下的160元由医保这些来付。\n约好了：" in heard
    assert heard.count("约好了") == 1
    assert ".ics" in heard
    assert "约好了" in await counter.county.expert.hear()
    assert "您已经约好了" in await counter.patient.tap("确定")
    assert "看账单" in (await counter.patient.click(f"patient.case:{counter.case.id}"), counter.patient.choices)[1]


async def test_where_nothing_is_left_to_pay_it_is_booked_at_once(counter: Counter) -> None:
    await counter.cashier.insure(counter.patient.person_id, account="500")
    await counter.choose()
    heard = await counter.patient.hear()
    assert "您不用付" in heard
    assert "约好了" in heard
    assert "/h5/pay/" not in heard


async def test_the_same_tap_twice_holds_one_time_and_shows_the_card_again(counter: Counter) -> None:
    await counter.choose()
    await counter.patient.hear()
    again = await counter.patient.tap("确定")
    assert "您要付40元" in again
    assert "/h5/pay/" in again
    assert len(await counter.cashier.charging.bills(await counter.house.actor(counter.patient.person_id))) == 1


async def test_another_time_moves_the_hold_and_the_charge_stays(counter: Counter) -> None:
    await counter.choose()
    await counter.patient.hear()
    first = await counter.cashier.charge(counter.patient.person_id)
    await counter.patient.tap("换个时间")
    await counter.patient.tap(counter.patient.choices[2])
    await counter.patient.tap(counter.patient.choices[1])
    assert "您要付40元" in await counter.patient.tap("确定")
    second = await counter.cashier.charge(counter.patient.person_id)
    assert second.id == first.id
    assert second.slot_id != first.slot_id


async def test_a_slow_insurer_is_said_and_one_may_wait(counter: Counter) -> None:
    counter.cashier.insurer.wire.down = True
    await counter.choose()
    counter.house.clock.advance(timedelta(seconds=11))
    heard = await counter.patient.hear()
    assert "医保那边还没有回话" in heard
    assert "一共200元" in heard
    assert "有回话马上告诉您" in await counter.patient.tap("再等等")
    counter.cashier.insurer.wire.down = False
    counter.house.clock.advance(timedelta(minutes=2))
    assert "医保付140元" in await counter.patient.hear()


async def test_without_an_answer_one_may_pay_oneself_once_it_is_clear_what_that_means(counter: Counter) -> None:
    counter.cashier.insurer.wire.down = True
    await counter.choose()
    counter.house.clock.advance(timedelta(seconds=11))
    await counter.patient.hear()
    assert "200元都由您付" in await counter.patient.tap("自己先付")
    await counter.patient.tap("确定自己付")
    heard = await counter.patient.hear()
    assert "您要付200元" in heard
    await counter.cashier.pay(counter.patient.person_id)
    assert "收到您付的200元。" in await counter.patient.hear()


async def test_who_is_not_insured_reads_why_and_the_whole_fee(counter: Counter) -> None:
    await counter.cashier.insure(counter.patient.person_id, insurance=None)
    await counter.choose()
    heard = await counter.patient.hear()
    assert "您的医保已经停保。" in heard
    assert "您要付200元" in heard


async def test_a_time_that_nobody_paid_for_is_given_back(counter: Counter) -> None:
    await counter.choose()
    await counter.patient.hear()
    counter.house.clock.advance(timedelta(minutes=16))
    heard = await counter.patient.hear()
    assert "没有扣您的钱" in heard
    assert "有空的日子" in await counter.patient.tap("重新选时间")


async def test_a_held_time_is_given_back_on_wish_and_that_is_said_once(counter: Counter) -> None:
    await counter.choose()
    await counter.patient.hear()
    assert "没有扣您的钱" in await counter.patient.tap("不约了")
    assert await counter.patient.hear() == ""
    assert (await counter.cashier.charge(counter.patient.person_id)).state is ChargeState.CLOSED
    assert "已取消" in await counter.patient.tap("不约了")  # the old message's button


async def test_the_settlement_arrives_with_its_explanation(counter: Counter) -> None:
    await counter.paid()
    heard = await counter.held()
    assert "这次会诊的钱结算好了" in heard
    assert "医保付140元" in heard
    assert "您付40元" in heard
    assert "报销比例：70%" in heard
    assert "/h5/invoices/" in await counter.patient.tap("看电子发票")
    listed = await counter.patient.say("我的账单")
    assert "40元　已结算" in listed
    assert "账单 FY" in await counter.patient.tap(counter.patient.choices[0])


async def test_a_cancelled_booking_gives_everything_back_and_says_when_it_has_arrived(counter: Counter) -> None:
    counter.cashier.payments.slow_refunds = True
    await counter.paid()
    await counter.patient.tap("取消预约")
    said = await counter.patient.tap("时间不合适")
    assert "预约取消了" in said
    assert "您付的40元全部退给您" in said
    assert "正在退给您40元" in await counter.patient.hear()
    assert "正在退给您40元" in await counter.patient.click(
        f"charge.show:{(await counter.cashier.charge(counter.patient.person_id)).id}"
    )
    counter.cashier.payments.progress()
    assert "40元已经退到您付钱的地方了" in await counter.patient.hear()
    assert (await counter.cashier.charge(counter.patient.person_id)).state is ChargeState.REVERSED
    assert sum((await counter.cashier.ledger.balances()).values()) == 0
    assert await counter.cashier.ledger.balance("wechat_pay") == 0


async def test_the_experts_cancellation_gives_everything_back_too(counter: Counter) -> None:
    await counter.paid()
    doctor = await counter.house.actor(counter.county.doctor.person_id)
    await counter.house.services.consultations.cancel_booking(doctor, counter.case.id, "专家临时有手术")
    heard = await counter.patient.hear()
    assert "预约取消了" in heard
    assert "正在退给您40元" in heard
    assert "40元已经退到" in heard


async def test_what_the_insurer_settles_otherwise_is_told_to_a_person(counter: Counter) -> None:
    await counter.paid()
    counter.cashier.insurer.cheat = Decimal("10.00")
    heard = await counter.held()
    assert "正在请人核对" in heard
    assert "结算好了" not in heard
    assert "要人核对：医保结算的金额跟预结算不一样" in await counter.county.administrator.hear()


async def test_what_is_never_answered_is_told_to_administrators_and_once_to_who_waits(counter: Counter) -> None:
    await counter.paid()
    administrator = counter.county.administrator
    await administrator.hear()
    counter.cashier.payments.wire.down = True
    doctor = await counter.house.actor(counter.county.doctor.person_id)
    await counter.house.services.consultations.cancel_booking(doctor, counter.case.id, "专家临时有手术")
    await counter.house.settle()
    patient, told = await counter.patient.hear(), await administrator.hear()
    assert "还没有给准信" not in patient + told
    for _ in range(8):
        await counter.pass_time(15)
    patient, told = await counter.patient.hear(), await administrator.hear()
    assert patient.count("钱不会少您的，我们会一直查") == 1
    assert told.count("微信支付从") == 1
    assert "停在“微信退款”" in told
    number = (await counter.cashier.charge(counter.patient.person_id)).number
    assert number in told
    assert f"{number}　对方一直没有回话" in await administrator.click("administrator.waiting")
    counter.cashier.payments.wire.down = False
    await counter.pass_time(60)
    assert "40元已经退到" in await counter.patient.hear()
    assert "等人处理的费用" not in await administrator.click("administrator.waiting")


async def test_somebody_elses_money_is_not_shown(counter: Counter) -> None:
    await counter.paid()
    charge = await counter.cashier.charge(counter.patient.person_id)
    stranger = await counter.county.story.patient("别人")
    for verb in ("show", "why", "self", "selfsure", "wait", "drop", "invoice"):
        said = await stranger.click(f"charge.{verb}:{charge.id}")
        assert "没有权限" in said or "没有找到" in said, verb
        assert "40元" not in said
    assert "还没有账单" in await stranger.say("我的账单")


async def test_questions_about_money_are_answered_as_it_is(counter: Counter) -> None:
    for words, answer in {
        "要多少钱": "先替您问医保",
        "医保能报吗": "能用",
        "怎么退款": "全部退给您",
        "有发票吗": "看电子发票",
    }.items():
        assert answer in await counter.patient.say(words), words


async def test_whose_identity_number_is_not_known_is_asked_for_it_once(counter: Counter) -> None:
    other = await counter.county.story.patient("李大山")
    case = await counter.county.story.open_case(other)
    await counter.county.story.submit(case, counter.county.doctor)
    await counter.county.story.accept(case, counter.county.expert)
    new = Counter(counter.county, counter.cashier, case)
    counter.county.patient = other
    assert "凭看病人的身份证号" in await new.choose(time=1)
    await other.tap("写身份证号")
    assert "您写的是12位" in await other.say("110101198001")
    assert "只用来查医保" in await other.say("为啥要身份证啊")
    assert other.choices == ["不用医保", "重新选时间"]
    assert other.state.flow == "identity"
    digits = "11010119800101777"
    number = digits + identity_check_character(digits)
    assert "正在问医保" in await other.say(number)
    assert "医保里没有查到这个身份证号" in await other.hear()
    await other.tap("不约了")
    assert "正在问医保" in await new.choose(time=1)


async def test_one_may_book_without_insurance_and_without_a_number(counter: Counter) -> None:
    other = await counter.county.story.patient("李大山")
    case = await counter.county.story.open_case(other)
    await counter.county.story.submit(case, counter.county.doctor)
    await counter.county.story.accept(case, counter.county.expert)
    counter.county.patient = other
    await Counter(counter.county, counter.cashier, case).choose(time=1)
    await other.tap("不用医保")
    assert "您要付200元" in await other.hear()


async def test_where_nothing_is_charged_the_bot_says_so(house: House) -> None:
    county = await settle_in(house)
    for words in ("要多少钱", "怎么退款", "有发票吗", "我的账单"):
        assert "不收您的钱" in await county.patient.say(words), words
    assert "没有劳务费" in await county.expert.click("expert.pay")


async def test_an_expert_reads_the_pay_of_the_month_and_how_each_amount_came_about(counter: Counter) -> None:
    assert "这个月还没有" in await counter.county.expert.click("expert.pay")
    await counter.paid()
    await counter.held()
    said = await counter.county.expert.say("我的劳务费")
    assert "会诊1次，合计" in said
    assert "还没到月底" in said
    details = await counter.county.expert.tap("每笔怎么算的")
    assert "基本劳务：50%。" in details
    assert "劳务费" in details
    await counter.county.expert.hear()
    await counter.county.administrator.hear()
    counter.house.clock.advance(timedelta(days=32))
    heard = await counter.county.expert.hear()
    assert "应发" in heard
    assert "qiaoyi statements" in await counter.county.administrator.hear()


@pytest.mark.parametrize("argument", ["", ":", "2026-13", "x:y", "2026-13:x"])
async def test_garbled_ids_get_a_sentence(counter: Counter, argument: str) -> None:
    for verb in ("show", "why", "self", "selfsure", "wait", "drop", "invoice"):
        assert await counter.patient.click(f"charge.{verb}:{argument}")
    for verb in ("pay", "paylines"):
        assert await counter.county.expert.click(f"expert.{verb}:{argument}")
