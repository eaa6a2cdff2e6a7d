"""The viewer page in Chromium: what it shows is what pydicom reads, and what it measures is so long on the patient."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import JPEGLSLossless

from tests.support.dicomweb_server import DicomWebServer, big_slice, of_study, running_dicomweb_server
from tests.support.requirements import require_program
from tests.support.waiting import eventually
from tests.web.axe import faults
from tests.web.conftest import CHROMIUM_ARGUMENTS
from tests.web.room_pages import DESKTOP, PHONE, PHONE_ON_ITS_SIDE
from tests.web.test_room_accessibility import SMALL, WIDER

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLICES = 24
SOFTWARE_CHIP = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PIXELS = """([x, y, width, height]) => {
    const canvas = document.querySelector('[data-testid=canvas]')
    return [...canvas.getContext('2d').getImageData(x, y, width, height).data]
}"""
RECORD = """stage => {
    window.seen = []
    new MutationObserver(() => window.seen.push(Number(stage.dataset.shown)))
        .observe(stage, {attributeFilter: ['data-shown']})
}"""

Grey = npt.NDArray[np.float64]


@dataclass
class Reader:
    """Somebody before the page."""

    page: Page
    server: DicomWebServer
    renderer: str
    problems: list[str] = field(default_factory=list)

    def part(self, name: str) -> Locator:
        """A part of the page by its test id."""
        return self.page.get_by_test_id(name)

    @property
    def stage(self) -> Locator:
        """Where the picture is."""
        return self.part("stage")

    async def open(self) -> None:
        """Open the card's address and wait for the first picture."""
        await self.page.goto(f"{self.server.address}?renderer={self.renderer}")
        await self.sees(1)
        await expect(self.stage).to_have_attribute("data-renderer", self.renderer)

    async def sees(self, number: int) -> None:
        """Wait until the picture of this number is shown."""
        await expect(self.stage).to_have_attribute("data-shown", str(number))

    async def choose_series(self, number: int) -> None:
        """Open a series from the list."""
        uid = f"{big_slice(1).StudyInstanceUID}.{number}"
        if await self.part("open-series").is_visible():
            await self.part("open-series").click()
        await self.part(f"series-{uid}").click()
        await expect(self.part(f"series-{uid}")).to_have_attribute("aria-pressed", "true")
        await self.sees(1)
        await expect(self.part("waiting")).to_have_count(0)

    async def drag(self, *points: tuple[float, float]) -> None:
        """Drag the mouse over the stage, from point to point."""
        box = await self.stage.bounding_box()
        assert box is not None
        x, y = points[0]
        await self.page.mouse.move(box["x"] + x, box["y"] + y)
        await self.page.mouse.down()
        for x, y in points[1:]:
            await self.page.mouse.move(box["x"] + x, box["y"] + y)
        await self.page.mouse.up()

    async def scale(self) -> float:
        """Stage pixels by picture pixels where a square CT is shown whole."""
        box = await self.stage.bounding_box()
        assert box is not None
        return min(box["width"], box["height"]) / 512

    async def shows(self, expected: npt.NDArray[np.uint8], tolerance: int = 0) -> None:
        """Wait until the middle of the canvas is the middle of a picture of three channels at 1:1."""
        rows, columns, _ = expected.shape
        size: list[int] = await self.part("canvas").evaluate("canvas => [canvas.width, canvas.height]")
        if self.renderer == "gpu":  # whose tables of greys have 1024 steps
            tolerance = max(tolerance, 2)
        left, top = round((size[0] - columns) / 2), round((size[1] - rows) / 2)
        width = height = 64
        x, y = left + columns // 2, top + rows // 2
        wanted = expected[y - top : y - top + height, x - left : x - left + width].astype(int)

        async def same() -> bool:
            found = np.array(await self.page.evaluate(PIXELS, [x, y, width, height])).reshape(height, width, 4)
            return bool(np.abs(found[..., :3] - wanted).max() <= tolerance)

        await eventually(same)


@dataclass
class Desk:
    """A server with a study, and the readers whom a test lets in."""

    server: DicomWebServer
    browser: Browser
    renderer: str
    readers: list[Reader] = field(default_factory=list)

    async def reader(self, device: dict[str, Any] = DESKTOP, *, opened: bool = True) -> Reader:
        """A browser of somebody's own, with the first picture before it."""
        context = await self.browser.new_context(locale="zh-CN", reduced_motion="reduce", **device)
        reader = Reader(await context.new_page(), self.server, self.renderer)

        def see_line(line: ConsoleMessage) -> None:
            # The browser itself writes down each answer of 400 and above.
            if line.type == "error" and "Failed to load resource" not in line.text:
                reader.problems.append(line.text)

        reader.page.on("pageerror", lambda error: reader.problems.append(str(error)))
        reader.page.on("console", see_line)
        self.readers.append(reader)
        if opened:
            await reader.open()
        return reader


@asynccontextmanager
async def opened_desk(browser: Browser, pages: Path, renderer: str) -> AsyncIterator[Desk]:
    async with running_dicomweb_server(pages) as server:
        server.images = [big_slice(number) for number in range(1, SLICES + 1)]
        desk = Desk(server, browser, renderer)
        yield desk
        for reader in desk.readers:
            await reader.page.context.close()
        assert [problem for reader in desk.readers for problem in reader.problems] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["canvas", "gpu"])
async def drawn_by(request: pytest.FixtureRequest, pages_folder: Path) -> AsyncIterator[tuple[Browser, str]]:
    """Chromium and the renderer that the page uses; the graphics chip is played by the processor."""
    async with async_playwright() as playwright:
        arguments = [one for one in CHROMIUM_ARGUMENTS if one != "--disable-gpu" or request.param == "canvas"]
        chromium = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=[*arguments, *SOFTWARE_CHIP]
        )
        yield chromium, request.param
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(drawn_by: tuple[Browser, str], pages_folder: Path) -> AsyncIterator[Desk]:
    """A study with a CT of some slices."""
    browser, renderer = drawn_by
    async with opened_desk(browser, pages_folder, renderer) as opened:
        yield opened


def windowed(dataset: pydicom.Dataset, center: float, width: float) -> npt.NDArray[np.uint8]:
    """Give the greys of a CT under a window, by the formula of PS3.3, C.11.2.1.2.1."""
    values: Grey = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    grey = ((values - (center - 0.5)) / (width - 1) + 0.5) * 255
    # As JavaScript rounds: halves go up.
    shown = np.floor(np.clip(grey, 0, 255) + 0.5).astype(np.uint8)
    return np.repeat(shown[..., None], 3, axis=2)


async def at_actual_size(reader: Reader) -> None:
    """Show one pixel of the picture on one of the screen."""
    await reader.part("actual").click()
    await expect(reader.part("overlay-window")).to_contain_text("缩放 100%")


async def test_the_canvas_shows_the_values_under_the_window(desk: Desk) -> None:
    reader = await desk.reader()
    await at_actual_size(reader)
    first = desk.server.images[0]
    for name, center, width in [("肺窗", -600, 1500), ("纵隔窗", 40, 350), ("骨窗", 400, 1800), ("脑窗", 35, 80)]:
        await reader.part(f"preset-{name}").click()
        await expect(reader.stage).to_have_attribute("data-window", f"{center}/{width}")
        await reader.shows(windowed(first, center, width))
    await reader.part("invert").click()
    await reader.shows(255 - windowed(first, 35, 80))


async def test_each_picture_of_the_stack_is_the_one_it_says(desk: Desk) -> None:
    reader = await desk.reader()
    await at_actual_size(reader)
    await reader.part("preset-骨窗").click()
    await reader.stage.hover()
    await reader.page.mouse.wheel(0, 100)
    await reader.sees(2)
    await reader.shows(windowed(desk.server.images[1], 400, 1800))
    await reader.stage.press("End")
    await reader.sees(SLICES)
    await reader.shows(windowed(desk.server.images[-1], 400, 1800))
    await reader.stage.press("ArrowUp")
    await reader.sees(SLICES - 1)
    await reader.stage.press("Home")
    await reader.stage.press("PageDown")
    await reader.sees(11)
    await expect(reader.part("overlay-place")).to_contain_text(f"第 11 / {SLICES} 张层厚 2 mm")
    await reader.part("slider").fill("4")
    await reader.sees(5)
    await reader.drag((300, 100), (300, 144))
    await reader.sees(7)


async def test_a_finger_turns_over_the_stack(desk: Desk) -> None:
    reader = await desk.reader(PHONE)
    box = await reader.stage.bounding_box()
    assert box is not None
    x, y = box["x"] + 200, box["y"] + 100
    touch = await reader.page.context.new_cdp_session(reader.page)
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for far in (23, 46, 69):
        await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + far}]})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await reader.sees(4)


async def test_two_fingers_enlarge(desk: Desk) -> None:
    reader = await desk.reader(PHONE)
    box = await reader.stage.bounding_box()
    assert box is not None
    before = await reader.part("overlay-window").inner_text()
    x, y = box["x"] + 200, box["y"] + 200
    touch = await reader.page.context.new_cdp_session(reader.page)

    def fingers(apart: float) -> list[dict[str, float]]:
        return [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]

    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": fingers(30)})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": fingers(60)})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    whole = round(100 * (box["width"] / 512))
    assert f"{whole}%" in before
    await expect(reader.part("overlay-window")).to_contain_text(f"缩放 {round(200 * (box['width'] / 512))}%")
    await reader.sees(1)


async def test_what_is_near_is_fetched_first(desk: Desk) -> None:
    reader = await desk.reader(opened=False)
    await reader.open()
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    names = [one.SOPInstanceUID for one in desk.server.images]
    asked = [names.index(one.removesuffix("/1")) for one in desk.server.asked]
    assert asked[0] == 0
    assert sorted(asked) == list(range(SLICES))
    assert max(at - place for place, at in enumerate(asked)) <= 4


async def test_a_length_is_in_millimetres_of_the_patient(desk: Desk) -> None:
    reader = await desk.reader()
    scale = await reader.scale()
    await reader.part("tool-length").click()
    await reader.drag((400, 200), (400 + 100 * scale, 200))
    await expect(reader.part("reading")).to_have_text("70.0 mm")  # 100 pixels of 0.7 mm
    await reader.drag((400 + 100 * scale, 200), (400 + 100 * scale, 200 + 100 * scale))
    await expect(reader.part("reading")).to_have_text("99.0 mm")  # its end was moved
    await reader.page.mouse.wheel(0, 100)
    await expect(reader.part("reading")).to_have_count(0)
    await reader.page.mouse.wheel(0, -100)
    await expect(reader.part("reading")).to_have_count(1)
    await reader.part("clear").click()
    await expect(reader.part("reading")).to_have_count(0)


async def test_angle_and_regions_are_measured(desk: Desk) -> None:
    reader = await desk.reader()
    box = await reader.stage.bounding_box()
    assert box is not None
    scale = await reader.scale()
    left, top = (box["width"] - 512 * scale) / 2, (box["height"] - 512 * scale) / 2
    await reader.part("tool-angle").click()
    await reader.drag((500, 300), (400, 300))
    await reader.drag((400, 200), (400, 200))
    await expect(reader.part("reading")).to_have_text("90.0°")
    await reader.part("clear").click()
    await reader.part("tool-rectangle").click()
    corner, other = (100, 120), (140, 180)  # columns, rows
    await reader.drag(
        (left + (corner[0] + 0.1) * scale, top + (corner[1] + 0.1) * scale),
        (left + (other[0] - 0.1) * scale, top + (other[1] - 0.1) * scale),
    )
    inside = desk.server.images[0].pixel_array[corner[1] : other[1], corner[0] : other[0]].astype(float) - 1024
    await expect(reader.part("reading").nth(0)).to_have_text(f"平均 {inside.mean():.1f} HU")
    await expect(reader.part("reading").nth(1)).to_have_text(f"标准差 {inside.std():.1f}")
    await expect(reader.part("reading").nth(2)).to_contain_text("mm²")


async def test_nothing_is_measured_without_a_scale(desk: Desk) -> None:
    desk.server.images.append(of_study("examples_rgb_color.dcm", 2))
    reader = await desk.reader()
    await reader.choose_series(2)
    await reader.part("tool-length").click()
    await reader.drag((400, 200), (500, 200))
    await expect(reader.part("reading")).to_have_text("无法测量：图像没有尺寸")


async def test_colours_are_those_of_the_file(desk: Desk) -> None:
    ultrasound = of_study("examples_rgb_color.dcm", 2)
    desk.server.images.append(ultrasound)
    reader = await desk.reader()
    await reader.choose_series(2)
    await at_actual_size(reader)
    await reader.shows(ultrasound.pixel_array)


async def test_a_film_of_jpeg_frames_plays_over_and_over(desk: Desk) -> None:
    desk.server.images.append(of_study("examples_ybr_color.dcm", 2))
    reader = await desk.reader()
    await reader.choose_series(2)
    await expect(reader.part("overlay-place")).to_contain_text("第 1 / 30 张")
    await reader.part("rate").select_option("30")
    await reader.stage.evaluate(RECORD)
    await reader.part("play").click()

    async def came_round() -> bool:
        return len(await reader.page.evaluate("window.seen")) > 35

    await eventually(came_round, 60)
    await reader.part("play").click()
    seen: list[int] = await reader.page.evaluate("window.seen")
    assert seen == [(at + 1) % 30 + 1 for at in range(len(seen))]  # none is left out
    await expect(reader.part("play")).to_have_attribute("aria-label", "播放")


async def test_dragging_sets_the_window_and_reset_takes_it_back(desk: Desk) -> None:
    reader = await desk.reader()
    await reader.part("preset-纵隔窗").click()
    await reader.part("tool-window").click()
    await reader.drag((400, 300), (500, 320))
    wide, level = round(350 * np.exp(100 / 250)), round(40 + 20 * 350 / 400)
    await expect(reader.stage).to_have_attribute("data-window", f"{level}/{wide}")
    await reader.part("tool-pan").click()
    await reader.drag((400, 300), (450, 330))
    await reader.part("reset").click()
    await expect(reader.part("preset-自动")).to_have_attribute("aria-pressed", "true")


async def test_key_images_are_there_after_a_reload(desk: Desk) -> None:
    reader = await desk.reader()
    await reader.stage.press("PageDown")
    await reader.sees(11)
    await reader.part("star").click()
    await expect(reader.part("starred")).to_be_visible()
    await reader.page.reload()
    await reader.sees(1)
    await expect(reader.part("starred")).to_have_count(0)
    await reader.part("next-star").click()
    await reader.sees(11)
    await expect(reader.part("starred")).to_be_visible()
    await reader.part("star").click()
    await expect(reader.part("next-star")).to_have_count(0)


async def test_a_mark_keeps_the_window_and_everybody_sees_who_made_it_and_what_was_seen(desk: Desk) -> None:
    expert, doctor = await desk.reader(), await desk.reader(PHONE)
    await expert.stage.press("PageDown")
    await expert.sees(11)
    await expert.part("preset-肺窗").click()
    await expert.part("invert").click()
    await expert.part("star").click()
    await expect(expert.part("starred")).to_contain_text("张强专家")
    [mark] = desk.server.case.marks
    assert (mark["instance"], mark["frame"], mark["inverted"]) == (big_slice(11).SOPInstanceUID, 1, True)
    said = f"{mark['window']['center']:.0f}/{mark['window']['width']:.0f}"
    await expect(expert.stage).to_have_attribute("data-window", said)
    await expect(doctor.stage).not_to_have_attribute("data-window", said)
    await doctor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await doctor.part("next-star").click()
    await doctor.sees(11)
    await expect(doctor.part("starred")).to_contain_text("张强专家")
    await expect(doctor.stage).to_have_attribute("data-window", said)


async def test_a_mark_that_is_not_written_down_is_taken_back_and_said(desk: Desk) -> None:
    reader = await desk.reader()
    desk.server.case.broken = True
    await reader.part("star").click()
    await expect(reader.part("star-trouble")).to_have_text("关键图没有标上：现在人有点多，请稍后再试。")
    await expect(reader.part("starred")).to_have_count(0)
    desk.server.case.broken = False
    await reader.part("star").click()
    await expect(reader.part("starred")).to_contain_text("张强专家")
    await expect(reader.part("star-trouble")).to_have_count(0)


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
async def test_whoever_may_not_mark_has_no_button_for_it(desk: Desk, device: dict[str, Any]) -> None:
    desk.server.case.may_mark = False
    reader = await desk.reader(device)
    await expect(reader.part("star")).to_have_count(0)
    await reader.stage.press("k")
    await expect(reader.part("starred")).to_have_count(0)
    assert desk.server.case.marks == []


async def test_a_session_that_is_over_is_renewed_by_itself(desk: Desk) -> None:
    reader = await desk.reader()
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    assert desk.server.logins == 1
    desk.server.forget_sessions()
    await reader.page.reload()
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    assert desk.server.logins == 2


async def test_a_picture_that_is_cut_off_is_never_shown_and_can_be_asked_for_again(desk: Desk) -> None:
    desk.server.broken = {desk.server.images[1].SOPInstanceUID}
    reader = await desk.reader()
    await reader.stage.press("ArrowDown")
    await expect(reader.part("trouble")).to_contain_text("这一张没有完整传到，请再试一次。")
    await reader.sees(1)
    desk.server.broken = set()
    await reader.part("trouble-again").click()
    await reader.sees(2)


def table_of(name: str, first: int, values: Grey) -> Dataset:
    """A look-up table of 12 bits (PS3.3 C.11.2)."""
    item = Dataset()
    item.add_new(0x00283002, "SS", [len(values), first, 12])
    item.add_new(0x00283003, "LO", name)
    item.add_new(0x00283006, "OW", values.astype("<u2").tobytes())
    return item


async def test_a_look_up_table_of_the_header_shows_what_pydicom_reads(desk: Desk) -> None:
    curve = 4095 * np.linspace(0, 1, 1500) ** 2
    tables = [table_of("LUNG", -1200, curve), table_of("BONE", 0, curve[::-1])]
    desk.server.images = [
        big_slice(number, VOILUTSequence=tables, WindowCenter=40, WindowWidth=80) for number in (1, 2)
    ]
    first = desk.server.images[0]
    reader = await desk.reader()
    await at_actual_size(reader)
    for preset, index in (("原设1（肺窗）", 0), ("原设2（骨窗）", 1)):
        await reader.part(f"preset-{preset}").click()
        read = apply_voi_lut(apply_modality_lut(first.pixel_array, first).astype(int), first, index=index)
        grey = np.floor(read / 4095 * 255 + 0.5).astype(np.uint8)
        await reader.shows(np.repeat(grey[..., None], 3, axis=2))
    await reader.part("preset-原设3").click()
    await reader.shows(windowed(first, 40, 80))
    await reader.part("reset").click()
    await expect(reader.part("preset-原设1（肺窗）")).to_have_attribute("aria-pressed", "true")


async def test_reports_are_no_series_of_pictures(desk: Desk) -> None:
    report = big_slice(1, Modality="SR", SOPInstanceUID="1.2.3.9001", SeriesInstanceUID="1.2.3.9000", SeriesNumber=9001)
    desk.server.images.append(report)
    reader = await desk.reader()
    await expect(reader.part(f"series-{desk.server.images[0].SeriesInstanceUID}")).to_be_visible()
    await expect(reader.part("series-1.2.3.9000")).to_have_count(0)


async def test_pixels_that_are_not_square_are_shown_as_high_and_wide_as_they_are(desk: Desk) -> None:
    tall = big_slice(
        1, SeriesInstanceUID=f"{big_slice(1).StudyInstanceUID}.2", SeriesNumber=2, SOPInstanceUID="1.2.3.4"
    )
    del tall.PixelSpacing
    tall.PixelAspectRatio = [2, 1]
    edge = np.full((512, 512), -1000, "<i2")
    edge[:, 192:320] = 3000
    tall.PixelData = edge.tobytes()
    desk.server.images.append(tall)
    reader = await desk.reader()
    await reader.choose_series(2)
    size: list[int] = await reader.part("canvas").evaluate("canvas => [canvas.width, canvas.height]")
    scale = size[1] / (512 * 2)  # the height fills the stage: each pixel is twice as high as wide

    async def is_drawn() -> bool:
        row: list[int] = await reader.part("canvas").evaluate(
            "canvas => [...canvas.getContext('2d').getImageData(0, canvas.height / 2, canvas.width, 1).data]"
        )
        bright = np.flatnonzero(np.array(row)[::4] > 127)
        return bool(abs(len(bright) - 128 * scale) <= 2 and abs(bright.mean() - size[0] / 2) <= 2)

    await eventually(is_drawn)


def placed(number: int) -> pydicom.FileDataset:
    """A slice that says where it lies: 2 mm above the one before it."""
    return big_slice(number, ImagePositionPatient=[-180, -180, 2 * number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])


async def test_a_series_is_cut_in_other_planes_and_measured_there(desk: Desk) -> None:
    desk.server.images = [placed(number) for number in range(1, SLICES + 1)]
    values = np.stack([one.pixel_array for one in desk.server.images]).astype(float) - 1024
    reader = await desk.reader()
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    assert [await reader.part(f"side-{edge}").inner_text() for edge in ("left", "right", "top", "bottom")] == list(
        "右左前后"
    )
    await reader.part("plane-coronal").click()
    await reader.sees(257)  # the middle of 512 rows
    await expect(reader.part("overlay-place")).to_contain_text("冠状面")
    assert [await reader.part(f"side-{edge}").inner_text() for edge in ("left", "right", "top", "bottom")] == list(
        "右左头足"
    )
    box = await reader.stage.bounding_box()
    assert box is not None
    scale = box["width"] / 512  # of a column; a slice is 2 mm high, a pixel 0.7 mm wide
    high = 2 / 0.7 * scale
    middle = box["height"] / 2
    await reader.part("tool-length").click()
    await reader.drag((300, middle - 5 * high), (300, middle + 5 * high))
    await expect(reader.part("reading")).to_have_text("20.0 mm")
    await reader.part("clear").click()
    await reader.part("tool-rectangle").click()
    top = middle - SLICES / 2 * high
    await reader.drag((100.1 * scale, top + 4.1 * high), (139.9 * scale, top + 7.9 * high))
    inside = values[SLICES - 8 : SLICES - 4, 256, 100:140]  # the last slice is the uppermost
    await expect(reader.part("reading").nth(0)).to_have_text(f"平均 {inside.mean():.1f} HU")
    await expect(reader.part("star")).to_be_disabled()
    await reader.part("plane-sagittal").click()
    await expect(reader.part("reading")).to_have_count(0)
    assert [await reader.part(f"side-{edge}").inner_text() for edge in ("left", "right", "top", "bottom")] == list(
        "前后头足"
    )
    await reader.stage.press("ArrowDown")
    await reader.sees(258)
    await reader.part("plane-axial").click()
    await reader.sees(SLICES // 2 + 1)
    await at_actual_size(reader)
    await reader.part("preset-骨窗").click()
    await reader.shows(windowed(desk.server.images[SLICES // 2], 400, 1800))


async def test_slices_that_make_no_block_are_offered_in_no_other_plane(desk: Desk) -> None:
    desk.server.images = [placed(number) for number in range(1, 6)]
    desk.server.images[-1].ImagePositionPatient = [-180, -180, 99]
    reader = await desk.reader()
    await expect(reader.stage).to_have_attribute("data-loaded", "5")
    await expect(reader.part("plane-coronal")).to_have_count(0)


async def test_frames_that_are_stored_as_jpeg_ls_are_decoded_by_the_browser(desk: Desk) -> None:
    plain = list(desk.server.images)
    for one in desk.server.images:
        one.compress(JPEGLSLossless, generate_instance_uid=False)
    twelve = big_slice(1, SeriesInstanceUID=f"{plain[0].StudyInstanceUID}.2", SeriesNumber=2, SOPInstanceUID="1.2.3.4")
    twelve.BitsStored, twelve.HighBit, twelve.PixelRepresentation = 12, 11, 0
    twelve.PixelData = (twelve.pixel_array & 0x0FFF).astype("<u2").tobytes()
    expected = twelve.copy()
    twelve.compress(JPEGLSLossless, generate_instance_uid=False)
    desk.server.images.append(twelve)
    reader = await desk.reader()
    await at_actual_size(reader)
    await reader.part("preset-骨窗").click()
    await reader.stage.press("End")
    await reader.sees(SLICES)
    await reader.shows(windowed(big_slice(SLICES), 400, 1800))
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    assert desk.server.stored_frames == SLICES
    await reader.choose_series(2)
    await at_actual_size(reader)
    await reader.part("preset-骨窗").click()
    await reader.shows(windowed(expected, 400, 1800))


async def test_the_server_decodes_where_no_worker_starts(desk: Desk) -> None:
    for one in desk.server.images:
        one.compress(JPEGLSLossless, generate_instance_uid=False)
    reader = await desk.reader(opened=False)
    await reader.page.route("**/*.wasm", lambda route: route.abort())
    await reader.open()
    await expect(reader.stage).to_have_attribute("data-loaded", str(SLICES))
    assert desk.server.stored_frames < SLICES / 2
    await at_actual_size(reader)
    await reader.part("preset-骨窗").click()
    await reader.shows(windowed(big_slice(1), 400, 1800))
    reader.problems.clear()  # the codec's own line about the missing file


async def test_a_jpeg_ls_frame_that_is_cut_off_is_never_shown(desk: Desk) -> None:
    for one in desk.server.images:
        one.compress(JPEGLSLossless, generate_instance_uid=False)
    desk.server.broken = {desk.server.images[1].SOPInstanceUID}
    reader = await desk.reader()
    await reader.stage.press("ArrowDown")
    await expect(reader.part("trouble")).to_contain_text("这一张没有完整传到，请再试一次。")
    await reader.sees(1)


async def test_a_chip_that_does_not_start_is_told_of_and_the_picture_stays(
    browser: Browser, pages_folder: Path
) -> None:
    async with opened_desk(browser, pages_folder, "gpu") as desk:
        reader = await desk.reader(opened=False)
        await reader.page.route("**/cornerstone-*.js", lambda route: route.abort())
        await reader.page.goto(f"{desk.server.address}?renderer=gpu")
        await expect(reader.part("renderer-note")).to_contain_text("不影响看图")
        reader.renderer = "canvas"
        await expect(reader.stage).to_have_attribute("data-renderer", "canvas")
        await at_actual_size(reader)
        await reader.part("preset-骨窗").click()
        await reader.shows(windowed(desk.server.images[0], 400, 1800))


async def test_a_consultation_without_studies_says_so(desk: Desk) -> None:
    desk.server.images.clear()
    reader = await desk.reader(opened=False)
    await reader.page.goto(desk.server.address)
    await expect(reader.part("empty")).to_contain_text("还没有影像")


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(PHONE, id="phone"),
        pytest.param(PHONE_ON_ITS_SIDE, id="phone on its side"),
        pytest.param(DESKTOP, id="desktop"),
    ],
)
async def test_the_page_is_clean_in_every_state(desk: Desk, device: dict[str, Any]) -> None:
    desk.server.images.append(of_study("examples_rgb_color.dcm", 2))
    reader = await desk.reader(device)

    async def check() -> None:
        assert await faults(reader.page) == []
        assert await reader.page.evaluate(SMALL) == []
        assert await reader.page.evaluate(WIDER) == 0

    await check()
    await reader.part("star").click()
    await check()
    if device is not DESKTOP:
        for opener in ("open-series", "open-window", "open-measure", "open-more"):
            await reader.part(opener).click()
            await expect(reader.part("sheet")).to_be_visible()
            await check()
            await reader.part("sheet-close").click()
        await reader.part("open-measure").click()
    await reader.part("tool-rectangle").click()
    box = await reader.stage.bounding_box()
    assert box is not None
    x, y = box["width"] / 2, box["height"] / 2
    await reader.drag((x - 60, y - 60), (x + 60, y + 60))
    await expect(reader.part("reading")).to_have_count(3)
    await check()
