"""Key images and photographs over the API: who sees and marks what, in which form."""

import io
from dataclasses import dataclass

import pytest
from PIL import Image

from backend.photographs import THUMBNAIL, clean
from backend.security.policy import SYSTEM
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.pictures import jpeg, quarters

SOP = ct_slice(1).SOPInstanceUID
WINDOW = {"center": 40, "width": 400, "function": "LINEAR"}


@dataclass
class Film:
    """A case with one slice of a CT and one photograph, and its three people logged in."""

    house: House
    path: str
    patient: Api
    doctor: Api
    expert: Api
    photograph: str


@pytest.fixture
async def film(house: House, api: Api, patient: Patient) -> Film:
    case_id = await patient.case()
    imaging = house.services.imaging
    token = (await imaging.register_stow_sender(SYSTEM, house.institutions["青山镇卫生院"], "CT")).token
    machine = await imaging.sender_of_token(token)
    assert machine is not None
    number = (await house.services.consultations.get(SYSTEM, case_id)).number
    await imaging.receive(machine, streamed(as_file(ct_slice(1, **of_patient("王小明", accession=number)))))
    actor = await house.actor(patient.id)
    photograph = await house.services.files.put_picture(clean(jpeg(), "image/jpeg"), patient.id)
    await house.services.consultations.attach(actor, case_id, photograph, "伤口")
    doctor, expert = [await cases.staff(house, name) for name in ("村医甲", "钟专家")]
    path = f"/consultations/{case_id}"
    return Film(house, path, patient.api, api.as_(doctor.person_id), api.as_(expert.person_id), photograph)


async def test_a_frame_is_marked_listed_and_taken_back(film: Film) -> None:
    marked = await film.doctor.post(f"{film.path}/key-images", {"instance": SOP, "window": WINDOW, "inverted": True})
    assert (marked.status, marked.body["window"], marked.body["inverted"]) == (201, WINDOW, True)
    for reader, may_mark in ((film.patient, False), (film.doctor, True), (film.expert, True)):
        listed = await reader.get(f"{film.path}/key-images")
        assert [one["marker"] for one in listed.body["items"]] == ["村医甲医生"]
        assert listed.body["may_mark"] is may_mark
    emptied = await film.expert.send("DELETE", f"{film.path}/key-images/{marked.body['id']}")
    assert (emptied.status, emptied.body["items"]) == (200, [])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"instance": "../1"},
        {"instance": SOP, "frame": 0},
        {"instance": SOP, "window": {"center": 0, "width": 0}},
        {"instance": SOP, "window": {"center": 0, "width": 0.5}},
        {"instance": SOP, "window": {"center": 0, "width": 5, "function": "CUBIC"}},
    ],
)
async def test_a_mark_that_makes_no_sense_is_refused(film: Film, body: dict[str, object]) -> None:
    assert (await film.doctor.post(f"{film.path}/key-images", body)).status == 400


async def test_patients_mark_nothing_and_strangers_find_nothing(film: Film, api: Api) -> None:
    stranger = (await new_patient(film.house, api, "邻居")).api
    for who in (film.patient, stranger):
        assert (await who.post(f"{film.path}/key-images", {"instance": SOP})).status == 404
        assert (
            await who.post(f"{film.path}/photographs/{film.photograph}/conversion", {"names_visible": False})
        ).status == 404
    for path in ("/key-images", "/photographs"):
        assert (await stranger.get(f"{film.path}{path}")).status == 404
        assert (await api.get(f"{film.path}{path}")).status == 401


async def test_photographs_are_listed_and_opened_by_those_of_the_case(film: Film, api: Api) -> None:
    for reader, may_convert in ((film.patient, False), (film.doctor, True), (film.expert, True)):
        listed = (await reader.get(f"{film.path}/photographs")).body
        assert listed["may_convert"] is may_convert
        [one] = listed["items"]
        assert (one["id"], one["sender"], one["note"], one["converted"]) == (film.photograph, "患者", "伤口", False)
        status, media_type, data = await opened(reader, f"{film.path}/photographs/{film.photograph}")
        assert (status, media_type) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(data)).size == quarters().size
        status, media_type, data = await opened(reader, f"{film.path}/photographs/{film.photograph}/thumbnail")
        assert (status, media_type) == (200, "image/jpeg")
        assert max(Image.open(io.BytesIO(data)).size) <= max(THUMBNAIL)
    stranger = (await new_patient(film.house, api, "邻居")).api
    assert (await opened(stranger, f"{film.path}/photographs/{film.photograph}/thumbnail"))[0] == 404
    assert (await opened(stranger, f"{film.path}/photographs/{film.photograph}"))[0] == 404
    assert (await opened(api, f"{film.path}/photographs/{film.photograph}"))[0] == 401


async def opened(who: Api, path: str) -> tuple[int, str, bytes]:
    """Open a picture as somebody."""
    headers = {"Authorization": f"Bearer {who.token}"}
    async with who.http.get(f"{who.url}/api/v1{path}", headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_a_photograph_is_made_an_image(film: Film) -> None:
    path = f"{film.path}/photographs/{film.photograph}/conversion"
    for _ in range(2):
        converted = await film.expert.post(path, {"names_visible": True})
        assert (converted.status, converted.body["converted"]) == (200, True)
    assert (await film.expert.post(path, {})).status == 400
    assert (await film.doctor.get(f"{film.path}/photographs")).body["items"][0]["converted"] is True
