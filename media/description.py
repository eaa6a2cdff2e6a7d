"""The session descriptions (SDP, RFC 8866 and 8829) of a room: the server offers, a page answers.

The server always offers, so that payload types and header extensions are the same on every connection and a packet
is forwarded without translating them. A connection for publishing has one place for each kind of source; one for
subscribing has the same places for each of the other people of the room, all from the beginning, so that nobody's
coming or going negotiates anything again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiortc import RTCIceCandidate, RTCIceParameters
from aiortc.rtcdtlstransport import RTCDtlsParameters
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, SsrcDescription

OPUS = 111
VP8 = 96
VP8_RTX = 97
"""Payload types, the same on every connection."""

SEND_TIME = 1
"""Identifier of the header extension ``abs-send-time``; no other one is offered."""

_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_MAX_MESSAGE = 65536
_MAX_SDP = 64_000


class DescriptionError(ValueError):
    """A description that cannot be an answer to the offer."""


class Source(StrEnum):
    """What a person can publish."""

    AUDIO = "audio"
    CAMERA = "camera"
    SCREEN = "screen"

    @property
    def kind(self) -> str:
        """The kind of media: audio or video."""
        return "audio" if self is Source.AUDIO else "video"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one place of a subscribing connection sends: stream numbers, and how the page finds it."""

    mid: str
    source: Source
    stream: str
    ssrc: int
    rtx_ssrc: int


@dataclass(frozen=True, slots=True)
class Received:
    """What one place of a publishing connection receives; ``ssrc`` is ``None`` where the page sends nothing there."""

    mid: str
    source: Source
    ssrc: int | None
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class Transport:
    """How one side of a connection is reached and recognised."""

    ice: RTCIceParameters
    dtls: RTCDtlsParameters
    candidates: tuple[RTCIceCandidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answered."""

    transport: Transport
    received: tuple[Received, ...]
    data_port: int | None
    data_capabilities: RTCSctpCapabilities | None


def publishing_offer(local: Transport, data_port: int) -> str:
    """The offer to receive one of each source, and data, over the transport ``local``."""
    media = [_media(source, f"{source}", "recvonly") for source in Source]
    return _session([*media, _data(data_port)], local)


def subscribing_offer(local: Transport, places: Sequence[Sent], data_port: int) -> str:
    """The offer to send what the ``places`` say, and data."""
    media = []
    for place in places:
        section = _media(place.source, place.mid, "sendonly")
        section.msid = f"{place.stream} {place.mid}"
        section.ssrc = [SsrcDescription(ssrc=place.ssrc, cname=place.stream)]
        if place.source.kind == "video":
            section.ssrc.append(SsrcDescription(ssrc=place.rtx_ssrc, cname=place.stream))
            section.ssrc_group = [GroupDescription(semantic="FID", items=[place.ssrc, place.rtx_ssrc])]
        media.append(section)
    return _session([*media, _data(data_port)], local)


def read_answer(text: str, offer: str) -> Answer:
    """What a page's answer to ``offer`` says.

    Raises ``DescriptionError`` where it is malformed, too long, or not an answer to this offer: other places, other
    codecs, no bundle.
    """
    if len(text) > _MAX_SDP:
        raise DescriptionError("the description is too long")
    try:
        answered, offered = SessionDescription.parse(text), SessionDescription.parse(offer)
    except Exception as error:  # the parser raises what its conversions raise
        raise DescriptionError(f"the description is malformed ({type(error).__name__})") from None
    if [(m.kind, m.rtp.muxId) for m in answered.media] != [(m.kind, m.rtp.muxId) for m in offered.media]:
        raise DescriptionError("the answer has other sections than the offer")
    bundles = [set(group.items) for group in answered.group if group.semantic == "BUNDLE"]
    if {m.rtp.muxId for m in answered.media} not in bundles:
        raise DescriptionError("the answer wants more than one transport")
    first = answered.media[0]
    ice, dtls = first.ice, first.dtls
    if ice is None or not ice.usernameFragment or not ice.password or dtls is None or not dtls.fingerprints:
        raise DescriptionError("the answer lacks the parameters of its transport")
    if dtls.role not in ("client", "server"):
        raise DescriptionError("the answer leaves open who begins")
    data = next(m for m in answered.media if m.kind == "application")
    return Answer(
        transport=Transport(ice, dtls, tuple(candidate for m in answered.media for candidate in m.ice_candidates)),
        received=tuple(_received(m) for m in answered.media if m.kind != "application"),
        data_port=data.sctp_port,
        data_capabilities=data.sctpCapabilities,
    )


def _received(section: MediaDescription) -> Received:
    """What an answered section promises to send."""
    source = next((s for s in Source if s == section.rtp.muxId), None)
    sends = section.direction in ("sendonly", "sendrecv") and bool(section.ssrc)
    offered = {codec.payloadType for codec in _codecs(source or Source.AUDIO)}
    if source is None or not sends:
        return Received(section.rtp.muxId, source or Source.AUDIO, None, None)
    if not {codec.payloadType for codec in section.rtp.codecs} <= offered:
        raise DescriptionError("the answer names payload types that were not offered")
    group = next((g for g in section.ssrc_group if g.semantic == "FID" and len(g.items) == 2), None)
    ssrc, rtx = (int(group.items[0]), int(group.items[1])) if group else (section.ssrc[0].ssrc, None)
    return Received(section.rtp.muxId, source, ssrc, rtx)


def _media(source: Source, mid: str, direction: str) -> MediaDescription:
    codecs = _codecs(source)
    section = MediaDescription(
        kind=source.kind, port=9, profile="UDP/TLS/RTP/SAVPF", fmt=[codec.payloadType for codec in codecs]
    )
    section.direction = direction
    section.rtp = RTCRtpParameters(codecs=codecs, headerExtensions=_extensions(source), muxId=mid)
    section.rtcp_host, section.rtcp_port, section.rtcp_mux = "0.0.0.0", 9, True  # noqa: S104 - a fixed word of SDP
    return section


def _data(port: int) -> MediaDescription:
    section = MediaDescription(kind="application", port=9, profile="UDP/DTLS/SCTP", fmt=["webrtc-datachannel"])
    section.rtp.muxId = "data"
    section.sctp_port = port
    section.sctpCapabilities = RTCSctpCapabilities(maxMessageSize=_MAX_MESSAGE)
    return section


def _codecs(source: Source) -> list[RTCRtpCodecParameters]:
    if source.kind == "audio":
        return [
            RTCRtpCodecParameters(
                mimeType="audio/opus",
                clockRate=48000,
                channels=2,
                payloadType=OPUS,
                parameters={"minptime": 10, "useinbandfec": 1},
            )
        ]
    feedback = [
        RTCRtcpFeedback(type="nack"),
        RTCRtcpFeedback(type="nack", parameter="pli"),
        RTCRtcpFeedback("goog-remb"),
    ]
    return [
        RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=VP8, rtcpFeedback=feedback),
        RTCRtpCodecParameters(mimeType="video/rtx", clockRate=90000, payloadType=VP8_RTX, parameters={"apt": VP8}),
    ]


def _extensions(source: Source) -> list[RTCRtpHeaderExtensionParameters]:
    if source.kind == "audio":
        return []
    return [RTCRtpHeaderExtensionParameters(id=SEND_TIME, uri=_SEND_TIME_URI)]


def _session(media: list[MediaDescription], local: Transport) -> str:
    session = SessionDescription()
    session.origin = "- 1 1 IN IP4 0.0.0.0"
    session.msid_semantic.append(GroupDescription(semantic="WMS", items=["*"]))
    session.group.append(GroupDescription(semantic="BUNDLE", items=[section.rtp.muxId for section in media]))
    for section in media:
        section.ice, section.dtls = local.ice, local.dtls
        section.ice_candidates, section.ice_candidates_complete = list(local.candidates), True
    session.media = media
    return str(session)
