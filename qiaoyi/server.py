"""One serving process: the parts that its role needs, started together, watched, and ended together."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import redis.asyncio
from aiohttp import web
from redis.exceptions import RedisError

from backend.limits import MemoryRateLimits, RateLimits, RedisRateLimits
from backend.messaging.channel import ChannelService
from backend.messaging.identities import Identities
from bot import notifications
from bot.delivery.sender import CHANNEL
from bot.dialogue import Dialogue
from bot.flows.registration import register_flows
from bot.flows.staff_menus import idle_flow
from bot.identities import UnionIds
from bot.membership import Membership
from bot.metrics import Metrics
from bot.services import Services
from bot.transport import Receiving, Sending
from bot.wechat.account import WechatAccount
from bot.wechat.token import MemoryTokenStore, RedisTokenStore, TokenStore
from miniprogram_api.application import authorise_viewer, make_application
from miniprogram_api.console.application import console_routes
from miniprogram_api.context import Context
from miniprogram_api.device_page import device_page_routes
from miniprogram_api.login import Code2Session
from miniprogram_api.pages import page_routes
from miniprogram_api.payment_notifications import notification_route
from miniprogram_api.sessions import Sessions
from miniprogram_api.verification import verification_route
from miniprogram_api.web_login import WebLogin
from nlu.types import Provider
from qiaoyi.console import InvitationPictures, console_context
from qiaoyi.health import Health
from qiaoyi.house import House
from qiaoyi.imaging import imaging_routes, imaging_work, serving_machines
from qiaoyi.language import make_language
from qiaoyi.links import (
    PublicLinks,
    calendar_tokens,
    copy_tokens,
    invoice_tokens,
    prescription_tokens,
    recording_tokens,
    report_tokens,
)
from qiaoyi.metrics import MetricsPage
from qiaoyi.recordings import Playback
from qiaoyi.roles import ServeRole
from qiaoyi.sandbox_clock import ClockFollower
from qiaoyi.settings import SettingsError
from qiaoyi.tracing import traced
from qiaoyi.video import MediaProcess, mint, token_mint
from qiaoyi.work import Work

log = logging.getLogger(__name__)

PAGES = Path(__file__).parent.parent / "web" / "dist"
"""The built pages."""

_STOP_SECONDS = 10.0
_REDIS_SECONDS = 5.0


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, which does not end by itself, until SIGINT or SIGTERM; at whatever moment they come, it is unwound."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[None]:
    """Serve what the house's settings say while inside; whatever fails ends the process rather than half of it.

    Raises:
        SettingsError: no WeChat account is set, or the port is taken.
    """
    settings = house.settings
    if settings.role is ServeRole.MEDIA:
        async with _serving_rooms(house):
            yield
        return
    if settings.wechat is None:
        raise SettingsError("setting wechat: app_id, app_secret, token and aes_key of the account are needed")
    await _destroy_again(house)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        tokens, limits = await _shared(house, settings.wechat.app_id, stack)
        sending = Sending(house.database, house.clock, house.people, settings.wechat, files=house.files, tokens=tokens)
        calendar = calendar_tokens(house.ring, house.clock)
        invoices = invoice_tokens(house.ring, house.clock)
        identities = Identities(house.database, house.clock, house.people, home_channel=CHANNEL)
        links = PublicLinks(settings.public, calendar, copy_tokens(house.ring, house.clock), invoices)
        services = _services(house, sending, links)
        notifications.register(house.events, services)
        membership = Membership(house.database, house.people, sending.rows, sending.worker)
        membership.register(house.events)
        await stack.enter_async_context(traced(house, sending.metrics))
        work: Work = {"delivery": sending.run}
        if settings.role in (ServeRole.ALL, ServeRole.WORKER):
            work |= {"events": house.events.run, "timers": house.timers.run, "audit": house.audit.run}
            work["files"] = house.files.keep_swept
            work |= imaging_work(house)
            if house.charging is not None:
                work["charging"] = house.charging.run
            if house.reconciliation is not None:
                work["reconciliation"] = house.reconciliation.run
            await house.surveillance.begin()
            await house.analytics.begin()
            work["surveillance"] = house.surveillance.keep_watching
            work["prescriptions"] = house.papers.queue.keep_making
            work["exports"] = house.exports.queue.keep_making
            work["hospital histories"] = house.history.keep_fetching
            work["hospital write-back"] = house.write_back.keep_writing
            work |= {"menus": sending.menus.keep_published, "union ids": UnionIds(identities, sending.client).run}
        if settings.clock_url:
            work["clock"] = await _followed_clock(house, http)
        application, language = None, None
        loops: Mapping[str, asyncio.Task[None]] = {}
        if settings.role in (ServeRole.ALL, ServeRole.WEB):
            language = make_language(settings, http, sending.metrics)
            work |= language.loops
            dialogue = make_dialogue(language.provider, services, numbered=not settings.wechat.menu_messages)
            receiving = Receiving(
                house.database,
                house.clock,
                sending,
                settings.wechat,
                dialogue,
                files=house.files,
                followed=membership.followed,
            )
            work["turns"] = receiving.run
            application = _application(house, receiving, identities, http, calendar, invoices, limits, sending.metrics)
            pictures = InvitationPictures(sending.client, http)
            account = WechatAccount(sending.client, sending.menus, sending.messaging, settings.wechat, house.clock)
            channel = ChannelService(house.database, house.audit, house.people, account)
            application.add_routes(console_routes(console_context(house, pictures, channel, limits, lambda: loops)))
        if settings.role is ServeRole.ALL and application is not None:
            media = MediaProcess(house)
            media.add_to(application)
            work["media"] = media.run
        loops = await stack.enter_async_context(_working(work))
        await _measured(house, stack, sending.metrics, loops)
        if application is not None and language is not None:
            # Last to begin, first to end: nothing is taken in that would not be worked on.
            application.add_routes(Health(house.database, loops, language.state).routes())
            await stack.enter_async_context(_listening(application, settings.host, settings.port))
            await stack.enter_async_context(serving_machines(house))
        yield


async def _destroy_again(house: House) -> None:
    """Destroy what people had asked to be destroyed, where the database was restored from a backup of before that."""
    came_back = await house.erasures.repeat()
    if came_back:
        log.warning("erased again after a restore: persons=%d", came_back)


@asynccontextmanager
async def _serving_rooms(house: House) -> AsyncIterator[None]:
    """Serve video rooms and nothing else; no account of WeChat is needed."""
    settings = house.settings
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        media, application = MediaProcess(house), web.Application()
        media.add_to(application)
        counters = Metrics()
        await stack.enter_async_context(traced(house, counters))
        work: Work = {"media": media.run}
        if settings.clock_url:
            work["clock"] = await _followed_clock(house, http)
        loops = await stack.enter_async_context(_working(work))
        application.add_routes(Health(house.database, loops).routes())
        await _measured(house, stack, counters, loops)
        await stack.enter_async_context(_listening(application, settings.host, settings.port))
        yield


async def _measured(
    house: House, stack: AsyncExitStack, counters: Metrics, loops: Mapping[str, asyncio.Task[None]]
) -> None:
    settings = house.settings
    if not settings.metrics_port:
        return
    page = MetricsPage(
        house.database,
        house.clock,
        counters,
        lambda: {name: not task.done() for name, task in loops.items()},
        settings.audit_heads_folder,
        settings.metrics_token,
    )
    await stack.enter_async_context(_listening(page.application(), settings.metrics_host, settings.metrics_port))


def make_dialogue(provider: Provider, services: Services, numbered: bool) -> Dialogue:
    """Give the dialogue with every flow of the product."""
    dialogue = Dialogue(provider, services, idle_flow, numbered=numbered)
    register_flows(dialogue)
    return dialogue


async def _followed_clock(house: House, http: aiohttp.ClientSession) -> Callable[[], Coroutine[Any, Any, None]]:
    settings = house.settings
    follower = ClockFollower(house.clock, settings.clock_url, f"{settings.role}-{os.getpid()}")
    try:
        await follower.follow_once(http)
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
        raise SettingsError(f"setting clock_url: no clock answers there ({type(error).__name__})") from None
    return follower.run


def _services(house: House, sending: Sending, links: PublicLinks) -> Services:
    return Services(
        people=house.people,
        consultations=house.consultations,
        scheduling=house.scheduling,
        video=house.video,
        imaging=house.imaging,
        records=house.records,
        monitoring=house.monitoring,
        reminders=house.reminders,
        slips=house.slips,
        reports=house.reports,
        prescriptions=house.prescriptions,
        dispensing=house.dispensing,
        critical_values=house.critical_values,
        charging=house.charging,
        remuneration=house.remuneration,
        history=house.history,
        teaching_cases=house.teaching_cases,
        files=house.files,
        outbox=sending.outbox,
        rights=house.accesses,
        amendments=house.amendments,
        erasures=house.erasures,
        help_desk=house.help_desk,
        clock=house.clock,
        links=links,
    )


async def _shared(house: House, app_id: str, stack: AsyncExitStack) -> tuple[TokenStore, RateLimits]:
    """Give what processes share through Redis where one is set, else its twins in this process."""
    if not house.settings.redis_url:
        return MemoryTokenStore(), MemoryRateLimits()
    client = redis.asyncio.from_url(house.settings.redis_url, socket_timeout=_REDIS_SECONDS)
    stack.push_async_callback(client.aclose)
    return RedisTokenStore(client, app_id), RedisRateLimits(client, (RedisError, OSError))


def _application(
    house: House,
    receiving: Receiving,
    identities: Identities,
    http: aiohttp.ClientSession,
    calendar: Sessions,
    invoices: Sessions,
    limits: RateLimits,
    metrics: Metrics,
) -> web.Application:
    settings = house.settings
    assert settings.wechat is not None  # noqa: S101  # checked where serving begins
    recording_links = recording_tokens(house.ring, house.clock)
    context = Context(
        people=house.people,
        consultations=house.consultations,
        scheduling=house.scheduling,
        video=house.video,
        imaging=house.imaging,
        reports=house.reports,
        critical_values=house.critical_values,
        teaching_cases=house.teaching_cases,
        documents=house.documents,
        prescriptions=house.prescriptions,
        papers=house.papers,
        invoicing=house.invoicing,
        monitoring=house.monitoring,
        history=house.history,
        facade=house.facade,
        mint=partial(mint, token_mint(house.clock, house.ring)),
        web_login=WebLogin(
            http,
            house.clock,
            api_url=settings.wechat.api_url,
            authorize_url=settings.wechat.authorize_url,
            app_id=settings.wechat.app_id,
            app_secret=settings.wechat.app_secret,
            public_url=settings.public,
            key=house.ring.derive("web-login"),
        ),
        account_channel=CHANNEL,
        public_url=settings.public,
        code2session=Code2Session(http, settings.wechat.api_url, settings.mini_app_id, settings.mini_app_secret),
        identities=identities,
        sessions=Sessions(house.ring.derive("session"), house.clock),
        calendar_links=calendar,
        invoice_links=invoices,
        recording_links=recording_links,
        copies=house.copies,
        copy_links=copy_tokens(house.ring, house.clock),
        report_links=report_tokens(house.ring, house.clock),
        prescription_links=prescription_tokens(house.ring, house.clock),
        clock=house.clock,
        limits=limits,
        trusted_proxies=settings.trusted_proxies,
        charges=house.charges,
        charging=house.charging,
    )
    application = make_application(context)
    application.add_routes(receiving.gateway.routes())
    application.add_routes(imaging_routes(house, authorise_viewer(context), limits))
    if house.payment_inbox is not None:
        application.add_routes([notification_route(house.payment_inbox, partial(_count_notification, metrics))])
    application.add_routes(Playback(house.video, recording_links, limits).routes())
    application.add_routes(
        [verification_route(house.reports, house.prescriptions, house.dispensing, limits, settings.trusted_proxies)]
    )
    application.add_routes(page_routes(PAGES, settings.framed_by))
    application.add_routes(
        device_page_routes(house.monitoring, limits, settings.trusted_proxies, settings.public, settings.framed_by)
    )
    return application


def _count_notification(metrics: Metrics, outcome: str) -> None:
    metrics.count("payment_notifications", outcome=outcome)


@asynccontextmanager
async def _listening(application: web.Application, host: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_address=True)
        try:
            await site.start()
        except (OSError, socket.gaierror) as error:
            reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            raise SettingsError(f"setting port: {host}:{port} cannot be used ({reason})") from None
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _working(work: Work) -> AsyncIterator[Mapping[str, asyncio.Task[None]]]:
    """Run the loops while inside; one that fails ends the block with its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(begin()) for name, begin in work.items()}
            try:
                yield tasks
            finally:
                for task in tasks.values():
                    task.cancel()
    except BaseExceptionGroup as errors:
        # A group of one is that one: what was raised inside (a port that is taken) reaches its handler as itself.
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise
