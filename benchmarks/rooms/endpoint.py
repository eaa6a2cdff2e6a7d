"""A person's end of a connection, as cheap as ours on the server: no object of a packet, no decoder.

Clients of aiortc cost four times what the server costs, so that two cores would be full of clients; these leave the
cores to the server that is measured.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from aiortc import RTCCertificate
from aiortc.sdp import GroupDescription, SessionDescription, SsrcDescription

from benchmarks.rooms.weather import Weather
from media.description import Answer, Sent, Transport, subscribing_offer
from media.peer import Peer


@cache
def _certificate() -> RTCCertificate:
    return RTCCertificate.generateCertificate()


class Endpoint:
    """One connection, behind bad ``weather`` where there is any."""

    def __init__(
        self, on_rtp: Callable[[bytes], None], on_rtcp: Callable[[bytes], None], weather: Weather | None = None
    ) -> None:
        self._weather = weather
        self.peer = Peer(
            _certificate(),
            [],
            on_rtp=on_rtp,
            on_rtcp=on_rtcp,
            on_message=lambda text: None,
            on_connected=lambda: None,
            on_lost=lambda: None,
        )

    async def answer(self, offer: str, sends: Mapping[str, Sequence[int]]) -> str:
        """Connect to whoever made ``offer``; gives the answer. ``sends`` has the numbers of streams (a stream, its
        retransmissions) by section."""
        description = SessionDescription.parse(offer)
        self.peer._connection.ice_controlling = False
        local = await self._local()
        remote = self._remote(description)
        for section in description.media:
            numbers = sends.get(section.rtp.muxId, ())
            if section.kind != "application":
                receiving = section.direction == "sendonly"
                section.direction = "recvonly" if receiving else "sendonly" if numbers else "inactive"
            section.msid = section.sctp_port = None
            section.ssrc = [SsrcDescription(ssrc=number, cname="person") for number in numbers]
            section.ssrc_group = [GroupDescription("FID", list(numbers))] if len(numbers) > 1 else []
            section.ice, section.ice_candidates, section.ice_candidates_complete = (
                local.ice,
                list(local.candidates),
                True,
            )
            section.dtls = local.dtls
            section.dtls.role = "client"
        self.peer.start(Answer(remote, (), None, None))
        return str(description)

    async def offer(self, places: list[Sent]) -> str:
        """An offer to send what ``places`` say; ``answered`` goes on."""
        return subscribing_offer(await self._local(), places, self.peer.data_port)

    async def answered(self, answer: str) -> None:
        """Connect to whoever gave the answer to our offer."""
        self.peer.start(Answer(self._remote(SessionDescription.parse(answer)), (), None, None))

    async def close(self) -> None:
        """Hang up."""
        await self.peer.close()
        if self._weather is not None:
            self._weather.close()

    async def _local(self) -> Transport:
        """How the server reaches us."""
        local = await self.peer.gather()
        if self._weather is None:
            return local
        return Transport(local.ice, local.dtls, (await self._weather.open(local.candidates[0]),))

    def _remote(self, description: SessionDescription) -> Transport:
        first = next(section for section in description.media if section.ice and section.ice.usernameFragment)
        if first.ice is None or first.dtls is None:
            raise ValueError("a description without a transport")
        candidates = tuple(c for c in first.ice_candidates if c.protocol == "udp" and ":" not in c.ip)
        if self._weather is not None:
            candidates = (self._weather.stand_before(candidates[0]),)
        return Transport(first.ice, first.dtls, candidates)
