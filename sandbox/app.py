"""The sandbox as one aiohttp application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from sandbox import control_api, pages
from sandbox.errors import ApiError
from sandbox.requests import MAX_BODY_BYTES, json_response
from sandbox.settings import Settings
from sandbox.state_file import StateFile
from sandbox.wechat import phone_api, web_authorisation
from sandbox.wechat.platform.calls import ACCOUNT
from sandbox.wechat.platform.routes import platform_routes
from sandbox.wechat_pay import payer
from sandbox.wechat_pay.server import Api
from sandbox.world import WORLD, World

SHUTDOWN_SECONDS = 0.5
HOSPITAL = "/hospital"
"""Below which address the hospital answers."""
INSURER = "/insurer"
"""Below which address the insurer answers."""


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn errors of the sandbox's own API into JSON ``{code, message}``."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    try:
        return await handler(request)
    except ApiError as error:
        return json_response({"code": error.code, "message": error.message}, error.status)
    except web.HTTPRequestEntityTooLarge:
        return json_response({"code": "too_large", "message": "内容太大了。"}, 400)
    except web.HTTPNotFound:
        return json_response({"code": "path_unknown", "message": "没有这个地址。"}, 404)
    except web.HTTPMethodNotAllowed:
        return json_response({"code": "method_not_allowed", "message": "这个地址不支持这种请求。"}, 404)


def create_app(world: World) -> web.Application:
    """The application of a world."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[answer_errors])
    app[WORLD] = world
    app[ACCOUNT] = world.account
    app.add_routes(platform_routes())
    app.add_routes(web_authorisation.routes)
    app.add_routes(phone_api.routes)
    app.add_routes(control_api.routes)
    app[payer.PAY] = world.pay
    app.add_routes(payer.routes)
    app.add_routes(Api(world.pay, lambda openid: world.account.phones.find(openid) is not None).routes())
    app.add_subapp(HOSPITAL, world.hospital.application())
    app.add_subapp(INSURER, world.insurer.application())
    app.add_routes(pages.page_routes(world.settings.web))
    app.cleanup_ctx.append(_run_courier)
    app.cleanup_ctx.append(_run_notifier)
    app.on_shutdown.append(_end_stream)
    return app


async def _run_courier(app: web.Application) -> AsyncIterator[None]:
    courier = app[ACCOUNT].courier
    await courier.client.start()
    yield
    await courier.close()


async def _run_notifier(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[WORLD].pay.notifier.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _end_stream(app: web.Application) -> None:
    app[WORLD].stream.close()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[World]:
    """Serve a sandbox for as long as the block runs. The world's ``account.public_url`` says where.

    Raises OSError when the port is taken and StateError when the state file makes no sense.
    """
    world = World(settings)
    async with _kept_state(world), _serving(world):
        yield world


@asynccontextmanager
async def _kept_state(world: World) -> AsyncIterator[None]:
    if world.settings.state is None:
        yield
        return
    state = StateFile(world.settings.state, world)
    state.read()
    state.start()
    try:
        yield
    finally:
        await state.close()


@asynccontextmanager
async def _serving(world: World) -> AsyncIterator[None]:
    settings = world.settings
    runner = web.AppRunner(create_app(world), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
        port = runner.addresses[0][1]
        world.account.public_url = settings.public_url.rstrip("/") or f"http://{_reachable(settings.host)}:{port}"
        yield
    finally:
        await runner.cleanup()


def _reachable(host: str) -> str:
    """A host that a browser on this machine can open."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 -- compared with, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
