"""One serving process: the parts that its role needs, started together, watched, and ended together."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import redis.asyncio
from aiohttp import web

from backend.messaging.identities import Identities
from bot import notifications
from bot.delivery.sender import CHANNEL
from bot.dialogue import Dialogue
from bot.flows.registration import register_flows
from bot.flows.staff_menus import idle_flow
from bot.identities import UnionIds
from bot.membership import Membership
from bot.services import Services
from bot.transport import Receiving, Sending
from bot.wechat.token import RedisTokenStore, TokenStore
from miniprogram_api.application import make_application
from miniprogram_api.context import Context
from miniprogram_api.login import Code2Session
from miniprogram_api.sessions import Sessions
from nlu.embedded import EmbeddedProvider
from qiaoyi.house import House
from qiaoyi.links import PublicLinks, calendar_tokens
from qiaoyi.sandbox_clock import ClockFollower
from qiaoyi.settings import ServeRole, SettingsError

_STOP_SECONDS = 10.0


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[None]:
    """Serve what the house's settings say while inside; whatever fails ends the process rather than half of it.

    Raises:
        SettingsError: no WeChat account is set, or the port is taken.
    """
    settings = house.settings
    if settings.wechat is None:
        raise SettingsError("setting wechat: app_id, app_secret, token and aes_key of the account are needed")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tokens = await _token_store(house, stack)
        sending = Sending(house.database, house.clock, house.people, settings.wechat, files=house.files, tokens=tokens)
        calendar = calendar_tokens(house.ring, house.clock)
        identities = Identities(house.database, house.clock, house.people, home_channel=CHANNEL)
        services = _services(house, sending, PublicLinks(settings.public, calendar))
        notifications.register(house.events, services)
        membership = Membership(house.database, house.people, sending.rows, sending.worker)
        membership.register(house.events)
        work: list[Coroutine[Any, Any, None]] = [sending.run()]
        if settings.role in (ServeRole.ALL, ServeRole.WORKER):
            work += [house.events.run(), house.timers.run(), house.audit.run(), house.files.keep_swept()]
            work += [sending.menus.keep_published(), UnionIds(identities, sending.client).run()]
        if settings.clock_url:
            follower = ClockFollower(house.clock, settings.clock_url, f"{settings.role}-{os.getpid()}")
            await follower.follow_once(http)
            work.append(follower.run())
        application = None
        if settings.role in (ServeRole.ALL, ServeRole.WEB):
            dialogue = make_dialogue(services, numbered=not settings.wechat.menu_messages)
            receiving = Receiving(
                house.database,
                house.clock,
                sending,
                settings.wechat,
                dialogue,
                files=house.files,
                followed=membership.followed,
            )
            work.append(receiving.run())
            application = _application(house, receiving, identities, http, calendar)
        await stack.enter_async_context(_working(work))
        if application is not None:  # last to begin, first to end: nothing is taken in that would not be worked on
            await stack.enter_async_context(_listening(application, settings.host, settings.port))
        yield


def make_dialogue(services: Services, numbered: bool) -> Dialogue:
    """Give the dialogue with every flow of the product."""
    dialogue = Dialogue(EmbeddedProvider(), services, idle_flow, numbered=numbered)
    register_flows(dialogue)
    return dialogue


def _services(house: House, sending: Sending, links: PublicLinks) -> Services:
    return Services(
        people=house.people,
        consultations=house.consultations,
        scheduling=house.scheduling,
        files=house.files,
        outbox=sending.outbox,
        help_desk=house.help_desk,
        clock=house.clock,
        links=links,
    )


async def _token_store(house: House, stack: AsyncExitStack) -> TokenStore | None:
    settings = house.settings
    if not settings.redis_url or settings.wechat is None:
        return None
    client = redis.asyncio.from_url(settings.redis_url, socket_timeout=5.0)
    stack.push_async_callback(client.aclose)
    return RedisTokenStore(client, settings.wechat.app_id)


def _application(
    house: House, receiving: Receiving, identities: Identities, http: aiohttp.ClientSession, calendar: Sessions
) -> web.Application:
    settings = house.settings
    assert settings.wechat is not None  # noqa: S101  # checked where serving begins
    context = Context(
        people=house.people,
        consultations=house.consultations,
        scheduling=house.scheduling,
        code2session=Code2Session(http, settings.wechat.api_url, settings.mini_app_id, settings.mini_app_secret),
        identities=identities,
        sessions=Sessions(house.ring.derive("session"), house.clock),
        calendar_links=calendar,
        clock=house.clock,
    )
    application = make_application(context)
    application.add_routes(receiving.gateway.routes())
    return application


@asynccontextmanager
async def _listening(application: web.Application, host: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True)
        try:
            await site.start()
        except (OSError, socket.gaierror) as error:
            raise SettingsError(f"setting port: {host}:{port} cannot be used ({error.strerror})") from None
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _working(work: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run the loops while inside; one that fails ends the block with its error."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
