"""What experts write of their times, as it is understood on Sunday, 22 November 2026."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.flows.schedule_clock import Unclear
from bot.flows.schedule_words import Wish, read_wish

TODAY = date(2026, 11, 22)


def short(wish: Wish | None) -> str:
    """Say a wish in few characters."""
    if wish is None:
        return "-"
    days = "".join(map(str, wish.days.weekly)) + " " + ",".join(f"{one:%m%d}" for one in wish.days.on)
    hours = ",".join(
        f"{one.start // 60}:{one.start % 60:02}-{one.end // 60}:{one.end % 60:02}" for one in wish.stretches
    )
    marks = [
        "off" if wish.off else "",
        "ever" if wish.as_ever else "",
        f"each{wish.slot_minutes}" if wish.slot_minutes else "",
        {True: "holidays", False: "no-holidays", None: ""}[wish.on_holidays],
        {True: "instead", False: "more", None: ""}[wish.instead],
        wish.reason,
    ]
    return " ".join(filter(None, (days.strip(), hours, *marks)))


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("每周三下午2点到5点", "2 14:00-17:00"),
        ("每周三下午两点到五点半", "2 14:00-17:30"),
        ("每星期三 14:00－17:00", "2 14:00-17:00"),
        ("周三下午2点到5点", "2 1125 14:00-17:00"),
        ("周一三五上午9点到11点半", "024 1123,1125,1127 9:00-11:30"),
        ("周一到周五上午8:30-11:30，每次20分钟", "01234 1123,1124,1125,1126,1127 8:30-11:30 each20"),
        ("工作日9点到12点，每个半小时", "01234 9:00-12:00 each30"),
        ("每周二、周四晚上7点到9点", "13 19:00-21:00"),
        ("每周三十点到十二点", "2 10:00-12:00"),
        ("周三三点到五点", "2 1125 15:00-17:00"),
        ("每周三上午8点到12点，下午2点到5点", "2 8:00-12:00,14:00-17:00"),
        ("每周六上午9点到11点改成下午2点到4点", "5 14:00-16:00 more"),
        ("每周六改成下午2点到4点", "5 14:00-16:00 instead"),
        ("每周六再加一个下午2点到4点", "5 14:00-16:00 more"),
        ("每周三不出诊", "2 off"),
        ("每周三下午停诊", "2 12:00-18:00 off"),
        ("下周三下午2-5点", "1125 14:00-17:00"),
        ("明天下午3点加一个号", "1123 15:00-15:30 more"),
        ("今晚7点到9点", "1122 19:00-21:00"),
        ("后天休息", "1124 off"),
        ("11月25号下午开会", "1125 12:00-18:00 off 开会"),
        ("11/25 9:00到10:00", "1125 9:00-10:00"),
        ("25号到28号休假", "1125,1126,1127,1128 off 休假"),
        ("11月29日到12月2日出差", "1129,1130,1201,1202 off 出差"),
        ("二十五号和二十七号上午不看", "1125,1127 0:00-12:00 off"),
        ("1月5日休息", "0105 off"),
        ("明天恢复", "1123 ever"),
        ("国庆节休息", "1001,1002,1003 off"),
        ("十一不出诊", "1001,1002,1003 off"),
        ("元旦上午9点到11点", "0101 9:00-11:00"),
        ("春节照常出诊", "0205,0206,0207,0208 ever"),
        ("五一长假照常", "0501,0502 ever"),
        ("节假日也出诊", "holidays"),
        ("法定节假日休息", "no-holidays"),
        ("每周三下午2点到5点，节假日除外", "2 14:00-17:00 no-holidays"),
        ("每周三下午2点到5点节假日也出诊", "2 14:00-17:00 holidays"),
        ("你好", "-"),
        ("今天天气不错", None),
    ],
)
def test_words_are_read_as_they_are_meant(words: str, read: str | None) -> None:
    if read is None:
        with pytest.raises(Unclear):
            read_wish(words, TODAY)
    else:
        assert short(read_wish(words, TODAY)) == read


@given(
    st.text("每周一二三四五六日末天下午上0123456789点半到、，号月日/: 休息不出诊节假国庆元旦加改成今明后", max_size=24)
)
def test_whatever_is_written_gives_days_to_come_or_a_question(words: str) -> None:
    try:
        wish = read_wish(words, TODAY)
    except Unclear:
        return
    if wish is not None:
        assert all(TODAY <= one <= TODAY + timedelta(days=400) for one in wish.days.on) or "20" in words
        assert all(0 <= one.start < one.end <= 24 * 60 for one in wish.stretches)
