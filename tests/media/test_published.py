"""A stream that comes in is counted, repaired and handed on."""

import pytest
from aiortc.rtp import RtcpSenderInfo
from hypothesis import given
from hypothesis import strategies as st

from media.description import Source
from media.published import HISTORY, Uplink
from media.rtp import Header
from tests.media.streams import Clock, Publisher, packet, retransmission


class Watcher:
    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.packets: list[bytes] = []

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        self.numbers.append(header.sequence)
        self.packets.append(packet)

    def forward_report(self, report: RtcpSenderInfo) -> None:
        raise NotImplementedError


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


def test_a_gap_is_asked_for_at_once(publisher: Publisher) -> None:
    publisher.send(packet(10))
    publisher.send(packet(13))
    assert publisher.asked_for == [11, 12]
    assert publisher.stream.is_missing_packets


def test_what_is_missing_is_asked_for_ten_times_and_then_given_up(publisher: Publisher) -> None:
    publisher.send(packet(10))
    publisher.send(packet(12))
    for _ in range(20):
        publisher.clock.now += 0.07
        publisher.stream.ask_for_missing()
    assert publisher.asked_for == [11] * 10
    assert not publisher.stream.is_missing_packets


def test_a_new_gap_does_not_ask_again_for_what_was_just_asked_for(publisher: Publisher) -> None:
    for number in (10, 12, 14):
        publisher.clock.now += 0.01
        publisher.send(packet(number))
    assert publisher.asked_for == [11, 13]


def test_what_comes_late_is_not_asked_for_any_more(publisher: Publisher) -> None:
    for number in (10, 12, 11):
        publisher.send(packet(number))
    publisher.clock.now += 1
    publisher.stream.ask_for_missing()
    assert publisher.asked_for == [11]


def test_a_retransmission_fills_its_gap_once(publisher: Publisher) -> None:
    watcher = Watcher()
    publisher.stream.watchers.append(watcher)
    publisher.send(packet(10))
    publisher.send(packet(12))
    for number in (1, 2):
        publisher.send(retransmission(number, 11, b"\x10\x01again"))
    assert watcher.numbers == [10, 12, 11]
    assert watcher.packets[2] == packet(11, b"\x10\x01again")
    assert publisher.stream.repaired == 1
    assert not publisher.stream.is_missing_packets


def test_a_retransmission_that_carries_nothing_is_nothing(publisher: Publisher) -> None:
    publisher.send(packet(10))
    publisher.send(packet(12))
    publisher.send(packet(1, b"", payload_type=97, ssrc=2222))
    assert publisher.stream.is_missing_packets


def test_a_gap_too_wide_to_repair_asks_for_a_new_picture(publisher: Publisher) -> None:
    publisher.send(packet(10))
    publisher.send(packet(1000))
    assert publisher.asked_for == []
    assert publisher.keyframes == 1


def test_a_new_picture_is_asked_for_twice_a_second_at_most(publisher: Publisher) -> None:
    for _ in range(100):
        publisher.stream.request_keyframe()
        publisher.clock.now += 0.01
    assert publisher.keyframes == 2


def test_sound_is_neither_asked_for_again_nor_kept() -> None:
    publisher = Publisher(Source.AUDIO)
    publisher.sound(10)
    publisher.sound(12)
    publisher.stream.request_keyframe()
    assert (publisher.asked_for, publisher.keyframes, publisher.stream.kept(10)) == ([], 0, None)


def test_what_was_not_agreed_on_is_not_handed_on(publisher: Publisher) -> None:
    watcher = Watcher()
    publisher.stream.watchers.append(watcher)
    publisher.send(packet(10, payload_type=111))
    publisher.send(packet(11, payload_type=97))
    publisher.send(packet(12))
    assert watcher.numbers == [12]


def test_packets_are_kept_until_newer_ones_need_their_place(publisher: Publisher) -> None:
    for number in range(HISTORY + 1):
        publisher.send(packet(number))
    assert publisher.stream.kept(0) is None
    kept = publisher.stream.kept(1)
    assert kept is not None
    assert kept[0] == packet(1)


@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_exactly_what_did_not_come_is_asked_for_around_the_wrap(first: int, gaps: list[int]) -> None:
    publisher, number, lost = Publisher(), first, []
    publisher.send(packet(number))
    for gap in gaps:
        lost += [(number + n) & 0xFFFF for n in range(1, gap + 1)]
        number += gap + 1
        publisher.send(packet(number))
    assert sorted(publisher.asked_for) == sorted(lost)
    report = publisher.stream.reception()
    assert report is not None
    assert report.packets_lost == len(lost)
    assert report.highest_sequence == number
    assert report.fraction_lost == 256 * len(lost) // (len(lost) + len(gaps) + 1)


def test_a_reception_report_says_what_a_hand_computes(publisher: Publisher) -> None:
    clock = publisher.clock
    # 15 pictures a second: 6 000 ticks of 90 kHz each, the third of them 30 ms (2 700 ticks) late.
    for number, late in enumerate((0.0, 0.0, 0.03)):
        clock.now = 100 + number / 15 + late
        publisher.send(packet(65534 + number, timestamp=6000 * number))
    report = publisher.stream.reception()
    assert report is not None
    assert report.jitter == int(2700 / 16)
    assert report.highest_sequence == 65536
    assert (report.lsr, report.dlsr, report.packets_lost, report.fraction_lost) == (0, 0, 0, 0)
    publisher.stream.take_report(RtcpSenderInfo(0x1122334455667788, 0, 0, 0))
    clock.now += 1.5
    publisher.send(packet(4))  # 1, 2 and 3 are lost: three of four since the last report
    report = publisher.stream.reception()
    assert report is not None
    assert (report.lsr, report.dlsr) == (0x33445566, 98304)
    assert (report.packets_lost, report.fraction_lost) == (3, 192)


def test_before_the_first_packet_there_is_nothing_to_report(publisher: Publisher) -> None:
    assert publisher.stream.reception() is None


@given(st.floats(0, 200), st.floats(-1000, 1000))
def test_a_steady_way_has_no_delay_whatever_the_clocks_say(began: float, apart: float) -> None:
    uplink = Uplink()
    for number in range(100):
        sent = began + number / 15
        uplink.add(int(sent * (1 << 18)) & 0xFFFFFF, sent + apart + 1000)
    assert uplink.delay < 0.001


def test_a_queue_on_the_way_shows_as_delay() -> None:
    uplink, clock = Uplink(), Clock()
    for number in range(200):
        sent = number / 15
        clock.now = sent + min(number / 100, 0.5)
        uplink.add(int(sent * (1 << 18)) & 0xFFFFFF, clock.now)
    assert 0.45 < uplink.delay < 0.51


def test_the_send_time_of_a_picture_tells_the_uplink(publisher: Publisher) -> None:
    publisher.send(packet(1, sent=10.0))
    publisher.clock.now += 1
    publisher.send(packet(2, sent=10.2))
    assert publisher.uplink.delay == pytest.approx(0.8 / 16, abs=0.001)
