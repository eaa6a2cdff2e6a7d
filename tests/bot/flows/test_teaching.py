"""Whether images may be used for teaching: asked apart from everything else, and taken back at a word."""

from backend.people import ConsentKind
from tests.support.conversation import Conversation

TEACHING = ConsentKind.TEACHING


async def agrees(patient: Conversation) -> bool:
    return await patient.house.services.people.has_consent(patient.person_id, TEACHING)


async def test_the_page_about_privacy_leads_to_the_question(consenting: Conversation) -> None:
    await consenting.click("patient.privacy")
    assert "可以给医生和学生上课用吗" in await consenting.tap("教学用图")
    assert consenting.choices == ["可以", "不可以", "看说明"]
    assert not await agrees(consenting)
    assert "记下了" in await consenting.tap("可以")
    assert await agrees(consenting)


async def test_the_whole_text_is_read_in_the_chat_and_answered_there(consenting: Conversation) -> None:
    await consenting.say("教学用图")
    text = await consenting.tap("看说明")
    assert consenting.house.services.people.consent_document(TEACHING).text in text
    assert consenting.choices == ["可以", "不可以"]


async def test_who_says_no_goes_on_as_before(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await consenting.say("教学用图")
    assert "不影响给您看病" in await consenting.tap("不可以")
    assert not await agrees(consenting)
    assert "咳嗽" in str(consenting.state.data)


async def test_it_is_taken_back_with_the_words_of_the_document(consenting: Conversation) -> None:
    await consenting.say("教学用图")
    await consenting.tap("可以")
    assert "您同意过" in await consenting.say("收回教学用图")
    assert "已经收回了" in await consenting.tap("收回")
    assert not await agrees(consenting)
    assert await consenting.house.services.people.has_consent(consenting.person_id)


async def test_an_old_versions_agreement_asks_for_the_present_one(consenting: Conversation) -> None:
    assert "可以给医生和学生上课用吗" in await consenting.click("patient.teaching_agree:0")
    assert not await agrees(consenting)


async def test_nothing_of_it_is_asked_before_the_consent_to_care(patient: Conversation) -> None:
    for key in ("patient.teaching", "patient.teaching_terms", "patient.teaching_agree:1", "patient.teaching_refuse"):
        assert "您同意吗" in await patient.click(key), key
    assert not await agrees(patient)
