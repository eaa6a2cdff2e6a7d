"""A stream that goes out begins with a whole picture, goes on without a jump and sends again what was lost."""

from itertools import pairwise

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpSdesPacket, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from media.description import VP8, VP8_RTX, Source
from media.rtp import read_header, unwrapped_retransmission
from tests.media.streams import INTERFRAME, KEYFRAME, Clock, Publisher, Watching, packet


def watched(publisher: Publisher) -> Watching:
    watching = Watching(publisher.clock, publisher.source)
    watching.place.show(publisher.stream)
    return watching


def test_a_picture_begins_with_a_whole_one() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    for number, payload in enumerate([INTERFRAME, INTERFRAME, KEYFRAME, INTERFRAME]):
        publisher.send(packet(number, payload))
    assert [data[12:] for data in watching.packets] == [KEYFRAME, INTERFRAME]
    assert publisher.keyframes == 1


def test_sound_begins_at_once() -> None:
    publisher = Publisher(Source.AUDIO)
    watching = watched(publisher)
    publisher.sound(7)
    assert len(watching.packets) == 1


def test_nothing_is_sent_while_there_is_no_connection() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    watching.ready = False
    publisher.send(packet(1, KEYFRAME))
    watching.ready = True
    publisher.send(packet(2, INTERFRAME))
    assert watching.packets == []
    publisher.send(packet(3, KEYFRAME))
    assert len(watching.packets) == 1


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.lists(st.integers(1, 3), max_size=80))
def test_gaps_and_times_are_kept_around_the_wrap(first: int, timestamp: int, steps: list[int]) -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(first, KEYFRAME, timestamp=timestamp))
    number = first
    for step in steps:
        number += step
        publisher.send(packet(number, timestamp=timestamp + (number - first) * 6000))
    ours = watching.headers
    expected = [0]
    for step in steps:
        expected.append(expected[-1] + step)
    assert [(h.sequence - ours[0].sequence) & 0xFFFF for h in ours] == expected
    assert [(h.timestamp - ours[0].timestamp) & 0xFFFFFFFF for h in ours] == [6000 * n for n in expected]
    assert {(h.ssrc, h.payload_type) for h in ours} == {(5555, VP8)}


def test_a_stream_goes_on_for_longer_than_the_numbers_last() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(0, KEYFRAME))
    for number in range(1, 140_000, 7):
        publisher.send(packet(number))
    sent = watching.sequences
    assert len(sent) == 1 + len(range(1, 140_000, 7))
    assert {(b - a) & 0xFFFF for a, b in pairwise(sent[1:])} == {7}


def test_another_stream_in_the_same_place_goes_on_without_a_jump() -> None:
    clock = Clock()
    first, second = Publisher(clock=clock), Publisher(clock=clock)
    watching = watched(first)
    first.send(packet(500, KEYFRAME, timestamp=1_000_000))
    first.send(packet(501, timestamp=1_006_000))
    clock.now += 2
    watching.place.show(second.stream)
    first.send(packet(502, timestamp=1_012_000))
    second.send(packet(9, INTERFRAME, timestamp=77))
    second.send(packet(10, KEYFRAME, timestamp=6077))
    second.send(packet(11, timestamp=12077))
    headers = watching.headers
    assert [(h.sequence - headers[0].sequence) & 0xFFFF for h in headers] == [0, 1, 2, 3]
    passed = (headers[2].timestamp - headers[1].timestamp) & 0xFFFFFFFF
    assert passed == pytest.approx(2 * 90_000, abs=2)
    assert headers[3].timestamp - headers[2].timestamp == 6000


def test_a_pause_sends_nothing_and_ends_with_a_whole_picture() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    watching.place.pause(True)
    publisher.send(packet(2, KEYFRAME))
    publisher.clock.now += 10
    before = publisher.keyframes
    watching.place.pause(False)
    assert publisher.keyframes == before + 1
    publisher.send(packet(3, INTERFRAME))
    publisher.send(packet(4, KEYFRAME))
    assert [data[12:] for data in watching.packets] == [KEYFRAME, KEYFRAME]
    first, second = watching.sequences
    assert (second - first) & 0xFFFF == 1


def test_who_shows_nothing_any_more_is_sent_nothing() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    watching.place.show(None)
    publisher.send(packet(2))
    assert len(watching.packets) == 1
    assert publisher.stream.watchers == []


@given(st.integers(0, 0xFFFF), st.integers(1, 50))
def test_what_was_lost_is_sent_again_as_it_was(first: int, lost: int) -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(first, KEYFRAME + b"first"))
    for number in range(1, 60):
        publisher.send(packet(first + number, INTERFRAME + bytes([number])))
    data = watching.packets[lost]
    watching.place.retransmit([read_header(data).sequence])
    again = watching.packets[-1]
    header = read_header(again)
    assert (header.ssrc, header.payload_type) == (6666, VP8_RTX)
    assert unwrapped_retransmission(again, header, VP8, 5555) == data


def test_a_number_beyond_the_wrap_is_read_as_the_one_after_it() -> None:
    """A NACK names packets by offsets from a number, and the library that reads it does not wrap them."""
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    watching.place.retransmit([watching.sequences[0] + 65536])
    assert watching.headers[-1].payload_type == VP8_RTX


def test_what_is_not_kept_is_not_sent_again() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    watching.place.retransmit([watching.sequences[0] + 5, watching.sequences[0] - 1])
    assert len(watching.packets) == 1


def test_packets_from_before_a_place_showed_the_stream_are_not_sent_as_something_else() -> None:
    clock = Clock()
    first, second = Publisher(clock=clock), Publisher(clock=clock)
    watching = watched(first)
    first.send(packet(1, KEYFRAME))
    first.send(packet(2))
    for number in range(10):
        second.send(packet(number))
    watching.place.show(second.stream)
    second.send(packet(10, KEYFRAME))
    before = len(watching.packets)
    watching.place.retransmit(watching.sequences[:2])
    assert len(watching.packets) == before


def test_a_page_that_asks_for_the_same_for_ever_is_served_within_bounds() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    watching.place.retransmit(watching.sequences[:1] * 100_000)
    assert watching.place.retransmitted <= 500
    publisher.clock.now += 1
    watching.place.retransmit(watching.sequences[:1])
    assert watching.place.retransmitted <= 501


def test_a_senders_report_is_told_in_our_numbers() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.stream.take_report(RtcpSenderInfo(1 << 40, 1, 1, 1))
    assert watching.reports == [], "there is nothing yet that the report could be about"
    publisher.send(packet(1, KEYFRAME + b"0123456789", timestamp=90_000))
    publisher.stream.take_report(RtcpSenderInfo(0x0123456789ABCDEF, 135_000, 99, 9999))
    report, names = RtcpPacket.parse(watching.reports[0])
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    assert report.ssrc == names.chunks[0].ssrc == 5555
    info = report.sender_info
    assert info.ntp_timestamp == 0x0123456789ABCDEF
    assert (info.rtp_timestamp - watching.headers[0].timestamp) & 0xFFFFFFFF == 45_000
    assert (info.packet_count, info.octet_count) == (1, 12)


def test_a_page_that_wishes_for_whole_pictures_without_end_is_heard_ever_more_seldom() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.clock.now += 1
    before = publisher.keyframes
    heard: list[float] = []
    for _ in range(1000):
        watching.place.wish_keyframe()
        if publisher.keyframes > before:
            before, heard = publisher.keyframes, [*heard, publisher.clock.now]
        publisher.clock.now += 0.01
    assert [b - a for a, b in pairwise(heard)] == pytest.approx([0.5, 1.0, 2.0, 2.0, 2.0, 2.0], abs=0.02)
    publisher.clock.now += 11
    for _ in range(2):
        watching.place.wish_keyframe()
        publisher.clock.now += 0.51
    assert publisher.keyframes == before + 2


def received(highest: int, lost: int, lsr: int = 0, dlsr: int = 0) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(5555, 64, lost, highest, jitter=900, lsr=lsr, dlsr=dlsr)


def test_receivers_reports_give_loss_jitter_and_the_way_there_and_back() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.send(packet(1, KEYFRAME))
    publisher.stream.take_report(RtcpSenderInfo(0x0123456789ABCDEF, 0, 0, 0))
    publisher.clock.now += 0.75
    watching.place.take_reception(received(0xFFFFFFF0, 7))
    watching.place.take_reception(received(0x54, 10, lsr=0x456789AB, dlsr=int(0.5 * 65536)))
    reception = watching.place.reception
    assert reception is not None
    assert (reception.expected, reception.lacked, reception.jitter) == (100, 3, 0.01)
    assert reception.round_trip == pytest.approx(0.25)


def test_the_send_time_of_a_picture_is_ours() -> None:
    publisher = Publisher()
    watching = watched(publisher)
    publisher.clock.now = 20.0
    publisher.send(packet(1, KEYFRAME, sent=10.0))
    assert int.from_bytes(watching.packets[0][17:20]) == 20 << 18
