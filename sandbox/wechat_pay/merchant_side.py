"""WeChat Pay as a whole: one merchant's book, its keys, and who is told what."""

from functools import cached_property

from sandbox.clock import MovableClock
from sandbox.errors import JsonObject
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.wechat_pay.book import REFUND_SECONDS, Book, Order, Refund, china_time
from sandbox.wechat_pay.keys import MERCHANT_SERIAL, PLATFORM_KEY_ID, Keys
from sandbox.wechat_pay.notifier import Notifier
from sandbox.wechat_pay.signing import Merchant, signed_headers


class WeChatPay:
    """What is played of WeChat Pay. Its keys are made when they are first needed: that takes a while."""

    def __init__(self, settings: Settings, clock: MovableClock, journal: Journal, faults: Faults) -> None:
        self.settings = settings
        self.clock = clock
        self.journal = journal
        self.faults = faults
        self.book = Book(clock.now)
        self.notifier = Notifier(clock, faults, journal, settings.api_v3_key, self.signed)

    @cached_property
    def keys(self) -> Keys:
        """Both sides' keys."""
        return Keys(self.settings.pay_keys)

    @cached_property
    def merchant(self) -> Merchant:
        """Whose requests are served."""
        return Merchant(self.settings.mchid, self.settings.app_id, MERCHANT_SERIAL, self.keys.merchant)

    @property
    def changes(self) -> int:
        """A number that grows with every change of what is kept."""
        return self.book.changes + self.notifier.changes

    def clear(self) -> None:
        """Forget all but the keys."""
        self.book.clear()
        self.notifier.clear()

    def dump(self) -> JsonObject:
        """What a state file keeps."""
        return {**self.book.dump(), "notices": self.notifier.dump()}

    def load(self, state: JsonObject) -> None:
        """Take up what a state file kept."""
        self.book.load(state)
        self.notifier.load(state["notices"])

    def signed(self, body: bytes, at: float, serial: str = PLATFORM_KEY_ID) -> dict[str, str]:
        """The headers of an answer or a notification."""
        headers = signed_headers(self.keys.platform, serial, body, at)
        return headers | {"Content-Type": "application/json"}

    def take_payment(self, order: Order) -> None:
        """Somebody has entered their password: the money moves, and the merchant is told."""
        self.book.pay(order)
        content = self.book.told_order(order, self.settings.mchid, self.settings.app_id)
        self.notifier.tell("TRANSACTION.SUCCESS", "transaction", content, order.notify_url, order.openid)

    def announce(self, refund: Refund) -> None:
        """The merchant is told when a refund has arrived."""
        if not refund.notify_url:
            return
        order = self.book.orders[refund.order]
        content = {
            "mchid": self.settings.mchid,
            "transaction_id": order.transaction,
            "out_trade_no": order.number,
            "refund_id": refund.id,
            "out_refund_no": refund.number,
            "refund_status": "SUCCESS",
            "success_time": china_time(refund.done_at),
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": order.amount, "refund": refund.amount, "payer_total": order.amount,
                "payer_refund": refund.amount,
            },
        }  # fmt: skip
        self.notifier.tell("REFUND.SUCCESS", "refund", content, refund.notify_url, order.openid, REFUND_SECONDS)
