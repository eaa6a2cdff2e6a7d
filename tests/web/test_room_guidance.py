"""Showing something on a picture of the room: drawing, stopping the picture, keeping it."""

import struct

import pytest
from playwright.async_api import Locator, expect

from tests.support.room_server import DOCTOR, EXPERT, PATIENT, Party
from tests.support.waiting import eventually
from tests.web.room_pages import MEDIA_TIMEOUT, House, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")

INKED = """(canvas, [left, top, right, bottom]) => {
    const [x, y] = [Math.round(canvas.width * left), Math.round(canvas.height * top)]
    const [w, h] = [Math.round(canvas.width * (right - left)), Math.round(canvas.height * (bottom - top))]
    const {data} = canvas.getContext('2d').getImageData(x, y, w, h)
    return data.some((value, index) => index % 4 === 3 && value > 128)
}"""


def drawing(visitor: Visitor, party: Party) -> Locator:
    """What is drawn on somebody's camera."""
    return visitor.part(f"drawing-{party.id}-camera")


async def drag(visitor: Visitor, canvas: Locator, *points: tuple[float, float]) -> None:
    """Draw with the mouse through points that are shares of the canvas."""
    await expect(canvas).to_be_visible(timeout=1000 * MEDIA_TIMEOUT)
    box = await canvas.bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(points):
        await visitor.page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        if number == 0:
            await visitor.page.mouse.down()
    await visitor.page.mouse.up()


async def looking(house: House) -> tuple[Visitor, Visitor, Visitor]:
    """Three people, of whom the expert looks at the patient and has taken up the pen."""
    patient, doctor, expert = await house.gather(PATIENT, DOCTOR, EXPERT)
    await expert.sees(PATIENT, frames=3)
    await doctor.sees(PATIENT, frames=3)
    await expert.part("guide").click()
    return patient, doctor, expert


async def test_a_stroke_is_on_every_page_and_large_for_the_patient_until_it_fades(
    house: House,
) -> None:
    patient, doctor, expert = await looking(house)
    await expect(patient.part("guide")).to_have_count(0)  # the patient has no pen
    await expect(patient.picture(PATIENT)).to_have_attribute("data-large", "false")
    await expert.part("tool-freehand").click()
    canvas = drawing(expert, PATIENT)
    await drag(expert, canvas, (0.25, 0.5), (0.3, 0.5), (0.35, 0.52), (0.4, 0.5))
    for visitor in (doctor, patient):
        await expect(drawing(visitor, PATIENT)).to_have_attribute("data-strokes", "1")
    shown = drawing(doctor, PATIENT)
    await eventually(lambda: shown.evaluate(INKED, [0.2, 0.4, 0.45, 0.6]), MEDIA_TIMEOUT)
    assert not await shown.evaluate(INKED, [0.6, 0.1, 0.9, 0.9])
    await expect(drawing(doctor, EXPERT)).to_have_attribute("data-strokes", "0")
    await expect(patient.picture(PATIENT)).to_have_attribute("data-large", "true")
    await expect(drawing(doctor, PATIENT)).to_have_attribute("data-strokes", "0")
    await expect(patient.picture(PATIENT)).to_have_attribute("data-large", "false")


async def test_whoever_has_a_pen_draws_by_keyboard_and_with_every_tool_and_clears(house: House) -> None:
    patient, doctor, expert = await looking(house)
    await draw_by_keyboard(doctor, expert)
    await clear(patient, doctor, expert)
    for tool in ("arrow", "circle"):
        await expert.part(f"tool-{tool}").click()
        await drag(expert, drawing(expert, PATIENT), (0.4, 0.4), (0.5, 0.5), (0.6, 0.6))
    await expect(drawing(doctor, PATIENT)).to_have_attribute("data-strokes", "2")
    await clear(patient, doctor, expert)
    await draw_in_two_colours(patient, doctor, expert)


async def draw_by_keyboard(doctor: Visitor, expert: Visitor) -> None:
    """The expert, who has just taken up the pen, draws without a mouse."""
    await expect(drawing(expert, PATIENT)).to_be_focused()
    for key in ("ArrowLeft", "ArrowUp", "Enter"):
        await expert.page.keyboard.press(key)
    await expect(drawing(doctor, PATIENT)).to_have_attribute("data-strokes", "1")


async def clear(patient: Visitor, doctor: Visitor, expert: Visitor) -> None:
    """What the expert clears is gone everywhere."""
    await expert.part("clear").click()
    for visitor in (patient, doctor, expert):
        await expect(drawing(visitor, PATIENT)).to_have_attribute("data-strokes", "0")


async def draw_in_two_colours(patient: Visitor, doctor: Visitor, expert: Visitor) -> None:
    """Strokes of a doctor and of an expert have colours of their own."""
    await doctor.part("guide").click()
    await drag(expert, drawing(expert, PATIENT), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4))
    await drag(doctor, drawing(doctor, PATIENT), (0.6, 0.6), (0.7, 0.7), (0.8, 0.8))
    await expect(drawing(patient, PATIENT)).to_have_attribute("data-strokes", "2")
    colours = await drawing(patient, PATIENT).evaluate(
        """canvas => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
            const seen = new Set()
            for (let at = 0; at < data.length; at += 4)
                if (data[at + 3] === 255) seen.add([data[at], data[at + 1], data[at + 2]].join())
            return [...seen]
        }"""
    )
    assert {"255,214,10", "41,224,255"} <= set(colours)


async def test_a_snapshot_is_sent_until_it_is_kept_and_a_stopped_picture_is_ones_own(
    house: House,
) -> None:
    house.server.snapshots_fail = 1
    _patient, doctor, expert = await looking(house)
    await expert.part("keep").click()
    await expect(expert.part("keeping")).to_contain_text("图片没有保存成功：现在存不了，请稍后再试")
    await expert.part("keep-again").click()
    await expect(expert.part("keeping")).to_contain_text("图片已保存")
    assert len(house.server.snapshots) == 1
    assert len(house.server.snapshots[0]) <= 2 * 1024 * 1024
    await expert.part("keep-ok").click()
    await stop_draw_and_keep(house, doctor, expert)


async def stop_draw_and_keep(house: House, doctor: Visitor, expert: Visitor) -> None:
    """What is drawn upon a picture that the expert stopped is the expert's alone, and is kept with it."""
    await expert.part("freeze").click()
    await expect(expert.part("line")).to_contain_text("画面已定格")
    await drag(expert, expert.part("drawing-frozen"), (0.4, 0.4), (0.5, 0.5), (0.6, 0.6))
    await expect(expert.part("drawing-frozen")).to_have_attribute("data-strokes", "1")
    await expect(drawing(doctor, PATIENT)).to_have_attribute("data-strokes", "0")
    await expert.part("keep").click()
    await expect(expert.part("keeping")).to_contain_text("图片已保存到这次会诊")
    _live, snapshot = house.server.snapshots
    size = await expert.picture(PATIENT).locator("video").evaluate("video => video.videoWidth / video.videoHeight")
    width, height = jpeg_size(snapshot)
    assert width / height == pytest.approx(size, rel=0.01)
    await expert.part("go-on").click()
    await expect(expert.part("frozen")).to_have_count(0)


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Columns and lines of a JPEG, from its frame header (ITU-T T.81, B.2.2)."""
    assert data[:2] == b"\xff\xd8"
    at = 2
    while True:
        marker, length = struct.unpack(">HH", data[at : at + 4])
        if marker in (0xFFC0, 0xFFC2):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
