"""Packets become whole frames in order, whatever the network does to them; what builds on a loss is left out."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.description import OPUS
from media.frames import Frame, PictureFrames, VoiceFrames, extended, opus_samples, payload_of
from media.rtp import read_header
from tests.media.streams import packet
from tests.media.studio import vp8

SIZES = [(640, 480), (1280, 720)]


@dataclass
class Sender:
    """Cuts frames into packets."""

    sequence: int = 0
    timestamp: int = 0
    step: int = 6000

    def packets(self, data: bytes, parts: int = 3, discardable: bool = False) -> list[bytes]:
        cut = max(1, -(-len(data) // parts))
        pieces = [data[at : at + cut] for at in range(0, len(data), cut)]
        made = []
        for number, piece in enumerate(pieces):
            descriptor = (0x10 if number == 0 else 0) | (0x20 if discardable else 0)
            made.append(self._packet(bytes([descriptor]) + piece, marker=number == len(pieces) - 1))
        self.timestamp += self.step
        return made

    def padding(self) -> bytes:
        """A packet that only probes the network (RFC 3550, 5.1)."""
        made = bytearray(self._packet(bytes(9) + b"\x0a", marker=False))
        made[0] |= 0x20
        return bytes(made)

    def _packet(self, payload: bytes, *, marker: bool) -> bytes:
        made = bytearray(packet(self.sequence, payload, timestamp=self.timestamp))
        made[1] |= 0x80 if marker else 0
        self.sequence += 1
        return bytes(made)


def received(
    packets: Iterable[bytes], frames: PictureFrames | VoiceFrames, clock: Callable[[], float] = lambda: 0.0
) -> Iterator[Frame]:
    for data in packets:
        yield from frames.take(data, read_header(data), clock())


def film(sender: Sender, count: int = 20, every: int = 8) -> list[tuple[bytes, list[bytes]]]:
    """Frames with their packets; each eighth is whole in itself."""
    frames = [vp8(number, key=number % every == 0, size=SIZES[number // every % 2]) for number in range(count)]
    return [(data, sender.packets(data, parts=number % 4 + 1)) for number, data in enumerate(frames)]


@given(st.integers(), st.integers(0, (1 << 40)))
def test_a_number_is_found_again_from_its_lowest_bits(apart: int, near: int) -> None:
    number = near + (apart % 65_536) - 32_768
    assert extended(number & 0xFFFF, near, 16) == number


@given(st.integers(0, 65_535), st.integers(0, (1 << 32) - 1), st.randoms(use_true_random=False))
def test_frames_come_whole_and_in_order_however_packets_are_shuffled(
    sequence: int, timestamp: int, chance: random.Random
) -> None:
    """Also around the wraps: both counters begin anywhere. The first packet comes first, others up to 20 late."""
    sent = film(Sender(sequence, timestamp), 40)
    first, *rest = [data for _, packets in sent for data in packets]
    places = [(place + chance.uniform(0, 20), data) for place, data in enumerate(rest)]
    rest = [data for _, data in sorted(places, key=lambda placed: placed[0])]
    frames = list(received([first, *rest], PictureFrames()))
    assert [frame.data for frame in frames] == [data for data, _ in sent]
    assert [frame.timestamp - frames[0].timestamp for frame in frames] == [6000 * n for n in range(40)]
    assert [frame.size for frame in frames[::8]] == [SIZES[n % 2] for n in range(5)]


@given(st.sets(st.integers(1, 90)), st.randoms(use_true_random=False))
def test_after_a_loss_only_what_can_be_decoded_comes(lost: set[int], chance: random.Random) -> None:
    sent = film(Sender(65_500), 40)
    numbered = [(n, data) for n, data in enumerate(data for _, packets in sent for data in packets)]
    arrived = [data for n, data in numbered if n not in lost]
    arrived += chance.sample(arrived, min(5, len(arrived)))  # repeated, and too late
    frames = PictureFrames()
    got = [frame.data for frame in received(arrived, frames)] + [frame.data for frame in frames.release(10.0)]
    expected, at, decodable = [], 0, False
    for number, (data, packets) in enumerate(sent):
        whole = not any(n in lost for n in range(at, at + len(packets)))
        decodable = whole and (decodable or number % 8 == 0)
        if decodable:
            expected.append(data)
        at += len(packets)
    assert got == expected


def test_a_repaired_packet_takes_its_place() -> None:
    sent = film(Sender(), 3)
    packets = [data for _, packets in sent for data in packets]
    late = packets.pop(2)
    frames = PictureFrames()
    before = list(received(packets, frames))
    assert [frame.data for frame in before + list(received([late], frames))] == [data for data, _ in sent]


def test_a_missing_packet_is_waited_for_a_moment_only() -> None:
    sent = film(Sender(), 10)
    packets = [data for _, packets in sent for data in packets]
    del packets[2]  # of the second frame
    frames = PictureFrames()
    assert len(list(received(packets, frames))) == 1
    assert list(frames.release(0.4)) == []
    assert not frames.needs_keyframe
    assert [frame.data for frame in frames.release(0.6)] == [sent[8][0], sent[9][0]]


def test_a_lost_frame_to_which_no_other_refers_is_lost_alone() -> None:
    sender = Sender()
    key = sender.packets(vp8(0, key=True))
    spare = sender.packets(vp8(1, key=False), discardable=True)
    after = sender.packets(vp8(2, key=False))
    frames = PictureFrames()
    got = list(received([*key, spare[0], spare[2], *after], frames)) + list(frames.release(1.0))
    assert [frame.data for frame in got] == [vp8(0, key=True), vp8(2, key=False)]
    assert not frames.needs_keyframe


def test_nothing_comes_before_the_first_key_frame() -> None:
    sender = Sender()
    inter, key = sender.packets(vp8(0, key=False)), sender.packets(vp8(1, key=True))
    frames = PictureFrames()
    assert list(received(inter, frames)) == []
    assert frames.needs_keyframe
    assert [frame.data for frame in received(key, frames)] == [vp8(1, key=True)]


def test_packets_that_only_probe_are_passed_over() -> None:
    sender = Sender()
    key, probe, inter = sender.packets(vp8(0, key=True)), sender.padding(), sender.packets(vp8(1, key=False))
    assert payload_of(probe, read_header(probe)) == b""
    assert len(list(received([*key, probe, *inter], PictureFrames()))) == 2


@pytest.mark.parametrize("payload", [b"\x90", b"\x90\x80", b"\x90\x80\x80\x01", b"\x10"])
def test_a_packet_without_a_picture_in_it_breaks_its_frame(payload: bytes) -> None:
    frames = PictureFrames()
    assert list(received([packet(0, payload), packet(1, b"\x10\x01abc", timestamp=9)], frames)) == []
    assert frames.needs_keyframe


def test_a_damaged_key_frame_is_none() -> None:
    data = bytearray(vp8(0, key=True))
    data[3] = 0
    frames = PictureFrames()
    assert list(received(Sender().packets(bytes(data)), frames)) == []
    assert frames.needs_keyframe


@given(st.binary(max_size=80), st.lists(st.binary(min_size=1, max_size=60), max_size=30))
def test_noise_raises_nothing(first: bytes, payloads: list[bytes]) -> None:
    frames, voices = PictureFrames(), VoiceFrames()
    for number, payload in enumerate([first, *payloads]):
        data = packet(number, payload)
        list(received([data], frames))
        list(received([data], voices))
    list(frames.release(9.0))


def test_a_stream_that_loses_packets_for_ever_holds_a_bounded_number() -> None:
    sender, frames = Sender(), PictureFrames()
    list(received(sender.packets(vp8(0, key=True)), frames))
    sender.sequence += 1
    packets = [data for number in range(600) for data in sender.packets(vp8(number, key=False), parts=1)]
    list(received(packets, frames))
    assert len(frames._ordered._waiting) <= 512


@given(st.integers(0, 65_535), st.randoms(use_true_random=False))
def test_voices_come_in_order_and_losses_leave_gaps(sequence: int, chance: random.Random) -> None:
    sent = [packet(sequence + n, b"\xfc" + n.to_bytes(2), timestamp=960 * n, payload_type=OPUS) for n in range(60)]
    lost = set(chance.sample(range(1, 59), 5))
    order = sorted((n + chance.uniform(0, 4) if n else 0.0, n) for n in range(60) if n not in lost)
    frames = VoiceFrames()
    got = list(received([sent[n] for _, n in order], frames)) + list(frames.release(1.0))
    assert [frame.timestamp for frame in got] == [960 * n for n in range(60) if n not in lost]
    assert {frame.duration for frame in got} == {960}


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        (b"", 0),
        (b"\xfc\xff\xfe", 960),  # full band, 20 ms
        (b"\xf8\xff\xfe", 960),
        (b"\x18ab", 2880),  # speech, 60 ms
        (b"\x00ab", 480),
        (b"\x68ab", 960),  # hybrid, 20 ms
        (b"\xe0ab", 120),  # 2.5 ms
        (b"\xfdab", 1920),  # two frames
        (b"\xff\x03ab", 2880),  # three frames
        (b"\xff", 0),
        (b"\xff\x3fab", 0),  # longer than a packet may be
    ],
)
def test_how_long_an_opus_packet_lasts(data: bytes, samples: int) -> None:
    assert opus_samples(data) == samples
