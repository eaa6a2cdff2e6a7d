"""Packets as bytes: what is read, what is rewritten, what is refused."""

import pytest
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, unwrap_rtx, wrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    MalformedPacketError,
    extension_at,
    is_newer,
    read_header,
    readdressed,
    starts_keyframe_vp8,
    unwrapped_retransmission,
    wrapped_for_retransmission,
)

NO_EXTENSIONS = HeaderExtensionsMap()

packets = st.builds(
    lambda pt, marker, seq, ts, ssrc, csrc, payload: _packet(pt, marker, seq, ts, ssrc, csrc, payload),
    st.integers(96, 127),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=3),
    st.binary(min_size=1, max_size=60),
)


def _packet(pt: int, marker: bool, seq: int, ts: int, ssrc: int, csrc: list[int], payload: bytes) -> RtpPacket:
    packet = RtpPacket(payload_type=pt, marker=int(marker), sequence_number=seq, timestamp=ts, ssrc=ssrc)
    packet.csrc, packet.payload = csrc, payload
    return packet


@given(packets)
def test_a_header_is_read_as_another_library_wrote_it(packet: RtpPacket) -> None:
    data = packet.serialize(NO_EXTENSIONS)
    header = read_header(data)
    assert (header.payload_type, header.marker, header.sequence) == (
        packet.payload_type,
        bool(packet.marker),
        packet.sequence_number,
    )
    assert (header.timestamp, header.ssrc, data[header.payload_at :]) == (
        packet.timestamp,
        packet.ssrc,
        packet.payload,
    )


@given(packets, st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_a_readdressed_packet_keeps_marker_and_payload(packet: RtpPacket, seq: int, ts: int, ssrc: int) -> None:
    data = packet.serialize(NO_EXTENSIONS)
    read = RtpPacket.parse(bytes(readdressed(data, read_header(data), 96, seq, ts, ssrc)), NO_EXTENSIONS)
    assert (read.sequence_number, read.timestamp, read.ssrc, read.payload_type) == (seq, ts, ssrc, 96)
    assert (read.marker, read.payload, read.csrc) == (packet.marker, packet.payload, packet.csrc)


@given(packets, st.integers(0, 0xFFFF))
def test_a_retransmission_is_what_another_library_makes_and_reads(packet: RtpPacket, number: int) -> None:
    data = packet.serialize(NO_EXTENSIONS)
    ours = wrapped_for_retransmission(data, read_header(data).payload_at, 97, number, 7)
    theirs = wrap_rtx(packet, payload_type=97, sequence_number=number, ssrc=7).serialize(NO_EXTENSIONS)
    assert ours == theirs
    assert unwrap_rtx(RtpPacket.parse(ours, NO_EXTENSIONS), packet.payload_type, packet.ssrc).payload == packet.payload
    assert unwrapped_retransmission(ours, read_header(ours), packet.payload_type, packet.ssrc) == data


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        header = read_header(data)
    except MalformedPacketError:
        return
    assert 12 <= header.payload_at <= len(data)
    extension_at(data, header.payload_at, 1)
    starts_keyframe_vp8(data, header.payload_at)
    unwrapped_retransmission(data, header, 96, 1)


@pytest.mark.parametrize(
    ("extension", "identifier", "found"),
    [
        (bytes.fromhex("bede0001 12aabbcc"), 1, bytes.fromhex("aabbcc")),
        (bytes.fromhex("bede0002 2011 12aabbcc 0000"), 1, bytes.fromhex("aabbcc")),
        (bytes.fromhex("10000002 0103aabbcc 000000"), 1, bytes.fromhex("aabbcc")),
        (bytes.fromhex("bede0001 22aabbcc"), 1, None),
        (bytes.fromhex("abcd0001 12aabbcc"), 1, None),
        (bytes.fromhex("bede0001 1faabbcc"), 1, None),
    ],
)
def test_a_header_extension_is_found_in_both_forms(extension: bytes, identifier: int, found: bytes | None) -> None:
    data = bytes.fromhex("9060000100000002 00000003") + extension + b"payload"
    header = read_header(data)
    at = extension_at(data, header.payload_at, identifier)
    assert (None if at is None else data[at[0] : at[0] + at[1]]) == found
    assert data[header.payload_at :] == b"payload"


@given(st.integers(0, 0xFFFF), st.integers(1, 0x7FFF))
def test_what_comes_later_is_newer_also_around_the_wrap(sequence: int, step: int) -> None:
    later = (sequence + step) & 0xFFFF
    assert is_newer(later, sequence)
    assert not is_newer(sequence, later)


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (bytes.fromhex("10 00 9d"), True),  # bare descriptor, key frame
        (bytes.fromhex("10 01 9d"), False),  # inter frame
        (bytes.fromhex("90 80 05 00"), True),  # 7-bit picture number
        (bytes.fromhex("90 80 8005 00"), True),  # 15-bit picture number
        (bytes.fromhex("90 e0 8005 03 04 00"), True),  # with TL0PICIDX and TID
        (bytes.fromhex("00 00"), False),  # not the start of a partition
        (bytes.fromhex("11 00"), False),  # a later partition
        (b"", False),
    ],
)
def test_a_key_frame_is_recognised_at_its_first_packet(payload: bytes, key: bool) -> None:
    assert starts_keyframe_vp8(payload, 0) is key
