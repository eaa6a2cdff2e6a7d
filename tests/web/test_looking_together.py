"""People in a video room look at one image together, in Chromium: what the leader turns over, sets and points at is
what the others see, each under their own rights."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect
from pydicom.uid import JPEGLSLossless

from tests.support.dicomweb_server import big_slice, of_study
from tests.support.room_server import CONSULTATION, DOCTOR, EXPERT, PATIENT
from tests.support.waiting import eventually
from tests.web.room_pages import DESKTOP, PHONE, PHONE_ON_ITS_SIDE, House, Visitor
from tests.web.test_room_accessibility import check
from tests.web.test_viewer_page import table_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLICES = 24
WHERE = """stage => {
    const canvas = stage.querySelector('canvas').getBoundingClientRect()
    const zoom = /缩放 (\\d+)%/.exec(stage.textContent)
    return [canvas.x, canvas.y, canvas.width, canvas.height, zoom ? Number(zoom[1]) / 100 : 0]
}"""
MIDDLE = """canvas => {
    const {width, height} = canvas
    return [...canvas.getContext('2d').getImageData(width / 2, height / 2, 1, 1).data].slice(0, 3)
}"""
POINTER = """pointer => {
    const {x, y, width, height} = pointer.getBoundingClientRect()
    return [x + width / 2, y + height / 2]
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def scanned(house: House) -> AsyncIterator[House]:
    """A house whose consultation has a CT of some slices."""
    house.server.imaging.images = [big_slice(number) for number in range(1, SLICES + 1)]
    yield house


def stage(visitor: Visitor) -> Locator:
    """Where the image is on somebody's page."""
    return visitor.part("stage")


async def shows(visitor: Visitor, number: int) -> None:
    """Wait until the picture of this number is on somebody's page."""
    await expect(stage(visitor)).to_have_attribute("data-shown", str(number))


async def leading(house: House, *others: Any, device: dict[str, Any] = DESKTOP) -> list[Visitor]:
    """The expert leads the others, who see the first picture."""
    expert, *followers = await house.gather(EXPERT, *others, device=device)
    await expert.part("images-open").click()
    await shows(expert, 1)
    await expert.part("lead").click()
    await expect(expert.part("together")).to_have_text("大家跟着您看")
    for follower in followers:
        await expect(follower.part("together")).to_have_text("跟着陈明远看")
        await shows(follower, 1)
    return [expert, *followers]


async def in_picture(visitor: Visitor, x: float, y: float) -> tuple[float, float]:
    """A place on the screen as a share of the CT that lies whole in the middle of somebody's stage."""
    left, top, width, height, _zoom = await stage(visitor).evaluate(WHERE)
    size = min(width, height)
    return (x - left - (width - size) / 2) / size, (y - top - (height - size) / 2) / size


async def test_the_others_see_what_the_leader_sees_until_the_lead_is_taken_over_and_given_up(scanned: House) -> None:
    expert, doctor, patient = await leading(scanned, DOCTOR, PATIENT)
    await see_picture_window_and_place(expert, doctor, patient)
    await take_over_and_give_up(expert, doctor, patient)


async def see_picture_window_and_place(expert: Visitor, doctor: Visitor, patient: Visitor) -> None:
    """The others see what the leader turns to, sets and enlarges, and go on hearing each other."""
    await stage(expert).press("PageDown")
    await expert.part("preset-骨窗").click()
    await expert.part("invert").click()
    for follower in (doctor, patient):
        await shows(follower, 11)
        await expect(stage(follower)).to_have_attribute("data-window", "400/1800")
    await stage(expert).press("+")
    await stage(expert).press("+")
    zoom = (await stage(expert).evaluate(WHERE))[4]
    whole = min((await stage(doctor).evaluate(WHERE))[2:4]) / 512

    async def is_larger() -> bool:
        return bool((await stage(doctor).evaluate(WHERE))[4] > whole * 1.3)

    await eventually(is_larger)
    assert zoom > 0
    await expect(patient.part("lead")).to_have_count(0)
    await patient.hears(2)  # the voices go on


async def take_over_and_give_up(expert: Visitor, doctor: Visitor, patient: Visitor) -> None:
    """A doctor leads in the expert's place, then nobody does, and everybody looks alone."""
    await doctor.part("lead").click()
    await expect(expert.part("together")).to_have_text("跟着李建国看")
    await stage(doctor).press("PageDown")
    for visitor in (expert, patient):
        await shows(visitor, 21)
    await doctor.part("lead-stop").click()
    await expect(expert.part("together")).to_have_text("只有您自己在看")
    await expect(patient.part("together")).to_have_text("您在自己看")
    await expect(patient.part("news")).to_contain_text("李建国不再带着看了")
    await stage(patient).press("ArrowDown")
    await shows(patient, 22)


async def readings(visitor: Visitor) -> list[str]:
    """What stands beside the measurements on somebody's page."""
    found: list[str] = await visitor.part("reading").all_text_contents()
    return found


async def drawn(visitor: Visitor, tool: str, *places: tuple[float, float]) -> None:
    """Let somebody measure with a drag from one place of the stage to the next, in shares of it."""
    await visitor.part(f"tool-{tool}").click()
    box = await stage(visitor).bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(places):
        await visitor.page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        if not number:
            await visitor.page.mouse.down()
    await visitor.page.mouse.up()


async def is_grey(visitor: Visitor, wanted: float) -> bool:
    """Whether the middle of the picture is of this grey."""
    found: list[int] = await visitor.part("canvas").evaluate(MIDDLE)
    return found == pytest.approx([wanted] * 3, abs=1)


async def test_two_doctors_measure_point_and_look_alone_in_between(scanned: House) -> None:
    """One room, for entering it takes longer than what is looked at."""
    expert, doctor = await leading(scanned, DOCTOR)
    await point(expert, doctor)
    await measure(expert, doctor)
    await look_alone_with_own_measurements(expert, doctor)
    await look_around_alone(expert, doctor)


async def measure(expert: Visitor, doctor: Visitor) -> None:
    """What the leader measures the others see, with the same figures."""
    await drawn(expert, "length", (0.4, 0.4), (0.55, 0.5))
    await drawn(expert, "ellipse", (0.45, 0.55), (0.53, 0.66))
    await expect(expert.part("mark-ellipse")).to_have_count(1)
    measured = await readings(expert)
    assert any("mm" in line for line in measured)
    assert any("HU" in line for line in measured)
    for kind in ("length", "ellipse"):
        await expect(doctor.part(f"mark-{kind}")).to_have_count(1)

    async def reads_the_same() -> bool:
        return await readings(doctor) == measured

    await eventually(reads_the_same)
    await stage(expert).press("ArrowDown")
    await shows(doctor, 2)
    await expect(doctor.part("mark-length")).to_have_count(0)
    await stage(expert).press("ArrowUp")
    await shows(doctor, 1)
    await eventually(reads_the_same)
    await expert.part("clear").click()
    await expect(doctor.part("mark-ellipse")).to_have_count(0)


async def look_alone_with_own_measurements(expert: Visitor, doctor: Visitor) -> None:
    """A follower has their own measurements back who looks alone."""
    await drawn(expert, "length", (0.4, 0.4), (0.55, 0.5))
    await expect(doctor.part("mark-length")).to_have_count(1)
    await doctor.part("look-alone").click()
    await expect(doctor.part("mark-length")).to_have_count(0)
    await drawn(doctor, "rectangle", (0.45, 0.5), (0.55, 0.6))
    await expect(doctor.part("mark-rectangle")).to_have_count(1)
    await doctor.part("follow").click()
    await expect(doctor.part("mark-length")).to_have_count(1)
    await expect(doctor.part("mark-rectangle")).to_have_count(0)
    await expect(expert.part("mark-rectangle")).to_have_count(0)


async def point(expert: Visitor, doctor: Visitor) -> None:
    """The leader's pointer is where they point, and fades."""
    box = await stage(expert).bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.3)
    await expert.page.mouse.move(*at)
    await expect(doctor.part("leader-pointer")).to_have_attribute("data-fresh", "true")
    wanted = await in_picture(expert, *at)

    async def is_there() -> bool:
        found = await in_picture(doctor, *await doctor.part("leader-pointer").evaluate(POINTER))
        return found == pytest.approx(wanted, abs=0.003)

    await eventually(is_there)
    await expect(doctor.part("leader-pointer")).to_have_attribute("data-fresh", "false")
    await expert.page.mouse.move(5, 5)
    await expect(doctor.part("leader-pointer")).to_have_count(0)


async def look_around_alone(expert: Visitor, doctor: Visitor) -> None:
    """A follower looks around alone, and comes back."""
    await stage(doctor).focus()
    await stage(doctor).press("PageDown")
    await stage(doctor).hover()
    await doctor.page.mouse.wheel(0, 100)
    await stage(expert).press("ArrowDown")
    await shows(doctor, 2)
    await doctor.part("look-alone").click()
    await expect(doctor.part("together")).to_have_text("您在自己看")
    await stage(doctor).press("End")
    await shows(doctor, SLICES)
    await stage(expert).press("ArrowDown")
    await shows(expert, 3)
    await shows(doctor, SLICES)
    await doctor.part("follow").click()
    await shows(doctor, 3)


async def test_a_curve_of_the_header_is_followed(scanned: House) -> None:
    """Each picture has a table of its own, under the same name."""
    rising, value = np.linspace(0, 4095, 1500), 500
    images = [
        big_slice(number, VOILUTSequence=[table_of("LUNG", -1200, rising), table_of("BONE", 0, rising / number)])
        for number in (1, 2)
    ]
    for image in images:
        stored = round((value - image.RescaleIntercept) / image.RescaleSlope)
        image.PixelData = np.full((image.Rows, image.Columns), stored, "<i2").tobytes()
    scanned.server.imaging.images = images
    expert, doctor = await leading(scanned, DOCTOR)
    await expert.part("preset-原设2（骨窗）").click()
    for number in (1, 2):
        grey = rising[value] / number / 4095 * 255
        for visitor in (expert, doctor):
            await shows(visitor, number)
            await expect(stage(visitor)).to_have_attribute("data-window", "750/1500")
            await eventually(partial(is_grey, visitor, grey))
        await stage(expert).press("ArrowDown")


async def test_neither_a_broken_line_nor_another_page_ends_it_but_the_leader_who_leaves(scanned: House) -> None:
    expert, doctor = await leading(scanned, DOCTOR)
    await break_the_line(scanned, expert, doctor)
    await make_things_up(scanned, expert, doctor)
    await leave(expert, doctor)


async def break_the_line(scanned: House, expert: Visitor, doctor: Visitor) -> None:
    """A leader whose line broke goes on leading."""
    passes = scanned.server.passes
    scanned.server.break_sockets()
    await eventually(lambda: scanned.server.passes >= passes + 2)
    await expect(expert.part("line")).to_have_text("")
    await expect(doctor.part("together")).to_have_text("跟着陈明远看")
    await stage(expert).press("PageDown")
    await shows(doctor, 11)


async def make_things_up(scanned: House, expert: Visitor, doctor: Visitor) -> None:
    """What another page made up changes nothing."""
    room = scanned.server.rooms.rooms[CONSULTATION]
    for state in ("{}", "不是 JSON", json.dumps({"series": "../1", "sop": "1", "zoom": 1e99}), '{"zoom": null}'):
        room.members[DOCTOR.id].channel.send_look({"kind": "look", "leader": EXPERT.id, "state": state})
    await stage(expert).press("ArrowDown")
    await shows(doctor, 12)


async def leave(expert: Visitor, doctor: Visitor) -> None:
    """A leader who leaves ends it plainly."""
    await stage(expert).press("ArrowDown")
    await shows(doctor, 13)
    await expert.page.close()
    await expect(doctor.part("news")).to_contain_text("陈明远离开了")
    await expect(doctor.part("together")).to_have_text("只有您自己在看")
    await shows(doctor, 13)
    await stage(doctor).press("ArrowDown")
    await shows(doctor, 14)


async def test_who_comes_later_sees_what_the_others_see_unless_they_may_not(scanned: House) -> None:
    scanned.server.blind = {PATIENT.id}
    (expert,) = await leading(scanned)
    await stage(expert).press("End")
    await expert.part("preset-肺窗").click()
    await shows(expert, SLICES)
    (doctor,) = await scanned.gather(DOCTOR)
    await shows(doctor, SLICES)
    await expect(stage(doctor)).to_have_attribute("data-window", "-600/1500")
    (patient,) = await scanned.gather(PATIENT)
    await expect(patient.part("news")).to_contain_text("陈明远在看影像，您这里看不到")
    await expect(patient.part("images-open")).to_have_count(0)
    await expect(patient.part("images")).to_have_count(0)
    look = scanned.server.rooms.rooms[CONSULTATION]._leading.shown()
    assert set(json.loads(look["state"])) == {
        "series", "sop", "frame", "window", "curve", "inverted", "zoom", "centre", "area", "pointer", "marks",
    }  # fmt: skip


async def test_another_series_is_followed_on_a_phone_too(scanned: House) -> None:
    scanned.server.imaging.images.append(of_study("examples_rgb_color.dcm", 2))
    (doctor,) = await scanned.gather(DOCTOR, device=PHONE)
    (expert,) = await leading(scanned)
    await shows(doctor, 1)
    uid = f"{big_slice(1).StudyInstanceUID}.2"
    await expert.part(f"series-{uid}").click()
    for visitor in (expert, doctor):
        await expect(visitor.part("together-what")).to_contain_text("超声")
    await expect(doctor.part("overlay-place")).to_contain_text("第 1 / 1 张")
    await expect(doctor.part("tool-scroll")).to_have_count(0)
    box = await stage(doctor).bounding_box()
    assert box is not None
    assert box["height"] > 300


async def test_a_doctor_on_a_phone_turns_over_and_points_with_a_finger(scanned: House) -> None:
    doctor = await scanned.visitor(DOCTOR, PHONE)
    await doctor.enter_room()
    (expert,) = await scanned.gather(EXPERT)
    await doctor.part("images-open").click()
    await shows(doctor, 1)
    await doctor.part("lead").click()
    await shows(expert, 1)
    await doctor.part("slider").fill("4")
    await shows(expert, 5)
    await doctor.part("point").click()
    box = await stage(doctor).bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    await doctor.page.touchscreen.tap(*at)
    wanted = await in_picture(doctor, *at)
    for visitor in (doctor, expert):
        await expect(visitor.part("leader-pointer")).to_have_attribute("data-fresh", "true")
    assert await in_picture(expert, *await expert.part("leader-pointer").evaluate(POINTER)) == pytest.approx(
        wanted, abs=0.003
    )
    await shows(expert, 5)
    await doctor.part("point").click()
    await expect(expert.part("leader-pointer")).to_have_count(0)


@pytest.mark.parametrize(
    "device",
    [
        pytest.param({**PHONE, "color_scheme": "light"}, id="phone"),
        pytest.param({**PHONE_ON_ITS_SIDE, "color_scheme": "dark"}, id="phone on its side, dark"),
        pytest.param({**DESKTOP, "color_scheme": "light"}, id="desktop"),
    ],
)
async def test_looking_together_is_clean(scanned: House, device: dict[str, Any]) -> None:
    scanned.server.imaging.images.append(of_study("examples_rgb_color.dcm", 2))
    expert, doctor = await leading(scanned, DOCTOR, device=device)
    for visitor in (expert, doctor):
        await check(visitor)
        size = device["viewport"]
        box = await visitor.part("leave").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size["height"]
    await doctor.part("look-alone").click()
    await check(doctor)
    await doctor.part("images-close").click()
    await expect(doctor.part("led")).to_be_visible()
    await check(doctor)


async def test_a_study_that_is_stored_compressed_is_decoded_in_the_room(scanned: House) -> None:
    for image in scanned.server.imaging.images:
        image.compress(JPEGLSLossless, generate_instance_uid=False)
    expert, doctor = await leading(scanned, DOCTOR)
    await stage(expert).press("End")
    await shows(doctor, SLICES)
    for visitor in (expert, doctor):
        await expect(stage(visitor)).to_have_attribute("data-loaded", str(SLICES))
    assert scanned.server.imaging.stored_frames >= 2 * SLICES


async def test_who_closes_the_images_is_asked_and_comes_back(scanned: House) -> None:
    expert, patient = await leading(scanned, PATIENT)
    await patient.part("images-close").click()
    await expect(patient.picture(EXPERT)).to_have_attribute("data-large", "true")
    await stage(expert).press("ArrowDown")
    await patient.part("look-too").click()
    await shows(patient, 2)
    await patient.picture(EXPERT).get_by_role("button").click()  # a small picture that is pressed becomes the large one
    await expect(patient.part("images")).to_have_count(0)
    await expect(patient.picture(EXPERT)).to_have_attribute("data-large", "true")


async def test_a_room_without_studies_shows_no_button(house: House) -> None:
    (expert,) = await house.gather(EXPERT)
    await expect(expert.part("mute")).to_be_visible()
    await expect(expert.part("images-open")).to_have_count(0)
