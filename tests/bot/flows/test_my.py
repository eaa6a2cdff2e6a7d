"""我的会诊, its timeline, cancelling, the result and the stars."""

from backend.consultation.rules import Status
from tests.bot.flows.test_intake import intake_of
from tests.support.cases import assign, begin, complete, open_case
from tests.support.conversation import Conversation


async def test_an_empty_list_says_how_to_begin(consenting: Conversation) -> None:
    assert "您还没有会诊" in await consenting.click("patient.mine")


async def test_the_list_shows_each_case_with_its_day_and_state_and_pages(consenting: Conversation) -> None:
    house = consenting.house
    cases = [await open_case(house, consenting.person_id) for _ in range(7)]
    await house.services.consultations.cancel(await house.actor(consenting.person_id), cases[0], "不用了")
    await consenting.click("patient.mine")
    assert len([choice for choice in consenting.choices if "等卫生院医生看" in choice]) == 5
    await consenting.tap("更早的")
    assert any("已取消" in choice for choice in consenting.choices)


async def test_a_case_is_opened_with_its_timeline(consenting: Conversation) -> None:
    case = await open_case(consenting.house, consenting.person_id)
    await assign(consenting.house, case)
    await consenting.click("patient.mine")
    said = await consenting.tap(consenting.choices[0])
    assert "主诉：咳嗽3天" in said
    assert "专家接了" in said
    assert "村医甲医生" in said
    assert "钟专家医生（呼吸内科）" in said
    assert consenting.choices == ["选时间", "看经过", "取消会诊"]
    assert "提交了会诊申请" in await consenting.tap("看经过")


async def test_my_consultations_can_be_asked_for_in_words(consenting: Conversation) -> None:
    await consenting.click("patient.drop")
    await open_case(consenting.house, consenting.person_id)
    assert "您的会诊都在这里" in await consenting.say("我的会诊")


async def test_cancelling_takes_a_reason_and_is_said(consenting: Conversation) -> None:
    case = await open_case(consenting.house, consenting.person_id)
    await consenting.click(f"patient.case:{case}")
    await consenting.tap("取消会诊")
    assert "取消了" in await consenting.tap("好多了")
    actor = await consenting.house.actor(consenting.person_id)
    assert (await consenting.house.services.consultations.get(actor, case)).status is Status.CANCELLED
    assert "不用取消" in await consenting.click(f"patient.cancel:{case}")


async def test_own_words_for_cancelling_interrupt_an_intake_and_give_it_back(consenting: Conversation) -> None:
    case = await open_case(consenting.house, consenting.person_id)
    await consenting.say("我咳嗽三天了")
    facts = intake_of(consenting).facts
    await consenting.click(f"patient.cancel:{case}")
    await consenting.tap("别的原因")
    assert "取消了" in await consenting.say("已经好了不看了")
    assert consenting.state.flow == "intake"
    assert intake_of(consenting).facts == facts
    await consenting.click("patient.continue")
    assert intake_of(consenting).question is not None


async def test_the_result_is_the_experts_words_and_can_be_seen_again(consenting: Conversation) -> None:
    house = consenting.house
    case = await open_case(house, consenting.person_id)
    assert "还没有出来" in await consenting.click(f"patient.result:{case}")
    await assign(house, case)
    await begin(house, case)
    await complete(house, case)
    await consenting.click(f"patient.case:{case}")
    said = await consenting.tap("看结果")
    assert "钟专家医生的会诊意见" in said
    assert "急性支气管炎" in said
    assert "多喝水" in said


async def test_rating_with_stars_and_words(consenting: Conversation) -> None:
    house = consenting.house
    case = await open_case(house, consenting.person_id)
    await assign(house, case)
    await begin(house, case)
    await complete(house, case)
    await consenting.click("patient.drop")
    await consenting.click(f"patient.rate:{case}")
    assert len(consenting.choices) == 5
    assert "谢谢" in await consenting.tap("★★★★ 好")
    await consenting.tap("再说几句")
    assert "记下了" in await consenting.say("专家讲得很明白")
    rating = (await house.services.consultations.get(await house.actor(consenting.person_id), case)).rating
    assert rating is not None
    assert (rating.stars, rating.comment) == (4, "专家讲得很明白")
    assert "评价过" in await consenting.click(f"patient.rate:{case}:5")
