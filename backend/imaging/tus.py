"""Resumable uploads over HTTP: tus 1.0.0 (tus.io/protocols/resumable-upload) with creation and termination.

Beside the protocol an upload is told by `fingerprint` and `batch` in its metadata: creating one of a content that is
known already answers 200 instead of 201, with how far it has come, so that nothing is sent twice.
"""

import asyncio
import base64
import binascii
import functools
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import ClientPayloadError, hdrs, web

from backend.errors import Forbidden, InvalidInput, NotFound
from backend.imaging import ImagingService, NewUpload, StoreAway, UploadState, UploadView
from backend.imaging.upload_rules import LARGEST_UPLOAD
from backend.imaging.viewing import Authorise
from backend.security.policy import Actor

PATH = "/imaging/uploads"
VERSION = "1.0.0"
_EXTENSIONS = "creation,termination"
_MEDIA_TYPE = "application/offset+octet-stream"
_SILENCE_SECONDS = 60.0
_LONGEST_NUMBER = 15

Answer = Callable[[Actor, web.Request], Awaitable[web.Response]]


def tus_routes(imaging: ImagingService, authorise: Authorise) -> list[web.RouteDef]:
    """Give the routes by which the people whom `authorise` knows send files."""

    async def options(_request: web.Request) -> web.Response:
        headers = {"Tus-Version": VERSION, "Tus-Extension": _EXTENSIONS, "Tus-Max-Size": str(LARGEST_UPLOAD)}
        return _answered(web.Response(status=204, headers=headers))

    async def create(actor: Actor, request: web.Request) -> web.Response:
        said = _metadata(request.headers.get("Upload-Metadata", ""))
        new = NewUpload(
            batch=_needed(said, "batch", 32),
            fingerprint=_needed(said, "fingerprint", 64),
            name=said.get("name", ""),
            size=_number(request, "Upload-Length"),
        )
        view = await imaging.begin_upload(actor, _needed(said, "consultation", 32), new)
        headers = {hdrs.LOCATION: f"{PATH}/{view.id}"} | _progress(view)
        return web.Response(status=200 if view.received else 201, headers=headers)

    async def look(actor: Actor, request: web.Request) -> web.Response:
        return web.Response(headers=_progress(await imaging.upload(actor, request.match_info["id"])))

    async def send_on(actor: Actor, request: web.Request) -> web.Response:
        if request.content_type != _MEDIA_TYPE:
            raise web.HTTPUnsupportedMediaType
        offset = _number(request, "Upload-Offset")
        try:
            view = await imaging.append_upload(actor, request.match_info["id"], offset, _body(request))
        except StoreAway as error:
            return web.json_response({"code": error.code, "message": error.sentence}, status=507)
        return web.Response(status=204, headers=_progress(view))

    async def drop(actor: Actor, request: web.Request) -> web.Response:
        await imaging.drop_upload(actor, request.match_info["id"])
        return web.Response(status=204)

    def resumable(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        @functools.wraps(answer)
        async def handle(request: web.Request) -> web.Response:
            if request.headers.get("Tus-Resumable") != VERSION:
                return _answered(web.Response(status=412, headers={"Tus-Version": VERSION}))
            actor = await authorise(request)
            try:
                return _answered(await answer(actor, request))
            except Forbidden:  # whoever may not see it does not learn that it is there
                raise NotFound("没有找到这次会诊。") from None

        return handle

    one = f"{PATH}/{{id:[0-9a-f]{{32}}}}"
    return [
        web.options(PATH, options),
        web.post(PATH, resumable(create)),
        web.head(one, resumable(look)),
        web.patch(one, resumable(send_on)),
        web.delete(one, resumable(drop)),
    ]


def _answered(response: web.Response) -> web.Response:
    response.headers["Tus-Resumable"] = VERSION
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


def _progress(view: UploadView) -> dict[str, str]:
    finished = view.state in (UploadState.WAITING, UploadState.DONE)
    return {
        "Upload-Offset": str(view.size if finished else view.received),
        "Upload-Length": str(view.size),
    }


def _metadata(header: str) -> dict[str, str]:
    """Read pairs of a key and a value in Base64, with commas between them. Raises InvalidInput."""
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidInput(field="Upload-Metadata") from None
    return found


def _needed(said: dict[str, str], key: str, digits: int) -> str:
    value = said.get(key, "")
    if len(value) != digits or not set(value) <= set("0123456789abcdef"):
        raise InvalidInput(field=f"Upload-Metadata: {key}")
    return value


def _number(request: web.Request, name: str) -> int:
    said = request.headers.get(name, "")
    if not said.isascii() or not said.isdigit() or len(said) > _LONGEST_NUMBER:
        raise InvalidInput(field=name)
    return int(said)


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """Give what comes; where the line is cut or falls silent it ends there, and what came is kept."""
    while True:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                block = await request.content.readany()
        except (ConnectionError, ClientPayloadError, TimeoutError, web.HTTPException):
            return
        if not block:
            return
        yield block
