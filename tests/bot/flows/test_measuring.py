"""Measured values in chat: kept at once, read back, asked about where they cannot be, corrected in a word."""

from datetime import timedelta

import pytest

from backend.consultation.rules import Urgency
from backend.records import Source
from bot.flows.measured import Unclear, read_measured
from nlu.types import Context
from tests.support.cases import open_case
from tests.support.conversation import Conversation
from tests.support.provider import PROVIDER


async def kept(chat: Conversation, patient_id: str = "") -> list[str]:
    """Give what stands in a record, the newest first, as it is shown."""
    actor = await chat.house.actor(chat.person_id)
    seen = await chat.house.services.records.history(actor, patient_id or chat.person_id)
    return [f"{one.kind_key} {one.shown}" for one in seen]


async def at_home(chat: Conversation) -> Conversation:
    """Leave the question what is wrong, which follows the consent."""
    chat.state.flow, chat.state.data = "", {}
    return chat


@pytest.mark.parametrize(
    ("words", "said", "values"),
    [
        ("血压150/95", "血压150/95mmHg（偏高）", {"systolic 150mmHg", "diastolic 95mmHg"}),
        ("空腹血糖6.5", "空腹血糖6.5mmol/L（偏高）", {"glucose_fasting 6.5mmol/L"}),
        ("体温38.5", "体温38.5℃（偏高）", {"temperature 38.5℃"}),
        ("体重62公斤", "体重62.0kg", {"weight 62.0kg"}),
        ("体重124斤", "体重62.0kg", {"weight 62.0kg"}),
        ("血氧97", "血氧饱和度97%", {"spo2 97%"}),
        ("血压118/76，脉搏 70", "脉搏70次/分", {"systolic 118mmHg", "diastolic 76mmHg", "heart_rate 70次/分"}),
        ("血压150/95正常吗？", "（偏高）", {"systolic 150mmHg", "diastolic 95mmHg"}),
    ],
)  # fmt: skip
async def test_a_measured_value_is_kept_and_read_back(
    consenting: Conversation, words: str, said: str, values: set[str]
) -> None:
    chat = await at_home(consenting)
    answer = await chat.say(words)
    assert "记下了" in answer
    assert said in answer
    assert set(await kept(chat)) == values
    assert "记错了" in chat.choices


async def test_what_was_measured_yesterday_is_of_yesterday(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    assert "昨天" in await chat.say("昨天血压138/86")
    actor = await chat.house.actor(chat.person_id)
    [newest, _] = await chat.house.services.records.history(actor, chat.person_id)
    age = chat.house.clock.now() - newest.taken_at
    assert timedelta(hours=23) < age < timedelta(hours=25)
    assert newest.source is Source.PATIENT


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("血压15/95", "不太可能"),
        ("血压95/150", "高压要比低压高"),
        ("体温385", "不太可能"),
        ("血氧9", "不太可能"),
        ("血压150", "低压是多少"),
        ("体重62", "公斤还是斤"),
    ],
)
async def test_what_cannot_be_is_asked_about_and_nothing_is_kept(
    consenting: Conversation, words: str, asked: str
) -> None:
    chat = await at_home(consenting)
    assert asked in await chat.say(words)
    assert await kept(chat) == []


async def test_a_weight_without_a_unit_is_kept_once_it_is_told(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("体重62")
    assert "体重31.0kg" in await chat.tap("体重62斤")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("血压185/115", "今天就去医院"),
        ("血压150/112", "今天就去医院"),
        ("空腹血糖3.5", "吃15到20克糖"),
        ("血糖17.2", "今天就去医院"),
        ("血氧85", "马上打120"),
        ("体温39.6", "今天就去医院"),
    ],
)
async def test_what_cannot_wait_is_said_first(consenting: Conversation, words: str, advice: str) -> None:
    chat = await at_home(consenting)
    said = await chat.say(words)
    assert advice in said
    assert said.index(advice) < said.index("记下了")
    assert await kept(chat)


async def test_the_doctors_of_a_running_case_hear_of_a_danger(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    case_id = await open_case(chat.house, chat.person_id)
    assert "我已经告诉您的医生了" in await chat.say("血压200/120")
    case = await chat.house.services.consultations.get(await chat.house.actor(chat.person_id), case_id)
    assert case.urgency is Urgency.CRITICAL
    assert {flag["title"] for flag in case.red_flags} == {"血压很高"}


async def test_a_wrong_value_is_corrected_in_a_word(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("血压150/95")
    assert "改过来了" in await chat.say("不对，是血压140/90")
    assert set(await kept(chat)) == {"systolic 140mmHg", "diastolic 90mmHg"}


async def test_a_wrong_value_is_corrected_by_its_button(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("血压80/50")
    assert "正确的是多少" in await chat.tap("记错了")
    assert "不太可能" in await chat.say("血压1500/95")
    assert "改过来了" in await chat.say("150/95")
    assert set(await kept(chat)) == {"systolic 150mmHg", "diastolic 95mmHg"}
    assert chat.state.flow == ""


async def test_a_value_is_taken_back(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("血氧97")
    await chat.tap("记错了")
    assert "删掉了" in await chat.tap("删掉这条")
    assert await kept(chat) == []
    await chat.say("血氧96")
    await chat.tap("记错了")
    assert "没有改" in await chat.tap("不改了")
    assert await kept(chat) == ["spo2 96%"]


async def test_a_correction_does_not_lose_the_intake_that_it_interrupts(consenting: Conversation) -> None:
    chat = consenting
    await chat.say("血氧96")
    await chat.say("我咳嗽三天了")
    question = chat.state.data["intake"]["question"]
    await chat.tap("记错了")
    await chat.say("血氧97")
    assert await kept(chat) == ["spo2 97%"]
    assert chat.state.flow == "intake"
    assert chat.state.data["intake"]["question"] == question


async def test_a_stranger_corrects_nothing(consenting: Conversation, new_patient: object) -> None:
    chat = await at_home(consenting)
    await chat.say("血氧97")
    wrong = next(choice for choice in chat.menus[-1].choices if choice.text == "记错了")
    other = await new_patient()  # type: ignore[operator]
    await other.follow()
    await other.tap("同意")
    assert "没有找到" in await other.tap_choice(wrong)
    assert await kept(chat) == ["spo2 97%"]


async def test_a_relatives_value_is_the_relatives(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    assert "这是谁的" in await chat.say("我妈血压165/100")
    assert "妈妈" in await chat.tap("记到妈妈名下")
    assert await kept(chat) == []
    [mother] = (await chat.house.actor(chat.person_id)).wards
    assert len(await kept(chat, mother)) == 2
    assert "记下了（妈妈" in await chat.say("妈妈血压150/90")
    assert "这是谁的" in await chat.say("血压120/70")
    assert chat.choices == ["我自己", "妈妈", "不用记"]
    assert "没有记" in await chat.tap("不用记")
    assert await kept(chat) == []
    await chat.say("血压120/70")
    await chat.tap("我自己")
    assert len(await kept(chat)) == 2


async def test_what_cannot_wait_is_said_before_it_is_asked_whose_it_is(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    said = await chat.say("我妈血氧85")
    assert said.index("120") < said.index("这是谁的")


async def test_a_value_that_waits_for_its_owner_is_corrected_too(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("我妈血压165/100")
    assert "改过来了" in await chat.say("不对，血压156/100")
    await chat.tap("记到妈妈名下")
    [mother] = (await chat.house.actor(chat.person_id)).wards
    assert "systolic 156mmHg" in await kept(chat, mother)
    assert await kept(chat) == []


async def test_a_complaint_with_a_value_is_a_complaint(consenting: Conversation) -> None:
    chat = await at_home(consenting)
    await chat.say("血压150/95，头有点晕两天了")
    assert chat.state.flow == "intake"
    assert await kept(chat) == []


async def test_a_fever_answers_the_question_what_is_wrong(consenting: Conversation) -> None:
    await consenting.say("体温39度")
    assert consenting.state.data["intake"]["words"]


async def test_nothing_is_kept_before_the_consent(patient: Conversation) -> None:
    await patient.say("血压150/95")
    assert "同意" in patient.text
    assert await kept(patient) == []


@pytest.mark.parametrize(
    "words",
    [
        "咳嗽三天了",
        "你好",
        "血压高",
        "我有高血压",
        "血压150/95，我吃了降压药",
        "3",
        "38.5",
        "我的血压",
        "明天上午9点",
        "",
    ],
)
async def test_other_words_are_left_to_others(words: str) -> None:
    assert read_measured(await PROVIDER.parse(words, Context())) is None


async def test_no_long_story_is_taken_for_a_value() -> None:
    said = await PROVIDER.parse("我昨天去赶集回来就觉得不太对劲，量了一下血压150/95，" * 3, Context())
    assert read_measured(said) is None


async def test_a_value_cut_in_two_is_asked_about() -> None:
    with pytest.raises(Unclear):
        read_measured(await PROVIDER.parse("低压95", Context()))
