"""What holds for every call: forms of refusal, bounds, headers."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from backend.errors import NotFound
from backend.limits import MemoryRateLimits
from miniprogram_api.application import make_application
from tests.miniprogram_api.conftest import Api, Patient
from tests.support import cases
from tests.support.house import House

RATING = "/consultations/" + "0" * 32 + "/rating"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"\xff\xfe", "body"),
        (b'{"stars": 5, "stars": }', "body"),
        (b'{"comment": "x"}', "stars"),
        (b'{"stars": 6}', "stars"),
        (b'{"stars": "5"}', "stars"),
        (b'{"stars": 4.5}', "stars"),
        (b'{"stars": true}', "stars"),
        (b'{"stars": 5, "star": 1}', "star"),
        (b'{"stars": 5, "comment": "\\ud800"}', "body"),
        (json.dumps({"stars": 5, "comment": "好" * 501}).encode(), "comment"),
    ],
)
async def test_a_body_that_is_wrong_names_its_first_wrong_field(patient: Patient, body: bytes, field: str) -> None:
    answer = await patient.api.send("POST", RATING, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code, answer.body["field"]) == (400, "invalid_input", field)


async def test_a_deeply_nested_body_is_refused(patient: Patient) -> None:
    body = b'{"stars": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    answer = await patient.api.send("POST", RATING, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400


async def test_a_body_that_is_no_json_by_its_own_word_is_refused(patient: Patient) -> None:
    answer = await patient.api.send("POST", RATING, data={"stars": "5"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 8192


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_64_kib_is_refused(patient: Patient, chunked: bool) -> None:
    data = _chunks(9) if chunked else b" " * (64 * 1024 + 1)
    answer = await patient.api.send("POST", RATING, data=data, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code) == (413, "too_large")


async def test_a_body_that_comes_in_pieces_is_put_together(patient: Patient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"sta', b'rs": ', b"9}"):
            yield piece

    answer = await patient.api.send("POST", RATING, data=pieces(), headers={"Content-Type": "application/json"})
    assert answer.body["field"] == "stars"


@pytest.mark.parametrize("written", ["X" * 32, "0" * 31, "0" * 33, "..%2f..%2fetc", "%00" * 32, "王小明"])
async def test_an_identifier_that_is_none_is_not_found(patient: Patient, written: str) -> None:
    assert (await patient.api.get(f"/consultations/{written}")).status == 404


async def test_an_unknown_path_and_method_answer_as_problems(api: Api) -> None:
    unknown = await api.get("/nothing")
    assert (unknown.status, unknown.code) == (404, "not_found")
    method = await api.send("DELETE", "/me")
    assert (method.status, method.code) == (405, "method_not_allowed")
    assert method.headers["Allow"] == "GET"


async def test_every_answer_carries_the_headers_that_keep_it_private(patient: Patient, api: Api) -> None:
    for answer in (await patient.api.get("/me"), await api.get("/me"), await api.get("/nothing")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Server" not in answer.headers


async def test_what_needs_consent_says_so_by_its_code(house: House, api: Api) -> None:
    person_id = await house.services.people.register()
    me = await api.as_(person_id).get("/me")
    assert me.body["consent_given"] is False
    actor = await house.actor(person_id)
    await house.services.people.give_consent(actor, me.body["consent_version"])
    assert (await api.as_(person_id).get("/me")).body["consent_given"] is True


async def test_a_fault_of_ours_is_a_500_without_a_word_of_the_patient_in_answer_or_message(
    patient: Patient, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case_id = await cases.open_case(house, patient.id)

    async def broken(*_: object) -> None:
        raise ValueError("王小明说他咳嗽")

    monkeypatch.setattr(house.services.consultations, "get", broken)
    with caplog.at_level(logging.ERROR):
        answer = await patient.api.get(f"/consultations/{case_id}")
    assert (answer.status, answer.code) == (500, "internal")
    assert "咳嗽" not in str(answer.body)
    [record] = [record for record in caplog.records if record.name == "miniprogram_api.application"]
    assert "咳嗽" not in record.getMessage()
    assert case_id not in record.getMessage()


async def test_a_person_who_is_gone_has_no_session(
    patient: Patient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_person_id: str) -> None:
        raise NotFound

    monkeypatch.setattr(house.services.people, "actor", gone)
    assert (await patient.api.get("/me")).status == 401


async def test_somebody_who_asks_without_a_pause_is_told_to_wait(api: Api) -> None:
    limited = replace(api.context, limits=MemoryRateLimits(), requests_a_minute=2)
    person_id = await limited.people.register()
    token, _ = limited.sessions.mint(person_id)
    async with TestClient(TestServer(make_application(limited))) as client:
        headers = {"Authorization": f"Bearer {token}"}
        answers = [await client.get("/api/v1/me", headers=headers) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[-1].headers["Retry-After"] == "60"
        assert (await answers[-1].json())["code"] == "too_many_requests"
