"""Devices at home: who may pair them, what a code and a token are good for, and when one falls silent."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.errors import Forbidden, IllegalMove, InvalidInput, NotFound
from backend.records.monitoring.devices import CODE_VALID_FOR, MOST_DEVICES, PairingRefused
from backend.records.monitoring.limits import Level, OwnLimit, Side
from backend.records.monitoring.readings import Kind
from backend.records.monitoring_tables import HomeDevice, Monitored
from backend.security.policy import Actor, Role
from tests.support.clinic import practitioner_of
from tests.support.monitoring import Home, paired, pressure


async def test_a_code_is_good_once_and_for_half_an_hour(home: Home) -> None:
    monitoring, patient = home.monitoring, home.patient
    pairing = await monitoring.begin_pairing(patient, patient.person_id, Kind.GLUCOSE)
    assert (await monitoring.waiting_device(pairing.code)).label == "血糖仪"
    spoken = f" {pairing.code[:4].lower()} {pairing.code[4:]}"
    assert (await monitoring.redeem_code(spoken)).device_id == pairing.device_id
    for again in (monitoring.redeem_code, monitoring.waiting_device):
        with pytest.raises(PairingRefused):
            await again(pairing.code)
    late = await monitoring.begin_pairing(patient, patient.person_id, Kind.GLUCOSE)
    home.clinic.clock.advance(CODE_VALID_FOR)
    with pytest.raises(PairingRefused):
        await monitoring.redeem_code(late.code)


async def test_a_patient_without_a_doctor_is_told_to_find_one_first(home: Home) -> None:
    alone = await home.clinic.patient("孙悟")
    with pytest.raises(IllegalMove) as refused:
        await home.monitoring.begin_pairing(alone, alone.person_id, Kind.SPO2)
    assert "卫生院的医生" in refused.value.sentence


async def test_a_doctor_pairs_for_their_patient_and_is_the_one_who_hears_from_then_on(home: Home) -> None:
    colleague = await home.clinic.doctor("周同事")
    await paired(home.monitoring, colleague, home.patient.person_id, Kind.SPO2)
    async with home.clinic.database.reading() as session:
        row = await session.get_one(Monitored, home.patient.person_id)
    assert row.doctor_id == practitioner_of(colleague)
    stranger = await home.clinic.patient("路人")
    expert = await home.clinic.expert()
    for actor in (stranger, expert):
        with pytest.raises(Forbidden):
            await home.monitoring.begin_pairing(actor, home.patient.person_id, Kind.SPO2)
        with pytest.raises(Forbidden):
            await home.monitoring.devices(actor, home.patient.person_id)


async def test_no_more_devices_than_a_home_has(home: Home) -> None:
    for _ in range(MOST_DEVICES - 1):
        await home.monitoring.begin_pairing(home.patient, home.patient.person_id, Kind.SPO2)
    with pytest.raises(IllegalMove):
        await home.monitoring.begin_pairing(home.patient, home.patient.person_id, Kind.SPO2)
    home.clinic.clock.advance(CODE_VALID_FOR)
    await home.monitoring.begin_pairing(home.patient, home.patient.person_id, Kind.SPO2)
    assert len(await home.monitoring.devices(home.patient, home.patient.person_id)) == 1


async def test_neither_code_nor_token_is_kept(home: Home) -> None:
    pairing = await home.monitoring.begin_pairing(home.patient, home.patient.person_id, Kind.SPO2)
    new = await home.monitoring.redeem_code(pairing.code)
    async with home.clinic.database.reading() as session:
        rows = list(await session.scalars(select(HomeDevice)))
    held = str([vars(row) for row in rows])
    assert new.token not in held
    assert pairing.code not in held
    assert pairing.code not in repr(pairing)
    assert new.token not in repr(new)


async def test_a_device_that_was_taken_away_sends_nothing_more(home: Home) -> None:
    await home.monitoring.remove_device(home.patient, home.device.person_id)
    await home.monitoring.remove_device(home.patient, home.device.person_id)
    with pytest.raises(Forbidden):
        await home.send(pressure(120, 80, home.clinic.clock.now()))
    assert await home.monitoring.devices(home.patient, home.patient.person_id) == []
    with pytest.raises(NotFound):
        await home.monitoring.remove_device(home.patient, "0" * 32)


async def test_an_image_sender_is_no_home_device(home: Home) -> None:
    with pytest.raises(Forbidden):
        await home.monitoring.take(Actor("0" * 32, frozenset({Role.DEVICE})), [])


async def test_whoever_takes_their_consent_back_sends_nothing_more(home: Home) -> None:
    await home.clinic.people.withdraw_consent(home.patient)
    while await home.clinic.events.dispatch():
        pass
    with pytest.raises(Forbidden):
        await home.send(pressure(120, 80, home.clinic.clock.now()))


async def test_a_silent_device_is_told_of_once_and_again_after_it_was_heard(home: Home) -> None:
    await home.clinic.pass_time(timedelta(days=6))
    assert await home.clinic.published("monitoring.device_silent") == []
    await home.measure(120, 80)
    await home.clinic.pass_time(timedelta(days=30))
    assert len(await home.clinic.published("monitoring.device_silent")) == 1
    await home.measure(120, 80)
    await home.clinic.pass_time(timedelta(days=30))
    assert len(await home.clinic.published("monitoring.device_silent")) == 2
    await home.measure(120, 80)
    await home.monitoring.remove_device(home.patient, home.device.person_id)
    await home.clinic.pass_time(timedelta(days=30))
    assert len(await home.clinic.published("monitoring.device_silent")) == 2


async def test_limits_are_set_by_a_doctor_of_the_patient_alone_and_reset(home: Home) -> None:
    monitoring, patient_id = home.monitoring, home.patient.person_id
    wanted = [OwnLimit("systolic", Side.HIGH, Level.ALERT, 150), OwnLimit("diastolic", Side.HIGH, Level.ALERT, 95)]
    with pytest.raises(Forbidden):
        await monitoring.set_limits(home.patient, patient_id, wanted)
    await monitoring.set_limits(home.doctor, patient_id, wanted)
    held = await monitoring.limits(home.patient, patient_id)
    assert {(one.measure, one.bound) for one in held.own} == {("systolic", 150), ("diastolic", 95)}
    unsafe = [OwnLimit("systolic", Side.HIGH, Level.ALERT, 140), OwnLimit("diastolic", Side.HIGH, Level.ALERT, 115)]
    with pytest.raises(InvalidInput):
        await monitoring.set_limits(home.doctor, patient_id, unsafe)
    assert (await monitoring.limits(home.patient, patient_id)).own == held.own, "all or none"
    await monitoring.reset_limits(home.doctor, patient_id, Kind.BLOOD_PRESSURE)
    assert (await monitoring.limits(home.patient, patient_id)).own == ()


async def test_an_alert_line_may_be_set_together_with_the_danger_line_behind_it(home: Home) -> None:
    wanted = [OwnLimit("systolic", Side.HIGH, Level.ALERT, 185), OwnLimit("systolic", Side.HIGH, Level.DANGER, 195)]
    await home.monitoring.set_limits(home.doctor, home.patient.person_id, wanted)
    held = await home.monitoring.limits(home.doctor, home.patient.person_id)
    assert {one.bound for one in held.own} == {185, 195}


async def test_a_doctor_finds_the_patients_of_their_own_centre_by_name(home: Home) -> None:
    found = await home.monitoring.patients_named(home.doctor, "王小明")
    assert [one.id for one in found] == [home.patient.person_id]
    await home.clinic.patient("赵不来")
    assert await home.monitoring.patients_named(home.doctor, "赵不来") == []
    for actor in (home.patient, await home.clinic.expert()):
        with pytest.raises(Forbidden):
            await home.monitoring.patients_named(actor, "王小明")
