"""Copies for teaching over the API: who asks, who hears what of it."""

from typing import Any

import pytest

from backend.imaging import Purpose, StowAddress
from backend.people import ConsentKind
from backend.security.policy import SYSTEM
from tests.miniprogram_api.conftest import Api, new_patient
from tests.miniprogram_api.test_keyimages import Film, film

__all__ = ["film"]

TEACHING = ConsentKind.TEACHING
WHY = "典型的肺结节，下周教学讨论用"


async def register(film: Film) -> str:
    """Register a medical school; give its id."""
    imaging, hospital = film.house.services.imaging, film.house.institutions["省人民医院"]
    address = StowAddress("http://127.0.0.1:1/dicom-web")
    made = await imaging.register_destination(SYSTEM, hospital, "医学院教学库", address, purpose=Purpose.TEACHING)
    return made.id


async def seen(reader: Api, film: Film) -> Any:
    return (await reader.get(f"{film.path}/teaching")).body


async def test_an_expert_asks_and_it_waits_until_the_patient_agrees(film: Film) -> None:
    place = await register(film)
    before = await seen(film.expert, film)
    assert (before["may_ask"], before["patient"]) == (True, "undecided")
    assert before["places"] == [{"id": place, "label": "医学院教学库", "institution": "省人民医院"}]
    [study] = before["studies"]
    assert (study["images"], study["modalities"], study["requests"]) == (1, ["CT"], [])
    asked = await film.expert.post(f"{film.path}/teaching", {"study": study["id"], "place": place, "reason": WHY})
    assert asked.status == 201
    [request] = asked.body["studies"][0]["requests"]
    assert (request["state"], request["total"], request["place"]["id"]) == ("waiting", 0, place)
    services = film.house.services
    view = await services.consultations.get(SYSTEM, film.path.rpartition("/")[2])
    patient = await film.house.actor(view.patient_id)
    await services.people.give_consent(patient, services.people.consent_document(TEACHING).version, TEACHING)
    await film.house.settle()
    after = await seen(film.doctor, film)
    [request] = after["studies"][0]["requests"]
    assert (after["patient"], request["state"], request["total"]) == ("agreed", "sending", 1)


async def test_where_the_patient_says_no_asking_is_refused_in_words(film: Film) -> None:
    place = await register(film)
    services = film.house.services
    view = await services.consultations.get(SYSTEM, film.path.rpartition("/")[2])
    patient = await film.house.actor(view.patient_id)
    await services.people.refuse_consent(patient, services.people.consent_document(TEACHING).version, TEACHING)
    [study] = (await seen(film.doctor, film))["studies"]
    refused = await film.doctor.post(f"{film.path}/teaching", {"study": study["id"], "place": place, "reason": WHY})
    assert refused.status == 403
    assert refused.body["message"].startswith("患者不同意把检查图像用于教学")


@pytest.mark.parametrize("body", [{}, {"study": "x", "place": "0" * 32, "reason": WHY}, {"reason": " "}])
async def test_what_makes_no_sense_is_refused(film: Film, body: dict[str, str]) -> None:
    assert (await film.doctor.post(f"{film.path}/teaching", body)).status == 400


async def test_patients_are_shown_none_of_it_and_strangers_find_nothing(film: Film, api: Api) -> None:
    place = await register(film)
    [study] = (await seen(film.doctor, film))["studies"]
    assert await seen(film.patient, film) == {"may_ask": False, "patient": "undecided", "places": [], "studies": []}
    stranger = (await new_patient(film.house, api, "邻居")).api
    body = {"study": study["id"], "place": place, "reason": WHY}
    for who in (film.patient, stranger):
        assert (await who.post(f"{film.path}/teaching", body)).status == 404
    assert (await stranger.get(f"{film.path}/teaching")).status == 404
