"""Each request as a span: its method, the template of its address, and what it was answered."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from backend import tracing

_UNMEASURED = {"/healthz", "/readyz"}  # asked every few seconds by machines


@web.middleware
async def traced(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Measure a request. Its address itself may hold identifiers and tokens, and what the asker says of a trace of
    theirs is not believed: anybody could have everything kept."""
    resource = request.match_info.route.resource
    route = "" if resource is None else resource.canonical
    if route in _UNMEASURED or hdrs.UPGRADE in request.headers:  # a socket lasts as long as a conversation
        return await handler(request)
    with tracing.span(f"{request.method} {route or 'no route'}", carried="", **{"http.route": route}):
        response = await handler(request)
        tracing.note(**{"http.response.status_code": response.status})
        return response
