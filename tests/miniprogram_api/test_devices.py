"""A gateway pairs with a one-time code and sends what it measured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from backend.limits import MemoryRateLimits
from backend.records.monitoring.readings import Kind
from miniprogram_api.application import ENDPOINTS
from miniprogram_api.device_page import PAIRINGS, READINGS, device_page_routes
from tests.miniprogram_api.conftest import Api, Patient
from tests.support import cases
from tests.support.house import House


@pytest.fixture
async def code(house: House, patient: Patient) -> str:
    """The one-time code of a cuff of a patient who has a doctor."""
    await cases.open_case(house, patient.id)
    actor = await house.actor(patient.id)
    return (await house.services.monitoring.begin_pairing(actor, patient.id, Kind.BLOOD_PRESSURE)).code


@pytest.fixture
async def device(api: Api, code: str) -> Api:
    """The API as the cuff sees it."""
    paired = await api.post("/devices/pairings", {"code": code})
    assert paired.status == 201
    return Api(api.url, api.http, api.context, paired.body["token"])


def pressure(house: House, id_: str, upper: float, lower: float, ago: timedelta = timedelta()) -> dict[str, Any]:
    taken_at = (house.clock.now() - ago).isoformat()
    return {"id": id_, "kind": "blood_pressure", "taken_at": taken_at, "systolic": upper, "diastolic": lower}


def outcomes(body: dict[str, Any]) -> list[str]:
    return [one["reason"] or one["outcome"] for one in body["readings"]]


async def test_a_batch_is_taken_once_and_what_is_wrong_in_it_is_said(house: House, device: Api) -> None:
    batch = {
        "readings": [
            pressure(house, "a", 150, 95),
            pressure(house, "b", 15, 95),
            pressure(house, "c", 120, 80, -timedelta(hours=1)),
            pressure(house, "d", 120, 80, timedelta(days=3000)),
            {"id": "e", "kind": "spo2", "taken_at": house.clock.now().isoformat(), "systolic": 97},
            {
                "id": "f",
                "kind": "glucose",
                "taken_at": house.clock.now().isoformat(),
                "value": 6.5,
                "timing": "fasting",
            },
        ]
    }
    first = await device.post("/devices/readings", batch)
    assert first.status == 200
    assert outcomes(first.body) == ["taken", "implausible", "future", "clock_unset", "implausible", "taken"]
    assert "重新测量" in first.body["readings"][1]["message"]
    again = await device.post("/devices/readings", batch)
    assert outcomes(again.body) == ["known", "implausible", "future", "clock_unset", "implausible", "known"]


async def test_a_code_is_good_once(api: Api, code: str) -> None:
    assert (await api.post("/devices/pairings", {"code": code.lower()})).status == 201
    again = await api.post("/devices/pairings", {"code": code})
    assert (again.status, again.code) == (401, "pairing_refused")


async def test_codes_cannot_be_guessed_for_long(api: Api) -> None:
    answers = [(await api.post("/devices/pairings", {"code": f"GUESS{number}"})).status for number in range(21)]
    assert answers == [401] * 20 + [429]


async def test_nobody_but_a_paired_device_may_send(house: House, api: Api, patient: Patient, device: Api) -> None:
    batch = {"readings": [pressure(house, "a", 120, 80)]}
    for asking in (api, patient.api, Api(api.url, api.http, api.context, "wrong")):
        refused = await asking.post("/devices/readings", batch)
        assert (refused.status, refused.code) == (401, "login_refused")
    actor = await house.actor(patient.id)
    [held] = await house.services.monitoring.devices(actor, patient.id)
    await house.services.monitoring.remove_device(actor, held.id)
    assert (await device.post("/devices/readings", batch)).status == 401


async def test_the_token_of_a_device_opens_nothing_else(device: Api) -> None:
    for path in ("/me", "/consultations"):
        assert (await device.get(path)).status == 401


async def test_a_device_that_sends_without_end_is_slowed_down(house: House, device: Api) -> None:
    batch = {"readings": [pressure(house, "a", 120, 80)]}
    statuses = {(await device.post("/devices/readings", batch)).status for _ in range(31)}
    assert statuses == {200, 429}


@pytest.mark.parametrize(
    "change",
    [
        {"taken_at": "2026-11-22T08:00:00"},
        {"taken_at": "yesterday"},
        {"kind": "weight"},
        {"id": ""},
        {"id": "x" * 65},
        {"id": "血压"},
        {"systolic": "150"},
        {"systolic": True},
        {"systolic": None, "weight": 3},
        {"timing": "饭后"},
    ],
)
async def test_what_is_no_reading_is_refused_by_its_field(house: House, device: Api, change: dict[str, Any]) -> None:
    answer = await device.post("/devices/readings", {"readings": [pressure(house, "a", 150, 95) | change]})
    assert (answer.status, answer.code) == (400, "invalid_input")
    assert answer.body["field"].startswith("readings.0.")


@pytest.mark.parametrize("taken_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1900-01-01T00:00:00Z"])
async def test_no_clock_is_too_wrong_to_be_answered(device: Api, taken_at: str) -> None:
    reading = {"id": "a", "kind": "spo2", "taken_at": taken_at, "value": 97}
    for body in ({"readings": [reading]}, {"readings": [reading], "sent_at": taken_at}):
        answer = await device.post("/devices/readings", body)
        assert answer.status == 200
        assert answer.body["readings"][0]["outcome"] == "refused"


async def test_a_batch_has_an_end(house: House, device: Api) -> None:
    readings = [pressure(house, f"r{number}", 120, 80, timedelta(minutes=number)) for number in range(101)]
    assert (await device.post("/devices/readings", {"readings": readings})).status == 400
    assert (await device.post("/devices/readings", {"readings": []})).status == 400
    assert (await device.post("/devices/readings", {"readings": readings[:100]})).status == 200
    huge = await device.send(
        "POST", "/devices/readings", data=b"x" * 70_000, headers={"Content-Type": "application/json"}
    )
    assert huge.status == 413


async def test_a_device_whose_clock_stands_in_1970_says_so(house: House, device: Api) -> None:
    its_now = datetime.fromisoformat("1970-01-01T08:10:00+08:00")
    reading = {"id": "a", "kind": "spo2", "taken_at": (its_now - timedelta(minutes=2)).isoformat(), "value": 97}
    answer = await device.post("/devices/readings", {"readings": [reading], "sent_at": its_now.isoformat()})
    assert outcomes(answer.body) == ["taken"]


def test_the_page_names_the_paths_that_are_served() -> None:
    assert {PAIRINGS, READINGS} <= {endpoint.path for endpoint in ENDPOINTS}


@asynccontextmanager
async def page_of(house: House, **more: Any) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    application = web.Application()
    monitoring = house.services.monitoring
    application.add_routes(device_page_routes(monitoring, MemoryRateLimits(), (), "https://house.test", **more))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield http, f"http://127.0.0.1:{runner.addresses[0][1]}/h5/devices"
    finally:
        await runner.cleanup()


async def test_opening_the_page_changes_nothing_and_the_button_shows_the_token_once(house: House, code: str) -> None:
    async with page_of(house) as (http, url):
        for _ in range(2):
            async with http.get(f"{url}/{code}") as page:
                text = await page.text()
                assert page.status == 200
                assert page.headers["Referrer-Policy"] == "no-referrer"
                assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
            assert "绑定血压计" in text
            assert f"{code[:4]} {code[4:]}" in text
            assert "<svg" in text
            assert "<script" not in text
        async with http.post(f"{url}/{code}") as shown:
            text = await shown.text()
        token = text.split('class="token">')[1].split("<")[0]
        assert await house.services.monitoring.device_of_token(token) is not None
        for again in (http.post, http.get):
            async with again(f"{url}/{code}") as gone:
                assert gone.status == 404
                assert token not in await gone.text()


async def test_the_page_lets_nobody_guess_for_long(house: House) -> None:
    async with page_of(house) as (http, url):
        statuses = []
        for number in range(21):
            async with http.get(f"{url}/GUESS{number}") as page:
                statuses.append(page.status)
        assert statuses == [404] * 20 + [429]
