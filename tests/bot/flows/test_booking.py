"""Booking a time with the expert, moving it, giving it up."""

import pytest
import pytest_asyncio

from backend.consultation.rules import Urgency
from tests.bot.flows.conftest import NewPatient
from tests.support.cases import assign, begin, open_case
from tests.support.conversation import Conversation


@pytest_asyncio.fixture
async def case(consenting: Conversation) -> str:
    """A case of the patient with an expert, and nothing booked."""
    await consenting.click("patient.drop")
    opened = await open_case(consenting.house, consenting.person_id)
    await assign(consenting.house, opened)
    return opened


async def _book(chat: Conversation, case: str, day: int = 1, time: int = 0) -> None:
    await chat.click(f"patient.book:{case}")
    await chat.tap(chat.choices[day])
    await chat.tap(chat.choices[time])
    await chat.tap("确定")


async def test_first_the_day_then_the_time_then_sure(consenting: Conversation, case: str) -> None:
    said = await consenting.click(f"patient.book:{case}")
    assert "钟专家医生有空的日子" in said
    assert 1 <= len(consenting.choices) <= 6
    assert all("月" in day and "周" in day for day in consenting.choices)
    await consenting.tap(consenting.choices[1])
    assert consenting.choices[:2] == ["上午9:00", "上午9:30"]
    said = await consenting.tap("上午9:30")
    assert "就定这个时间吗" in said
    said = await consenting.tap("确定")
    assert "约好了" in said
    assert "上午9:30" in said
    assert f"{consenting.house.heard('booking.made')[0]['consultation_id']}" == case
    assert ".ics" in said


async def test_the_same_tap_twice_books_once(consenting: Conversation, case: str) -> None:
    await _book(consenting, case)
    assert "您已经约好了" in await consenting.tap("确定")
    assert len(consenting.house.heard("booking.made")) == 1


async def test_the_booking_is_moved(consenting: Conversation, case: str) -> None:
    await _book(consenting, case)
    assert "您现在约的是" in await consenting.tap("改时间")
    await consenting.tap(consenting.choices[2])
    await consenting.tap("上午10:00")
    assert "改好了" in await consenting.tap("确定")
    assert len(consenting.house.heard("booking.changed")) == 1


async def test_the_booking_is_given_up_for_a_tapped_reason(consenting: Conversation, case: str) -> None:
    await _book(consenting, case)
    await consenting.tap("取消预约")
    assert "预约取消了" in await consenting.tap("时间不合适")
    assert len(consenting.house.heard("booking.cancelled")) == 1


async def test_the_booking_is_given_up_for_a_reason_in_own_words(consenting: Conversation, case: str) -> None:
    await _book(consenting, case)
    await consenting.tap("取消预约")
    await consenting.tap("别的原因")
    assert "预约取消了" in await consenting.say("家里有事走不开")
    assert consenting.state.flow == ""
    actor = await consenting.house.actor(consenting.person_id)
    timeline = await consenting.house.services.consultations.timeline(actor, case)
    assert any("家里有事走不开" in entry.text_zh for entry in timeline)


async def test_giving_up_is_thought_better_of(consenting: Conversation, case: str) -> None:
    await _book(consenting, case)
    await consenting.tap("取消预约")
    await consenting.tap("先不取消")
    assert consenting.house.heard("booking.cancelled") == []


async def test_a_slot_that_somebody_else_took_meanwhile_is_said_and_others_are_offered(
    consenting: Conversation, case: str, new_patient: NewPatient
) -> None:
    await consenting.click(f"patient.book:{case}")
    await consenting.tap(consenting.choices[1])
    await consenting.tap("上午9:00")
    other = await new_patient()
    await other.follow()
    await other.tap("同意")
    rival = await open_case(other.house, other.person_id)
    await assign(other.house, rival)
    await _book(other, rival)
    said = await consenting.tap("确定")
    assert "刚刚没有了" in said
    assert consenting.choices
    assert len(consenting.house.heard("booking.made")) == 1


async def test_an_urgent_case_is_not_booked(consenting: Conversation) -> None:
    opened = await open_case(consenting.house, consenting.person_id, Urgency.CRITICAL)
    await assign(consenting.house, opened)
    assert "不用预约" in await consenting.click(f"patient.book:{opened}")


async def test_somebody_elses_case_is_not_touched(consenting: Conversation, case: str, new_patient: NewPatient) -> None:
    stranger = await new_patient()
    for action in ("book", "case", "timeline", "result", "cancel", "unbook"):
        said = await stranger.click(f"patient.{action}:{case}")
        assert "没有权限" in said or "没有找到" in said, action


@pytest.mark.parametrize("argument", ["", ":", "x:y", "x:20260101:z"])
async def test_garbled_ids_get_a_sentence(consenting: Conversation, argument: str) -> None:
    for verb in (
        "book",
        "bookday",
        "bookslot",
        "booksure",
        "unbook",
        "case",
        "cancel",
        "rate",
        "words",
        "place",
        "mine",
    ):
        assert await consenting.click(f"patient.{verb}:{argument}"), verb


async def test_what_has_begun_cannot_be_booked(consenting: Conversation, case: str) -> None:
    await begin(consenting.house, case)
    assert await consenting.click(f"patient.book:{case}")
    assert consenting.choices == []


async def test_the_day_and_the_hour_may_be_typed(consenting: Conversation, case: str) -> None:
    await consenting.click(f"patient.book:{case}")
    assert "请先点一个日子" in await consenting.say("下午三点")
    assert "有这些时间，您选哪个" in await consenting.say("后天")
    assert "就定这个时间吗" in await consenting.say("上午九点半")
    assert "上午9:30" in consenting.text


async def test_a_part_of_the_day_leaves_its_times_to_choose_from(consenting: Conversation, case: str) -> None:
    await consenting.click(f"patient.book:{case}")
    await consenting.tap(consenting.choices[1])
    assert "有这些时间" in await consenting.say("上午行不行")
    *times, other_day = consenting.choices
    assert all(one.startswith("上午") for one in times)
    assert other_day == "换一天"
    assert "您说的时间没有空" in await consenting.say("半夜3点")
    assert consenting.choices[-1] == "换一天"


async def test_what_is_no_time_is_heard_as_ever_while_times_are_offered(consenting: Conversation, case: str) -> None:
    await consenting.click(f"patient.book:{case}")
    assert "不收您的钱" in await consenting.say("多少钱")
    assert "有这些时间" not in await consenting.say("我明天来不了")
