"""Whether what a patient told may be used for research: asked apart from everything else, taken back at a word."""

from backend.people import ConsentKind
from tests.support.conversation import Conversation

RESEARCH = ConsentKind.RESEARCH


async def agrees(patient: Conversation) -> bool:
    return await patient.house.services.people.has_consent(patient.person_id, RESEARCH)


async def test_the_page_about_privacy_leads_to_the_question_and_a_word_takes_it_back(consenting: Conversation) -> None:
    await consenting.click("patient.privacy")
    assert "用来研究怎样把病看得更好吗" in await consenting.tap("病历研究")
    assert consenting.house.services.people.consent_document(RESEARCH).text in await consenting.tap("看说明")
    assert not await agrees(consenting)
    assert "记下了" in await consenting.tap("可以")
    assert await agrees(consenting)
    assert not await consenting.house.services.people.has_consent(consenting.person_id, ConsentKind.TEACHING)
    assert "您同意过" in await consenting.say("收回病历研究")
    assert "已经收回了" in await consenting.tap("收回")
    assert not await agrees(consenting)


async def test_who_says_no_goes_on_as_before(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await consenting.say("病历研究")
    assert "不影响给您看病" in await consenting.tap("不可以")
    assert not await agrees(consenting)
    assert "咳嗽" in str(consenting.state.data)


async def test_nothing_of_it_is_asked_before_the_consent_to_care(patient: Conversation) -> None:
    for key in ("patient.research", "patient.research_terms", "patient.research_agree:1", "patient.research_refuse"):
        assert "您同意吗" in await patient.click(key), key
    assert not await agrees(patient)
