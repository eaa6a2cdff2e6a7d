"""From the prescription to the patient's hands: each step, each once, and nothing handed out twice."""

import asyncio
from datetime import timedelta

import pytest

from backend.dispensing import Method, OrderState
from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.prescription import State
from tests.backend.dispensing.conftest import County
from tests.support.prescribing import AMOXICILLIN, CETIRIZINE

HOME = {"address": "青山镇柳树村三组12号", "phone": "13800138000"}


async def _state(county: County, prescription_id: str) -> State:
    return (await county.desk.prescriptions.prescription(county.patient, prescription_id)).state


async def test_medicines_are_brought_home_step_by_step(county: County) -> None:
    prescription = await county.approved()
    placed = await county.dispensing.place(county.patient, prescription.id, county.near, Method.DELIVERY, **HOME)
    assert [item.name for item in placed.items] == ["阿莫西林胶囊", "西替利嗪片"]
    order = await county.dispensing.accept(county.near_pharmacist, placed.id)
    assert order.accepted_by == county.near_pharmacist.practitioner_id
    await county.dispensing.pack(county.near_pharmacist, placed.id)
    assert await _state(county, prescription.id) is State.DISPENSED
    with pytest.raises(IllegalMove):
        await county.dispensing.receive(county.patient, placed.id)
    sent = await county.dispensing.send(county.near_pharmacist, placed.id, "邮政快递", "EA123456789CN")
    assert (sent.carrier, sent.tracking_number, sent.address) == ("邮政快递", "EA123456789CN", HOME["address"])
    received = await county.dispensing.receive(county.patient, placed.id)
    assert received.state is OrderState.RECEIVED
    assert await county.dispensing.receive(county.patient, placed.id) == received
    steps = ("placed", "accepted", "packed", "sent", "received")
    for step in steps:
        [told] = await county.desk.clinic.published(f"dispensing.{step}")
        assert told["order_id"] == placed.id


async def test_the_stock_goes_down_by_what_is_ordered_and_up_by_what_is_taken_back(county: County) -> None:
    await county.stock(county.near, 10, 10)
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    ordered = {item.preparation: item.packs for item in order.items}
    assert await county.packs(county.near) == {code: 10 - packs for code, packs in ordered.items()}
    await county.dispensing.cancel(county.patient, order.id)
    assert await county.packs(county.near) == {AMOXICILLIN: 10, CETIRIZINE: 10}
    assert (await county.dispensing.cancel(county.patient, order.id)).state is OrderState.CANCELLED
    assert await county.packs(county.near) == {AMOXICILLIN: 10, CETIRIZINE: 10}


async def test_of_two_orders_at_once_one_is_placed(county: County) -> None:
    prescription = await county.approved()
    answers = await asyncio.gather(
        *(
            county.dispensing.place(county.patient, prescription.id, pharmacy, Method.PICKUP)
            for pharmacy in (county.near, county.far)
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, Conflict) for one in answers) == [False, True]
    assert len(await county.dispensing.orders_of(county.patient, county.patient.person_id)) == 1


async def test_a_pharmacy_that_lacks_a_medicine_hands_out_the_rest_and_another_one_has_it(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    with pytest.raises(InvalidInput):
        await county.dispensing.pack(county.near_pharmacist, order.id, without=[0])
    with pytest.raises(InvalidInput):
        await county.dispensing.pack(county.near_pharmacist, order.id, without=[0, 1], reason="都没有")
    packed = await county.dispensing.pack(county.near_pharmacist, order.id, without=[1], reason="缺药")
    assert [item.index for item in packed.items] == [0]
    assert await _state(county, prescription.id) is State.PARTLY_DISPENSED
    assert (await county.packs(county.near))[CETIRIZINE] == 0
    [option] = await county.dispensing.options(county.patient, prescription.id)
    assert (option.pharmacy_id, option.lines, option.missing) == (county.far, (1,), ())
    rest = await county.dispensing.place(county.patient, prescription.id, county.far, Method.PICKUP)
    assert [item.index for item in rest.items] == [1]
    await county.dispensing.accept(county.far_pharmacist, rest.id)
    await county.dispensing.pack(county.far_pharmacist, rest.id)
    assert await _state(county, prescription.id) is State.DISPENSED


async def test_a_paper_at_the_counter_is_used_once(county: County) -> None:
    prescription = await county.approved()
    assert prescription.code is not None
    order = await county.dispensing.redeem(county.far_pharmacist, prescription.code)
    assert (order.method, order.state) == (Method.COUNTER, OrderState.RECEIVED)
    assert await _state(county, prescription.id) is State.DISPENSED
    for pharmacist in (county.far_pharmacist, county.near_pharmacist):
        with pytest.raises(IllegalMove):
            await county.dispensing.redeem(pharmacist, prescription.code)
    with pytest.raises(NotFound):
        await county.dispensing.redeem(county.near_pharmacist, "no-such-code-at-all")


async def test_whoever_holds_the_paper_learns_when_and_where_it_was_used_and_of_which_lines(county: County) -> None:
    prescription = await county.approved()
    assert prescription.code is not None
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    assert await county.dispensing.handed_out(prescription.code) == (), "what is ordered is not handed out yet"
    await county.dispensing.accept(county.near_pharmacist, order.id)
    await county.dispensing.pack(county.near_pharmacist, order.id, without=[1], reason="没货了")
    between = county.desk.clinic.clock.now()
    await county.desk.clinic.pass_time(timedelta(hours=2))
    await county.dispensing.redeem(county.far_pharmacist, prescription.code)
    first, second = await county.dispensing.handed_out(prescription.code)
    assert (first.pharmacy_name, first.method, first.lines) == ("近处大药房", Method.PICKUP, (0,))
    assert (second.pharmacy_name, second.method, second.lines) == ("远处大药房", Method.COUNTER, (1,))
    assert first.at <= between < second.at <= county.desk.clinic.clock.now()
    with pytest.raises(NotFound):
        await county.dispensing.handed_out("no-such-code-at-all")


async def test_a_paper_is_not_redeemed_while_another_pharmacy_prepares_it(county: County) -> None:
    prescription = await county.approved()
    assert prescription.code is not None
    await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    with pytest.raises(Conflict):
        await county.dispensing.redeem(county.far_pharmacist, prescription.code)


async def test_a_refused_order_leaves_everything_as_it_was_but_for_the_pharmacy_that_refused(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    refused = await county.dispensing.refuse(county.near_pharmacist, order.id, "快下班了，来不及配")
    assert (refused.state, refused.reason) == (OrderState.REFUSED, "快下班了，来不及配")
    [option] = await county.dispensing.options(county.patient, prescription.id)
    assert (option.pharmacy_id, option.lines) == (county.far, (0, 1))


async def test_a_prescription_that_was_ordered_in_time_does_not_expire_on_the_way(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    await county.desk.clinic.pass_time(timedelta(days=4))
    assert await _state(county, prescription.id) is State.VALID
    await county.dispensing.pack(county.near_pharmacist, order.id)
    assert await _state(county, prescription.id) is State.DISPENSED


async def test_one_whose_order_was_given_up_expires_when_its_time_is_up(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.desk.clinic.pass_time(timedelta(days=4))
    await county.dispensing.cancel(county.patient, order.id)
    await county.desk.clinic.pass_time(timedelta(seconds=1))
    assert await _state(county, prescription.id) is State.EXPIRED
    with pytest.raises(IllegalMove):
        await county.dispensing.place(county.patient, prescription.id, county.far, Method.PICKUP)


async def test_what_is_left_of_a_prescription_is_not_handed_out_after_its_time(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    await county.dispensing.pack(county.near_pharmacist, order.id, without=[1], reason="缺药")
    await county.desk.clinic.pass_time(timedelta(days=4))
    with pytest.raises(IllegalMove):
        await county.dispensing.place(county.patient, prescription.id, county.far, Method.PICKUP)


async def test_a_revoked_prescription_takes_its_orders_with_it(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.desk.prescriptions.revoke(county.desk.doctor, prescription.id, "患者要住院")
    while await county.events.dispatch():
        pass
    seen = await county.dispensing.order(county.patient, order.id)
    assert (seen.state, seen.reason) == (OrderState.CANCELLED, "医生作废了这张处方")
    assert await county.packs(county.near) == {AMOXICILLIN: 100, CETIRIZINE: 100}


async def test_what_is_packed_cannot_be_revoked_or_taken_back(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    await county.dispensing.pack(county.near_pharmacist, order.id)
    with pytest.raises(IllegalMove):
        await county.dispensing.cancel(county.patient, order.id)
    with pytest.raises(IllegalMove):
        await county.desk.prescriptions.revoke(county.desk.doctor, prescription.id, "患者要住院")


async def test_an_order_that_nobody_accepts_is_asked_about_twice(county: County) -> None:
    prescription = await county.approved()
    await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.desk.clinic.pass_time(timedelta(hours=3))
    told = await county.desk.clinic.published("dispensing.unaccepted")
    assert [one["asked"] for one in told] == [1, 2]


async def test_a_patient_who_says_nothing_is_asked_whether_it_came(county: County) -> None:
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.DELIVERY, **HOME)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    await county.dispensing.pack(county.near_pharmacist, order.id)
    await county.dispensing.send(county.near_pharmacist, order.id, "本店送药员")
    await county.desk.clinic.pass_time(timedelta(days=5))
    assert len(await county.desk.clinic.published("dispensing.unreceived")) == 1


async def test_two_pharmacists_of_one_pharmacy_take_an_order_once(county: County) -> None:
    colleague = await county.desk.pharmacy.pharmacist("周边", county.near)
    prescription = await county.approved()
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    await county.dispensing.accept(county.near_pharmacist, order.id)
    with pytest.raises(Conflict) as told:
        await county.dispensing.accept(colleague, order.id)
    assert "孙近" in told.value.sentence


async def test_strangers_and_other_pharmacies_get_nowhere(county: County) -> None:
    prescription = await county.approved()
    stranger = await county.desk.clinic.patient("路人")
    with pytest.raises(Forbidden):
        await county.dispensing.place(stranger, prescription.id, county.near, Method.PICKUP)
    order = await county.dispensing.place(county.patient, prescription.id, county.near, Method.PICKUP)
    for refused in (
        county.dispensing.order(stranger, order.id),
        county.dispensing.order(county.far_pharmacist, order.id),
        county.dispensing.accept(county.far_pharmacist, order.id),
        county.dispensing.cancel(county.near_pharmacist, order.id),
        county.dispensing.orders_of(stranger, county.patient.person_id),
        county.dispensing.set_stock(county.far_pharmacist, county.near, {AMOXICILLIN: 1}),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert await county.dispensing.queue(county.far_pharmacist) == []
    assert [one.id for one in await county.dispensing.queue(county.near_pharmacist)] == [order.id]


@pytest.mark.parametrize(("address", "phone"), [("", "13800138000"), ("柳树村", ""), ("柳树村", "12345")])
async def test_a_delivery_needs_an_address_and_a_telephone(county: County, address: str, phone: str) -> None:
    prescription = await county.approved()
    with pytest.raises(InvalidInput):
        await county.dispensing.place(
            county.patient, prescription.id, county.near, Method.DELIVERY, address=address, phone=phone
        )


async def test_the_nearer_pharmacy_comes_first_and_one_with_everything_before_it(county: County) -> None:
    prescription = await county.approved()
    found = await county.dispensing.options(county.patient, prescription.id)
    assert [one.pharmacy_id for one in found] == [county.near, county.far]
    await county.stock(county.near, 100, 0)
    found = await county.dispensing.options(county.patient, prescription.id)
    assert [(one.pharmacy_id, one.missing) for one in found] == [(county.far, ()), (county.near, (1,))]
    with pytest.raises(InvalidInput):
        await county.dispensing.set_stock(county.near_pharmacist, county.near, {"no-such-medicine": 5})
    with pytest.raises(InvalidInput):
        await county.dispensing.set_stock(county.near_pharmacist, county.near, {AMOXICILLIN: -1})
