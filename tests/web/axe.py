"""What axe-core finds wrong with a page: WCAG's rules, as far as a program can judge them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

_FILE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async ([impacts, frames]) =>
    (await axe.run(document, {resultTypes: ['violations'], iframes: frames})).violations
    .filter(fault => !impacts.length || impacts.includes(fault.impact))
    .map(fault => `${fault.id}: ` + fault.nodes.map(node => node.html + ' ' + node.failureSummary).join(' | '))"""
SEVERE = ("serious", "critical")


async def faults(page: Page, impacts: Sequence[str] = (), *, frames: bool = True) -> list[str]:
    """Look at the whole page as it is now; give each fault with the elements that have it.

    Args:
        impacts: those that count, in axe's words; all where none is named.
        frames: whether what is shown in frames counts.
    """
    # Half a megabyte that is read once a page. Evaluated by the tools, not by the page: its content policy holds.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_source())
    found: Any = await page.evaluate(_RUN, [list(impacts), frames])
    return list(found)


@cache
def _source() -> str:
    return _FILE.read_text("utf-8")
