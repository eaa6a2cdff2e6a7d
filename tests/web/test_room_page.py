"""The room page in real browsers: three people see and hear each other through the real rooms."""

import time

import pytest
from playwright.async_api import expect

from tests.support.room_server import CONSULTATION, DOCTOR, EXPERT, PATIENT, STATE
from tests.support.waiting import eventually
from tests.web.room_pages import DESKTOP, MEDIA_TIMEOUT, PHONE, House

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_DEVICES = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', window.fault))"
NO_CAMERA = """{
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    navigator.mediaDevices.getUserMedia = wanted =>
        wanted.video ? Promise.reject(new DOMException('', 'NotFoundError')) : open(wanted)
}"""


async def test_three_people_see_and_hear_each_other(fluent_house: House) -> None:
    visitors = await fluent_house.gather(PATIENT, DOCTOR, EXPERT)
    for visitor in visitors:
        for other in visitors:
            if other is not visitor:
                await visitor.sees(other.party, frames=30)
        await visitor.hears(2)
    for visitor in visitors:
        await visitor.sees_fluently(2)


async def test_names_and_roles_stand_on_the_pictures(house: House) -> None:
    patient, _doctor = await house.gather(PATIENT, DOCTOR)
    await expect(patient.picture(DOCTOR)).to_contain_text("李建国")
    await expect(patient.picture(DOCTOR)).to_contain_text("医生")
    await expect(patient.picture(PATIENT)).to_contain_text("我")


async def test_a_small_picture_that_is_pressed_becomes_the_large_one(house: House) -> None:
    patient, _doctor, _expert = await house.gather(PATIENT, DOCTOR, EXPERT)
    large = patient.page.locator("[data-large='true']")
    await expect(large).to_have_count(1)
    before = await large.get_attribute("data-testid")
    other = patient.page.locator(f"[data-large='false']:not([data-testid='picture-{PATIENT.id}-camera'])")
    await other.get_by_role("button").click()
    await expect(large).to_have_count(1)
    assert await large.get_attribute("data-testid") != before


async def test_the_patient_waits_until_a_doctor_opens_the_door(house: House) -> None:
    house.server.must_wait = True
    (doctor,) = await house.gather(DOCTOR)
    patient = await house.visitor(PATIENT, PHONE)
    await patient.enter()
    await expect(patient.part("waiting")).to_be_visible()
    await expect(doctor.part(f"guest-{PATIENT.id}")).to_contain_text("王秀英")
    await doctor.part(f"admit-{PATIENT.id}").click()
    await expect(patient.part("room")).to_be_visible()
    await expect(doctor.part(f"guest-{PATIENT.id}")).to_have_count(0)
    await patient.sees(DOCTOR)


async def test_who_is_not_let_in_hears_it_and_may_ask_again(house: House) -> None:
    house.server.must_wait = True
    (doctor,) = await house.gather(DOCTOR)
    patient = await house.visitor(PATIENT, PHONE)
    await patient.enter()
    await doctor.part(f"refuse-{PATIENT.id}").click()
    await expect(patient.part("notice")).to_have_attribute("data-code", "refused")
    await patient.part("notice-again").click()
    await doctor.part(f"admit-{PATIENT.id}").click()
    await expect(patient.part("room")).to_be_visible()


async def test_who_is_muted_and_who_shows_no_picture_is_seen_by_the_others(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await doctor.sees(PATIENT)
    await patient.part("mute").click()
    await expect(doctor.picture(PATIENT).get_by_test_id("muted")).to_be_visible()
    await patient.part("camera").click()
    await expect(doctor.picture(PATIENT)).to_contain_text("没有开画面")
    await expect(patient.part("line")).to_have_text("您的画面关着，别人看不到您。")
    await patient.part("mute").click()
    await patient.part("camera").click()
    await expect(doctor.picture(PATIENT).get_by_test_id("muted")).to_have_count(0)
    await doctor.sees(PATIENT)


async def test_a_line_in_the_chat_is_counted_until_it_is_read(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await patient.part("chat-open").click()
    await patient.part("chat-input").fill("我这里疼了三天了")
    await patient.part("chat-input").press("Enter")
    await expect(patient.part("chat-line")).to_contain_text("我这里疼了三天了")
    await expect(doctor.part("unread")).to_contain_text("1")
    await doctor.part("chat-open").click()
    await expect(doctor.part("chat-line")).to_contain_text("王秀英")
    await expect(doctor.part("unread")).to_have_count(0)


async def test_a_shared_screen_becomes_large_by_itself_and_goes_when_it_ends(house: House) -> None:
    doctor, expert = await house.gather(DOCTOR, EXPERT)
    await expert.part("share").click()
    await expect(doctor.picture(EXPERT, "screen")).to_have_attribute("data-large", "true")
    await doctor.sees(EXPERT, frames=5, source="screen")
    await expert.part("stop-sharing").click()
    await expect(doctor.picture(EXPERT, "screen")).to_have_count(0)


async def test_a_recording_runs_once_everybody_agrees_and_anybody_ends_it(house: House) -> None:
    patient, doctor, expert = await house.gather(PATIENT, DOCTOR, EXPERT)
    await expert.part("record").click()
    await expect(patient.page.get_by_role("dialog")).to_contain_text("陈明远想把这次会诊录下来")
    await patient.part("record-yes").click()
    await expect(doctor.part("recording-sign")).to_have_count(0)
    await doctor.part("record-yes").click()
    for visitor in (patient, doctor, expert):
        await expect(visitor.part("recording-sign")).to_be_visible()
    await eventually(lambda: bool(house.server.recordings.segments), MEDIA_TIMEOUT)
    await patient.part("record-stop").click()
    for visitor in (patient, doctor, expert):
        await expect(visitor.part("recording-sign")).to_have_count(0)
    await expect(expert.part("news")).to_have_text("录像已经停止")


async def test_without_everybodys_yes_nothing_is_recorded(house: House) -> None:
    patient, expert = await house.gather(PATIENT, EXPERT)
    await expert.part("record").click()
    await patient.part("record-no").click()
    await expect(expert.part("news")).to_have_text("有人不同意，这次不录像")
    assert ("recording_started", "") not in house.server.events


async def test_where_nothing_can_be_recorded_a_sentence_says_so(house: House) -> None:
    (expert,) = await house.gather(EXPERT)
    member = house.server.rooms.rooms[CONSULTATION].members[EXPERT.id]
    member.channel.send({"kind": "error", "code": "recording_unavailable"})
    await expect(expert.part("news")).to_have_text("这里现在不能录像。会诊照常进行。")


async def test_leaving_is_asked_for_and_one_can_come_back(house: House) -> None:
    patient, doctor = await house.gather(PATIENT, DOCTOR)
    await patient.part("leave").click()
    await patient.part("leave-no").click()
    await expect(patient.part("room")).to_be_visible()
    await patient.part("leave").click()
    await patient.part("leave-yes").click()
    await expect(patient.part("notice")).to_have_attribute("data-code", "left")
    await expect(doctor.part("news")).to_have_text("王秀英（患者）离开了")
    await patient.part("notice-again").click()
    await expect(patient.part("room")).to_be_visible()
    await doctor.sees(PATIENT)


async def test_everybody_is_sent_home_with_a_sentence_when_the_consultation_is_over(house: House) -> None:
    (patient,) = await house.gather(PATIENT)
    await house.server.rooms.close_room(CONSULTATION)
    await expect(patient.part("notice")).to_contain_text("会诊已经结束")


async def test_who_may_not_use_the_devices_is_told_what_to_press(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.page.add_init_script(f"window.fault = 'NotAllowedError'; {NO_DEVICES}")
    await patient.open()
    await expect(patient.part("check-devices")).to_contain_text("请打开手机的“设置”，找到“微信”")
    await expect(patient.part("retry-devices")).to_be_visible()


async def test_a_device_in_use_can_be_tried_again(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.page.add_init_script(
        "const real = navigator.mediaDevices.getUserMedia; window.fault = 'NotReadableError';"
        f"window.free = () => {{ navigator.mediaDevices.getUserMedia = real }}; {NO_DEVICES}"
    )
    await patient.open()
    await expect(patient.part("check-devices")).to_contain_text("正被别的程序用着")
    await patient.page.evaluate("window.free()")
    await patient.part("retry-devices").click()
    await expect(patient.part("check-camera")).to_have_attribute("data-mood", "good")


async def test_the_voice_alone_is_enough(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.page.add_init_script(NO_CAMERA)
    (doctor,) = await house.gather(DOCTOR)
    await patient.open()
    await expect(patient.part("check-camera")).to_contain_text("只用声音也可以会诊")
    await patient.part("enter").click()
    await expect(doctor.picture(PATIENT)).to_contain_text("没有开画面")
    await doctor.hears(1)


async def test_the_check_hears_the_voice_sees_the_picture_and_judges_the_network(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.open()
    for check in ("check-camera", "check-sound"):
        await expect(patient.part(check)).to_have_attribute("data-mood", "good")
    await expect(patient.part("check-network")).not_to_have_attribute("data-mood", "asking")
    await expect(patient.part("choices")).to_be_visible()


async def test_another_camera_and_microphone_can_be_chosen(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.open()
    await patient.part("choices").click()
    opened = await patient.page.evaluate("window.tracks.length")
    for choice in ("choose-camera", "choose-microphone"):
        values = await patient.part(choice).locator("option").evaluate_all("all => all.map(one => one.value)")
        await patient.part(choice).select_option(values[-1])
    await patient.page.wait_for_function("opened => window.tracks.length > opened", arg=opened)
    await expect(patient.part("check-camera")).to_have_attribute("data-mood", "good")


async def test_the_other_camera_of_a_phone_goes_on_where_the_first_stopped(house: House) -> None:
    (doctor,) = await house.gather(DOCTOR)
    (patient,) = await house.gather(PATIENT, device=PHONE)
    await doctor.sees(PATIENT, frames=3)
    opened = await patient.page.evaluate("window.tracks.length")
    await patient.part("switch-camera").click()
    await patient.page.wait_for_function("opened => window.tracks.length === opened + 1", arg=opened)
    await doctor.sees(PATIENT)


async def test_an_early_room_says_when_it_opens_and_opens_by_itself(house: House) -> None:
    house.server.state, house.server.opens_at = "early", time.time() + 720
    patient = await house.visitor(PATIENT, PHONE)
    await patient.open()
    await expect(patient.part("early")).to_contain_text("还有 12 分钟")
    house.server.state = "open"
    await expect(patient.part("enter")).to_be_visible(timeout=1000 * MEDIA_TIMEOUT)


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        ("not_found", "没有找到这次会诊"),
        ("room_closed", "会诊已经结束"),
        ("consent_required", "还差一步：同意会诊"),
    ],
)
async def test_a_refusal_has_its_sentence(house: House, refusal: str, sentence: str) -> None:
    house.server.refusal = refusal
    patient = await house.visitor(PATIENT, PHONE)
    await patient.enter()
    await expect(patient.part("notice")).to_contain_text(sentence)


async def test_a_busy_room_is_tried_again_by_itself(house: House) -> None:
    house.server.refusal = "room_busy"
    patient = await house.visitor(PATIENT, PHONE)
    await patient.enter()
    await expect(patient.part("joining")).to_contain_text("诊室正忙")
    await eventually(lambda: house.server.passes >= 2, MEDIA_TIMEOUT)
    house.server.refusal = ""
    await expect(patient.part("room")).to_be_visible()


async def test_who_wechat_does_not_know_comes_no_further(house: House) -> None:
    stranger = await house.visitor(PATIENT, PHONE)
    await stranger.page.context.clear_cookies()
    await stranger.open()
    await expect(stranger.part("notice")).to_have_attribute("data-code", "login")


async def test_a_code_that_this_tab_did_not_ask_for_is_not_taken(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.open(f"{house.server.address}?code={DOCTOR.id}&state={STATE}")
    await expect(patient.part("check")).to_contain_text("李建国（医生）、陈明远（专家）")


async def test_the_address_keeps_neither_code_nor_state(house: House) -> None:
    patient = await house.visitor(PATIENT, PHONE)
    await patient.open()
    await expect(patient.part("check")).to_be_visible()
    address = await patient.page.evaluate("location.href")
    assert address.startswith(f"{house.server.address}#")
    assert "code" not in address


async def test_a_code_from_the_phone_leads_to_the_room_on_a_computer(house: House) -> None:
    phone = await house.visitor(DOCTOR, PHONE)
    await phone.open()
    await phone.part("on-computer").click()
    code = await phone.part("computer-code").inner_text()
    assert (await phone.part("computer-address").inner_text()).endswith("/v")
    computer = await house.visitor(DOCTOR, DESKTOP, wechat=False)
    await computer.open(f"{house.server.url}/v")
    await computer.part("desk-code").fill("12345678")
    await computer.part("desk-submit").click()
    await expect(computer.part("desk-problem")).to_contain_text("这个数字不对")
    await computer.part("desk-code").fill(code)
    await computer.part("desk-submit").click()
    await expect(computer.part("check")).to_be_visible()
    assert (await computer.page.evaluate("location.pathname")) == f"/h5/rooms/{CONSULTATION}"
    await computer.part("enter").click()
    await expect(computer.part("room")).to_be_visible()


async def test_a_card_opened_outside_wechat_asks_for_the_code(house: House) -> None:
    computer = await house.visitor(DOCTOR, DESKTOP, wechat=False)
    await computer.open()
    await expect(computer.part("desk")).to_be_visible()


async def test_a_page_in_a_frame_asks_wechat_who_opens_it(house: House) -> None:
    desk = await house.visitor(PATIENT, DESKTOP, wechat=False)
    await desk.open(f"{house.server.url}/healthz")
    await desk.page.evaluate(
        """address => {
            const frame = document.createElement('iframe')
            frame.allow = 'camera; microphone'
            frame.src = address
            document.body.append(frame)
        }""",
        house.server.address,
    )
    await expect(desk.page.frame_locator("iframe").get_by_test_id("check")).to_be_visible()


async def test_another_device_takes_over_and_can_be_left_again(house: House) -> None:
    first = await house.visitor(DOCTOR)
    second = await house.visitor(DOCTOR)
    await first.enter_room()
    await second.enter_room()
    await expect(first.part("notice")).to_have_attribute("data-code", "other_device")
    await first.part("notice-again").click()
    await expect(first.part("room")).to_be_visible()
    await expect(second.part("notice")).to_have_attribute("data-code", "other_device")


async def test_everything_can_be_done_by_keyboard(house: House) -> None:
    expert = await house.visitor(EXPERT)
    await expert.open()
    await expect(expert.part("enter")).to_be_enabled()
    await expert.part("enter").focus()
    await expert.page.keyboard.press("Enter")
    await expect(expert.part("room")).to_be_visible()
    for name in ("mute", "camera", "share", "guide", "record", "chat-open"):
        await expert.part(name).focus()
        await expect(expert.part(name)).to_be_focused()
    await expert.part("leave").focus()
    await expert.page.keyboard.press("Enter")
    await expect(expert.page.get_by_role("dialog")).to_be_visible()
    await expert.page.keyboard.press("Escape")
    await expect(expert.page.get_by_role("dialog")).to_have_count(0)
    await expect(expert.part("leave")).to_be_focused()
