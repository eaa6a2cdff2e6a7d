"""Whoever publishes is seen and heard by everybody else in the room, and by nobody beyond it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc.rtp import RtcpSenderInfo

from media.connections import CAPACITY
from media.description import DescriptionError, Source
from media.forwarding import RoomFullError, RtpForwarding
from media.rtp import Header
from tests.media.pages import Page, Told, join, running
from tests.support.waiting import eventually

HOST = "candidate:1 1 udp 1 10.1.2.3 {} typ host"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def forwarding(told: Told) -> AsyncIterator[RtpForwarding]:
    async with running(RtpForwarding(told)) as started:
        yield started


class Recorder:
    def __init__(self) -> None:
        self.payload_types: set[int] = set()

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        self.payload_types.add(header.payload_type)

    def forward_report(self, report: RtcpSenderInfo) -> None:
        pass


async def test_three_people_see_and_hear_each_other(forwarding: RtpForwarding) -> None:
    pages = await join(forwarding, "r", "patient", "doctor", "expert")
    for page in pages:
        for other in pages:
            if other is not page:
                assert (await page.picture(other.person)).shape == (480, 640, 3)
                assert await page.hear(other.person) > 100
    await eventually(lambda: (leg := forwarding.statistics("r", "expert")) is not None and leg.round_trip > 0)
    leg = forwarding.statistics("r", "expert")
    assert leg is not None
    assert leg.sent_lost == leg.received_lost == 0
    assert leg.jitter < 0.2


async def test_who_leaves_frees_the_place_for_the_next(forwarding: RtpForwarding, told: Told) -> None:
    patient, _doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    place = forwarding.places("r", "patient")
    await forwarding.leave("r", "doctor")
    assert forwarding.places("r", "patient") == {}
    assert ("r", "patient") in told.places
    assert forwarding.statistics("r", "doctor") is None
    (_expert,) = await join(forwarding, "r", "expert")
    await patient.picture("expert")
    assert list(forwarding.places("r", "patient")) == list(place)


async def test_who_connects_anew_is_seen_in_the_same_place(forwarding: RtpForwarding) -> None:
    patient, doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    places = forwarding.places("r", "patient")
    again = Page(forwarding, "r", "doctor")
    await again.publish()
    await again.subscribe()
    with pytest.raises(KeyError):
        forwarding.answer(doctor.offers["publish"].connection, "v=0", "doctor")
    await again.picture("patient")
    await patient.picture("doctor")
    assert forwarding.places("r", "patient") == places


async def test_a_page_that_goes_without_a_word_is_noticed(forwarding: RtpForwarding, told: Told) -> None:
    patient, doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    await doctor.close()
    await eventually(lambda: ("r", "doctor") in told.losses)
    assert ("r", "patient") not in told.losses


async def test_sound_goes_on_where_pictures_are_stopped(forwarding: RtpForwarding) -> None:
    patient, _doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    forwarding.audio_only("r", "patient", True)
    assert await patient.hear("doctor") > 100
    forwarding.audio_only("r", "patient", False)
    await patient.picture("doctor")


async def test_a_publisher_is_told_how_much_to_send(forwarding: RtpForwarding) -> None:
    (doctor,) = await join(forwarding, "r", "doctor")
    forwarding.cap("r", "doctor", 600_000)
    sender = next(t.sender for t in doctor.connections["publish"].getTransceivers() if t.mid == "camera")
    heard: list[Any] = []
    take = sender._handle_rtcp_packet

    async def listen(packet: Any) -> None:
        heard.append(packet)
        await take(packet)

    sender._handle_rtcp_packet = listen  # type: ignore[method-assign]
    await eventually(lambda: any(getattr(packet, "fmt", None) == 15 for packet in heard))
    assert any(getattr(packet, "reports", None) for packet in heard)


async def test_strokes_reach_the_others_over_the_data_channel(forwarding: RtpForwarding, told: Told) -> None:
    patient, doctor = await join(forwarding, "r", "patient", "doctor")
    for page in (patient, doctor):
        await eventually(lambda page=page: page.channels["subscribe"].readyState == "open")  # type: ignore[misc]
    doctor.channels["subscribe"].send("a stroke")
    await eventually(lambda: told.messages == [("r", "doctor", "a stroke")])
    async with asyncio.timeout(10):
        while not patient.strokes:  # the channel repeats nothing, so the test does
            forwarding.broadcast("r", "doctor", "a stroke")
            await asyncio.sleep(0.05)
    assert doctor.strokes == []


async def test_a_recorder_is_handed_the_packets_also_after_a_reconnection(forwarding: RtpForwarding) -> None:
    (doctor,) = await join(forwarding, "r", "doctor")
    recorder = Recorder()
    forwarding.record("r", "doctor", Source.CAMERA, recorder)
    await eventually(lambda: recorder.payload_types == {96})
    recorder.payload_types.clear()
    await doctor.publish()
    await eventually(lambda: recorder.payload_types == {96})
    forwarding.record("r", "doctor", Source.CAMERA, None)


async def test_rooms_do_not_see_each_other(forwarding: RtpForwarding) -> None:
    await join(forwarding, "one", "patient")
    await join(forwarding, "two", "patient", "doctor")
    assert forwarding.places("one", "patient") == {}
    assert list(forwarding.places("two", "patient").values()) == ["doctor"]


async def test_a_room_has_places_for_so_many(forwarding: RtpForwarding) -> None:
    for number in range(CAPACITY):
        await forwarding.publish("r", f"person{number}")
    with pytest.raises(RoomFullError):
        await forwarding.subscribe("r", "one more")
    await forwarding.leave("r", "person0")
    await forwarding.subscribe("r", "one more")


async def test_a_connection_belongs_to_its_person(forwarding: RtpForwarding) -> None:
    offer = await forwarding.publish("r", "doctor")
    with pytest.raises(KeyError):
        forwarding.answer(offer.connection, offer.sdp, "patient")
    with pytest.raises(KeyError):
        await forwarding.add_candidate(offer.connection, "", "patient")
    with pytest.raises(KeyError):
        forwarding.answer("no connection", offer.sdp, "doctor")


async def test_an_offer_is_answered_once(forwarding: RtpForwarding) -> None:
    page = Page(forwarding, "r", "doctor")
    await page.publish()
    sdp = page.connections["publish"].localDescription.sdp
    with pytest.raises(DescriptionError, match="before"):
        forwarding.answer(page.offers["publish"].connection, sdp, "doctor")


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("a=group:BUNDLE audio camera screen data", "a=group:BUNDLE audio"),
        ("a=mid:camera", "a=mid:kamera"),
        ("a=ice-ufrag:", "a=ice-nothing:"),
        ("a=fingerprint:", "a=no-fingerprint:"),
        ("m=audio", "m=audio x y z"),
    ],
)
async def test_an_answer_to_something_else_is_refused(forwarding: RtpForwarding, changed: str, to: str) -> None:
    page = Page(forwarding, "r", "doctor")
    await page.publish()
    sdp = page.connections["publish"].localDescription.sdp
    assert changed in sdp
    offer = await forwarding.publish("r", "doctor")
    with pytest.raises(DescriptionError):
        forwarding.answer(offer.connection, sdp.replace(changed, to), "doctor")


@pytest.mark.parametrize(
    "candidate",
    [
        "candidate:1 1 udp 2122260223 127.0.0.1 50000 typ host",
        "candidate:1 1 udp 2122260223 ::ffff:127.0.0.1 50000 typ host",
        "candidate:1 1 udp 2122260223 224.0.0.251 5353 typ host",
        "candidate:1 1 udp 2122260223 10.0.0.5 53 typ host",
        "candidate:1 1 udp 2122260223 hospital.example 50000 typ host",
        "candidate:1 1 udp 2122260223 10.0.0.5 99999 typ host",
        "candidate:nonsense",
    ],
)
async def test_an_address_where_no_page_is_is_refused(forwarding: RtpForwarding, candidate: str) -> None:
    offer = await forwarding.publish("r", "doctor")
    with pytest.raises(ValueError, match="candidate"):
        await forwarding.add_candidate(offer.connection, candidate, "doctor")


@pytest.mark.parametrize(
    "candidate",
    [
        "",
        "candidate:1 1 udp 2122260223 4f2b.local 50000 typ host",
        "candidate:1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active",
    ],
)
async def test_what_a_browser_sends_beside_its_addresses_is_passed_over(
    forwarding: RtpForwarding, candidate: str
) -> None:
    offer = await forwarding.publish("r", "doctor")
    await forwarding.add_candidate(offer.connection, candidate, "doctor")


async def test_a_page_gives_so_many_addresses_and_no_more(forwarding: RtpForwarding) -> None:
    offer = await forwarding.publish("r", "doctor")
    for number in range(64):
        await forwarding.add_candidate(offer.connection, HOST.format(5000 + number), "doctor")
    with pytest.raises(ValueError, match="too many"):
        await forwarding.add_candidate(offer.connection, HOST.format(6000), "doctor")


async def test_pages_that_come_and_go_leave_no_socket_behind(forwarding: RtpForwarding) -> None:
    loop = asyncio.get_running_loop()
    await forwarding.publish("r", "warm-up")
    await forwarding.leave("r", "warm-up")
    await forwarding.close()
    before = asyncio.all_tasks(loop)
    for _ in range(5):
        asking = [asyncio.create_task(forwarding.publish("r", "doctor")) for _ in range(3)]
        asking[0].cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await forwarding.subscribe("r", "doctor")
        await forwarding.leave("r", "doctor")
    await forwarding.close()
    assert asyncio.all_tasks(loop) <= before
    assert not forwarding._connections


async def test_what_is_lost_on_the_way_to_and_from_us_is_repaired(forwarding: RtpForwarding) -> None:
    patient, _doctor = await join(forwarding, "r", "patient", "doctor")
    await patient.picture("doctor")
    publisher, subscriber = forwarding._rooms["r"]["doctor"].publisher, forwarding._rooms["r"]["patient"].subscriber
    assert publisher is not None
    assert subscriber is not None
    stream = publisher.streams[Source.CAMERA]
    place = next(f for f in subscriber.forwarded if f.stream is stream)
    take, send = stream.receive, place._send_rtp
    counted = {"in": 0, "out": 0}

    def lose_coming(packet: bytes, header: Header) -> None:
        counted["in"] += header.ssrc == stream.ssrc
        if header.ssrc != stream.ssrc or counted["in"] % 10:
            take(packet, header)

    def lose_going(packet: bytes) -> None:
        counted["out"] += 1
        if counted["out"] % 10:
            send(packet)

    stream.receive = lose_coming  # type: ignore[method-assign]
    place._send_rtp = lose_going
    await eventually(lambda: stream.repaired > 3 and place.retransmitted > 3, timeout=20)
    await patient.picture("doctor")
