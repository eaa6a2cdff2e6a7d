"""What charging shows of itself: amounts in yuan."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from backend.charging.rules import ChargeState, Reason
from backend.insurance.coverage import Split


@dataclass(frozen=True)
class ChargeView:
    """What one booking of a consultation costs, who pays it, and where that stands.

    Args:
        number: for people, “FY20261121-0001-1”.
        insured: whether insurance takes part. why_not: why it does not, in Chinese, where it does not.
        fee: the whole, from the tariff `tariff` (its code).
        quote: who pays what, as pre-settled, with its lines of explanation; None while the insurer is asked.
        settled: the same as it was settled in the end; None before.
        paid: what was received from the patient altogether. refunding, refunded: of that, on its way back and arrived.
        kept: what a no-show costs.
        slot_id, starts_at: the time that is held or was booked by it.
        expires_at: until when it may be paid.
        slow: the insurer has not answered for ten seconds: the patient may wait, or pay themselves.
        attention: why a person has to look at it, if one has to.
        payable: whether `prepay` may be called.
    """

    id: str
    number: str
    consultation_id: str
    patient_id: str
    state: ChargeState
    reason: Reason
    attention: Reason
    insured: bool
    why_not: str
    fee: Decimal
    tariff: str
    quote: Split | None = field(repr=False)
    settled: Split | None = field(repr=False)
    paid: Decimal
    refunding: Decimal
    refunded: Decimal
    kept: Decimal
    slot_id: str
    starts_at: datetime
    expires_at: datetime
    made_at: datetime
    paid_at: datetime | None
    settled_at: datetime | None
    closed_at: datetime | None
    slow: bool

    @property
    def payable(self) -> bool:
        """Whether the patient can pay now."""
        return self.state in (ChargeState.QUOTED, ChargeState.AWAITING_PAYMENT)

    @property
    def cash(self) -> Decimal:
        """What the patient has to pay, or would have without insurance while it is not known."""
        return self.fee if self.quote is None else self.quote.cash
