"""One page that is broken, hostile or gone harms nobody else, costs its own measure, and leaves no trace of a person in
the log."""

import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pylibsrtp
import pytest
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
)
from aiortc.sdp import SessionDescription

from media.description import OPUS, VP8, Source
from media.forwarding import RtpForwarding
from media.peer import _BURST, Peer
from media.published import PublishedStream
from media.tokens import Pass, Role, TokenMint
from tests.media.pages import Page, Told, join, running
from tests.media.streams import Clock
from tests.media.test_signalling import House, house  # noqa: F401 - a fixture
from tests.support.room_client import Client
from tests.support.waiting import eventually

NUMBERS = random.Random(7)


@pytest.fixture
async def forwarding() -> AsyncIterator[RtpForwarding]:
    async with running(RtpForwarding(Told())) as started:
        yield started


def sender(page: Page, purpose: str) -> Callable[[bytes], Any]:
    """What sends packets of one's own making over the encrypted connection of a page."""
    send: Callable[[bytes], Any] = page.connections[purpose].getTransceivers()[0].sender.transport._send_rtp
    return send


def stream_of(forwarding: RtpForwarding, person: str, source: Source) -> PublishedStream:
    publisher = forwarding._rooms["r"][person].publisher
    assert publisher is not None
    return publisher.streams[source]


def peer_of(forwarding: RtpForwarding, page: Page, purpose: str) -> Peer:
    return forwarding._connections[page.offers[purpose].connection].peer


async def more_pictures(page: Page, person: str) -> None:
    for _ in range(3):
        await page.picture(person)


def wishes(ssrc: int, numbers: list[int]) -> bytes:
    """A whole picture, and packets again, in one control packet."""
    again = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=ssrc, lost=numbers)
    whole = [bytes(RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=ssrc)) for fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR)]
    return b"".join(whole) + bytes(again)


async def test_a_watcher_with_a_broken_decoder_costs_neither_the_publisher_nor_the_others(
    forwarding: RtpForwarding,
) -> None:
    patient, doctor, expert = await join(forwarding, "r", "patient", "doctor", "expert")
    await patient.picture("doctor")
    await expert.picture("doctor")
    stream = stream_of(forwarding, "doctor", Source.CAMERA)
    asked: list[Any] = []
    tell = stream._send_rtcp

    def told(data: bytes) -> None:
        asked.extend(RtcpPacket.parse(data))
        tell(data)

    stream._send_rtcp = told
    stream._clock = clock = Clock()  # no time passes: one wish may be passed on
    clock.now = time.monotonic() + 60
    subscriber = forwarding._rooms["r"]["expert"].subscriber
    assert subscriber is not None
    place = next(place for place in subscriber.forwarded if place.stream is stream)
    before = place.retransmitted
    send = sender(expert, "subscribe")
    storm = 0
    while place.retransmitted < before + 200:
        first = (place._last_sequence - 9) & 0xFFFF
        await send(wishes(place.place.ssrc, list(range(first, first + 10))))
        storm += 1
        await asyncio.sleep(0)
    assert storm >= 20
    assert [packet.fmt for packet in asked] == [RTCP_PSFB_PLI], "one whole picture, and no packet again"
    stream._clock = time.monotonic
    await more_pictures(patient, "doctor")
    await more_pictures(doctor, "expert")


async def test_a_page_that_sends_garbage_is_passed_over(forwarding: RtpForwarding) -> None:
    patient, _doctor, expert = await join(forwarding, "r", "patient", "doctor", "expert")
    await patient.picture("expert")
    ssrc = stream_of(forwarding, "expert", Source.CAMERA).rtx_ssrc
    assert ssrc is not None
    offered = SessionDescription.parse(expert.offers["publish"].sdp).media[0].ice_candidates[0]
    ascending = itertools.count(1)
    heads = [
        struct.pack("!BBHII", first, payload_type, next(ascending), NUMBERS.randrange(1 << 32), number)
        for first in (0x80, 0x8F, 0x90, 0xB0)
        for payload_type in (0, OPUS, VP8, 0x80 | VP8, 97)
        for number in (ssrc, 0, 0xFFFFFFFF)
    ]
    control = [bytes([0x80 | count, kind, 0, 1]) + b"\xff" * 4 for kind in range(200, 208) for count in (0, 1, 31)]
    handled: list[bytes] = []
    peer = peer_of(forwarding, expert, "publish")
    take = peer._on_rtp
    peer._on_rtp = lambda packet: (handled.append(packet), take(packet))[1]  # type: ignore[func-returns-value]
    send, sent = sender(expert, "publish"), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for head in heads:
            with contextlib.suppress(pylibsrtp.Error):  # some it cannot even encrypt
                await send(head + NUMBERS.randbytes(NUMBERS.randrange(100)))
                sent += 1
            stranger.sendto(head, (offered.ip, offered.port))
        for packet in control:
            await send(packet)
            stranger.sendto(packet, (offered.ip, offered.port))
        for size in range(1, 60):
            stranger.sendto(NUMBERS.randbytes(size), (offered.ip, offered.port))
    assert sent > 15
    await eventually(lambda: len([packet for packet in handled if packet[:12] in heads]) == sent)
    await more_pictures(patient, "doctor")
    await more_pictures(expert, "doctor")
    await more_pictures(patient, "expert")


async def test_of_a_page_that_sends_without_end_so_much_is_read_and_no_more(forwarding: RtpForwarding) -> None:
    patient, _doctor, expert = await join(forwarding, "r", "patient", "doctor", "expert")
    await patient.picture("expert")
    peer = peer_of(forwarding, expert, "publish")
    handled, arrived, allowed = 0, 0, _BURST
    take, datagram, allow = peer._on_rtp, peer._connection.data_received, peer.allow

    def counting(packet: bytes) -> None:
        nonlocal handled
        handled += 1
        take(packet)

    def arriving(data: bytes, component: int) -> None:
        nonlocal arrived
        arrived += 1
        datagram(data, component)

    def allowing(seconds: float) -> None:
        nonlocal allowed
        allowed += round(2_000 * seconds)
        allow(seconds)

    peer._on_rtp, peer.allow = counting, allowing  # type: ignore[method-assign]
    peer._connection.data_received = arriving  # type: ignore[method-assign]
    send, number = sender(expert, "publish"), 0
    while arrived < 2 * allowed:
        number += 1
        await send(struct.pack("!BBHII", 0x80, VP8, number & 0xFFFF, 0, 4711))
        await asyncio.sleep(0)
    assert handled <= allowed
    await more_pictures(patient, "doctor")


async def test_who_connects_and_sends_nothing_watches_the_others(forwarding: RtpForwarding) -> None:
    patient, _doctor = await join(forwarding, "r", "patient", "doctor")
    silent = Page(forwarding, "r", "silent")
    silent.sends = ()
    await silent.publish()
    await silent.subscribe()
    await silent.picture("doctor")
    await more_pictures(patient, "doctor")
    assert "silent" not in forwarding.places("r", "patient").values()
    assert forwarding.statistics("r", "silent") is not None


async def test_what_a_page_reports_beyond_reason_is_within_reason(forwarding: RtpForwarding) -> None:
    patient, doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    subscriber = forwarding._rooms["r"]["patient"].subscriber
    assert subscriber is not None
    for place in subscriber.forwarded:
        for highest, lost in ((0xFFFFFFFF, -(1 << 23)), (0, (1 << 23) - 1)):
            report = RtcpReceiverInfo(place.place.ssrc, 255, lost, highest, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            await sender(patient, "subscribe")(bytes(RtcpRrPacket(ssrc=1, reports=[report])))
    await eventually(lambda: (leg := forwarding.statistics("r", "patient")) is not None and leg.jitter > 1)
    leg = forwarding.statistics("r", "patient")
    assert leg is not None
    assert 0 <= leg.received_lost <= 1
    assert leg.round_trip >= 0
    await more_pictures(patient, "doctor")
    await more_pictures(doctor, "patient")


def be_there(url: str, token: str) -> None:
    """A person in a process of their own, until it is killed."""

    async def stay() -> None:
        async with aiohttp.ClientSession() as session:
            await Client("doctor", url, token).run(session, asyncio.Event())

    asyncio.run(stay())


async def test_a_killed_page_is_gone_at_once_and_the_others_go_on(house: House) -> None:  # noqa: F811
    stop = asyncio.Event()
    patient, expert = (Client(person, house.url, house.token(person)) for person in ("patient", "expert"))
    doctor = multiprocessing.get_context("spawn").Process(target=be_there, args=(house.url, house.token("doctor")))
    doctor.start()
    meeting = [asyncio.create_task(client.run(house.session, stop)) for client in (patient, expert)]
    try:
        await eventually(lambda: patient.sees_and_hears("doctor") and patient.sees_and_hears("expert"), timeout=30)
        doctor.kill()
        await eventually(lambda: ("left", "doctor") in house.events)
        assert sorted(house.inside) == ["expert", "patient"]
        pictures = patient.pictures["expert"]
        await eventually(lambda: patient.sees_and_hears("expert", pictures + 5))
    finally:
        doctor.kill()
        await asyncio.to_thread(doctor.join)
        stop.set()
        await asyncio.gather(*meeting)


async def test_what_goes_wrong_is_logged_without_saying_of_whom(
    house: House,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="media")
    name, address = "张桂兰", "198.51.100.23"
    forged = TokenMint(b"x" * 32, house.clock).mint(Pass("r", "expert", Role.HOST, name, "", house.clock() + 60))
    page = await house.open()
    await page.say(kind="join", version=1, token=forged)
    assert await page.closed() == "token_forged"
    expert = await house.join("expert")
    await expert.socket.send_str('{"kind": "chat", "text": 7, "name": "' + name + '"}')
    assert (await expert.hear("error"))["code"] == "malformed"
    await expert.say(kind="offer", purpose="publish")
    offer = await expert.hear("offer")
    for sdp in (f"v=0\r\no={name} 1 1 IN IP4 {address}", offer["sdp"].replace("a=setup:actpass", f"a=setup:{name}")):
        await expert.say(kind="answer", connection=offer["connection"], sdp=sdp)
        assert (await expert.hear("error"))["code"] == "description"
    for candidate in (f"candidate:1 1 udp 1 {address} 53 typ host", f"candidate:{name}"):
        await expert.say(kind="candidate", connection=offer["connection"], candidate=candidate)
        assert (await expert.hear("error"))["code"] == "description"
    assert len([record for record in caplog.records if record.name.startswith("media")]) >= 5
    ice = SessionDescription.parse(offer["sdp"]).media[0].ice
    assert ice is not None
    for secret in (name, address, forged, "expert", str(ice.usernameFragment)):
        assert secret not in caplog.text
