"""The first minute: welcome, consent, refusal, withdrawal."""

from bot.messages import Menu
from nlu.facts import CaseFacts
from nlu.interview import next_question
from tests.bot.flows.conftest import NewPatient
from tests.support.conversation import Conversation


def _opening() -> str:
    question = next_question(CaseFacts(), [])
    assert question is not None
    return question.text


async def test_a_new_follower_is_greeted_and_asked_for_consent_and_nothing_else(patient: Conversation) -> None:
    assert "您好，我是桥医" in patient.text
    assert patient.choices == ["同意", "不同意", "看全文"]
    assert _opening() not in patient.text


async def test_who_scans_a_plain_code_is_greeted_as_a_follower_is(new_patient: NewPatient) -> None:
    newcomer = await new_patient()
    await newcomer.follow("hall-poster")
    assert "同意" in newcomer.choices


async def test_agreeing_is_recorded_with_the_version_and_leads_to_the_first_question(patient: Conversation) -> None:
    assert _opening() in await patient.tap("同意")
    people = patient.house.services.people
    [consent] = await people.consents(await patient.house.actor(patient.person_id))
    assert (consent.decision, consent.version) == ("given", people.consent_document().version)


async def test_typing_the_answer_counts_as_tapping_it(patient: Conversation) -> None:
    assert _opening() in await patient.say("同意。")


async def test_refusing_is_recorded_respected_and_can_be_changed_later(patient: Conversation) -> None:
    assert "听您的" in await patient.tap("不同意")
    people = patient.house.services.people
    [consent] = await people.consents(await patient.house.actor(patient.person_id))
    assert consent.decision == "refused"
    assert "同意吗" in await patient.say("我咳嗽三天了")
    assert patient.state.data == {}, "what is said before consent is not kept"
    assert _opening() in await patient.tap("同意")


async def test_the_full_text_is_read_in_the_chat_and_answered_there(patient: Conversation) -> None:
    text = await patient.tap("看全文")
    assert patient.house.services.people.consent_document().text in text
    assert patient.choices == ["同意", "不同意"]


async def test_nothing_works_before_consent_but_help(patient: Conversation) -> None:
    for key in ("patient.start", "patient.mine", "patient.continue", "patient.restart", "patient.privacy"):
        assert "您同意吗" in await patient.click(key), key
    assert "不收您的钱" in await patient.click("help.price")


async def test_an_old_versions_agreement_asks_for_the_present_one(patient: Conversation) -> None:
    assert "新的内容" in await patient.click("patient.agree:0")
    assert not await patient.house.services.people.has_consent(patient.person_id)


async def test_withdrawing_is_asked_again_recorded_and_forgets_the_unfinished(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    assert "您确定撤回吗" in await consenting.say("撤回同意")
    assert "咳嗽" in str(consenting.state.data)
    assert "已经撤回" in await consenting.tap("确定撤回")
    assert consenting.state.data == {}
    assert not await consenting.house.services.people.has_consent(consenting.person_id)
    assert "您同意吗" in await consenting.say("我咳嗽三天了")


async def test_who_thinks_better_of_withdrawing_goes_on(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await consenting.say("我要撤回同意")
    assert "随时可以撤回" in await consenting.tap("不撤回")
    assert await consenting.house.services.people.has_consent(consenting.person_id)


async def test_agreeing_twice_does_not_throw_away_what_was_said(consenting: Conversation) -> None:
    await consenting.say("我咳嗽三天了")
    await consenting.tap("同意")
    assert "咳嗽" in str(consenting.state.data)


async def test_who_comes_back_after_leaving_is_not_asked_for_consent_again(consenting: Conversation) -> None:
    await consenting.click("patient.drop")
    assert "欢迎您回来" in await consenting.follow()
    assert isinstance(consenting.replies[-1], Menu)
    assert consenting.choices[:2] == ["我要问诊", "我的会诊"]
