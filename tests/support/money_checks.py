"""What has to hold of charges once everything is at rest: our books, the insurer's and the provider's are one."""

from sqlalchemy import select

from backend.charging import ChargeState, ChargeView
from backend.charging.tables import Charge
from backend.consultation import Status
from backend.money import to_fen
from backend.scheduling import BookingState
from backend.scheduling.tables import Slot
from backend.security.policy import SYSTEM
from tests.support.money_world import World

AT_REST = {ChargeState.CONFIRMED, ChargeState.SETTLED, ChargeState.CLOSED, ChargeState.REVERSED}


async def check_consultation(world: World, consultation_id: str) -> list[ChargeView]:
    """Check what a consultation and its charges have to do with each other; give the charges."""
    async with world.database.reading() as session:
        ids = list(await session.scalars(select(Charge.id).where(Charge.consultation_id == consultation_id)))
        held = await session.scalar(select(Slot.id).where(Slot.held_for == consultation_id))
    assert held is None, "a time is held for nobody"
    charges = [await world.till.charging.view(SYSTEM, one) for one in ids]
    lasting = [one for one in charges if one.state in (ChargeState.CONFIRMED, ChargeState.SETTLED)]
    assert len(lasting) <= 1, "one consultation is paid twice"
    status = await world.status_of(consultation_id)
    booking = await world.till.clinic.scheduling.booking(consultation_id)
    for charge in lasting:
        if charge.state is ChargeState.SETTLED:
            assert status is Status.COMPLETED, "settled without its consultation"
        else:
            assert status is Status.ASSIGNED, "paid for a consultation that is over"
            assert booking is not None, "paid without a booking"
            assert booking.state is BookingState.ACTIVE, "paid without a booking"
            assert booking.slot_id == charge.slot_id, "paid for another time"
    return charges


async def check_charge(world: World, charge: ChargeView) -> None:
    """Check that everybody's books say the same of one charge."""
    assert charge.state in AT_REST, f"not at rest: {charge.state}"
    assert not charge.attention, f"still waits for a person: {charge.attention}"
    till = world.till
    async with world.database.reading() as session:
        row = await session.get_one(Charge, charge.id)
    books = await till.books(charge)
    keeps = 0
    if charge.state is ChargeState.CONFIRMED:
        assert charge.quote is not None
        keeps = to_fen(charge.quote.cash)
        assert books == ({"wechat_pay": keeps, "patient": -keeps} if keeps else {}), books
    elif charge.state is ChargeState.SETTLED:
        assert charge.settled is not None
        keeps = to_fen(charge.settled.cash)
        assert books.get("patient", 0) == 0, "the patient is owed something"
        assert books.get("institution", 0) == -to_fen(charge.fee), "the institution has another fee"
        assert books.get("insurer", 0) == to_fen(charge.settled.insurance)
        assert books.get("family_account", 0) == to_fen(charge.settled.account)
        assert books.get("treasury", 0) == to_fen(charge.settled.subsidy)
    else:
        keeps = to_fen(charge.kept)
        assert books == ({"wechat_pay": keeps, "institution": -keeps} if keeps else {}), books
    assert books.get("wechat_pay", 0) == keeps, f"kept {books.get('wechat_pay')} fen instead of {keeps}"
    assert to_fen(charge.paid - charge.refunded) == keeps
    if charge.quote is not None:
        assert keeps <= to_fen(charge.quote.cash), "more was taken than quoted"
    _check_insurer(world, charge, row)


def _check_insurer(world: World, charge: ChargeView, row: Charge) -> None:
    entry = world.till.insurer.visits.get(row.visit)
    settled_there = charge.state is ChargeState.SETTLED and bool(row.settlement)
    if settled_there:
        assert entry is not None, "settled here, and not at the insurer"
        assert entry.settlement is not None, "settled here, and not at the insurer"
        assert entry.settlement.number == row.settlement
        assert charge.settled is not None
        assert entry.settlement.split.insurance == charge.settled.insurance
        assert entry.settlement.split.account == charge.settled.account
    elif charge.state is ChargeState.CONFIRMED and charge.insured:
        assert entry is not None, "booked with insurance that knows nothing of it"
        assert entry.uploaded, "booked with insurance that knows no fees"
        assert entry.settlement is None, "settled before the consultation"
    else:
        assert entry is None, "the insurer still knows what was undone"
