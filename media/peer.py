"""One encrypted connection to a page: ICE, DTLS, SRTP and a data channel, from aiortc's parts.

aiortc reads each datagram in a task of its own and makes an object of each packet. A forwarder needs neither: media
are taken out of the socket's callback, decrypted and handed on as bytes. That leans on private names of aiortc and
aioice, which is why both are pinned exactly and ``tests/media/test_private_names.py`` names every one of them.
"""

import asyncio
import logging
from collections.abc import Callable

import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDataChannel,
    RTCDtlsTransport,
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
        self._starting: asyncio.Task[None] | None = None
        self._closed = False
        self._lost = False
        self._ice.on("statechange", self._state_changed)
        self._dtls.on("statechange", self._state_changed)

    async def gather(self) -> Transport:
        """How this side is reached."""
        await self._ice.iceGatherer.gather()
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
    def is_connected(self) -> bool:
        """Whether media can be sent."""
        return self._dtls.state == "connected" and not self._closed

    def start(self, answer: Answer) -> None:
        """Connect to the page that gave ``answer``; goes on by itself."""
        self._starting = asyncio.create_task(self._start(answer))

    async def add_candidate(self, candidate: str) -> None:
        """Try one more address of the page; an empty one ends them. Raises ``ValueError`` for a malformed one."""
        if not candidate:
            await self._ice.addRemoteCandidate(None)
            return
        self._candidates += 1
        if self._candidates > _MAX_CANDIDATES:
            raise ValueError("too many candidates")
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            candidate_to_aioice(parsed)
        except (AssertionError, IndexError, ValueError, TypeError):
            raise ValueError("a malformed candidate") from None
        await self._ice.addRemoteCandidate(parsed)

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send; nothing happens while there is no connection."""
        srtp = self._dtls._tx_srtp
        if srtp is None:
            return
        self._send(srtp.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send control packets; nothing happens while there is no connection."""
        srtp = self._dtls._tx_srtp
        if srtp is None:
            return
        self._send(srtp.protect_rtcp(packet))

    def send_message(self, text: str) -> None:
        """Send over the data channel; nothing happens while it is not open."""
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text)

    async def close(self) -> None:
        """Close everything; twice is once."""
        if self._closed:
            return
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self._sctp.stop()
        await self._dtls.stop()
        await self._ice.stop()

    async def _start(self, answer: Answer) -> None:
        try:
            for candidate in answer.transport.candidates[:_MAX_CANDIDATES]:
                await self._ice.addRemoteCandidate(candidate)
            await self._ice.start(answer.transport.ice)
            if self._ice.state != "completed":
                return
            self._dtls._set_role("server" if answer.transport.dtls.role == "client" else "client")
            await self._dtls.start(answer.transport.dtls)
            if self._dtls.state != "connected":
                return
            self._on_connected()
            if answer.data_port is not None and answer.data_capabilities is not None:
                await self._sctp.start(answer.data_capabilities, answer.data_port)
                self._open_channel()
        except ConnectionError as error:
            logger.info("connection of a page failed: %s", type(error).__name__)
            self._tell_lost()

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
        srtp = self._dtls._rx_srtp
        if srtp is None or len(data) < 2 or not 127 < data[0] < 192:
            self._pass_on(data, component)
            return
        try:
            if _SENDER_REPORT <= data[1] <= _LAST_RTCP:
                self._on_rtcp(srtp.unprotect_rtcp(data))
            else:
                self._on_rtp(srtp.unprotect(data))
        except pylibsrtp.Error:
            return  # repeated, or not from the other side

    def _send(self, data: bytes) -> None:
        pair = self._connection._nominated.get(1)
        if pair is not None and not self._closed:
            pair.protocol.transport.sendto(data, pair.remote_addr)

    def _state_changed(self) -> None:
        if self._ice.state in ("failed", "closed") or self._dtls.state in ("failed", "closed"):
            self._tell_lost()

    def _tell_lost(self) -> None:
        if not self._lost and not self._closed:
            self._lost = True
            self._on_lost()
