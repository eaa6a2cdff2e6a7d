"""WADO-RS: files, headers, frames and pictures of studies (PS3.18, sections 10.4 and 8.3.5)."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import hdrs, web
from pydicom import uid

from backend.ids import new_id
from backend.imaging import ImagingService, InstanceView, StudyView
from backend.imaging.accepting import Wanted, wanted
from backend.imaging.decoding import CONVERTIBLE
from backend.imaging.qido import MEDIA_TYPE
from backend.imaging.viewing import INSTANCE, SERIES, STUDY, Authorise, Viewer, handler, require_some
from backend.rendering import Window

FILE = "application/dicom"
SAMPLES = "application/octet-stream"
ENCODED: dict[str, str] = {
    uid.JPEGLSLossless: "image/jls",
    uid.JPEGLSNearLossless: "image/jls",
    uid.JPEG2000Lossless: "image/jp2",
    uid.JPEG2000: "image/jp2",
    uid.HTJ2KLossless: "image/jphc",
    uid.HTJ2KLosslessRPCL: "image/jphc",
    uid.HTJ2K: "image/jphc",
    uid.JPEGBaseline8Bit: "image/jpeg",
    uid.JPEGExtended12Bit: "image/jpeg",
    uid.JPEGLossless: "image/jpeg",
    uid.JPEGLosslessSV1: "image/jpeg",
    uid.RLELossless: "image/dicom-rle",
}
"""Media types of encoded frames (PS3.18, table 8.7.3-5)."""

_PAGE = 50
_PAGE_OF_HEADERS = 100
_GZIP_FORMAT, _GZIP_LEVEL = 31, 1
_MOST_FRAMES = 1000
_THUMBNAIL = (160, 160)
_LARGEST_VIEWPORT = 8192

Part = tuple[str, AsyncIterator[bytes]]
"""The content type of a part, and what is in it."""


def wado_routes(imaging: ImagingService, authorise: Authorise) -> list[web.RouteDef]:
    """Give the routes of the retrieve transaction."""
    answers: dict[str, Callable[[Viewer], Awaitable[web.StreamResponse]]] = {
        STUDY: _files,
        SERIES: _files,
        INSTANCE: _file,
        f"{STUDY}/metadata": _metadata,
        f"{SERIES}/metadata": _metadata,
        f"{INSTANCE}/metadata": _metadata_of_one,
        f"{INSTANCE}/frames/{{frames:[0-9,]{{1,8000}}}}": _frames,
        f"{INSTANCE}/frames/{{frame:[0-9]{{1,9}}}}/rendered": _rendered,
        f"{INSTANCE}/frames/{{frame:[0-9]{{1,9}}}}/thumbnail": _thumbnail,
        f"{INSTANCE}/rendered": _rendered,
        f"{INSTANCE}/thumbnail": _thumbnail,
        f"{SERIES}/thumbnail": _thumbnail_of_series,
    }
    return [web.get(path, handler(imaging, authorise, answer)) for path, answer in answers.items()]


async def _files(viewer: Viewer) -> web.StreamResponse:
    """Give every instance of a study or a series, one after another as they are read."""
    study, series_uid = await viewer.study(), viewer.request.match_info.get("series", "")
    stored = await viewer.imaging.transfer_syntaxes(study, series_uid)
    require_some(stored)
    chosen = _how(viewer, stored)

    async def parts() -> AsyncIterator[Part]:
        async for instance in _instances(viewer, study, series_uid):
            yield _file_part(viewer, instance, chosen)

    return await _related(viewer, FILE, parts())


async def _file(viewer: Viewer) -> web.StreamResponse:
    instance = await viewer.instance()
    single = next((one for one in wanted(viewer.request) if not one.related and one.takes(FILE)), None)
    if single is None:
        part = _file_part(viewer, instance, _how(viewer, {instance.transfer_syntax}))
        return await _related(viewer, FILE, _only(part))
    if not _can_give(single.transfer_syntax, instance.transfer_syntax):
        raise web.HTTPNotAcceptable
    media_type, content = _file_part(viewer, instance, single.transfer_syntax)
    return await _stream(viewer, media_type, content)


def _how(viewer: Viewer, stored: set[str]) -> str:
    """Give the first transfer syntax asked for in which everything can be given ("*" for as it is stored).

    Raises:
        HTTPNotAcceptable: none.
    """
    for one in wanted(viewer.request):
        if one.related and one.takes(FILE) and all(_can_give(one.transfer_syntax, syntax) for syntax in stored):
            return one.transfer_syntax
    raise web.HTTPNotAcceptable(text="not in this transfer syntax: ask for transfer-syntax=*")


def _can_give(asked: str, stored: str) -> bool:
    """Tell whether a file can be given as asked; Explicit VR Little Endian where nothing is (PS3.18, table 8.7.3-2)."""
    if asked in ("*", stored):
        return True
    return asked in ("", uid.ExplicitVRLittleEndian) and stored in CONVERTIBLE


def _file_part(viewer: Viewer, instance: InstanceView, asked: str) -> Part:
    as_stored = asked in ("*", instance.transfer_syntax) or instance.transfer_syntax == uid.ExplicitVRLittleEndian
    syntax = instance.transfer_syntax if as_stored else uid.ExplicitVRLittleEndian
    content = viewer.imaging.stored_file(instance) if as_stored else viewer.imaging.decoded_file(instance)
    return f"{FILE};transfer-syntax={syntax}", content


async def _metadata(viewer: Viewer) -> web.StreamResponse:
    """Give the headers of a study or a series as one array, in the order of their numbers as they are read."""
    study, series_uid = await viewer.study(), viewer.request.match_info.get("series", "")
    require_some(await viewer.imaging.transfer_syntaxes(study, series_uid))

    async def content() -> AsyncIterator[bytes]:
        offset, limit = 0, 1  # the first at once, for a viewer can begin with it
        separator = b"["
        while headers := await viewer.imaging.headers_of(study, series_uid, offset=offset, limit=limit):
            yield separator + b",".join(headers)
            separator = b","
            offset, limit = offset + len(headers), _PAGE_OF_HEADERS
        yield b"]"

    return await _stream(viewer, MEDIA_TYPE, content(), packed=_takes_gzip(viewer))


async def _metadata_of_one(viewer: Viewer) -> web.Response:
    header = await viewer.imaging.header(await viewer.instance())
    return web.Response(body=b"[" + header + b"]", content_type=MEDIA_TYPE)


async def _frames(viewer: Viewer) -> web.StreamResponse:
    instance = await viewer.instance()
    said = viewer.request.match_info["frames"].split(",")
    if not all(said) or len(said) > _MOST_FRAMES or any(len(one) > 9 for one in said):
        raise web.HTTPBadRequest(text="frames are numbers with commas between them")
    chosen = _how_frames(viewer, instance, single=len(said) == 1)
    decoded = chosen.media_type == SAMPLES
    # The first before the answer begins, so that what cannot be given is said by its status.
    first = await _frame(viewer, instance, int(said[0]), decoded=decoded)
    syntax = uid.ExplicitVRLittleEndian if decoded else instance.transfer_syntax
    content_type = f"{chosen.media_type};transfer-syntax={syntax}"
    if not chosen.related:
        return web.Response(body=first, headers={hdrs.CONTENT_TYPE: content_type})

    async def parts() -> AsyncIterator[Part]:
        yield content_type, _pieces(first)
        for number in said[1:]:
            yield content_type, _pieces(await _frame(viewer, instance, int(number), decoded=decoded))

    return await _related(viewer, chosen.media_type, parts())


def _how_frames(viewer: Viewer, instance: InstanceView, *, single: bool) -> Wanted:
    """Give the media type of the frames: samples where anything is taken, unless as they are stored is asked for.

    Raises:
        HTTPNotAcceptable: none that is asked for can be given.
    """
    encoded = ENCODED.get(instance.transfer_syntax)
    for one in wanted(viewer.request):
        if not one.related and not single:
            continue
        as_stored = one.transfer_syntax in ("*", instance.transfer_syntax)
        takes_encoded = encoded is not None and one.takes(encoded) and (as_stored or not one.transfer_syntax)
        if encoded is not None and takes_encoded and (as_stored or one.media_type == encoded):
            return Wanted(encoded, one.related)
        plain = one.transfer_syntax in ("", "*", uid.ExplicitVRLittleEndian)
        if one.takes(SAMPLES) and plain and instance.transfer_syntax in CONVERTIBLE:
            return Wanted(SAMPLES, one.related)
    raise web.HTTPNotAcceptable(text="frames are not stored like that: ask for transfer-syntax=*")


async def _frame(viewer: Viewer, instance: InstanceView, number: int, *, decoded: bool) -> bytes:
    native = not uid.UID(instance.transfer_syntax).is_encapsulated
    if decoded and not native:
        return (await viewer.imaging.decoded_frame(instance, number)).data
    return (await viewer.imaging.stored_frame(instance, number)).data


async def _rendered(viewer: Viewer) -> web.StreamResponse:
    return await _picture(viewer, await viewer.instance(), _viewport(viewer, None))


async def _thumbnail(viewer: Viewer) -> web.StreamResponse:
    return await _picture(viewer, await viewer.instance(), _viewport(viewer, _THUMBNAIL))


async def _thumbnail_of_series(viewer: Viewer) -> web.StreamResponse:
    """Show the instance in the middle."""
    study = await viewer.study()
    series_uid = viewer.request.match_info["series"]
    listed = await viewer.imaging.series_of(study)
    count = next((series.instances for series in listed if series.series_uid == series_uid), 0)
    found = await viewer.imaging.instances_of(study, series_uid, offset=count // 2, limit=1)
    require_some(found)
    return await _picture(viewer, found[0], _viewport(viewer, _THUMBNAIL))


async def _picture(viewer: Viewer, instance: InstanceView, viewport: tuple[int, int] | None) -> web.Response:
    number = int(viewer.request.match_info.get("frame", "1"))
    window = _window(viewer)
    takes = wanted(viewer.request)
    if instance.transfer_syntax == uid.JPEGBaseline8Bit and any(one.takes("image/jpeg") for one in takes):
        stored = await viewer.imaging.stored_frame(instance, number)
        return web.Response(body=stored.data, content_type="image/jpeg")  # browsers decode it; we do not
    if not any(one.takes("image/png") for one in takes):
        raise web.HTTPNotAcceptable(text="pictures are image/png")
    return web.Response(
        body=await viewer.imaging.rendered(instance, number, window, viewport), content_type="image/png"
    )


def _window(viewer: Viewer) -> Window | None:
    """Read `window=center,width[,function]` (PS3.18, section 8.3.5.1.4)."""
    said = viewer.request.query.get("window")
    if said is None:
        return None
    parts = said.split(",")
    try:
        window = Window(float(parts[0]), float(parts[1]), *(part.upper().replace("-", "_") for part in parts[2:]))
    except (ValueError, IndexError, TypeError):
        window = None
    if window is None or not window.is_valid:
        raise web.HTTPBadRequest(text="window=center,width,function")
    return window


def _viewport(viewer: Viewer, default: tuple[int, int] | None) -> tuple[int, int] | None:
    """Read `viewport=width,height` (PS3.18, section 8.3.5.1.3); no part of a picture can be asked for."""
    said = viewer.request.query.get("viewport")
    if said is None:
        return default
    parts = said.split(",")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise web.HTTPBadRequest(text="viewport=width,height")
    width, height = (min(int(part), _LARGEST_VIEWPORT) for part in parts)
    if not width or not height:
        raise web.HTTPBadRequest(text="viewport=width,height")
    return width, height


async def _instances(viewer: Viewer, study: StudyView, series_uid: str) -> AsyncIterator[InstanceView]:
    """Give the instances of a study, or of one of its series, by their numbers; some at a time are known."""
    offset, page = 0, await viewer.imaging.instances_of(study, series_uid, limit=_PAGE)
    while page:
        for instance in page:
            yield instance
        offset += _PAGE
        page = await viewer.imaging.instances_of(study, series_uid, offset=offset, limit=_PAGE)


async def _only(part: Part) -> AsyncIterator[Part]:
    yield part


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _related(viewer: Viewer, media_type: str, parts: AsyncIterator[Part]) -> web.StreamResponse:
    boundary = new_id()

    async def content() -> AsyncIterator[bytes]:
        async for part_type, pieces in parts:
            yield f"--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode()
            async for piece in pieces:
                yield piece
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return await _stream(viewer, f'multipart/related; type="{media_type}"; boundary={boundary}', content())


async def _stream(
    viewer: Viewer, content_type: str, content: AsyncIterator[bytes], *, packed: bool = False
) -> web.StreamResponse:
    """Answer with what streams; where it fails half-way the connection is cut, so that nobody takes a part for all.

    Args:
        packed: compress each piece on the way (gzip), so that it can be read as soon as it has come.
    """
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: content_type})
    if packed:
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        content = _gzipped(content)
    await response.prepare(viewer.request)
    try:
        async for piece in content:
            await response.write(piece)
    except Exception:
        if viewer.request.transport is not None:
            viewer.request.transport.abort()
        raise
    await response.write_eof()
    return response


def _takes_gzip(viewer: Viewer) -> bool:
    said = viewer.request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    return any(one.strip() == "gzip" for one in said.split(","))


async def _gzipped(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_FORMAT)
    async for piece in content:
        yield await asyncio.to_thread(lambda piece=piece: packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH))  # type: ignore[misc]
    yield packer.flush()
