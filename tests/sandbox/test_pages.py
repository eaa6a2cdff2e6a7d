"""The phones page: served where it is built, else a page that says how to build it."""

from pathlib import Path

import aiohttp
import pytest

from tests.support.sandbox import running_sandbox


async def fetch(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_without_a_page_the_start_page_says_how_to_build_it() -> None:
    async with running_sandbox() as sandbox:
        status, text = await fetch(sandbox.base_url + "/")
    assert status == 200
    assert "make run" in text


@pytest.mark.parametrize("start", ["phones.html", "index.html"])
async def test_a_built_page_is_served_with_its_assets(tmp_path: Path, start: str) -> None:
    (tmp_path / start).write_text("<title>手机</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app.js").write_text("let a")
    (tmp_path.parent / "secret.txt").write_text("secret")
    async with running_sandbox(web=tmp_path) as sandbox:
        assert await fetch(sandbox.base_url + "/") == (200, "<title>手机</title>")
        assert await fetch(sandbox.base_url + "/assets/app.js") == (200, "let a")
        assert (await fetch(sandbox.base_url + "/favicon.svg"))[0] == 200
        assert (await fetch(sandbox.base_url + "/assets/..%2f..%2fsecret.txt"))[0] == 404
        assert (await fetch(sandbox.base_url + "/nowhere"))[0] == 404
