"""STOW-RS: instances stored over HTTP (PS3.18, section 10.5), read part by part as they stream in.

Every instance has a result of its own. What is answered as stored is durable; a request that is cut off may have stored
some of its instances, and sending all of them again is harmless.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from aiohttp import StreamReader, hdrs, web
from aiohttp.helpers import parse_mimetype

from backend.imaging import PROCESSING_FAILURE, STATUS, Announced, ImagingService, Reason, Unacceptable, valid_uid
from backend.imaging.json_model import DataSet, address, identifier, number, sequence
from backend.imaging.multipart import Malformed, Parts
from backend.limits import RateLimits
from backend.security.policy import Actor

log = logging.getLogger(__name__)

PATH = "/dicomweb"
LARGEST_REQUEST = 32 * 1024**3
"""Bytes of a request that are taken."""
MOST_PARTS = 10_000

_REQUESTS_A_MINUTE, _MINUTE = 6000, 60
_SMALL_BYTES = 1024 * 1024
_AT_ONCE = 8
_INSTANCE_TYPE = "application/dicom"
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
    """What streams in with one request, and what has become of its parts."""

    content: StreamReader
    size: int = 0
    parts: int = 0
    results: list["asyncio.Future[_Result]"] = field(default_factory=list)

    async def read(self) -> bytes:
        piece = await self.content.readany()
        self.size += len(piece)
        if self.size > LARGEST_REQUEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST_REQUEST, self.size)
        return piece


def stow_routes(imaging: ImagingService, limits: RateLimits) -> list[web.RouteDef]:
    """Give the routes of the store transaction; one machine may send so many requests a minute."""

    async def store(request: web.Request) -> web.Response:
        sender = await _sender(imaging, request)
        if not await limits.allow(f"stow:{sender.person_id}", _REQUESTS_A_MINUTE, seconds=_MINUTE):
            raise web.HTTPTooManyRequests(headers={hdrs.RETRY_AFTER: str(_MINUTE)})
        return await _store(imaging, sender, request)

    return [web.post(f"{PATH}/studies", store), web.post(f"{PATH}/studies/{{study}}", store)]


async def _store(imaging: ImagingService, sender: Actor, request: web.Request) -> web.Response:
    study_uid = request.match_info.get("study", "")
    if study_uid and not valid_uid(study_uid):
        raise web.HTTPBadRequest(text="not a unique identifier")
    boundary = _boundary(request)
    if (request.content_length or 0) > LARGEST_REQUEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST_REQUEST, request.content_length or 0)
    body = _Body(request.content)
    try:
        parts = Parts(body.read, boundary)
    except ValueError as error:
        raise web.HTTPBadRequest(text="no usable boundary") from error
    try:
        await _read_parts(imaging, sender, study_uid, body, parts)
    except Malformed as error:
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


def _boundary(request: web.Request) -> str:
    """Give what divides the parts, of a request that brings instances."""
    given = parse_mimetype(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if (given.type, given.subtype) != ("multipart", "related") or "boundary" not in given.parameters:
        raise web.HTTPUnsupportedMediaType(text="multipart/related is taken")
    if given.parameters.get("type", _INSTANCE_TYPE).lower() != _INSTANCE_TYPE:
        raise web.HTTPUnsupportedMediaType(text="parts of application/dicom are taken")
    return given.parameters["boundary"]


async def _read_parts(imaging: ImagingService, sender: Actor, study_uid: str, body: _Body, parts: Parts) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)
    announced = Announced(study_uid=study_uid)
    while (media_type := await parts.next()) is not None:
        body.parts += 1
        if body.parts > MOST_PARTS:
            raise web.HTTPRequestEntityTooLarge(MOST_PARTS, body.parts, text="too many instances in one request")
        if media_type not in ("", _INSTANCE_TYPE):
            body.results.append(_done(_Result(STATUS[Reason.NOT_DICOM], "", "")))
            continue
        await _read_part(imaging, sender, announced, body, parts, slots)


async def _read_part(
    imaging: ImagingService,
    sender: Actor,
    announced: Announced,
    body: _Body,
    parts: Parts,
    slots: asyncio.Semaphore,
) -> None:
    """Take one part: a small one is stored while the next is read, a large one as it streams in."""
    head: list[bytes] = []
    size = 0
    while piece := await parts.piece():
        head.append(piece)
        size += len(piece)
        if size > _SMALL_BYTES:
            whole = _chained(head, parts)
            body.results.append(_done(await _receive(imaging, sender, announced, whole)))
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
    except (Malformed, web.HTTPException, ConnectionError):
        raise  # of the body that the instance streams in from
    except Exception:
        log.exception("instance not stored")
        return _Result(PROCESSING_FAILURE, "", "")
    return _Result(0, instance.sop_class_uid, instance.sop_instance_uid, instance.study_uid)


async def _chained(head: Sequence[bytes], rest: Parts | None) -> AsyncIterator[bytes]:
    for piece in head:
        yield piece
    while rest is not None and (piece := await rest.piece()):
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
