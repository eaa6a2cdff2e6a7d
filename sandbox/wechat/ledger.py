"""Who may be written to, how often and how long: the ledger of customer-service messages of one user.

Source: developers.weixin.qq.com, 公众号 / 客服消息 and 客服输入状态.
"""

from dataclasses import dataclass

from sandbox.wechat.errors import WechatError

MESSAGE_COUNT = 5
MESSAGE_SECONDS = 48 * 3600
ACTION_COUNT = 3
ACTION_SECONDS = 60
TYPING_WINDOW_SECONDS = 30
# How long the phone shows the indicator when nothing ends it. WeChat does not say; seen in practice.
TYPING_SHOWN_SECONDS = 15


@dataclass(slots=True)
class Ledger:
    """Two allowances: one opened by the user's messages, one by menu clicks, follows, scans and taps.

    Moments are seconds since the epoch on the sandbox's clock. The allowance that ends first is used up first.
    """

    message_left: int = 0
    message_until: float = 0.0
    action_left: int = 0
    action_until: float = 0.0
    interaction_at: float = 0.0
    typing_until: float = 0.0

    def user_wrote(self, now: float) -> None:
        """The user sent a message: five messages within 48 hours."""
        self.message_left, self.message_until = MESSAGE_COUNT, now + MESSAGE_SECONDS
        self.interaction_at = now

    def user_acted(self, now: float) -> None:
        """The user clicked the menu, followed, scanned or tapped an item: three messages within a minute."""
        self.action_left, self.action_until = ACTION_COUNT, now + ACTION_SECONDS
        self.interaction_at = now

    def close(self) -> None:
        """The user left: nothing may be sent."""
        self.message_left = self.action_left = 0
        self.message_until = self.action_until = self.interaction_at = self.typing_until = 0.0

    def spend(self, now: float) -> None:
        """Account for one message; 45015 when no window is open, 45047 when its count is used up."""
        action_open, message_open = now < self.action_until, now < self.message_until
        if not action_open and not message_open:
            raise WechatError(45015)
        if action_open and self.action_left > 0:
            self.action_left -= 1
        elif message_open and self.message_left > 0:
            self.message_left -= 1
        else:
            raise WechatError(45047)
        self.typing_until = 0.0

    def start_typing(self, now: float) -> None:
        """Show the indicator; 45080 without an interaction in the last 30 s, 45081 while it is shown already."""
        if not self.interaction_at or now - self.interaction_at > TYPING_WINDOW_SECONDS:
            raise WechatError(45080)
        if now < self.typing_until:
            raise WechatError(45081)
        self.typing_until = now + TYPING_SHOWN_SECONDS

    def stop_typing(self) -> None:
        """Hide the indicator."""
        self.typing_until = 0.0
