"""One encrypted connection to a page: ICE, DTLS, SRTP and a data channel, from aiortc's parts.

aiortc reads each datagram in a task of its own and makes an object of each packet. A forwarder needs neither: media
are taken out of the socket's callback, decrypted and handed on as bytes. That leans on private names of aiortc and
aioice, which is why both are pinned exactly and ``tests/media/test_private_names.py`` names every one of them.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable

import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDataChannel,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceServer,
    RTCIceTransport,
    RTCSctpTransport,
)
from aiortc.rtcdatachannel import RTCDataChannelParameters
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.sdp import candidate_from_sdp

from media.description import Answer, Transport

logger = logging.getLogger(__name__)

_SENDER_REPORT, _LAST_RTCP = 192, 223
_MAX_CANDIDATES = 64
_CONNECT_WITHIN = 30.0
_DATA_WAITING_MOST = 64 * 1024
_FIRST_ORDINARY_PORT = 1024
_DATAGRAMS_A_SECOND = 2_000
"""Media datagrams that are read of one page: camera and screen at 4 Mbit/s each with repair are half of it."""
_BURST = 1_000
"""As many at once: a whole picture of the greatest size is 200."""


class Peer:
    """A connection to one page. ``start`` it with the page's answer; ``on_lost`` is called once when it is gone."""

    def __init__(
        self,
        certificate: RTCCertificate,
        ice_servers: list[RTCIceServer],
        *,
        on_rtp: Callable[[bytes], None],
        on_rtcp: Callable[[bytes], None],
        on_message: Callable[[str], None],
        on_connected: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._on_rtp, self._on_rtcp, self._on_message = on_rtp, on_rtcp, on_message
        self._on_connected, self._on_lost = on_connected, on_lost
        self._ice = RTCIceTransport(RTCIceGatherer(iceServers=ice_servers))
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._sctp = RTCSctpTransport(self._dtls)
        self._sctp.mid = "data"
        self._connection = self._ice._connection
        self._connection.ice_controlling = True
        self._pass_on = self._connection.data_received
        self._connection.data_received = self._datagram  # type: ignore[method-assign]
        self._channel: RTCDataChannel | None = None
        self._candidates = 0
        self._allowance = _BURST
        self._gathering: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self.is_connected = False
        """Whether media can be sent."""
        self._closed = False
        self._lost = False
        self._ice.on("statechange", self._state_changed)
        self._dtls.on("statechange", self._state_changed)

    async def gather(self) -> Transport:
        """How this side is reached."""
        if self._gathering is None:
            self._gathering = asyncio.create_task(self._ice.iceGatherer.gather())
        await asyncio.shield(self._gathering)  # closing waits for it, so that no socket is left behind
        return Transport(
            self._ice.iceGatherer.getLocalParameters(),
            self._dtls.getLocalParameters(),
            tuple(self._ice.iceGatherer.getLocalCandidates()),
        )

    @property
    def data_port(self) -> int:
        """The port of the data channel's transport, for the offer."""
        port: int = self._sctp.port
        return port

    @property
    def is_started(self) -> bool:
        """Whether the page has answered."""
        return self._starting is not None

    def start(self, answer: Answer) -> None:
        """Connect to the page that gave ``answer``, once; goes on by itself. Raises ``ValueError`` the second time."""
        if self._starting is not None:
            raise ValueError("the connection was answered before")
        self._starting = asyncio.create_task(self._start(answer))

    async def add_candidate(self, candidate: str) -> None:
        """Try one more address of the page. Raises ``ValueError`` for a malformed or forbidden one, or one too many.

        An empty one (their end) changes nothing: a page behind a translating router is found by its own checks, which
        may come later.
        """
        if not candidate:
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            candidate_to_aioice(parsed)
        except (AssertionError, IndexError, ValueError, TypeError):
            raise ValueError("a malformed candidate") from None
        await self._try(parsed)

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send; nothing happens while there is no connection."""
        srtp = self._dtls._tx_srtp
        if srtp is not None and self.is_connected:
            try:
                self._send(srtp.protect(packet))
            except pylibsrtp.Error:  # too old a number to be sent again: the watcher does without
                return

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send control packets; nothing happens while there is no connection."""
        srtp = self._dtls._tx_srtp
        if srtp is not None and self.is_connected:
            self._send(srtp.protect_rtcp(packet))

    def allow(self, seconds: float) -> None:
        """So many seconds have passed in which the page might send: what it sends beyond measure is not even read."""
        self._allowance = min(_BURST, self._allowance + int(_DATAGRAMS_A_SECOND * seconds))

    def send_message(self, text: str) -> None:
        """Send over the data channel; nothing happens while it is not open, or while the page does not take it."""
        channel = self._channel
        if channel is not None and channel.readyState == "open" and channel.bufferedAmount < _DATA_WAITING_MOST:
            channel.send(text)

    async def close(self) -> None:
        """Close everything; twice is once."""
        if self._closed:
            return
        self._closed = True
        self.is_connected = False
        if self._starting is not None:
            self._starting.cancel()
        pending = [task for task in (self._starting, self._gathering) if task is not None]
        await asyncio.gather(*pending, return_exceptions=True)
        stops: tuple[Callable[[], Awaitable[None]], ...] = (self._sctp.stop, self._dtls.stop, self._ice.stop)
        for stop in stops:
            try:
                await stop()
            except Exception:  # whatever one part has, the sockets of the next are closed
                logger.exception("closing a connection of a page")

    async def _start(self, answer: Answer) -> None:
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await self._connect(answer)
        except (ConnectionError, TimeoutError) as error:
            logger.info("connection of a page failed: %s", type(error).__name__)
            self._tell_lost()
        except Exception:  # the library asserts here and there; one page's connection must not be more than lost
            logger.exception("connection of a page failed")
            self._tell_lost()

    async def _connect(self, answer: Answer) -> None:
        for candidate in answer.transport.candidates:
            try:
                await self._try(candidate)
            except ValueError as error:
                logger.info("an address of a page is left out: %s", error)
        await self._ice.start(answer.transport.ice)
        if self._ice.state != "completed":
            return
        self._dtls._set_role("server" if answer.transport.dtls.role == "client" else "client")
        await self._dtls.start(answer.transport.dtls)
        if not self.is_connected:
            return
        self._on_connected()
        if answer.data_port is not None and answer.data_capabilities is not None:
            await self._sctp.start(answer.data_capabilities, answer.data_port)
            self._open_channel()

    async def _try(self, candidate: RTCIceCandidate) -> None:
        """Hand an address on to be tried, unless nobody should knock there."""
        self._candidates += 1
        if self._candidates > _MAX_CANDIDATES:
            raise ValueError("too many candidates")
        if candidate.protocol != "udp" or candidate.ip.endswith(".local"):
            return  # not spoken here; a name of the page's own network, whose checks will tell the address
        if not _may_be_tried(candidate.ip, candidate.port):
            raise ValueError("a candidate that no page has")
        await self._ice.addRemoteCandidate(candidate)

    def _open_channel(self) -> None:
        """The channel that both sides know by number: unordered and without repetition, for what is soon outdated."""
        channel = RTCDataChannel(
            self._sctp,
            RTCDataChannelParameters(id=0, label="room", negotiated=True, ordered=False, maxRetransmits=0),
        )

        @channel.on("message")
        def message(data: str | bytes) -> None:
            if isinstance(data, str):
                self._on_message(data)

        self._channel = channel

    def _datagram(self, data: bytes, component: int) -> None:
        """A datagram off the socket: media are read at once, everything else goes the library's way."""
        if self._lost or self._closed:
            return
        srtp = self._dtls._rx_srtp
        if srtp is None or len(data) < 2 or not 127 < data[0] < 192:
            self._pass_on(data, component)
            return
        if self._allowance <= 0:
            return
        self._allowance -= 1
        try:
            if _SENDER_REPORT <= data[1] <= _LAST_RTCP:
                self._on_rtcp(srtp.unprotect_rtcp(data))
            else:
                self._on_rtp(srtp.unprotect(data))
        except pylibsrtp.Error:
            return  # repeated, or not from the other side

    def _send(self, data: bytes) -> None:
        pair = self._connection._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    def _state_changed(self) -> None:
        self.is_connected = self._dtls.state == "connected" and not self._closed
        if self._ice.state in ("failed", "closed") or self._dtls.state in ("failed", "closed"):
            self._tell_lost()

    def _tell_lost(self) -> None:
        if not self._lost and not self._closed:
            self._lost, self.is_connected = True, False
            self._on_lost()


def _may_be_tried(host: str, port: int) -> bool:
    """Whether a page can be at this address: not our own machine, not a group of machines, not a service's port."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    nobody = address.is_loopback or address.is_multicast or address.is_unspecified or address.is_reserved
    return not nobody and _FIRST_ORDINARY_PORT <= port <= 65535
