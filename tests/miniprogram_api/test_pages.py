"""The built pages: where they are, and what a browser may do with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from miniprogram_api.pages import page_routes

ID = "0" * 32
ROOM = f"/h5/rooms/{ID}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a build leaves."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "room.html").write_text("<title>room</title>", "utf-8")
    (tmp_path / "recordings.html").write_text("<title>recordings</title>", "utf-8")
    (tmp_path / "report.html").write_text("<title>report</title>", "utf-8")
    (tmp_path / "viewer.html").write_text("<title>viewer</title>", "utf-8")
    (tmp_path / "assets" / "room-1a2b.js").write_text("export {}", "utf-8")
    (tmp_path / "assets" / "jls.worker-1a2b.js").write_text("export {}", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    return tmp_path


@asynccontextmanager
async def served(folder: Path, framed_by: str = "") -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Serve the pages."""
    application = web.Application()
    application.add_routes(page_routes(folder, framed_by))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            yield http, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (ROOM, "room"),
        ("/v", "room"),
        (f"/h5/recordings/{ID}", "recordings"),
        (f"/h5/viewer/{ID}", "viewer"),
        (f"/h5/reports/{ID}", "report"),
    ],
)
async def test_a_page_may_use_the_camera_and_stands_in_nobodys_frame(folder: Path, path: str, title: str) -> None:
    async with served(folder) as (http, url), http.get(url + path) as answer:
        assert f"<title>{title}</title>" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        for device in ("camera", "microphone", "display-capture"):
            assert f"{device}=(self)" in answer.headers["Permissions-Policy"]


async def test_a_local_wechat_may_show_it_in_a_frame(folder: Path) -> None:
    async with served(folder, "http://127.0.0.1:8090") as (http, url), http.get(url + ROOM) as answer:
        assert "frame-ancestors http://127.0.0.1:8090;" in answer.headers["Content-Security-Policy"]


async def test_what_a_page_loads_is_kept_for_long(folder: Path) -> None:
    async with served(folder) as (http, url), http.get(f"{url}/h5/assets/room-1a2b.js") as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


async def test_a_worker_may_run_a_codec_and_nothing_else_of_others(folder: Path) -> None:
    async with served(folder) as (http, url), http.get(f"{url}/h5/assets/jls.worker-1a2b.js") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


@pytest.mark.parametrize(
    "path", ["/h5/assets/none.js", "/h5/assets/..%2fsecret.txt", "/h5/assets/%2e%2e/secret.txt", "/h5/rooms/1", "/h5/"]
)
async def test_nothing_else_is_served(folder: Path, path: str) -> None:
    async with served(folder) as (http, url), http.get(URL(url + path, encoded=True)) as answer:
        assert answer.status == 404


async def test_pages_that_are_not_built_say_so_in_chinese(tmp_path: Path) -> None:
    async with served(tmp_path) as (http, url), http.get(url + ROOM) as answer:
        assert answer.status == 503
        assert "还没有准备好" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_local_wechat_puts_its_bridge_into_the_pages_in_its_frames(folder: Path) -> None:
    (folder / "wechat-bridge.js").write_text("// bridge", "utf-8")
    (folder / "pay.html").write_text("<head><title>pay</title></head><body></body>", "utf-8")
    async with served(folder, "http://127.0.0.1:8090") as (http, url):
        async with http.get(f"{url}/h5/pay/{ID}") as answer:
            script = '<script src="/h5/wechat-bridge.js" data-phone="http://127.0.0.1:8090"></script></head>'
            assert script in await answer.text()
        async with http.get(f"{url}/h5/wechat-bridge.js") as answer:
            assert (answer.status, await answer.text()) == (200, "// bridge")


async def test_elsewhere_pages_are_served_as_they_were_built(folder: Path) -> None:
    built = "<head><title>pay</title></head><body></body>"
    (folder / "wechat-bridge.js").write_text("// bridge", "utf-8")
    (folder / "pay.html").write_text(built, "utf-8")
    async with served(folder) as (http, url):
        async with http.get(f"{url}/h5/pay/{ID}") as answer:
            assert await answer.text() == built
        async with http.get(f"{url}/h5/wechat-bridge.js") as answer:
            assert answer.status == 404
