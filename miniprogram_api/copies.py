"""The copy of a person's data as a file, behind the address that the chat gives them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from backend.errors import NotFound
from miniprogram_api.endpoint import TooManyRequests

if TYPE_CHECKING:
    from miniprogram_api.context import Context

LINKED_COPY = "/h5/copies/{token}.zip"

_LINK_OVER = "这个链接已经失效，请在微信里再要一次。"
_COPIES, _SECONDS = 5, 600
_HEADERS = {"Content-Disposition": "attachment; filename*=UTF-8''%E6%88%91%E7%9A%84%E8%B5%84%E6%96%99.zip"}


def linked_copy(context: "Context") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give the handler: the copy is made at the moment in which it is fetched, and audited as the person's own deed."""

    async def serve(request: web.Request) -> web.Response:
        person_id = context.copy_links.read(request.match_info["token"])
        if person_id is None:
            raise NotFound(_LINK_OVER)
        if not await context.limits.allow(f"copy:{person_id}", _COPIES, seconds=_SECONDS):
            raise TooManyRequests
        body = await context.copies.copy(await context.people.actor(person_id))
        return web.Response(body=body, content_type="application/zip", headers=_HEADERS)

    return serve
