"""Which way a message takes, and in how many pieces: true for every input, not only for examples."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.messaging.rules import Allowance, Reach, Touch
from bot.delivery import rules
from bot.messages import Choice, Link, Menu, Message, Notice, Picture, Text
from tests.support.transport import local_settings

WECHAT = local_settings("http://127.0.0.1:9")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAMILY, FLAG, WAVE = "👨\u200d👩\u200d👧", "🇨🇳", "👋🏽"
words = st.text(st.sampled_from("咳嗽发烧ab1 \n。，！？" + FAMILY + FLAG + WAVE + "é" + "e\u0301"), max_size=400)
moments = st.none() | st.integers(0, 60 * 3600).map(lambda seconds: NOW - timedelta(seconds=seconds))
reaches = st.builds(Reach, st.booleans(), moments, st.integers(0, 9), moments, st.integers(0, 9))


@given(text=words, limit=st.integers(64, 300))
def test_pieces_fit_and_together_say_the_same(text: str, limit: int) -> None:
    pieces = rules.split_text(text, limit)
    assert all(len(piece.encode()) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(st.text(max_size=3000), st.integers(64, 300))
def test_any_text_at_all_is_cut_into_pieces_that_fit(text: str, limit: int) -> None:
    assert all(len(piece.encode("utf-8", "replace")) <= limit for piece in rules.split_text(text, limit))


@pytest.mark.parametrize("cluster", [FAMILY, FLAG, WAVE, "e\u0301"])
@pytest.mark.parametrize("offset", range(8))
def test_a_character_as_people_see_it_is_never_cut(cluster: str, offset: int) -> None:
    text = "a" * offset + cluster * 40
    for piece in rules.split_text(text, 100):
        assert piece.strip("a").replace(cluster, "") == ""


def test_a_text_is_cut_behind_a_sentence() -> None:
    pieces = rules.split_text("请多休息。" * 50, 200)
    assert all(piece.endswith("。") for piece in pieces)


def test_an_endless_heap_of_marks_is_cut_all_the_same() -> None:
    assert all(len(piece.encode()) <= 100 for piece in rules.split_text("a" + "\u0301" * 500, 100))


@given(reaches)
def test_a_push_is_taken_from_an_open_window_with_something_left_or_not_made(reach: Reach) -> None:
    found = rules.allowance(reach, NOW, WECHAT)
    assert (found is None) == (rules.room(reach, NOW, WECHAT) == 0)
    if found is None:
        return
    assert reach.reachable
    if found.touch is Touch.CLICK:
        assert NOW - found.since < timedelta(minutes=1)
        assert reach.sent_after_touch < 3
    else:
        assert NOW - found.since < timedelta(hours=48)
        assert reach.sent_after_message < 5


@given(reaches)
def test_pushing_until_nothing_is_left_takes_exactly_what_there_was_room_for(reach: Reach) -> None:
    room = rules.room(reach, NOW, WECHAT)
    for _ in range(room):
        allowance = rules.allowance(reach, NOW, WECHAT)
        assert isinstance(allowance, Allowance)
        reach = reach.sent(allowance)
    assert rules.allowance(reach, NOW, WECHAT) is None
    assert rules.room(rules.spent(reach, WECHAT), NOW, WECHAT) == 0


def test_the_window_that_ends_first_is_used_first() -> None:
    reach = Reach(last_message_at=NOW, last_touch_at=NOW)
    taken = []
    while (allowance := rules.allowance(reach, NOW, WECHAT)) is not None:
        taken.append(allowance.touch)
        reach = reach.sent(allowance)
    assert taken == [Touch.CLICK] * 3 + [Touch.MESSAGE] * 5


@pytest.mark.parametrize(
    ("touch", "age", "open_"),
    [
        (Touch.MESSAGE, timedelta(hours=47, minutes=59), True),
        (Touch.MESSAGE, timedelta(hours=48), False),
        (Touch.CLICK, timedelta(seconds=57), True),
        (Touch.CLICK, timedelta(seconds=60), False),
    ],
)
def test_windows_close_on_time(touch: Touch, age: timedelta, open_: bool) -> None:
    reach = Reach().after(touch, NOW - age)
    assert (rules.allowance(reach, NOW, WECHAT) is not None) == open_


@given(st.integers(1, 100))
def test_a_back_off_grows_and_stays_within_its_bound(attempts: int) -> None:
    assert timedelta(seconds=1) <= rules.backoff(attempts) <= timedelta(seconds=400)


messages = st.one_of(
    st.builds(Text, words.filter(str.strip)),
    st.builds(Menu, words.filter(str.strip), st.just((Choice("a", "发烧"), Choice("b", "不发烧")))),
    st.builds(Picture, st.just("f1")),
    st.builds(Link, st.just("结果"), words, st.just("https://example.org")),
)


@given(st.lists(messages, max_size=40), st.integers(0, 8))
def test_what_waited_comes_in_no_more_messages_than_may_be_sent_and_the_newest_as_it_is(
    held: list[Message], available: int
) -> None:
    shown = rules.digest(held, available, 2048)
    assert len(shown) <= available
    assert bool(shown) == bool(held and available)
    if available > 1 and held:
        assert shown[-1] == held[-1]
    if shown and isinstance(shown[0], Text) and len(held) > rules.HELD_MESSAGES:
        assert "更早的消息" in shown[0].text
        assert len(shown[0].text.encode()) <= 2048


def test_a_menu_with_a_long_head_becomes_texts_and_a_menu_that_fits() -> None:
    notice = Notice("task", {})
    menu = Menu("先量血压。" * 300, (Choice("a", "好"),), notice=notice)
    *texts, last = rules.fit(menu, 2048)
    assert all(isinstance(text, Text) and len(text.text.encode()) <= 2048 for text in texts)
    assert isinstance(last, Menu)
    assert len(last.as_text().encode()) <= 2048
    assert "".join(text.text for text in texts if isinstance(text, Text)) + last.head == menu.head
    assert [message.notice for message in (*texts, last)] == [notice, *[None] * len(texts)]
