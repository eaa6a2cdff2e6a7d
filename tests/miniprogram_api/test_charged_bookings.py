"""A time that costs something is held, shown with what insurance pays, paid, and given back with the money."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from aiohttp import web

from miniprogram_api.application import make_application
from tests.miniprogram_api.conftest import Answer, Api, Patient, new_patient
from tests.support.cashier import Cashier, let_charge
from tests.support.house import House
from tests.support.money_wire import Fault
from tests.support.till import order_of


@dataclass
class Customer:
    """A patient of a house that charges, and one consultation of theirs."""

    api: Api
    cashier: Cashier
    case_id: str
    slots: list[str]

    @property
    def path(self) -> str:
        """The consultation."""
        return f"/consultations/{self.case_id}"

    async def book(self, slot: int = 0, **more: object) -> Answer:
        """Ask for a time, and let the steps be done that this needs."""
        answer = await self.api.put(f"{self.path}/booking", {"slot_id": self.slots[slot], **more})
        await self.cashier.house.settle()
        return answer

    async def payment(self) -> dict[str, object]:
        """What it costs now."""
        payment: dict[str, object] = (await self.api.get(f"{self.path}/booking")).body["payment"]
        return payment

    async def pay(self) -> None:
        """Pay as WeChat's sheet does."""
        charge = (await self.payment())["id"]
        opened = await self.api.post(f"/pay/{charge}/prepay", None)
        assert opened.status == 201, opened.body
        assert self.cashier.payments.pay(order_of(opened.body))
        await self.cashier.house.settle()


@pytest.fixture
async def customer(patient: Patient, house: House) -> AsyncIterator[Customer]:
    """A patient whom the insurer knows: it pays 140 of 200 yuan."""
    cashier = let_charge(house)
    await cashier.insure(patient.id)
    context = replace(patient.api.context, charges=cashier.charging, charging=cashier.charging)
    runner = web.AppRunner(make_application(context), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = replace(patient.api, url=f"http://127.0.0.1:{runner.addresses[0][1]}", context=context)
    case_id = await patient.case()
    slots = (await api.get(f"/consultations/{case_id}/slots", limit=3)).body["items"]
    try:
        yield Customer(api, cashier, case_id, [slot["id"] for slot in slots])
    finally:
        await runner.cleanup()


async def test_a_time_is_held_until_it_is_paid(customer: Customer) -> None:
    assert (await customer.api.get(f"{customer.path}/booking")).body == {"booking": None, "payment": None}
    held = (await customer.book()).body
    assert (held["booking"], held["payment"]["state"]) == (None, "asking")
    quoted = await customer.payment()
    assert (quoted["state"], quoted["total"], quoted["cash"]) == ("payable", "200.00", "60.00")
    assert quoted["parts"] == [{"label": "医保付", "amount": "140.00"}]
    assert (await customer.api.get(customer.path)).body["booking"] is None
    await customer.pay()
    assert (await customer.payment())["state"] == "paid"
    booked = (await customer.api.get(customer.path)).body["booking"]
    assert (booked["starts_at"], booked["state"]) == (quoted["starts_at"], "active")
    moved = (await customer.book(2)).body
    assert moved["booking"]["starts_at"] > booked["starts_at"]
    assert moved["payment"]["id"] == quoted["id"]


async def test_before_paying_another_time_may_be_chosen_and_the_hold_dropped(customer: Customer) -> None:
    await customer.book()
    first = await customer.payment()
    other = (await customer.book(1)).body
    assert (other["booking"], other["payment"]["id"]) == (None, first["id"])
    assert other["payment"]["starts_at"] > str(first["starts_at"])
    dropped = await customer.api.post(f"{customer.path}/booking/cancellation", {"reason": "不约了"})
    assert (dropped.body["booking"], dropped.body["payment"]["state"]) == (None, "over")
    free = (await customer.api.get(f"{customer.path}/slots", limit=3)).body["items"]
    assert [slot["id"] for slot in free] == customer.slots


async def test_what_was_paid_comes_back_with_the_time(customer: Customer) -> None:
    await customer.book()
    await customer.pay()
    back = await customer.api.post(f"{customer.path}/booking/cancellation", {"reason": "那天有事"})
    assert (back.body["booking"], back.body["payment"]["state"]) == (None, "giving_back")
    await customer.cashier.house.settle()
    given = await customer.payment()
    assert (given["state"], given["returned"]) == ("given_back", "60.00")
    assert customer.cashier.payments.received() == 0
    again = await customer.api.post(f"{customer.path}/booking/cancellation", {"reason": "那天有事"})
    assert (again.status, again.code) == (409, "illegal_move")


async def test_who_does_not_wait_for_the_insurer_pays_the_whole(customer: Customer) -> None:
    customer.cashier.insurer.wire.next = [Fault.LOST] * 20
    await customer.book()
    customer.cashier.house.clock.advance(timedelta(seconds=11))
    await customer.cashier.house.settle()
    waiting = await customer.payment()
    assert (waiting["state"], waiting["slow"]) == ("asking", True)
    alone = (await customer.book(without_insurance=True)).body["payment"]
    assert (alone["id"], alone["state"], alone["slow"], alone["cash"]) == (waiting["id"], "payable", False, "200.00")


async def test_a_payment_provider_that_is_down_is_said_so(customer: Customer) -> None:
    await customer.book()
    charge = (await customer.payment())["id"]
    customer.cashier.payments.wire.down = True
    refused = await customer.api.post(f"/pay/{charge}/prepay", None)
    assert (refused.status, refused.code) == (503, "payment_down")
    assert refused.headers["Retry-After"] == "10"
    assert "不用再付" in refused.body["message"]
    customer.cashier.payments.wire.down = False
    await customer.pay()
    assert (await customer.payment())["state"] == "paid"


async def test_others_neither_hold_nor_see_nor_give_back(customer: Customer, house: House) -> None:
    await customer.book()
    stranger = customer.api.as_((await new_patient(house, customer.api, "别人")).id)
    assert (await stranger.put(f"{customer.path}/booking", {"slot_id": customer.slots[1]})).status == 404
    assert (await stranger.get(f"{customer.path}/booking")).status == 404
    assert (await stranger.post(f"{customer.path}/booking/cancellation", {"reason": "不约了"})).status == 404
    assert (await customer.payment())["state"] == "payable"
