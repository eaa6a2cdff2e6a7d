"""The way into a video room: who opens the page, the pass, the desk code, pictures."""

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.ids import new_id
from backend.security.keyring import KeyRing
from backend.video.nodes import NodeReport
from backend.video.tables import NodeState
from bot.delivery.sender import CHANNEL
from media.tokens import TokenRefusedError
from miniprogram_api import rooms
from miniprogram_api.web_login import VALID_FOR
from qiaoyi.video import token_mint
from sandbox.client import Phone
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House
from tests.support.pictures import jpeg
from tests.support.sandbox import RunningSandbox

JPEG = jpeg()


@dataclass
class OpenRoom:
    """A case whose room is open, and the process that carries it."""

    id: str
    node_id: str
    house: House
    patient: Patient
    doctor: Api
    expert: Api

    @property
    def path(self) -> str:
        """Of the room, below /api/v1."""
        return f"/consultations/{self.id}/room"

    async def live(self) -> None:
        """Let the media process say that it lives."""
        report = NodeReport(self.node_id, "", "ws://media.test/", NodeState.SERVING, 10, 0, 0, 0.0, 0.0)
        await self.house.services.video.report_node(report, [])


@pytest.fixture
async def room(house: House, api: Api, patient: Patient) -> OpenRoom:
    """A room that is open because the expert has begun."""
    case_id = await patient.case()
    await cases.begin(house, case_id)
    staff = [api.as_((await cases.staff(house, name)).person_id) for name in ("村医甲", "钟专家")]
    made = OpenRoom(case_id, new_id(), house, patient, *staff)
    await made.live()
    return made


# who opens the page


async def log_in(api: Api, phone: Phone, path: str) -> Api:
    """Do what a page does that a phone has opened."""
    asked = await api.send("GET", "/web-login", params={"path": path})
    landed = urlsplit(await phone.open(asked.body["url"]))
    query = {name: values[0] for name, values in parse_qs(landed.query).items()}
    answer = await api.post("/web-session", {**query, "path": landed.path})
    assert answer.status == 201, answer.body
    return Api(api.url, api.http, api.context, answer.body["token"])


async def test_the_person_behind_the_phone_is_the_one_who_talks_with_the_account(
    api: Api, wechat: RunningSandbox
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    person_id = await api.context.identities.person_at(CHANNEL, phone.openid, "")
    session = await log_in(api, phone, f"/h5/rooms/{new_id()}")
    me = await session.get("/me")
    assert me.body["person_id"] == person_id


async def test_a_link_that_is_passed_on_opens_nothing(api: Api, wechat: RunningSandbox, room: OpenRoom) -> None:
    stranger = await wechat.client.phone("邻居", following=True)
    session = await log_in(api, stranger, f"/h5/rooms/{room.id}")
    for answer in (
        await session.get(room.path),
        await session.post(f"{room.path}/pass", None),
        await session.post(f"{room.path}/desk-code", None),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


async def test_a_code_is_good_for_the_page_it_was_made_for_and_once(api: Api, wechat: RunningSandbox) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    path = f"/h5/rooms/{new_id()}"
    asked = await api.send("GET", "/web-login", params={"path": path})
    landed = {name: values[0] for name, values in parse_qs(urlsplit(await phone.open(asked.body["url"])).query).items()}
    assert landed["state"] == asked.body["state"]
    wrong = [
        {**landed, "path": f"/h5/rooms/{new_id()}"},
        {**landed, "path": path, "state": "0" * 72},
        {**landed, "path": path, "state": f"f{landed['state'][1:]}"},
        {**landed, "path": path, "state": "short"},
    ]
    for body in wrong:
        answer = await api.post("/web-session", body)
        assert (answer.status, answer.code) == (401, "login_refused")
    assert (await api.post("/web-session", {**landed, "path": path})).status == 201
    assert (await api.post("/web-session", {**landed, "path": path})).code == "login_refused"


async def test_whoever_takes_too_long_begins_again(api: Api, wechat: RunningSandbox) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    path = f"/h5/rooms/{new_id()}"
    asked = await api.send("GET", "/web-login", params={"path": path})
    landed = {name: values[0] for name, values in parse_qs(urlsplit(await phone.open(asked.body["url"])).query).items()}
    api.context.clock.advance(VALID_FOR + timedelta(seconds=1))
    assert (await api.post("/web-session", {**landed, "path": path})).code == "login_refused"


@pytest.mark.parametrize(
    "path",
    ["https://elsewhere.example/", "//elsewhere.example/h5/rooms/" + "0" * 32, "/h5/rooms/..", "/", "", "/h5/rooms/1"],
)
async def test_nobody_is_led_anywhere_but_to_a_page_of_ours(api: Api, path: str) -> None:
    assert (await api.send("GET", "/web-login", params={"path": path})).code == "invalid_input"


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"status": 502}, {"drop": "before"}])
async def test_a_wechat_in_trouble_is_told_as_that(
    api: Api, wechat: RunningSandbox, fault: dict[str, int | str]
) -> None:
    phone = await wechat.client.phone("王阿姨", following=True)
    path = f"/h5/rooms/{new_id()}"
    asked = await api.send("GET", "/web-login", params={"path": path})
    landed = {name: values[0] for name, values in parse_qs(urlsplit(await phone.open(asked.body["url"])).query).items()}
    async with wechat.client.faulty(path="/sns/oauth2/access_token", **fault):
        answer = await api.post("/web-session", {**landed, "path": path})
    assert (answer.status, answer.code) == (503, "login_unavailable")


# the way in


async def test_a_pass_lets_its_bearer_in_once_at_its_process_alone(room: OpenRoom, key_ring: KeyRing) -> None:
    answer = await room.patient.api.post(f"{room.path}/pass", None)
    assert (answer.status, answer.body["url"], answer.body["node"]) == (201, "ws://media.test/", room.node_id)
    elsewhere = token_mint(room.house.clock, key_ring, new_id())
    with pytest.raises(TokenRefusedError, match="forged"):
        elsewhere.redeem(answer.body["token"])
    here = token_mint(room.house.clock, key_ring, room.node_id)
    passed = here.redeem(answer.body["token"])
    assert (passed.room, passed.person, passed.role, passed.label) == (room.id, room.patient.id, "guest", "患者")
    with pytest.raises(TokenRefusedError, match="used"):
        here.redeem(answer.body["token"])


async def test_what_the_page_shows_before_it_enters(room: OpenRoom) -> None:
    view = (await room.expert.get(room.path)).body
    assert (view["state"], view["you"]["role"], view["you"]["label"]) == ("open", "host", "专家")
    assert [one["label"] for one in view["expected"]] == ["患者", "医生"]


async def test_a_room_that_is_not_open_yet_says_when_it_will_be(room: OpenRoom, house: House, api: Api) -> None:
    other = await new_patient(house, api, "李小红")
    case_id = await other.case()
    answer = await other.api.post(f"/consultations/{case_id}/room/pass", None)
    assert (answer.status, answer.code, answer.body["opens_at"]) == (409, "room_early", None)
    slots = await house.services.consultations.bookable_slots(await house.actor(other.id), case_id, 100)
    later = house.clock.now() + timedelta(hours=1)  # not one whose room is open by now
    slot = next(one for one in slots if one.starts_at > later)
    await house.services.consultations.book(await house.actor(other.id), case_id, slot.id)
    answer = await other.api.post(f"/consultations/{case_id}/room/pass", None)
    assert answer.code == "room_early"
    shown = (await other.api.get(f"/consultations/{case_id}/room")).body
    assert answer.body["opens_at"] == shown["opens_at"] is not None


async def test_a_room_is_closed_after_its_consultation(room: OpenRoom, house: House) -> None:
    await cases.complete(house, room.id)
    answer = await room.patient.api.post(f"{room.path}/pass", None)
    assert (answer.status, answer.code) == (409, "room_closed")
    assert (await room.patient.api.get(room.path)).body["state"] == "closed"


async def test_where_no_process_is_left_the_page_asks_again_in_a_second(room: OpenRoom) -> None:
    await room.house.services.video.end_node(room.node_id)
    answer = await room.expert.post(f"{room.path}/pass", None)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "room_busy", "1")
    await room.live()
    assert (await room.expert.post(f"{room.path}/pass", None)).status == 201


async def test_without_consent_nobody_enters(room: OpenRoom, house: House) -> None:
    await house.services.people.withdraw_consent(await house.actor(room.patient.id))
    answer = await room.doctor.post(f"{room.path}/pass", None)
    assert (answer.status, answer.code) == (403, "consent_required")


# the desktop


async def test_eight_digits_lead_from_the_phone_to_the_desktop(api: Api, room: OpenRoom) -> None:
    made = await room.expert.post(f"{room.path}/desk-code", None)
    assert made.body["address"] == "http://127.0.0.1:8080/v"
    answer = await api.post("/desk-session", {"code": made.body["code"]})
    assert (answer.status, answer.body["consultation_id"]) == (201, room.id)
    desktop = Api(api.url, api.http, api.context, answer.body["token"])
    assert (await desktop.get(room.path)).body["you"]["label"] == "专家"
    again = await api.post("/desk-session", {"code": made.body["code"]})
    assert (again.status, again.code) == (401, "desk_code_refused")


async def test_guessing_is_limited(api: Api, room: OpenRoom) -> None:
    made = await room.expert.post(f"{room.path}/desk-code", None)
    wrong = f"{(int(made.body['code']) + 1) % 10**8:08}"
    codes = [(await api.post("/desk-session", {"code": wrong})).code for _ in range(rooms.GUESSES_AT_AN_ADDRESS + 1)]
    assert codes == ["desk_code_refused"] * rooms.GUESSES_AT_AN_ADDRESS + ["too_many_requests"]
    answer = await api.post("/desk-session", {"code": made.body["code"]})
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


async def test_guessing_from_everywhere_is_limited_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "GUESSES_AT_AN_ADDRESS", 10**6)
    codes = {(await api.post("/desk-session", {"code": f"{n:08}"})).code for n in range(rooms.GUESSES)}
    assert codes == {"desk_code_refused"}
    assert (await api.post("/desk-session", {"code": "00000000"})).code == "too_many_requests"


# pictures


async def keep(api: Api, room: OpenRoom, data: bytes, media_type: str = "image/jpeg") -> tuple[int, dict[str, str]]:
    """Send a picture from the room."""
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": media_type}
    async with api.http.post(f"{api.url}/api/v1{room.path}/snapshots", data=BytesIO(data), headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_picture_from_the_room_is_kept_with_the_case(room: OpenRoom) -> None:
    status, kept = await keep(room.expert, room, JPEG)
    assert status == 201
    actor = await cases.staff(room.house, "村医甲")
    [attachment] = await room.house.services.consultations.attachments(actor, room.id)
    assert (attachment.id, attachment.note) == (kept["attachment_id"], "视频截图")


async def test_pictures_are_refused_for_what_they_are(api: Api, room: OpenRoom) -> None:
    assert (await keep(room.patient.api, room, JPEG))[1]["code"] == "forbidden"
    assert (await keep(room.expert, room, b"GIF89a"))[1]["code"] == "invalid_input"
    assert (await keep(room.expert, room, JPEG, "image/png"))[0] == 415
    assert (await keep(room.expert, room, JPEG + bytes(2 * 1024 * 1024)))[0] == 413
    assert (await keep(api, room, JPEG))[0] == 401
    stranger = await new_patient(room.house, api, "邻居")
    assert (await keep(stranger.api, room, JPEG))[0] == 404
