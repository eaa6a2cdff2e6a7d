"""The built pages that cards open (`web/dist`), each with what a browser may do with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from aiohttp import web

log = logging.getLogger(__name__)

_ID = "[0-9a-f]{32}"
_PAGES = {
    f"/h5/rooms/{{id:{_ID}}}": "room.html",
    "/v": "room.html",
    f"/h5/recordings/{{id:{_ID}}}": "recordings.html",
    f"/h5/viewer/{{id:{_ID}}}": "viewer.html",
    f"/h5/reports/{{id:{_ID}}}": "report.html",
    f"/h5/prescriptions/{{id:{_ID}}}": "prescription.html",
    f"/h5/history/{{id:{_ID}}}": "history.html",
    f"/h5/studies/{{id:{_ID}}}": "studies.html",
    f"/h5/pay/{{id:{_ID}}}": "pay.html",
    f"/h5/quarantine/{{id:{_ID}}}": "studies.html",
}
_CONSOLE = "/console"
_ASSETS = "/h5/assets"
_BRIDGE = "/h5/wechat-bridge.js"
_PERMISSIONS = "camera=(self), microphone=(self), display-capture=(self), geolocation=()"
_CONSOLE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
"""Of the administrators' page: in nobody's frame, not even a local WeChat's."""
_WORKER = ".worker-"
_WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""Workers have a policy of their own: codecs in WebAssembly run in them, and not in the pages."""

_NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>桥医</title>
<body style="font:18px/1.8 sans-serif;max-width:36em;margin:3em auto;padding:0 1em">
<h1>这个页面还没有准备好</h1>
<p>请稍后再打开，或在公众号里联系我们。</p>
<p lang="en" style="color:#666">The pages are not built: run <code>make web</code>.</p>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page_routes(folder: Path, framed_by: str = "") -> list[web.AbstractRouteDef]:
    """Give the routes of the pages.

    Args:
        folder: the built pages.
        framed_by: the origin that may show them in a frame (a local WeChat's); nobody's when empty. Into pages in its
            frames a local WeChat puts a WeixinJSBridge by a script, as WeChat itself does without one.
    """
    ancestors = framed_by or "'none'"
    bridge = f'<script src="{_BRIDGE}" data-phone="{escape(framed_by)}"></script>' if framed_by else ""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"frame-ancestors {ancestors}; object-src 'none'",
        "Permissions-Policy": _PERMISSIONS,
    }
    pages = {path: _page(folder / name, headers, bridge) for path, name in _PAGES.items()}
    routes: list[web.AbstractRouteDef] = [web.get(path, page) for path, page in pages.items()]
    routes.append(web.get(_CONSOLE, _page(folder / "console.html", _CONSOLE_HEADERS, "")))
    routes.append(web.get(f"{_ASSETS}/{{name:[A-Za-z0-9._-]+}}", _asset(folder / "assets")))
    if framed_by:
        routes.append(web.get(_BRIDGE, _file(folder / _BRIDGE.rpartition("/")[2])))
    return routes


def _file(file: Path) -> Handler:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

    return serve


def _page(file: Path, headers: dict[str, str], bridge: str) -> Handler:
    async def serve(_request: web.Request) -> web.Response:
        try:
            html, status = await asyncio.to_thread(file.read_text, "utf-8"), 200
        except OSError:
            log.warning("a page is not built: %s", file.name)
            html, status = _NOT_BUILT, 503
        html = html.replace("</head>", f"{bridge}</head>", 1)
        return web.Response(text=html, status=status, content_type="text/html", headers=headers)

    return serve


def _asset(folder: Path) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        file = folder / request.match_info["name"]
        if not file.is_file():
            raise web.HTTPNotFound
        # Their names hold a digest of what is in them.
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        if _WORKER in file.name:
            headers["Content-Security-Policy"] = _WORKER_POLICY
        return web.FileResponse(file, headers=headers)

    return serve
