"""Where WeChat calls us: checks, opens, has the turn done, and answers inside the five seconds."""

import asyncio
import logging

from aiohttp import web

from backend import tracing
from backend.clock import Clock
from bot.messages import from_json
from bot.metrics import Metrics
from bot.turns import Reply, TurnRunner
from bot.wechat.arrival import Arrival, read_arrival
from bot.wechat.callback import CallbackCodec, Refused
from bot.wechat.replies import passive_xml
from bot.wechat.settings import WechatSettings

log = logging.getLogger(__name__)

_SUCCESS = "success"
_BODY_SECONDS = 2.0


class Gateway:
    """Handles callbacks. Nothing of what is refused is stored or logged: a reason code is."""

    def __init__(
        self, settings: WechatSettings, codec: CallbackCodec, runner: TurnRunner, clock: Clock, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._codec = codec
        self._runner = runner
        self._clock = clock
        self._metrics = metrics

    def routes(self, path: str = "/wechat/callback") -> list[web.RouteDef]:
        """Give the routes of the callback address."""
        return [web.get(path, self.greet, allow_head=False), web.post(path, self.receive)]

    async def greet(self, request: web.Request) -> web.Response:
        """GET: WeChat checks that the address is ours."""
        try:
            return web.Response(text=self._codec.greet(request.query))
        except Refused as refusal:
            return self._refuse(refusal)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """POST: a message or an event."""
        try:
            body = await self._read(request)
            arrival = read_arrival(self._codec.open(request.query, body), self._clock.now())
        except Refused as refusal:
            return self._refuse(refusal)
        if arrival is None:
            self._metrics.count("callbacks", outcome="event")
            return web.Response(text=_SUCCESS)
        try:
            reply = await self._runner.answer(arrival)
        except Exception as error:
            # 5xx makes WeChat deliver the message again: it was neither answered nor stored.
            log.error("callback not taken: error=%s", type(error).__name__)
            self._metrics.count("callbacks", outcome="failed")
            return web.Response(status=503)
        outcome = "answered" if reply.answer else "success"
        self._metrics.count("callbacks", outcome=outcome)
        tracing.note(outcome=outcome)
        return await self._write(request, arrival, reply)

    async def _read(self, request: web.Request) -> bytes:
        largest = self._settings.largest_body
        if (request.content_length or 0) > largest:
            raise Refused(413, "too_large")
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > largest:
                        raise Refused(413, "too_large")
        except TimeoutError as error:
            raise Refused(408, "slow_body") from error
        return bytes(body)

    def _refuse(self, refusal: Refused) -> web.Response:
        log.warning("callback refused: reason=%s", refusal.reason)
        self._metrics.count("callbacks", outcome=refusal.reason)
        tracing.note(outcome=refusal.reason)
        return web.Response(status=refusal.status)

    async def _write(self, request: web.Request, arrival: Arrival, reply: Reply) -> web.StreamResponse:
        """Write the answer, and only then let what follows it leave."""
        response = self._response(arrival, reply)
        written = False
        try:
            await response.prepare(request)
            await response.write_eof()
            written = True
        finally:
            if not written:
                self._runner.lost(reply)
        await self._runner.delivered(reply)
        return response

    def _response(self, arrival: Arrival, reply: Reply) -> web.Response:
        if not reply.answer:
            return web.Response(text=_SUCCESS)
        message = from_json(reply.answer["message"])
        xml = passive_xml(message, arrival.openid, arrival.account, reply.answer["at"])
        return web.Response(text=self._codec.seal(xml), content_type="text/xml")
