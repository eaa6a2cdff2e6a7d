"""A desk that charges one fee, for tests of the pay page: its money is WeChat Pay's, its state the test's."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from backend.clock import Clock
from backend.errors import Conflict, Forbidden, NotFound
from backend.insurance.coverage import Split
from backend.money import to_fen, to_yuan
from backend.payment.payments import Notification, Order, Payment
from backend.payment.wechat_pay import WeChatPay
from backend.security.policy import Actor

_ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Fee:
    """One charge; with the names that the pay page reads."""

    id: str
    number: str
    state: str
    fee: Decimal
    quote: Split | None
    starts_at: datetime
    expires_at: datetime
    paid: Decimal = _ZERO
    refunding: Decimal = _ZERO
    refunded: Decimal = _ZERO
    slow: bool = False

    @property
    def payable(self) -> bool:
        return self.state == "awaiting_payment"

    @property
    def cash(self) -> Decimal:
        return self.fee if self.quote is None else self.quote.cash


@dataclass
class OneFeeDesk:
    """Charges 200 yuan, of which the patient pays 36.

    Attributes:
        payers: who may pay, and their openids.
        down: whether nothing is known of what was paid.
    """

    payments: WeChatPay
    clock: Clock
    payers: dict[str, str] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    fee: Fee | None = None
    down: bool = False

    def begin(self, charge_id: str) -> None:
        """Let there be a fee that can be paid for a quarter of an hour."""
        now = self.clock.now()
        lines = ("费用一共200元。", "起付线已经满了。", "医保报80%，付160元。", "医保账户付4元。", "您要付36元。")
        quote = Split(Decimal("160.00"), Decimal("4.00"), _ZERO, Decimal("36.00"), "T1", lines)
        self.orders.clear()
        self.down = False
        self.fee = Fee(
            charge_id, "FY20261122-0001-1", "awaiting_payment", Decimal("200.00"), quote, now + timedelta(days=1),
            now + timedelta(minutes=15),
        )  # fmt: skip

    async def view(self, actor: Actor, charge_id: str) -> Fee:
        if self.fee is None or self.fee.id != charge_id:
            raise NotFound("没有找到这笔费用。")
        if actor.person_id not in self.payers:
            raise Forbidden
        return self.fee

    async def prepay(self, actor: Actor, charge_id: str) -> Mapping[str, str]:
        fee = await self.view(actor, charge_id)
        if not fee.payable:
            raise Conflict("这笔钱已经付过了，不用再付。")
        number = f"QY{actor.person_id[:12]}{fee.id[:12]}"
        self.orders[number] = to_fen(fee.cash)
        payer = self.payers[actor.person_id]
        return await self.payments.prepay(Order(number, "远程会诊费", to_fen(fee.cash), payer, fee.expires_at))

    async def refresh(self, actor: Actor, charge_id: str) -> Fee:
        fee = await self.view(actor, charge_id)
        for number in self.orders:
            found = None if self.down else await self.payments.query(number)
            if found is not None and found.state == "paid":
                self._received(found)
        return self.fee or fee

    async def told(self, notification: Notification) -> None:
        """Take a notification; what is known already, or of another amount, changes nothing."""
        about = notification.about
        if isinstance(about, Payment) and about.state == "paid" and not self.down:
            self._received(about)

    def _received(self, payment: Payment) -> None:
        if self.fee is not None and self.fee.payable and self.orders.get(payment.number) == payment.amount:
            self.fee = replace(self.fee, state="confirmed", paid=to_yuan(payment.amount))
