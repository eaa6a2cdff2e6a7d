"""No fault that axe-core finds in any state of the room page: phone, phone on its side and desktop, light and dark."""

import time
from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.room_server import DOCTOR, EXPERT, PATIENT
from tests.web.axe import faults
from tests.web.room_pages import DESKTOP, PHONE, PHONE_ON_ITS_SIDE, House, Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(
        "device",
        [
            pytest.param({**PHONE, "color_scheme": "light"}, id="phone"),
            pytest.param({**PHONE_ON_ITS_SIDE, "color_scheme": "dark"}, id="phone on its side, dark"),
            pytest.param({**DESKTOP, "color_scheme": "dark"}, id="desktop, dark"),
        ],
    ),
]

SMALL = """() => {
    const size = one => parseFloat(getComputedStyle(one).fontSize)
    const shown = [...document.querySelectorAll('*')].filter(one => one.checkVisibility({visibilityProperty: true}))
    const texts = shown.filter(one => !one.closest('.visually-hidden')
        && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    const buttons = shown.filter(one => one.matches('button, select, input, summary'))
    return [
        ...texts.filter(one => size(one) > 0 && size(one) < 18),
        ...buttons.filter(one => one.getBoundingClientRect().width < 48 || one.getBoundingClientRect().height < 48),
    ].map(one => one.outerHTML.slice(0, 200))
}"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def check(visitor: Visitor) -> None:
    """Clean by axe; no text below 18 px, no target below 48, nothing beside the screen."""
    assert await faults(visitor.page) == []
    assert await visitor.page.evaluate(SMALL) == []
    assert await visitor.page.evaluate(WIDER) == 0


async def test_the_pages_before_the_room_are_clean(house: House, device: dict[str, Any]) -> None:
    desk = await house.visitor(DOCTOR, device, wechat=False)
    await desk.open(f"{house.server.url}/v")
    await desk.part("desk-submit").click()
    await expect(desk.part("desk-problem")).not_to_be_empty()
    await check(desk)

    patient = await house.visitor(PATIENT, device)
    await patient.open()
    await expect(patient.part("check-sound")).to_have_attribute("data-mood", "good")
    await check(patient)
    await patient.part("choices").click()
    await check(patient)
    if device["viewport"] != DESKTOP["viewport"]:
        await patient.part("on-computer").click()
        await expect(patient.part("computer-code")).to_be_visible()
        await check(patient)
        await patient.part("computer-close").click()
    house.server.state, house.server.opens_at = "early", time.time() + 720
    await patient.page.reload()
    await expect(patient.part("early")).to_be_visible()
    await check(patient)
    house.server.state = "closed"
    await patient.page.reload()
    await expect(patient.part("notice")).to_be_visible()
    await check(patient)


async def test_a_check_that_fails_is_clean(house: House, device: dict[str, Any]) -> None:
    patient = await house.visitor(PATIENT, device)
    await patient.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    await patient.open()
    await expect(patient.part("retry-devices")).to_be_visible()
    await check(patient)


async def test_the_door_is_clean_on_both_sides(house: House, device: dict[str, Any]) -> None:
    house.server.must_wait = True
    (doctor,) = await house.gather(DOCTOR, device=device)
    await check(doctor)
    patient = await house.visitor(PATIENT, device)
    await patient.enter()
    await expect(patient.part("waiting")).to_be_visible()
    await check(patient)
    await expect(doctor.part(f"guest-{PATIENT.id}")).to_be_visible()
    await check(doctor)


async def test_the_room_is_clean(house: House, device: dict[str, Any]) -> None:
    patient, expert = await house.gather(PATIENT, EXPERT, device=device)
    await patient.sees(EXPERT, frames=3)
    await check(patient)
    await expert.part("guide").click()
    await check(expert)
    await expert.part("freeze").click()
    await expert.part("keep").click()
    await expect(expert.part("keep-ok")).to_be_visible()
    await check(expert)
    await expert.part("guide").click()
    await patient.part("mute").click()
    await patient.part("camera").click()
    await check(patient)
    await patient.part("chat-open").click()
    await patient.part("chat-input").fill("在吗")
    await patient.part("chat-send").click()
    await expect(patient.part("chat-line")).to_be_visible()
    await check(patient)
    await patient.part("chat-close").click()
    if device["viewport"] != DESKTOP["viewport"]:
        await expert.part("more").click()
        await check(expert)
    await expert.part("record").click()
    await expect(patient.part("record-question")).to_be_visible()
    await check(patient)
    await patient.part("record-yes").click()
    await expect(expert.part("recording-sign")).to_be_visible()
    await check(expert)
    await patient.part("leave").click()
    await check(patient)
    house.server.refusal = "room_busy"
    house.server.break_sockets()
    await expect(expert.part("line")).to_have_text("诊室正忙，马上会自动再试，请稍等。")
    await check(expert)
