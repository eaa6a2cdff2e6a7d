"""The ledger of customer-service messages: every rule, and a model of it driven at random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.wechat.errors import WechatError
from sandbox.wechat.ledger import ACTION_SECONDS, MESSAGE_SECONDS, Ledger

NOW = 1_000_000.0


def spend(ledger: Ledger, now: float) -> int:
    """The errcode of one message."""
    try:
        ledger.spend(now)
    except WechatError as error:
        return error.errcode
    return 0


def test_nothing_may_be_sent_to_a_user_who_never_wrote() -> None:
    assert spend(Ledger(), NOW) == 45015


def test_five_messages_follow_a_message_and_the_sixth_is_over_the_count() -> None:
    ledger = Ledger()
    ledger.user_wrote(NOW)
    assert [spend(ledger, NOW + 1) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]


def test_the_window_of_a_message_closes_after_48_hours() -> None:
    ledger = Ledger()
    ledger.user_wrote(NOW)
    assert spend(ledger, NOW + MESSAGE_SECONDS - 1) == 0
    assert spend(ledger, NOW + MESSAGE_SECONDS) == 45015


def test_three_messages_follow_a_click_within_a_minute() -> None:
    ledger = Ledger()
    ledger.user_acted(NOW)
    assert [spend(ledger, NOW + 59) for _ in range(4)] == [0, 0, 0, 45047]
    assert spend(ledger, NOW + ACTION_SECONDS) == 45015


def test_a_click_adds_to_the_messages_left_and_is_used_first() -> None:
    ledger = Ledger()
    ledger.user_wrote(NOW)
    ledger.user_acted(NOW)
    assert [spend(ledger, NOW + 1) for _ in range(3)] == [0, 0, 0]
    assert [spend(ledger, NOW + 100) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]


def test_each_message_of_the_user_gives_five_anew() -> None:
    ledger = Ledger()
    ledger.user_wrote(NOW)
    assert [spend(ledger, NOW) for _ in range(5)] == [0] * 5
    ledger.user_wrote(NOW + 10)
    assert [spend(ledger, NOW + 10) for _ in range(6)] == [0] * 5 + [45047]


def test_the_indicator_needs_an_interaction_and_is_not_shown_twice() -> None:
    ledger = Ledger()
    with pytest.raises(WechatError, match="45080"):
        ledger.start_typing(NOW)
    ledger.user_acted(NOW)
    ledger.start_typing(NOW + 1)
    with pytest.raises(WechatError, match="45081"):
        ledger.start_typing(NOW + 2)
    ledger.stop_typing()
    ledger.start_typing(NOW + 3)
    with pytest.raises(WechatError, match="45080"):
        ledger.start_typing(NOW + 31)


@given(st.lists(st.tuples(st.sampled_from(["write", "act", "send"]), st.sampled_from([0, 1, 30, 61, 90_000, 180_000]))))
def test_the_ledger_agrees_with_a_plain_list_of_permits(steps: list[tuple[str, int]]) -> None:
    """The model keeps one entry a permitted message: (what gave it, when it ends)."""
    ledger, now = Ledger(), NOW
    permits: dict[str, list[float]] = {"write": [], "act": []}
    ends = {"write": 0.0, "act": 0.0}
    for step, seconds in steps:
        now += seconds
        if step == "write":
            ledger.user_wrote(now)
            ends["write"] = now + 48 * 3600
            permits["write"] = [ends["write"]] * 5
        elif step == "act":
            ledger.user_acted(now)
            ends["act"] = now + 60
            permits["act"] = [ends["act"]] * 3
        else:
            usable = sorted((end, kind) for kind, left in permits.items() for end in left if end > now)
            expected = 0 if usable else (45047 if max(ends.values()) > now else 45015)
            assert spend(ledger, now) == expected
            if usable:
                permits[usable[0][1]].pop()
