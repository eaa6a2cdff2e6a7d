"""STOW-RS: instances stored over HTTP (PS3.18, section 10.5), read part by part as they stream in.

Every instance has a result of its own. What is answered as stored is durable; a request that is cut off may have stored
some of its instances, and sending all of them again is harmless.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.helpers import parse_mimetype

from backend.imaging import PROCESSING_FAILURE, STATUS, Announced, ImagingService, Reason, Unacceptable, valid_uid
from backend.imaging.json_model import DataSet, address, identifier, number, sequence
from backend.security.policy import Actor

log = logging.getLogger(__name__)

PATH = "/dicomweb"
LARGEST_REQUEST = 32 * 1024**3
"""Bytes of a request that are taken."""
MOST_PARTS = 10_000

_SMALL_BYTES = 1024 * 1024
_AT_ONCE = 8
_PIECE_BYTES = 128 * 1024
_MEDIA_TYPE = "application/dicom+json"


@dataclass(frozen=True)
class _Result:
    """What became of a part; `status` is zero where it is stored."""

    status: int
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str = ""


@dataclass
class _Body:
    """The parts of one request, and how many bytes of them have been read."""

    reader: MultipartReader
    read: int = 0
    parts: int = 0
    results: list["asyncio.Future[_Result]"] = field(default_factory=list)


class _Malformed(Exception):
    """The body is no sequence of parts, or ends before its end."""


def stow_routes(imaging: ImagingService) -> list[web.RouteDef]:
    """Give the routes of the store transaction."""

    async def store(request: web.Request) -> web.Response:
        return await _store(imaging, request)

    return [web.post(f"{PATH}/studies", store), web.post(f"{PATH}/studies/{{study}}", store)]


async def _store(imaging: ImagingService, request: web.Request) -> web.Response:
    sender = await _sender(imaging, request)
    study_uid = request.match_info.get("study", "")
    if study_uid and not valid_uid(study_uid):
        raise web.HTTPBadRequest(text="not a unique identifier")
    _check_media_type(request)
    if (request.content_length or 0) > LARGEST_REQUEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST_REQUEST, request.content_length or 0)
    body = _Body(_reader(request))
    try:
        await _read_parts(imaging, sender, study_uid, body)
    except _Malformed as error:
        raise web.HTTPBadRequest(text="the parts cannot be told apart") from error
    finally:
        # What is being stored is brought to its end, whatever became of the request.
        await asyncio.gather(*body.results, return_exceptions=True)
    results = [result.result() for result in body.results]
    if not results:
        raise web.HTTPBadRequest(text="no instances")
    return _answer(request, results)


async def _sender(imaging: ImagingService, request: web.Request) -> Actor:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    sender = await imaging.sender_of_token(token.strip()) if scheme.lower() == "bearer" else None
    if sender is None:
        raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
    return sender


def _check_media_type(request: web.Request) -> None:
    given = parse_mimetype(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if (given.type, given.subtype) != ("multipart", "related") or "boundary" not in given.parameters:
        raise web.HTTPUnsupportedMediaType(text="multipart/related is taken")
    if given.parameters.get("type", "application/dicom").lower() != "application/dicom":
        raise web.HTTPUnsupportedMediaType(text="parts of application/dicom are taken")


def _reader(request: web.Request) -> MultipartReader:
    try:
        return MultipartReader(request.headers, request.content)
    except ValueError as error:
        raise web.HTTPBadRequest(text="no usable boundary") from error


async def _read_parts(imaging: ImagingService, sender: Actor, study_uid: str, body: _Body) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)
    announced = Announced(study_uid=study_uid)
    while (part := await _next_part(body.reader)) is not None:
        body.parts += 1
        if body.parts > MOST_PARTS:
            raise web.HTTPRequestEntityTooLarge(MOST_PARTS, body.parts, text="too many instances in one request")
        await _read_part(imaging, sender, announced, body, part, slots)


async def _next_part(reader: MultipartReader) -> BodyPartReader | None:
    try:
        part = await reader.next()
    except (ValueError, AssertionError) as error:  # what aiohttp says of a malformed or cut off body
        raise _Malformed from error
    if part is not None and not isinstance(part, BodyPartReader):
        raise _Malformed  # a part of parts
    return part


async def _read_part(
    imaging: ImagingService,
    sender: Actor,
    announced: Announced,
    body: _Body,
    part: BodyPartReader,
    slots: asyncio.Semaphore,
) -> None:
    """Take one part: a small one is stored while the next is read, a large one as it streams in."""
    pieces = _pieces(part, body)
    if (
        part.headers.get(hdrs.CONTENT_TYPE, "application/dicom").partition(";")[0].strip().lower()
        != "application/dicom"
    ):
        async for _piece in pieces:
            pass
        body.results.append(_done(_Result(STATUS[Reason.NOT_DICOM], "", "")))
        return
    head: list[bytes] = []
    size = 0
    async for piece in pieces:
        head.append(piece)
        size += len(piece)
        if size > _SMALL_BYTES:
            whole = _chained(head, pieces)
            body.results.append(_done(await _receive(imaging, sender, announced, whole)))
            async for _rest in pieces:
                pass  # of a part that was refused before its end
            return
    await slots.acquire()
    task = asyncio.create_task(_receive(imaging, sender, announced, _chained(head, None)))
    task.add_done_callback(lambda _done: slots.release())
    body.results.append(task)


def _done(result: _Result) -> "asyncio.Future[_Result]":
    future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future


async def _receive(imaging: ImagingService, sender: Actor, announced: Announced, file: AsyncIterator[bytes]) -> _Result:
    try:
        instance = (await imaging.receive(sender, file, announced)).instance
    except Unacceptable as error:
        return _Result(STATUS[error.reason], error.sop_class_uid, error.sop_instance_uid)
    except (_Malformed, web.HTTPException, ConnectionError):
        raise  # of the body that the instance streams in from
    except Exception:
        log.exception("instance not stored")
        return _Result(PROCESSING_FAILURE, "", "")
    return _Result(0, instance.sop_class_uid, instance.sop_instance_uid, instance.study_uid)


async def _pieces(part: BodyPartReader, body: _Body) -> AsyncIterator[bytes]:
    while not part.at_eof():
        try:
            piece = await part.read_chunk(_PIECE_BYTES)
        except (ValueError, AssertionError) as error:
            raise _Malformed from error
        body.read += len(piece)
        if body.read > LARGEST_REQUEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST_REQUEST, body.read)
        if piece:
            yield piece


async def _chained(head: Sequence[bytes], rest: AsyncIterator[bytes] | None) -> AsyncIterator[bytes]:
    for piece in head:
        yield piece
    if rest is not None:
        async for piece in rest:
            yield piece


def _answer(request: web.Request, results: Sequence[_Result]) -> web.Response:
    """Make the response of PS3.18, section 10.5.3: its status (table 10.5.3-1) and its store instances response module
    (table 10.5.3-2)."""
    base = f"{request.url.origin()}{PATH}"
    stored = [result for result in results if not result.status]
    failed = [result for result in results if result.status]
    dataset: DataSet = {}
    studies = {result.study_uid for result in stored}
    if len(studies) == 1:
        dataset["00081190"] = address(f"{base}/studies/{studies.pop()}")
    if stored:
        dataset["00081199"] = sequence(
            [
                {
                    "00081150": identifier(result.sop_class_uid),
                    "00081155": identifier(result.sop_instance_uid),
                    "00081190": address(f"{base}/studies/{result.study_uid}/instances/{result.sop_instance_uid}"),
                }
                for result in stored
            ]
        )
    if named := [result for result in failed if result.sop_instance_uid]:
        dataset["00081198"] = sequence(
            [
                {
                    "00081150": identifier(result.sop_class_uid),
                    "00081155": identifier(result.sop_instance_uid),
                    "00081197": number(result.status),
                }
                for result in named
            ]
        )
    if nameless := [result for result in failed if not result.sop_instance_uid]:
        dataset["0008119A"] = sequence([{"00081197": number(result.status)} for result in nameless])
    status = 200 if not failed else 202 if stored else 409
    return web.json_response(dataset, status=status, content_type=_MEDIA_TYPE)
