"""The sandbox's controls: clock, faults, journal, live events, reset. Documented in docs/sandbox.md."""

import asyncio
import json
from dataclasses import asdict

from aiohttp import web

from sandbox.clock import MAX_ADVANCE_SECONDS
from sandbox.requests import MAX_WAIT_SECONDS, json_response, number_field, number_query, read_body
from sandbox.world import WORLD

HEARTBEAT_SECONDS = 15.0

routes = web.RouteTableDef()


@routes.get("/api/clock")
async def show_clock(request: web.Request) -> web.Response:
    """The present time. With a version: waits until the clock's version is another one."""
    clock = request.app[WORLD].clock
    if "version" in request.query:
        version = int(number_query(request, "version", 0, -1, 1e15))
        if follower := request.query.get("follower", "")[:100]:
            clock.note_follower(follower, version)
        await clock.wait_for_change(version, number_query(request, "wait", 0, 0, MAX_WAIT_SECONDS))
    return json_response(clock.describe())


@routes.post("/api/clock/advance")
async def advance_clock(request: web.Request) -> web.Response:
    """Move the clock on; answers when the followers know."""
    world = request.app[WORLD]
    seconds = number_field(await read_body(request), "seconds", 0, MAX_ADVANCE_SECONDS)
    return await _moved(request, world.clock.offset + seconds)


@routes.post("/api/clock/reset")
async def reset_clock(request: web.Request) -> web.Response:
    """Put the clock back to real time; answers when the followers know."""
    return await _moved(request, 0.0)


async def _moved(request: web.Request, offset: float) -> web.Response:
    world = request.app[WORLD]
    world.clock.move(offset)
    world.stream.publish({"clock": world.clock.describe()})
    followed = await world.clock.wait_for_followers()
    return json_response({**world.clock.describe(), "followed": followed})


@routes.get("/api/faults")
async def list_faults(request: web.Request) -> web.Response:
    """The faults in force."""
    return json_response(request.app[WORLD].faults.all())


@routes.post("/api/faults")
async def add_fault(request: web.Request) -> web.Response:
    """Set a fault."""
    return json_response(asdict(request.app[WORLD].faults.add(await read_body(request))))


@routes.delete("/api/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Remove all faults."""
    request.app[WORLD].faults.clear()
    return json_response({})


@routes.delete(r"/api/faults/{id:\d{1,15}}")
async def remove_fault(request: web.Request) -> web.Response:
    """Remove one fault."""
    request.app[WORLD].faults.remove(int(request.match_info["id"]))
    return json_response({})


@routes.get("/api/journal")
async def read_journal(request: web.Request) -> web.Response:
    """The calls in both directions; without ``after`` the latest."""
    entries = await request.app[WORLD].journal.read(
        after=int(number_query(request, "after", 0, 0, 1e15)) if "after" in request.query else None,
        path=request.query.get("path"),
        openid=request.query.get("openid"),
        wait=number_query(request, "wait", 0, 0, MAX_WAIT_SECONDS),
        limit=int(number_query(request, "limit", 1000, 1, 20_000)),
    )
    return json_response(entries)


@routes.post("/api/reset")
async def reset(request: web.Request) -> web.Response:
    """Start anew: nothing is kept, no fault is set, the clock shows real time."""
    await request.app[WORLD].reset()
    return json_response({})


@routes.get("/api/stream")
async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events."""
    events = request.app[WORLD].stream
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    response = web.StreamResponse(headers=headers)
    queue = events.listen()
    try:
        await response.prepare(request)
        await response.write(b": hello\n\n")
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:
                break
            await response.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode(errors="replace"))
    except ConnectionResetError:
        pass
    finally:
        events.leave(queue)
    return response
