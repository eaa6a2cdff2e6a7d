"""The phones page: the built single-page app where there is one, else a page that says how to build it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>桥医 · 本地微信</title>
<body style="font:16px/1.8 sans-serif;max-width:40em;margin:4em auto;padding:0 1em">
<h1>本地微信已启动</h1>
<p>手机页面还没有构建。请在项目目录运行 <code>make run</code>，或者先构建 <code>web/</code>，
再用 <code>python -m sandbox --web web/dist</code> 启动。</p>
<p>接口说明见 <code>docs/sandbox.md</code>；现有的手机：<a href="/api/phones">/api/phones</a>。</p>"""


def page_routes(folder: Path | None) -> list[web.AbstractRouteDef]:
    """The routes of the page: ``/`` and, where it is built, what it loads."""
    start = _start_file(folder)
    if folder is None or start is None:
        return [web.get("/", _not_built)]
    routes: list[web.AbstractRouteDef] = [web.get("/", _file(start)), web.get(f"/{start.name}", _file(start))]
    if (folder / "assets").is_dir():
        routes.append(web.static("/assets", folder / "assets"))
    routes += [web.get(f"/{file.name}", _file(file)) for file in _loose_files(folder, start)]
    return routes


def _start_file(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    candidates = (folder / "phones.html", folder / "index.html")
    return next((file for file in candidates if file.is_file()), None)


def _loose_files(folder: Path, start: Path) -> list[Path]:
    """Icons and the like beside the page."""
    return [file for file in folder.iterdir() if file.is_file() and file != start]


def _file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    return serve


async def _not_built(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=NOT_BUILT, content_type="text/html")
