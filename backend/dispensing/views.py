"""What dispensing shows of its tables."""

from dataclasses import dataclass, field
from datetime import datetime

from backend.dispensing.rules import Item, Method, OrderState


@dataclass(frozen=True)
class OrderView:
    """An order for medicines.

    Args:
        items: what is to be handed out; once packed, what was; nothing of what was refused or cancelled.
        reason: why it was refused or cancelled, or why something is short.
        address, phone: empty for those who need not know where it goes, and for what is fetched.
    """

    id: str
    number: str
    prescription_id: str
    prescription_number: str
    consultation_id: str
    patient_id: str
    patient_name: str = field(repr=False)
    pharmacy_id: str
    pharmacy_name: str
    pharmacy_address: str
    method: Method
    state: OrderState
    items: tuple[Item, ...] = field(repr=False)
    placed_at: datetime
    accepted_by: str | None
    packed_by: str | None
    sent_at: datetime | None
    closed_at: datetime | None
    reason: str = field(repr=False)
    carrier: str = field(repr=False)
    tracking_number: str = field(repr=False)
    address: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True)
class Presented:
    """A prescription that is shown at a counter: `items` is what is left to hand out."""

    prescription_number: str
    patient_name: str = field(repr=False)
    items: tuple[Item, ...] = field(repr=False)


@dataclass(frozen=True)
class StockItem:
    """How many packs of a preparation a pharmacy has."""

    preparation: str
    packs: int
    updated_at: datetime


@dataclass(frozen=True)
class RefillView:
    """A request to be prescribed the same once more; `agreed` is None while nobody has answered."""

    id: str
    prescription_id: str
    consultation_id: str
    patient_id: str
    patient_name: str = field(repr=False)
    medicines: tuple[str, ...] = field(repr=False)
    note: str = field(repr=False)
    requested_at: datetime
    agreed: bool | None
    reason: str = field(repr=False)
