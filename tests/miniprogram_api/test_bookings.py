"""Slots, bookings, and the calendar file behind a link."""

from datetime import timedelta

from backend.clock import Clock
from backend.security.policy import SYSTEM
from qiaoyi.links import PublicLinks
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support.house import House


async def test_a_free_time_is_booked_moved_and_given_back(patient: Patient) -> None:
    case_id = await patient.case()
    path = f"/consultations/{case_id}"
    slots = (await patient.api.get(f"{path}/slots", limit=3)).body["items"]
    assert len(slots) == 3
    booked = (await patient.api.put(f"{path}/booking", {"slot_id": slots[0]["id"]})).body["booking"]
    assert (booked["starts_at"], booked["state"]) == (slots[0]["starts_at"], "active")
    same = await patient.api.put(f"{path}/booking", {"slot_id": slots[0]["id"]})
    assert same.body["booking"] == booked
    moved = (await patient.api.put(f"{path}/booking", {"slot_id": slots[1]["id"]})).body["booking"]
    assert moved["starts_at"] == slots[1]["starts_at"]
    assert (await patient.api.get(path)).body["booking"] == moved
    back = await patient.api.post(f"{path}/booking/cancellation", {"reason": "那天有事"})
    assert back.body == {"booking": None, "payment": None}
    again = await patient.api.post(f"{path}/booking/cancellation", {"reason": "那天有事"})
    assert (again.status, again.code) == (409, "illegal_move")


async def test_a_slot_is_sold_once(patient: Patient, house: House, api: Api) -> None:
    other = await new_patient(house, api, "赵另人")
    first, second = await patient.case(), await other.case()
    [slot] = (await patient.api.get(f"/consultations/{first}/slots", limit=1)).body["items"]
    assert (await patient.api.put(f"/consultations/{first}/booking", {"slot_id": slot["id"]})).status == 200
    taken = await other.api.put(f"/consultations/{second}/booking", {"slot_id": slot["id"]})
    assert (taken.status, taken.code) == (409, "conflict")


async def test_after_a_missed_appointment_a_new_one_can_be_booked(patient: Patient, house: House, clock: Clock) -> None:
    case_id = await patient.case()
    slots = (await patient.api.get(f"/consultations/{case_id}/slots", limit=50)).body["items"]
    await patient.api.put(f"/consultations/{case_id}/booking", {"slot_id": slots[0]["id"]})
    booking = await house.services.scheduling.booking(case_id)
    assert booking is not None
    clock.advance(booking.starts_at - clock.now() + timedelta(minutes=1))
    await house.services.consultations.record_no_show(SYSTEM, case_id)
    fresh = patient.api.as_(patient.id)
    answer = await fresh.put(f"/consultations/{case_id}/booking", {"slot_id": slots[-1]["id"]})
    assert (answer.status, answer.body["booking"]["state"]) == (200, "active")


async def test_a_slot_that_is_not_there_is_not_found(patient: Patient) -> None:
    case_id = await patient.case()
    answer = await patient.api.put(f"/consultations/{case_id}/booking", {"slot_id": "0" * 32})
    assert answer.status == 404
    wrong = await patient.api.put(f"/consultations/{case_id}/booking", {"slot_id": "'; DROP TABLE"})
    assert (wrong.status, wrong.body["field"]) == (400, "slot_id")


async def _booked_link(patient: Patient, house: House) -> tuple[str, str]:
    case_id = await patient.case()
    [slot] = (await patient.api.get(f"/consultations/{case_id}/slots", limit=1)).body["items"]
    await patient.api.put(f"/consultations/{case_id}/booking", {"slot_id": slot["id"]})
    booking = await house.services.scheduling.booking(case_id)
    assert booking is not None
    context = patient.api.context
    links = PublicLinks(patient.api.url, context.calendar_links, context.copy_links, context.invoice_links)
    return case_id, links.calendar(booking)


async def test_the_link_of_a_card_opens_the_calendar_file_and_tells_nothing_clinical(
    patient: Patient, house: House
) -> None:
    case_id, link = await _booked_link(patient, house)
    async with patient.api.http.get(link) as response:
        text = await response.text()
        assert response.status == 200
        assert response.content_type == "text/calendar"
        assert response.charset == "utf-8"
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert f"UID:{case_id}@qiaoyi\r\n" in text
    for word in ("咳嗽", "王小明", "钟专家"):
        assert word not in text


async def test_a_moved_booking_keeps_its_uid_and_counts_up_its_sequence(patient: Patient, house: House) -> None:
    case_id, link = await _booked_link(patient, house)
    slots = (await patient.api.get(f"/consultations/{case_id}/slots", limit=1)).body["items"]
    await patient.api.put(f"/consultations/{case_id}/booking", {"slot_id": slots[0]["id"]})
    async with patient.api.http.get(link) as response:
        text = await response.text()
    assert "SEQUENCE:1\r\n" in text
    assert f"UID:{case_id}@qiaoyi\r\n" in text


async def test_a_link_that_was_forged_is_over_or_stands_for_nothing_is_not_found(
    patient: Patient, house: House, clock: Clock
) -> None:
    case_id, link = await _booked_link(patient, house)
    session_token = patient.api.context.sessions.mint(case_id)[0]
    forged = [link[:-6] + "AA.ics", f"{patient.api.url}/h5/bookings/x.ics"]
    forged.append(f"{patient.api.url}/h5/bookings/{session_token}.ics")
    for address in forged:
        async with patient.api.http.get(address) as response:
            assert response.status == 404
            assert (await response.json())["code"] == "not_found"
    clock.advance(timedelta(days=61))
    async with patient.api.http.get(link) as response:
        assert response.status == 404


async def test_the_link_of_a_cancelled_booking_says_so(patient: Patient, house: House) -> None:
    case_id, link = await _booked_link(patient, house)
    await patient.api.post(f"/consultations/{case_id}/booking/cancellation", {"reason": "那天有事"})
    async with patient.api.http.get(link) as response:
        assert response.status == 404
        assert "取消" in (await response.json())["message"]
