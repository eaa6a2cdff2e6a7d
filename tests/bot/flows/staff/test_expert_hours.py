"""An expert on a phone sets when they have time, in words of their own; nothing is kept before it was read back."""

from datetime import date, datetime, timedelta

import pytest

from backend.clock import LOCAL_ZONE, local
from backend.scheduling import ScheduleView, WeeklyHours
from backend.security.policy import SYSTEM
from tests.bot.flows.staff.conftest import County

SUNDAY = datetime(2026, 11, 22, 9, tzinfo=LOCAL_ZONE)
MORNINGS = [WeeklyHours(weekday, "09:00", "11:00", 30) for weekday in (0, 2)]


@pytest.fixture
async def clinic_week(county: County) -> County:
    """A Sunday in November; 王建国 sees people on Monday and Wednesday mornings."""
    house = county.story.house
    house.clock.advance(SUNDAY - house.clock.now())
    await house.services.scheduling.set_week(SYSTEM, house.practitioners["王建国"], MORNINGS)
    return county


async def kept(county: County) -> ScheduleView:
    """Give what is kept of the expert's times."""
    house = county.story.house
    today = house.clock.today().date()
    expert = await house.actor(county.expert.person_id)
    return await house.services.scheduling.schedule(
        expert, house.practitioners["王建国"], today, today + timedelta(days=366)
    )


def week_of(view: ScheduleView) -> list[str]:
    """Give the hours of every week in short."""
    return [f"{one.weekday} {one.start}-{one.end}/{one.slot_minutes}{'+' * one.on_holidays}" for one in view.week]


async def test_weekly_hours_are_read_back_and_kept_only_then(clinic_week: County) -> None:
    expert = clinic_week.expert
    shown = await expert.say("我的日程")
    assert "空闲时间" in shown
    shown = await expert.tap("改出诊时间")
    assert "周一、周三：上午9:00到11:00，每次30分钟" in shown
    assert "遇到法定节假日不出诊" in shown
    asked = await expert.say("每周三下午两点到五点")
    assert "以后每周三：上午9:00到11:00、下午2:00到5:00，每次30分钟" in asked
    assert week_of(await kept(clinic_week)) == ["0 09:00-11:00/30", "2 09:00-11:00/30"]
    asked = await expert.tap("只留新写的时间")
    assert "以后每周三：下午2:00到5:00，每次30分钟" in asked
    assert "以后每周三：上午9:00到11:00、下午2:00到5:00" in await expert.tap("原来的时间也留着")
    assert "改好了" in await expert.tap("对，保存")
    assert week_of(await kept(clinic_week)) == ["0 09:00-11:00/30", "2 09:00-11:00/30", "2 14:00-17:00/30"]
    await expert.tap("再改一处")
    await expert.say("每周三上午9点到11点改成10点到12点，每次20分钟")
    await expert.tap("对，保存")
    assert week_of(await kept(clinic_week)) == ["0 09:00-11:00/30", "2 10:00-12:00/20", "2 14:00-17:00/30"]
    assert "以后每周一：不出诊" in await expert.say("每周一不出诊")
    await expert.tap("不改了")
    assert len((await kept(clinic_week)).week) == 3


async def test_a_day_without_every_is_asked_about(clinic_week: County) -> None:
    expert = clinic_week.expert
    asked = await expert.say("周五下午2点到4点")
    assert "以后每周五都这样，还是只有最近的周五？" in asked
    asked = await expert.tap("只有最近这一次")
    assert "11月27日（周五）：下午2:00到4:00" in asked
    await expert.tap("对，保存")
    view = await kept(clinic_week)
    assert [(day, one.start) for day, hours in view.days.items() for one in hours] == [(date(2026, 11, 27), "14:00")]
    assert len(view.week) == 2
    await expert.say("周五上午9点到10点")
    await expert.tap("每周五")
    await expert.tap("对，保存")
    assert "4 09:00-10:00/30" in week_of(await kept(clinic_week))


async def test_a_single_time_is_added_a_day_blocked_and_given_back(clinic_week: County) -> None:
    expert = clinic_week.expert
    assert "11月23日（周一）：上午9:00到11:00、下午3:00到3:30" in await expert.say("明天下午3点加一个号")
    await expert.tap("对，保存")
    assert "11月25日（周三）：不出诊（开会）" in await expert.say("11月25日开会")
    await expert.tap("对，保存")
    [absence] = (await kept(clinic_week)).absences
    assert (local(absence.starts_at).day, local(absence.ends_at).day, absence.reason) == (25, 26, "开会")
    seen = await expert.say("我的日程")
    assert "11月25日（周三）：不出诊（开会）" in seen
    assert "11月25日（周三）　" not in seen
    assert "请先恢复" in await expert.say("11月25日上午9点到10点")
    assert "不再算：11月25日（周三）：不出诊（开会）" in await expert.say("11月25日恢复")
    await expert.tap("对，保存")
    assert (await kept(clinic_week)).absences == ()
    assert "12月1日到12月3日：不出诊（出差）" in await expert.say("12月1号到3号出差")
    assert "12月1日（周二）下午：不出诊" in await expert.say("12月1号下午没空")


async def test_holidays_are_named_and_worked_only_by_who_says_so(clinic_week: County) -> None:
    expert = clinic_week.expert
    house = clinic_week.story.house
    house.clock.advance(datetime(2026, 9, 20, 9, tzinfo=LOCAL_ZONE) - house.clock.now())
    shown = await expert.say("改出诊时间")
    assert "10月1日到10月7日国庆节放假，不出诊" not in shown  # of its days the expert works on Monday and Wednesday
    assert "10月5日（周一，国庆节）国庆节放假，不出诊" in shown
    asked = await expert.say("国庆节照常出诊")
    assert "10月5日（周一，国庆节）：上午9:00到11:00" in asked
    assert "10月7日（周三，国庆节）：上午9:00到11:00" in asked
    await expert.tap("对，保存")
    assert sorted((await kept(clinic_week)).days) == [date(2026, 10, 5), date(2026, 10, 7)]
    asked = await expert.say("元旦上午9点到11点")
    assert "1月1日（周五，元旦）：上午9:00到11:00" in asked
    assert "2027年怎么放假还没有公布" in asked
    await expert.say("节假日也出诊")
    await expert.tap("对，保存")
    assert week_of(await kept(clinic_week)) == ["0 09:00-11:00/30+", "2 09:00-11:00/30+"]
    assert "本来就是这样" in await expert.say("节假日照常出诊")


async def test_who_is_booked_is_named_before_the_time_is_taken_away(clinic_week: County) -> None:
    expert, story = clinic_week.expert, clinic_week.story
    case = await story.open_case(clinic_week.patient)
    await story.submit(case, clinic_week.doctor)
    await story.accept(case, expert)
    await story.house.services.scheduling.set_week(SYSTEM, story.house.practitioners["王建国"], MORNINGS)
    at = local(await story.book(case, clinic_week.patient))
    await expert.hear()
    await expert.say(f"{at.month}月{at.day}日休息")
    told = await expert.tap("对，保存")
    assert "还没有保存。这段时间里已经约了1例会诊" in told
    assert "张小明" in told
    assert f"上午{at.hour}:{at.minute:02d}" in told
    assert (await kept(clinic_week)).absences == ()
    assert "改好了" in await expert.tap("照样改")
    view = await kept(clinic_week)
    assert len(view.absences) == 1
    assert len(view.bookings) == 1


async def test_a_change_by_somebody_else_meanwhile_is_told(clinic_week: County) -> None:
    expert, house = clinic_week.expert, clinic_week.story.house
    await expert.say("每周四上午9点到11点")
    evening = [*MORNINGS, WeeklyHours(1, "18:00", "20:00", 30)]
    await house.services.scheduling.set_week(SYSTEM, house.practitioners["王建国"], evening)
    assert "刚刚被管理员改过，还没有保存" in await expert.tap("对，保存")
    assert "改好了" in await expert.tap("对，保存")
    assert [one.weekday for one in (await kept(clinic_week)).week] == [0, 1, 2, 3]


async def test_what_is_missing_is_asked_for_and_strange_words_change_nothing(clinic_week: County) -> None:
    expert = clinic_week.expert
    before = await kept(clinic_week)
    await expert.say("改出诊时间")
    assert "几点到几点" in await expert.say("每周二")
    assert "到几点结束" in await expert.say("每周二下午2点")
    assert "以后每周二：下午2:00到5:00" in await expert.say("5点")
    assert "重写" in "".join(choice.text for choice in expert.menus[-1].choices)
    await expert.tap("不对，重写")
    for words, answer in {
        "随便": "没看懂",
        "上午9点到11点": "是哪一天",
        "下午5点到2点休息": "结束的时间要比开始的晚",
        "2月30日休息": "没有“2月30日”这一天",
        "每周二25点到26点": "没有“25点到26点”这个时间",
        "周一上午9点到11点，周四下午2点到5点": "一次只能改一处",
        "每周四8点到8点10分": "放不下一次会诊",
    }.items():
        assert answer in await expert.say(words), words
    assert (await kept(clinic_week)) == before
    await expert.say("退出")
    assert "请问要办什么" in await expert.say("今天天气不错")
