"""What breaks in a call, and how the page comes back: the network, the server, the devices, the browser's rules."""

import pytest
from playwright.async_api import expect

from tests.support.room_server import CONSULTATION, DOCTOR, EXPERT, PATIENT
from tests.support.waiting import eventually
from tests.web.room_pages import DESKTOP, MEDIA_TIMEOUT, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENT = """
const play = HTMLMediaElement.prototype.play
window.pressed = false
addEventListener('click', () => (window.pressed = true), true)
HTMLMediaElement.prototype.play = function () {
    return this.tagName === 'AUDIO' && !window.pressed
        ? Promise.reject(new DOMException('', 'NotAllowedError')) : play.call(this)
}"""


async def test_a_cut_connection_is_made_anew_and_nothing_is_forgotten(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT, frames=3)
    await patient.part("mute").click()
    await patient.part("chat-open").click()
    await patient.part("chat-input").fill("在吗")
    await patient.part("chat-input").press("Enter")
    await expect(patient.part("chat-line")).to_have_count(1)
    passes = house.server.passes
    assert house.server.break_sockets() == 2
    await eventually(lambda: house.server.passes >= passes + 2, MEDIA_TIMEOUT)
    await expect(doctor.picture(PATIENT).get_by_test_id("muted")).to_be_visible()
    await doctor.sees(PATIENT)
    await patient.sees(DOCTOR)
    await expect(patient.part("chat-line")).to_have_count(1)
    await expect(patient.part("line")).to_have_text("")


async def test_as_long_as_the_room_cannot_be_reached_the_page_says_so_and_keeps_trying(house: House) -> None:
    patient, _doctor = await house.gather(PATIENT, DOCTOR)
    await patient.page.route("**/room/pass", lambda route: route.abort())
    house.server.break_sockets()
    await expect(patient.part("line")).to_have_text("网络断了，正在重新连接…")
    await patient.page.unroute("**/room/pass")
    await expect(patient.part("line")).to_have_text("")
    await patient.sees(DOCTOR)


async def test_a_room_that_asks_for_new_connections_gets_them(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT, frames=3)
    before = await patient.page.evaluate("window.peers.length")
    member = house.server.rooms.rooms[CONSULTATION].members[PATIENT.id]
    member.channel.send({"kind": "reconnect"})
    await patient.page.wait_for_function("before => window.peers.length === before + 2", arg=before)
    await doctor.sees(PATIENT)
    await patient.sees(DOCTOR)


async def test_a_connection_that_failed_is_asked_for_again(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT, frames=3)
    before = await patient.page.evaluate("window.peers.length")
    await patient.page.evaluate(
        """() => {
            const publishing = window.peers.findLast(peer => peer.getTransceivers().some(({mid}) => mid === 'camera'))
            Object.defineProperty(publishing, 'connectionState', {value: 'failed'})
            publishing.dispatchEvent(new Event('connectionstatechange'))
        }"""
    )
    await patient.page.wait_for_function("before => window.peers.length === before + 1", arg=before)
    await doctor.sees(PATIENT)


async def test_a_reload_keeps_its_place(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await patient.part("mute").click()
    await patient.page.reload()
    await expect(patient.part("room")).to_be_visible()
    await doctor.sees(PATIENT)
    await expect(doctor.picture(PATIENT).get_by_test_id("muted")).to_be_visible()
    assert patient.page.url.startswith(house.server.address + "#")


async def test_who_lost_their_pass_begins_anew(house: House) -> None:
    computer = await house.visitor(DOCTOR, DESKTOP, wechat=False)
    await computer.open(f"{house.server.url}/v")
    await computer.part("desk-code").fill(house.server.desk_code(DOCTOR))
    await computer.part("desk-submit").click()
    await expect(computer.part("enter")).to_be_visible()
    house.server.forget_sessions()
    await computer.part("enter").click()
    await expect(computer.part("desk")).to_be_visible()


async def test_a_camera_that_a_phone_call_took_can_be_opened_again(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT, frames=3)
    await patient.page.evaluate(
        """() => {
            const camera = window.tracks.findLast(({kind}) => kind === 'video')
            camera.stop()
            camera.dispatchEvent(new Event('ended'))
        }"""
    )
    await expect(patient.part("stopped")).to_contain_text("摄像头停了")
    await expect(doctor.picture(PATIENT)).to_contain_text("没有开画面")
    await patient.part("open-again").click()
    await expect(patient.part("stopped")).to_have_count(0)
    await doctor.sees(PATIENT)


async def test_a_browser_that_plays_no_sound_unasked_gets_one_big_button(house: House) -> None:
    (doctor,) = await house.gather(DOCTOR)
    patient = await house.visitor(PATIENT)
    await patient.page.add_init_script(SILENT)
    await patient.enter_room()
    await patient.page.evaluate("window.pressed = false")
    await patient.page.reload()  # a page that was loaded anew has not been pressed
    await patient.part("hear").click()
    await expect(patient.part("hear")).to_have_count(0)
    playing = "() => [...document.querySelectorAll('audio')].some(audio => !audio.paused)"
    await patient.page.wait_for_function(playing)
    await doctor.sees(PATIENT)


async def test_what_the_room_asks_for_is_what_is_sent(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT, frames=3)
    member = house.server.rooms.rooms[CONSULTATION].members[PATIENT.id]
    picture = {"width": 854, "height": 480, "frame_rate": 15, "bitrate": 500_000}
    member.channel.send({"kind": "quality", "network": 2, "audio_only": False, "picture": picture})

    async def is_small() -> bool:
        encoding = await patient.encoding("camera")
        return bool(encoding.get("maxBitrate") == 500_000 and encoding.get("maxFramerate") == 15 and encoding["active"])

    await eventually(is_small, MEDIA_TIMEOUT)
    member.channel.send({"kind": "quality", "network": 1, "audio_only": True, "picture": None})

    async def is_off() -> bool:
        return not (await patient.encoding("camera"))["active"]

    await eventually(is_off, MEDIA_TIMEOUT)
    await expect(patient.part("line")).to_contain_text("您的网络不好，先只听声音")
    assert (await patient.encoding("audio"))["priority"] == "high"


async def test_a_weak_network_of_somebody_else_is_told_in_a_sentence(house: House) -> None:
    expert, doctor = await house.gather(EXPERT, DOCTOR)
    room = house.server.rooms.rooms[CONSULTATION]
    people = [{**member.shown(), "network": 1 if member.person == EXPERT.id else 4} for member in room.inside]
    await doctor.sees(EXPERT, frames=3)
    room.members[DOCTOR.id].channel.send({"kind": "people", "people": people, "waiting": []})
    await expect(doctor.part("line")).to_have_text("陈明远的网络不好，先只听声音。")
    await expect(expert.part("room")).to_be_visible()
