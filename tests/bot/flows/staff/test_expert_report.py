"""The report of a study, written in chat: a template's places one by one, own words, read back, signed, amended."""

from backend.reporting import ReportState
from bot.flows.expert_report import LONGEST_IN_CHAT
from bot.messages import Link
from tests.bot.flows.staff.conftest import County
from tests.support.reports import FINDINGS, IMPRESSION, reading


async def test_a_template_is_filled_in_place_by_place_read_back_and_signed(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.case:{read.case.id}")
    offered = await expert.tap("写影像报告")
    assert "胸部CT 11月21日：请选一个模板" in offered
    assert expert.choices[0] == "胸部CT平扫", "what the study's description suggests comes first"
    asked = await expert.tap("胸部CT平扫")
    assert "【检查所见】双肺实质：____" in asked
    asked = await expert.say("右肺上叶见结节，直径约8毫米")
    while "请填这一处" in asked:
        asked = await (expert.tap("未见异常") if "未见异常" in expert.choices else expert.say("未见明显异常"))
    assert "签发后医生和患者马上能看到" in asked
    assert "双肺纹理清晰，双肺实质：右肺上叶见结节，直径约8毫米。" in asked
    assert "__" not in asked
    assert "签发了" in await expert.tap("签发")
    [report] = await read.reports()
    assert (report.state, report.examination) == (ReportState.SIGNED, "胸部CT平扫")


async def test_own_words_in_several_messages_are_joined_until_the_expert_says_so(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    assert "② 检查所见" in await expert.tap("自己写")
    await expert.say("右肺上叶见结节，")
    assert "检查所见现在" in await expert.speak("直径约8毫米。")
    assert "③ 印象" in await expert.say("写好了")
    await expert.say(IMPRESSION)
    back = await expert.tap("写好了")
    assert "右肺上叶见结节，\n直径约8毫米。" in back
    assert IMPRESSION in back
    await expert.tap("签发")
    assert [report.state for report in await read.reports()] == [ReportState.SIGNED]


async def test_a_filled_place_can_be_taken_back_and_a_step_too(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    first = await expert.tap("胸部CT平扫")
    await expert.say("写错了")
    assert "好的，退回一处。" in await expert.tap("上一步")
    [draft] = await read.reports()
    assert "写错了" not in draft.findings
    assert first.split("\n")[0] in expert.text
    assert "② 检查所见" in await expert.tap("这段自己写")
    assert "① 检查名称" in await expert.say("上一步")


async def test_whoever_stops_finds_everything_again_and_may_go_on_on_the_page(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    await expert.say(FINDINGS)
    assert "保存在草稿里" in await expert.say("退出")
    [draft] = await read.reports()
    assert draft.findings == FINDINGS
    house = county.story.house
    actor = await house.actor(expert.person_id)
    await house.services.reports.write(actor, draft.id, impression=IMPRESSION)
    assert IMPRESSION in await expert.click(f"expert.report:{read.case.id}")


async def test_what_changed_on_the_page_meanwhile_is_read_again_before_it_is_signed(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    for words in (FINDINGS, "写好了", IMPRESSION, "写好了"):
        await expert.say(words)
    house, [draft] = county.story.house, await read.reports()
    actor = await house.actor(expert.person_id)
    await house.services.reports.write(actor, draft.id, impression="右肺上叶结节。")
    again = await expert.tap("签发")
    assert "刚在页面上改过" in again
    assert "建议3个月复查" not in again
    assert [report.state for report in await read.reports()] == [ReportState.DRAFT]
    await expert.tap("签发")
    assert [report.impression for report in await read.reports()] == ["右肺上叶结节。"]


async def test_a_slip_is_shown_and_signed_only_when_it_is_meant(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    for words in (FINDINGS, "写好了", "左肺上叶结节。"):
        await expert.say(words)
    assert "左右和所见里写的不一致" in await expert.say("写好了")
    assert "签发了" in await expert.tap("没有写错，签发")
    assert [report.state for report in await read.reports()] == [ReportState.SIGNED]


async def test_a_part_can_be_written_again(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    for words in (FINDINGS, "写好了", "肺炎。", "写好了"):
        await expert.say(words)
    assert "肺炎。" in await expert.tap("改印象")
    await expert.say(IMPRESSION)
    back = await expert.tap("写好了")
    assert IMPRESSION in back
    assert "肺炎" not in back
    await expert.tap("改检查名称")
    assert "检查名称：胸部薄层CT" in await expert.say("胸部薄层CT")


async def test_a_draft_is_thrown_away_after_a_question(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    for words in (FINDINGS, "写好了", IMPRESSION, "写好了"):
        await expert.say(words)
    await expert.tap("丢掉这份草稿")
    assert len(await read.reports()) == 1
    assert "丢掉了" in await expert.tap("确定丢掉")
    assert await read.reports() == []


async def test_a_report_too_long_for_a_chat_is_signed_on_the_page(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("自己写")
    await expert.say("结节。" * (LONGEST_IN_CHAT // 3))
    for words in ("写好了", IMPRESSION, "写好了"):
        await expert.say(words)
    [card] = [reply for reply in expert.replies if isinstance(reply, Link)]
    assert card.url == f"http://house.test/h5/reports/{read.case.id}"


async def test_several_studies_are_chosen_from(county: County) -> None:
    read, expert = await reading(county, "胸部CT", "颅脑CT"), county.expert
    assert "要写哪一份" in await expert.click(f"expert.report:{read.case.id}")
    await expert.tap("颅脑CT")
    assert expert.choices[0] == "颅脑CT平扫"


async def test_a_signed_report_is_changed_with_a_reason(county: County) -> None:
    read, expert = await reading(county), county.expert
    await read.signed()
    assert "已经签发（第1版）" in await expert.click(f"expert.report:{read.case.id}")
    assert "为什么要改" in await expert.tap("修改报告")
    assert "修改原因：漏写了一处" in await expert.tap("漏写了一处")
    await expert.tap("改印象")
    await expert.say("右肺上叶结节，建议1个月复查。")
    await expert.tap("写好了")
    await expert.tap("签发")
    states = [(report.version, report.state) for report in await read.reports()]
    assert states == [(1, ReportState.SUPERSEDED), (2, ReportState.SIGNED)]


async def test_a_case_without_images_has_no_report_to_write(county: County) -> None:
    story = county.story
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    await story.accept(case, county.expert)
    assert "写影像报告" not in await county.expert.click(f"expert.case:{case.id}")
    assert "还没有检查图像" in await county.expert.click(f"expert.report:{case.id}")


async def test_nobody_else_writes_or_marks(county: County) -> None:
    read = await reading(county)
    [study] = await county.story.house.services.imaging.studies_of(
        await county.story.house.actor(county.expert.person_id), read.case.id
    )
    for phone in (county.doctor, county.rival, county.patient):
        for verb in ("report", "critical"):
            said = await phone.click(f"expert.{verb}:{read.case.id}:{study.id}")
            assert "模板" not in said
            assert "马上告诉" not in said
            assert phone.state.flow == ""
    assert await read.reports() == []


async def test_a_critical_value_is_told_after_a_question_and_the_report_goes_on(county: County) -> None:
    read, expert = await reading(county), county.expert
    await expert.click(f"expert.report:{read.case.id}")
    assert "要马上告诉医生" in await expert.tap("有危急值")
    await expert.tap("更多")
    assert "马上通知 李强 医生？" in await expert.tap("张力性气胸")
    assert "危急值" not in await county.doctor.hear()
    assert "已经通知李强医生" in await expert.tap("马上通知")
    assert "张力性气胸" in await county.doctor.hear()
    assert "请选一个模板" in await expert.tap("写影像报告")
