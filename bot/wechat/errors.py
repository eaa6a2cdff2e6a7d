"""What may go wrong when WeChat is called, and what each error code asks for.

Source: developers.weixin.qq.com, 公众号 / 全局返回码.
"""

from enum import StrEnum


class Action(StrEnum):
    """What to do about an error code."""

    RETRY = "retry"  # at most three times, ever later; the message may have gone out
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 -- once, one flight; a lasting one is an alarm
    ALARM = "alarm"  # the configuration is wrong: no retry helps
    LOGIN_AGAIN = "login_again"
    UNREACHABLE = "unreachable"  # mark the person, and fall back
    FALL_BACK = "fall_back"  # the window is closed or the quota spent
    OPEN_CIRCUIT = "open_circuit"  # nothing more today on this path
    BACK_OFF = "back_off"  # nothing more this minute on this path
    ASK_CONSENT = "ask_consent"  # ask for the consent again at the next contact
    DEAD_LETTER = "dead_letter"  # the data is wrong
    SPLIT = "split"
    UPLOAD_AGAIN = "upload_again"
    DISABLE = "disable"  # the account may not use this feature
    ALREADY_SENT = "already_sent"


ACTIONS: dict[int, Action] = {
    -1: Action.RETRY,
    40001: Action.REFRESH_TOKEN,
    40014: Action.REFRESH_TOKEN,
    42001: Action.REFRESH_TOKEN,
    40164: Action.ALARM,
    40125: Action.ALARM,
    40243: Action.ALARM,
    40029: Action.LOGIN_AGAIN,
    40163: Action.LOGIN_AGAIN,
    40003: Action.UNREACHABLE,
    43004: Action.UNREACHABLE,
    45015: Action.FALL_BACK,
    45047: Action.FALL_BACK,
    45009: Action.OPEN_CIRCUIT,
    45011: Action.BACK_OFF,
    43101: Action.ASK_CONSENT,
    40037: Action.DEAD_LETTER,
    47003: Action.DEAD_LETTER,
    41030: Action.DEAD_LETTER,
    45002: Action.SPLIT,
    40007: Action.UPLOAD_AGAIN,
    48001: Action.DISABLE,
    45065: Action.ALREADY_SENT,  # the same client_msg_id was used already
}


def action_for(code: int) -> Action:
    """Give what `code` asks for; an unknown code is a retry that ends in a dead letter."""
    return ACTIONS.get(code, Action.RETRY)


class WechatError(Exception):
    """WeChat answered, and refused."""

    def __init__(self, code: int, path: str) -> None:
        super().__init__(f"{path}: {code}")
        self.code = code
        self.path = path
        self.action = action_for(code)


class WechatUnavailable(Exception):
    """WeChat did not answer, or not in its own language.

    Args:
        maybe_done: whether the call may have had its effect all the same.
    """

    def __init__(self, path: str, reason: str, maybe_done: bool) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.maybe_done = maybe_done
