"""The viewer on a long series: seconds to the first image, images a second while scrolling, bytes carried.

    nice python -m benchmarks.viewer [--slices 300] [--rounds 3] [--json] [--renderer canvas]

`qiaoyi serve` as a process with its defaults takes the series over STOW-RS and compresses it; then Chromium opens the
viewer as the expert of the consultation, each round with an empty cache, and turns one slice after the other as soon as
the last one is shown: once while they are being fetched, once more when they are there.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from backend import migrations
from backend.security.policy import SYSTEM
from benchmarks.consultation import asked_expert
from benchmarks.product import Product, running_product
from benchmarks.slices import ct_series
from benchmarks.stow import store, until_compressed
from miniprogram_api.sessions import Sessions
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_PATIENT = "Wang^Xiaoming=王^小明"
_TARGETS = {"first_image_seconds": 1.0, "scrolling_images_per_second": 20.0}

_WATCH = """
performance.setResourceTimingBufferSize(10000)
window.firstImage = new Promise(done => {
    const look = () => {
        const stage = document.querySelector('[data-testid=stage]')
        // It is drawn in the animation frame after the one in which it is known to be shown.
        if (stage && stage.dataset.shown !== '0') requestAnimationFrame(() => done(performance.now()))
        else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
})
"""
_SCROLL = """key => new Promise(done => {
    const stage = document.querySelector('[data-testid=stage]')
    const count = Number(document.querySelector('[data-testid=slider]').max) + 1
    const end = key === 'ArrowDown' ? count : 1
    const began = performance.now()
    let wanted = Number(stage.dataset.shown)
    const turn = () => {
        if (Number(stage.dataset.shown) === wanted) {
            if (wanted === end) return done((count - 1) / (performance.now() - began) * 1000)
            wanted += key === 'ArrowDown' ? 1 : -1
            stage.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))
        }
        requestAnimationFrame(turn)
    }
    requestAnimationFrame(turn)
})"""
_BYTES = """() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .reduce((sum, one) => sum + one.transferSize, 0)"""


@dataclass(frozen=True)
class _Opened:
    consultation_id: str
    number: str
    sender_token: str
    session: str


async def run(slices: int, rounds: int, renderer: str) -> dict[str, object]:
    """Measure on a fresh product."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with open_house(load(data=data)) as house:
            await migrations.upgrade(house.settings.database)
            opened = await _consultation(house)
        files = ct_series(slices, opened.number, _PATIENT)
        async with running_product(data) as product, async_playwright() as playwright:
            intake = await store(f"{product.url}/dicomweb", f"Bearer {opened.sender_token}", files)
            received, stored = await until_compressed(data)
            after_intake = product.peak_megabytes()
            browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
            seen = [await _look(browser, product, opened, renderer) for _ in range(rounds)]
            await browser.close()
            return {
                "slices": slices,
                "rounds": seen,
                "median": {name: round(statistics.median(one[name] for one in seen), 2) for name in seen[0]},
                "targets": _TARGETS,
                "intake_instances_per_second": round(intake, 1),
                "series_megabytes": {"received": round(received / 1e6, 1), "stored": round(stored / 1e6, 1)},
                "server_peak_mb": {"intake": round(after_intake), "viewing": round(product.peak_megabytes())},
                "load": os.getloadavg()[0],
            }


async def _consultation(house: House) -> _Opened:
    """Let the demonstration's doctor send a case that an expert takes."""
    asked = await asked_expert(house)
    await asked.take(house)
    sender = await house.imaging.register_stow_sender(SYSTEM, asked.institution_id, "CT")
    session, _until = Sessions(house.ring.derive("session"), house.clock).mint(asked.expert.person_id)
    return _Opened(asked.id, asked.number, sender.token, session)


async def _look(browser: Browser, product: Product, opened: _Opened, renderer: str) -> dict[str, Any]:
    """Open the viewer and scroll through the series."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    await page.add_init_script(f"sessionStorage.setItem('qiaoyi-viewer-000001', '{json.dumps(opened.session)}')")
    await page.add_init_script(_WATCH)
    chosen = f"?renderer={renderer}" if renderer else ""
    await page.goto(f"{product.url}/h5/viewer/{opened.consultation_id}{chosen}#000001")
    first = await page.evaluate("window.firstImage")
    before = await page.evaluate(_BYTES)
    passed = await page.evaluate(_SCROLL, "ArrowDown")
    carried = await page.evaluate(_BYTES)
    again = await page.evaluate(_SCROLL, "ArrowUp")
    await context.close()
    return {
        "first_image_seconds": first / 1000,
        "scrolling_images_per_second": passed,
        "cached_images_per_second": again,
        "first_image_megabytes": before / 1e6,
        "megabytes": carried / 1e6,
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--renderer", default="", help="canvas or gpu; as the page chooses where not given")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.slices, options.rounds, options.renderer))
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
