"""More material: asked for by the expert, gathered by the doctor, back to the expert."""

from bot.messages import Picture
from tests.bot.flows.staff.conftest import County


async def test_a_request_comes_to_the_doctor_as_a_task_and_its_answer_to_the_expert(county: County) -> None:
    case = await _assigned(county)
    await county.expert.click(f"expert.supplement:{case}")
    assert "已请医生补充" in await county.expert.tap("心电图")
    assert "请您补充：心电图" in await county.doctor.hear()
    await county.doctor.tap("现在补充")
    assert "收到：图片1张。" in await county.doctor.send_image()
    assert "图片1张，说明1条" in await county.doctor.say("窦性心律")
    assert await county.expert.hear() == "", "nothing is sent before the doctor says so"
    await county.doctor.tap("发给专家")
    assert "已经补充" in await county.expert.hear()
    digest = await county.expert.tap("查看资料")
    assert "窦性心律" in digest
    await county.expert.tap("看图片")
    assert any(isinstance(reply, Picture) for reply in county.expert.replies)


async def test_what_an_expert_waits_for_stands_on_the_list_of_tasks_until_it_is_given(county: County) -> None:
    await _assigned(county)
    assert "没有等您处理" in await county.doctor.click("doctor.tasks")
    await county.expert.click("expert.mine")
    await county.expert.tap("张小明")
    await county.expert.tap("需要补充资料")
    await county.expert.tap("心电图")
    await county.doctor.click("doctor.tasks")
    assert "专家要：心电图" in await county.doctor.tap("补资料 张小明")
    await county.doctor.say("窦性心律")
    await county.doctor.tap("发给专家")
    assert "没有等您处理" in await county.doctor.click("doctor.tasks")


async def test_an_empty_answer_is_not_sent(county: County) -> None:
    case = await _assigned(county)
    await county.expert.click(f"expert.supplement:{case}")
    await county.expert.say("请补充胸片")
    await county.doctor.hear()
    await county.doctor.tap("现在补充")
    await county.doctor.say("稍等")
    send = county.doctor.menus[-1].choices[0]
    await county.doctor.tap_choice(send)
    await county.expert.hear()
    await county.doctor.click(f"doctor.supplement:{case}")
    assert "还没有收到" in await county.doctor.tap_choice(send)


async def test_a_second_answer_to_an_answered_request_is_refused_in_words(county: County) -> None:
    case = await _assigned(county)
    await county.doctor.click(f"doctor.supplement:{case}")
    await county.doctor.say("多给一点")
    assert "没有等待补充" in await county.doctor.tap("发给专家")
    assert county.doctor.state.flow == ""


async def _assigned(county: County) -> str:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    for phone in (county.doctor, county.expert, county.patient):
        await phone.hear()
    return case.id
